//! The data folder: keys, certificates, the store, and where the running platform is found.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use pagoda_base::{AccountId, Random, ids};
use pagoda_service::ROOT_KEY_BYTES;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::{Doing as _, Error};

/// An open data folder, readable by its owner only.
pub(crate) struct Data(PathBuf);

/// A root access key as it is kept.
#[derive(Serialize, Deserialize)]
pub(crate) struct Credentials {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: Zeroizing<String>,
}

/// What `pagoda env` and the other clients need to know of the platform that runs.
#[derive(Serialize, Deserialize)]
pub(crate) struct Running {
    pub(crate) endpoint: String,
    pub(crate) region: String,
    pub(crate) account: AccountId,
    pub(crate) domain: String,
}

impl Data {
    /// Opens the folder, made on the first start.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).doing(folder.display())?;
        Ok(Self(folder.to_owned()))
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.0.join("store")
    }

    pub(crate) fn blobs(&self) -> PathBuf {
        self.0.join("blobs")
    }

    /// SDKs that functions find beside their own code.
    pub(crate) fn sdks(&self) -> PathBuf {
        self.0.join("sdks")
    }

    pub(crate) fn tls(&self) -> PathBuf {
        self.0.join("tls")
    }

    /// The certificate that clients trust.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.tls().join("ca.pem")
    }

    /// The key under which secrets are sealed; made on the first start.
    pub(crate) fn root_key(&self, random: &dyn Random) -> Result<Zeroizing<[u8; ROOT_KEY_BYTES]>, Error> {
        let path = self.0.join("root.key");
        if !path.exists() {
            let mut key = Zeroizing::new([0; ROOT_KEY_BYTES]);
            random.fill(&mut *key);
            write_private(&path, &*key)?;
        }
        let bytes = Zeroizing::new(std::fs::read(&path).doing(path.display())?);
        let key = <[u8; ROOT_KEY_BYTES]>::try_from(bytes.as_slice()).doing(path.display())?;
        Ok(Zeroizing::new(key))
    }

    /// The account's root access key; made on the first start.
    pub(crate) fn credentials(&self, random: &dyn Random) -> Result<Credentials, Error> {
        let path = self.0.join("credentials.json");
        if !path.exists() {
            let made = Credentials {
                access_key_id: ids::unique_id("AKIA", random),
                secret_access_key: Zeroizing::new(ids::secret_access_key(random)),
            };
            self.keep_credentials(&made)?;
        }
        self.kept_credentials()
    }

    /// Replaces the kept root access key.
    pub(crate) fn keep_credentials(&self, credentials: &Credentials) -> Result<(), Error> {
        let text = serde_json::to_vec_pretty(credentials).doing("credentials")?;
        write_private(&self.0.join("credentials.json"), &text)
    }

    /// The kept root access key.
    pub(crate) fn kept_credentials(&self) -> Result<Credentials, Error> {
        let path = self.0.join("credentials.json");
        let text = std::fs::read(&path).doing(path.display())?;
        serde_json::from_slice(&text).doing(path.display())
    }

    /// Tells clients where the platform answers.
    pub(crate) fn announce(&self, running: &Running) -> Result<(), Error> {
        let text = serde_json::to_vec_pretty(running).doing("running.json")?;
        write_private(&self.0.join("running.json"), &text)
    }

    /// Where the platform on this folder answers, or answered last.
    pub(crate) fn running(&self) -> Result<Running, Error> {
        let path = self.0.join("running.json");
        let text = std::fs::read(&path).map_err(|_| {
            let message = format!("no platform has run on {}", self.0.display());
            Error::new(message).with_hint("start one with `pagoda serve`, or name its folder with --data")
        })?;
        serde_json::from_slice(&text).doing(path.display())
    }
}

/// Writes a file that only its owner can read: whole, or not at all.
fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let temporary = path.with_extension("new");
    let written = (|| {
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    })();
    written.doing(path.display())
}
