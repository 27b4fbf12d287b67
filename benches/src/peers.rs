//! The peers: installed from their registries at pinned versions, started at ports of their own.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::Outcome;
use crate::place::Place;
use crate::process::{Server, free_address, succeed};

/// From PyPI.
pub(crate) const PYTHON: [&str; 1] = ["functions-framework==3.10.2"];
/// From npm.
pub(crate) const NODE: [&str; 6] = [
    "dynalite@4.0.0",
    "s3rver@3.7.1",
    "@google-cloud/functions-framework@5.0.5",
    "serverless@3.40.0",
    "serverless-offline@13.9.0",
    "workerd@1.20251118.0",
];
/// The SDKs that the functions bundle whose start is measured.
pub(crate) const SDKS: [&str; 2] = ["boto3==1.35.99", "@aws-sdk/client-s3@3.700.0"];
/// Debian's package.
pub(crate) const NGINX: &str = "/usr/sbin/nginx";
/// s3rver's own access key and its secret.
pub(crate) const S3RVER_KEY: &str = "S3RVER";

/// Installs what is missing, once.
pub(crate) fn install(folder: &Path) -> Outcome {
    let marker = folder.join("installed");
    let wanted = format!("{PYTHON:?}{NODE:?}{SDKS:?}");
    if fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    eprintln!("installing peers");
    let venv = folder.join("venv");
    succeed(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    succeed(Command::new(venv.join("bin/pip")).args(["install", "--quiet"]).args(PYTHON))?;
    let npm = ["install", "--silent", "--no-audit", "--no-fund", "--prefix"];
    succeed(Command::new("npm").args(npm).arg(folder).args(NODE))?;
    let [python, node] = SDKS;
    let pip = ["install", "--quiet", "--target"];
    succeed(Command::new(venv.join("bin/pip")).args(pip).arg(folder.join("python-sdk")).arg(python))?;
    let node_sdk = folder.join("node-sdk");
    fs::create_dir_all(&node_sdk)?;
    succeed(Command::new("npm").args(npm).arg(node_sdk).arg(node))?;
    Ok(fs::write(marker, wanted)?)
}

/// A started peer and where it answers.
pub(crate) struct Peer {
    pub(crate) server: Server,
    pub(crate) address: SocketAddr,
    /// Its data, removed with it.
    _folder: Option<TempDir>,
}

impl Peer {
    /// nginx answering `body`, and below `/bench/proxied` what `upstream` answers; at the second address in TLS, with
    /// the certificate.
    pub(crate) fn nginx(
        place: &Place,
        body: &str,
        upstream: SocketAddr,
    ) -> Outcome<(Self, SocketAddr, PathBuf)> {
        let folder = place.scratch()?;
        let (address, encrypted) = (free_address()?, free_address()?);
        let certificate = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
        let pem = folder.path().join("certificate.pem");
        fs::write(&pem, certificate.cert.pem())?;
        fs::write(folder.path().join("key.pem"), certificate.signing_key.serialize_pem())?;
        let text = include_str!("../peers/nginx.conf")
            .replace("{folder}", &folder.path().display().to_string())
            .replace("{plain}", &address.to_string())
            .replace("{encrypted}", &encrypted.to_string())
            .replace("{upstream}", &upstream.to_string())
            .replace("{body}", body);
        let configuration = folder.path().join("nginx.conf");
        fs::write(&configuration, text)?;
        let mut command = Command::new(NGINX);
        command.arg("-c").arg(&configuration).arg("-e").arg(folder.path().join("error.log"));
        let server = Server::start(&mut command)?.listening(address)?.listening(encrypted)?;
        Ok((Self { server, address, _folder: Some(folder) }, encrypted, pem))
    }

    /// functions-framework for Python.
    pub(crate) fn python(place: &Place) -> Outcome<Self> {
        let mut command = Command::new(place.peers().join("venv/bin/functions-framework"));
        command.arg("--source").arg(place.file("benches/peers/python/main.py"));
        Self::function(&mut command)
    }

    /// functions-framework for Node.js.
    pub(crate) fn node(place: &Place) -> Outcome<Self> {
        let mut command = Command::new(place.peers().join("node_modules/.bin/functions-framework"));
        command.arg("--source").arg(place.file("benches/peers/node"));
        command.env("NODE_PATH", place.peers().join("node_modules")).env("NODE_ENV", "production");
        Self::function(&mut command)
    }

    /// serverless-offline with the functions that the platform runs.
    pub(crate) fn serverless_offline(place: &Place) -> Outcome<Self> {
        let (address, lambda, folder) = (free_address()?, free_address()?, place.scratch()?);
        let files = ["applications/lambda/python/app.py", "applications/lambda/node/app.mjs"];
        for file in files.into_iter().chain(["peers/offline/serverless.yml"]) {
            let file = place.file("benches").join(file);
            fs::copy(&file, folder.path().join(file.file_name().ok_or("a file without a name")?))?;
        }
        let modules = place.peers().join("node_modules");
        std::os::unix::fs::symlink(&modules, folder.path().join("node_modules"))?;
        let mut command = Command::new(modules.join(".bin/serverless"));
        command.current_dir(folder.path()).args(["offline", "--noPrependStageInUrl", "--httpPort"]);
        command.arg(address.port().to_string()).args(["--host", "127.0.0.1", "--lambdaPort"]);
        command.arg(lambda.port().to_string());
        command.env("SLS_TELEMETRY_DISABLED", "1").env("SLS_NOTIFICATIONS_MODE", "off");
        Ok(Self { server: Server::start(&mut command)?.listening(address)?, address, _folder: Some(folder) })
    }

    /// workerd with one worker.
    pub(crate) fn workerd(place: &Place) -> Outcome<Self> {
        let (address, folder) = (free_address()?, place.scratch()?);
        let configuration = folder.path().join("worker.capnp");
        let text = include_str!("../peers/workerd/worker.capnp").replace("{address}", &address.to_string());
        fs::write(&configuration, text)?;
        fs::write(folder.path().join("worker.js"), include_str!("../peers/workerd/worker.js"))?;
        let mut command = Command::new(place.peers().join("node_modules/.bin/workerd"));
        command.arg("serve").arg(configuration);
        Ok(Self { server: Server::start(&mut command)?.listening(address)?, address, _folder: Some(folder) })
    }

    fn function(command: &mut Command) -> Outcome<Self> {
        let address = free_address()?;
        command.args(["--target", "handler", "--port", &address.port().to_string()]);
        Ok(Self { server: Server::start(command)?.listening(address)?, address, _folder: None })
    }

    /// dynalite, in memory or on disk.
    pub(crate) fn dynalite(place: &Place, on_disk: bool) -> Outcome<Self> {
        let (address, folder) = (free_address()?, place.scratch()?);
        let mut command = Command::new(place.peers().join("node_modules/.bin/dynalite"));
        command.args(["--port", &address.port().to_string(), "--createTableMs", "0"]);
        if on_disk {
            command.arg("--path").arg(folder.path());
        }
        Ok(Self { server: Server::start(&mut command)?.listening(address)?, address, _folder: Some(folder) })
    }

    /// s3rver with one bucket.
    pub(crate) fn s3rver(place: &Place, bucket: &str) -> Outcome<Self> {
        let (address, folder) = (free_address()?, place.scratch()?);
        let mut command = Command::new(place.peers().join("node_modules/.bin/s3rver"));
        command.args(["--silent", "--address", "127.0.0.1", "--port", &address.port().to_string()]);
        command.arg("--directory").arg(folder.path()).args(["--configure-bucket", bucket]);
        Ok(Self { server: Server::start(&mut command)?.listening(address)?, address, _folder: Some(folder) })
    }
}
