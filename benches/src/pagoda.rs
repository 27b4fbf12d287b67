//! The platform under test: started as released, with the application that the benchmarks call.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::Outcome;
use crate::connection::Target;
use crate::place::Place;
use crate::process::{Server, succeed};
use crate::scenario::sign::Signer;

/// A running platform.
pub(crate) struct Pagoda {
    pub(crate) server: Server,
    pub(crate) address: SocketAddr,
}

impl Pagoda {
    /// Starts the platform on `data` and waits until it says that it is ready.
    pub(crate) fn start(place: &Place, data: &Path) -> Outcome<Self> {
        let mut command = Command::new(place.binary());
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--runtime-fallback", "nearest", "--data"])
            .arg(data);
        let log =
            std::fs::OpenOptions::new().create(true).append(true).open(place.peers().join("pagoda.log"))?;
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn()?;
        let output = child.stdout.take().ok_or("the platform has no output")?;
        let server = Server::of(child);
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address =
            line.trim().strip_prefix("ready https://").ok_or_else(|| format!("not ready: {line:?}"))?;
        Ok(Self { address: address.parse()?, server })
    }
}

/// A running platform with an application deployed, on a data folder of its own.
pub(crate) struct Deployed {
    pub(crate) pagoda: Pagoda,
    pub(crate) signer: Signer,
    outputs: BTreeMap<String, String>,
    data: TempDir,
}

impl Deployed {
    /// Starts and deploys the application in the folder.
    pub(crate) fn start(place: &Place, application: &Path) -> Outcome<Self> {
        Self::start_with(place, application, &[])
    }

    /// The same, with parameters of its template.
    pub(crate) fn start_with(
        place: &Place,
        application: &Path,
        parameters: &[(&str, &str)],
    ) -> Outcome<Self> {
        let data = place.scratch()?;
        let pagoda = Pagoda::start(place, data.path())?;
        let mut deploy = Command::new(place.binary());
        deploy.arg("deploy").arg(application).args(["--stack", "bench", "--data"]).arg(data.path());
        for (name, value) in parameters {
            deploy.arg("--parameter").arg(format!("{name}={value}"));
        }
        let rows = succeed(&mut deploy)?;
        let outputs = rows.lines().filter_map(|row| row.split_once('\t'));
        let outputs = outputs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let signer = Signer::of_data_folder(data.path())?;
        Ok(Self { pagoda, signer, outputs, data })
    }

    /// An output of the stack.
    pub(crate) fn output(&self, name: &str) -> Outcome<&str> {
        Ok(self.outputs.get(name).ok_or_else(|| format!("the stack has no output {name}"))?)
    }

    /// The host name of a deployed API.
    pub(crate) fn api_host(&self, output: &str) -> Outcome<String> {
        Ok(format!("{}.execute-api.us-east-1.localhost", self.output(output)?))
    }

    /// Plain HTTP, which the platform speaks on loopback.
    pub(crate) fn plain(&self) -> Target {
        Target::plain(self.pagoda.address)
    }

    /// The certificate of the platform's own authority.
    pub(crate) fn authority(&self) -> PathBuf {
        self.data.path().join("tls/ca.pem")
    }
}
