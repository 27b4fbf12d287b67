//! What the platform is started with: command line before configuration file before defaults.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use pagoda_base::{AccountId, Region};
use serde::Deserialize;

use crate::cli::{Options, RuntimeFallback, Serve};
use crate::error::{Doing as _, Error};

/// The port that AWS tools for local endpoints expect.
const PORT_DEFAULT: u16 = 4566;
const ACCOUNT_DEFAULT: &str = "123456789012";
const REGION_DEFAULT: &str = "us-east-1";
/// The shortest secret that is accepted off loopback, in characters; AWS's own have 40.
const SECRET_CHARS_MIN: usize = 16;

/// A complete configuration.
pub(crate) struct Config {
    pub(crate) data: PathBuf,
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) region: Region,
    pub(crate) account: AccountId,
    pub(crate) domain: String,
    pub(crate) root_key: Option<(String, String)>,
    pub(crate) accounts: Vec<Account>,
    pub(crate) runtime_fallback: RuntimeFallback,
    pub(crate) runtimes: BTreeMap<String, PathBuf>,
    pub(crate) unsafe_no_sandbox: bool,
    /// Where spans are sent.
    pub(crate) otlp_endpoint: Option<String>,
}

/// A further account.
#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub(crate) struct Account {
    pub(crate) id: AccountId,
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
}

/// The configuration file: the options, and what has no option.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct File {
    data: Option<PathBuf>,
    listen: Option<SocketAddr>,
    region: Option<Region>,
    account: Option<AccountId>,
    domain: Option<String>,
    root_access_key: Option<String>,
    root_secret_key: Option<String>,
    runtime_fallback: Option<RuntimeFallback>,
    unsafe_no_sandbox: bool,
    otlp_endpoint: Option<String>,
    accounts: Vec<Account>,
    runtimes: BTreeMap<String, PathBuf>,
}

impl Config {
    /// Reads what `serve` was given; `fallback` is the command's own default.
    pub(crate) fn of(serve: &Serve, fallback: RuntimeFallback) -> Result<Self, Error> {
        let file = match &serve.config {
            Some(path) => read(path)?,
            None => File::default(),
        };
        Self::merge(serve.options.clone(), file, fallback)
    }

    fn merge(options: Options, file: File, fallback: RuntimeFallback) -> Result<Self, Error> {
        let root_key = options.root_access_key.or(file.root_access_key);
        let root_secret = options.root_secret_key.or(file.root_secret_key);
        let root_key = match (root_key, root_secret) {
            (Some(key), Some(secret)) => Some((key, secret)),
            (None, None) => None,
            _ => return Err(Error::new("root-access-key and root-secret-key go together")),
        };
        let listen = match options.listen.or(file.listen) {
            Some(address) => vec![address],
            None => vec![
                SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT_DEFAULT),
                SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), PORT_DEFAULT),
            ],
        };
        let config = Self {
            data: data_folder(options.data.or(file.data))?,
            listen,
            region: options
                .region
                .or(file.region)
                .map_or_else(|| REGION_DEFAULT.parse(), Ok)
                .doing("region")?,
            account: options
                .account
                .or(file.account)
                .map_or_else(|| ACCOUNT_DEFAULT.parse(), Ok)
                .doing("account")?,
            domain: options.domain.or(file.domain).unwrap_or_else(|| "localhost".into()).to_ascii_lowercase(),
            root_key,
            accounts: file.accounts,
            runtime_fallback: options.runtime_fallback.or(file.runtime_fallback).unwrap_or(fallback),
            runtimes: file.runtimes,
            unsafe_no_sandbox: options.unsafe_no_sandbox || file.unsafe_no_sandbox,
            otlp_endpoint: options
                .otlp_endpoint
                .or(file.otlp_endpoint)
                .filter(|endpoint| !endpoint.is_empty()),
        };
        config.check_keys()?;
        Ok(config)
    }

    /// Keys that anybody could guess are for loopback only.
    fn check_keys(&self) -> Result<(), Error> {
        let loopback = self.listen.iter().all(|address| address.ip().is_loopback());
        let accounts = self.accounts.iter().map(|account| (&account.access_key, &account.secret_key));
        for (key, secret) in self.root_key.iter().map(|(key, secret)| (key, secret)).chain(accounts) {
            if !loopback && secret.chars().count() < SECRET_CHARS_MIN {
                let message = format!(
                    "the secret of access key {key} can be guessed: it is shorter than {SECRET_CHARS_MIN} characters"
                );
                return Err(Error::new(message).with_hint("such keys are for listeners on loopback only"));
            }
        }
        Ok(())
    }
}

/// The folder of all data: as given, or the user's own.
pub(crate) fn data_folder(given: Option<PathBuf>) -> Result<PathBuf, Error> {
    if let Some(folder) = given {
        return std::path::absolute(&folder).doing(folder.display());
    }
    if let Some(folder) = std::env::var_os("XDG_DATA_HOME").filter(|folder| !folder.is_empty()) {
        return Ok(PathBuf::from(folder).join("pagoda"));
    }
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
    let home = home.ok_or_else(|| Error::new("no data folder: neither --data nor HOME is set"))?;
    Ok(PathBuf::from(home).join(".local/share/pagoda"))
}

fn read(path: &Path) -> Result<File, Error> {
    let text = std::fs::read_to_string(path).doing(path.display())?;
    toml::from_str(&text).doing(path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(options: Options, file: &str) -> Result<Config, String> {
        let file = toml::from_str(file).map_err(|error| error.to_string())?;
        Config::merge(options, file, RuntimeFallback::Exact).map_err(|error| error.to_string())
    }

    #[test]
    fn the_command_line_comes_before_the_file() {
        let options =
            Options { region: "eu-west-1".parse().ok(), data: Some("/d".into()), ..Options::default() };
        let config = merged(options, "region = 'us-west-2'\ndomain = 'Example.org'").unwrap();
        assert_eq!((config.region.as_str(), config.domain.as_str()), ("eu-west-1", "example.org"));
        assert_eq!(config.listen.len(), 2);
    }

    #[test]
    fn unknown_keys_are_refused() {
        assert!(merged(Options::default(), "cache = true").is_err());
        assert!(merged(Options::default(), "[[accounts]]\nid = '1'").is_err());
    }

    #[test]
    fn keys_that_can_be_guessed_stay_on_loopback() {
        let keys = "root-access-key = 'test'\nroot-secret-key = 'test'\n";
        assert!(merged(Options::default(), keys).is_ok());
        assert!(merged(Options::default(), &format!("{keys}listen = '0.0.0.0:4566'")).is_err());
    }
}
