//! The functions under test, packaged and deployed, and what the scenarios ask of the control plane.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::Outcome;
use crate::connection::{Connection, Prepared, once};
use crate::pagoda::Deployed;
use crate::place::Place;
use crate::process::succeed;
use crate::scenario::get;
use crate::scenario::sign::Signer;

const FUNCTIONS: &str = "/2015-03-31/functions";

/// A running platform with the functions, and the same code beside it for the bare interpreters.
pub(crate) struct Application {
    pub(crate) deployed: Deployed,
    /// May call the signed methods and invoke the functions, and nothing else.
    pub(crate) caller: Signer,
    runtimes: Value,
    folder: TempDir,
}

impl Application {
    /// Packages, starts and deploys.
    pub(crate) fn start(place: &Place) -> Outcome<Self> {
        let folder = place.scratch()?;
        let copy = |from: PathBuf, to: PathBuf| succeed(Command::new("cp").arg("-rT").arg(from).arg(to));
        copy(place.file("benches/applications/lambda"), folder.path().to_owned())?;
        copy(place.peers().join("python-sdk"), folder.path().join("python-sdk"))?;
        copy(place.peers().join("node-sdk/node_modules"), folder.path().join("node-sdk/node_modules"))?;
        let java = folder.path().join("java");
        succeed(Command::new("javac").arg("-d").arg(&java).arg(java.join("Hello.java")))?;
        // The interpreters that the platform itself runs: the first in PATH may be another version, or a script.
        let doctor: Value =
            serde_json::from_str(&succeed(Command::new(place.binary()).args(["doctor", "--json"]))?)?;
        let deployed = Deployed::start(place, folder.path())?;
        let caller = Signer::new(deployed.output("KeyId")?, deployed.output("KeySecret")?);
        Ok(Self { deployed, caller, runtimes: doctor["runtimes"].clone(), folder })
    }

    /// The interpreter of a runtime.
    pub(crate) fn interpreter(&self, runtime: &str) -> PathBuf {
        PathBuf::from(self.runtimes[runtime].as_str().unwrap_or(runtime))
    }

    /// Where a function's code lies.
    pub(crate) fn code(&self, folder: &str) -> PathBuf {
        self.folder.path().join(folder)
    }

    /// An unsigned request to a method of the API.
    pub(crate) fn method(&self, path: &str) -> Outcome<Prepared> {
        get(&self.deployed.api_host("Functions")?, path)
    }

    /// A request to the method that asks for a signature.
    pub(crate) fn signed_method(&self, path: &str) -> Outcome<Prepared> {
        let host = self.deployed.api_host("Functions")?;
        self.caller.request("execute-api", (Method::GET, path), &[("host", &host)], &Bytes::new())
    }

    /// A signed `Invoke` of a function, by its name in the template.
    pub(crate) fn invoke(&self, signer: &Signer, function: &str, qualifier: &str) -> Outcome<Prepared> {
        let name = self.deployed.output(function)?;
        let path = format!("{FUNCTIONS}/{name}/invocations?Qualifier={qualifier}");
        let headers = [("host", "localhost"), ("content-type", "application/json")];
        signer.request("lambda", (Method::POST, &path), &headers, &Bytes::from_static(b"{}"))
    }

    /// Changes a function's environment, so that no instance fits any more.
    pub(crate) async fn set_variables(&self, function: &str, variables: Value) -> Outcome {
        let path = format!("/{}/configuration", self.deployed.output(function)?);
        let change = json!({ "Environment": { "Variables": variables } });
        self.control(Method::PUT, &path, &change).await.map(drop)
    }

    /// Publishes a version and waits until it can be invoked; its number.
    pub(crate) async fn publish(&self, function: &str) -> Outcome<String> {
        let name = self.deployed.output(function)?;
        let published = self.control(Method::POST, &format!("/{name}/versions"), &json!({})).await?;
        let version = published["Version"].as_str().ok_or("a version without a number")?.to_owned();
        let path = format!("/{name}/configuration?Qualifier={version}");
        loop {
            match self.control(Method::GET, &path, &Value::Null).await?["State"].as_str() {
                Some("Active") => return Ok(version),
                Some("Pending") => {}
                state => return Err(format!("the version is {state:?}").into()),
            }
        }
    }

    /// A request to Lambda's control plane, at a path below its functions.
    pub(crate) async fn control(&self, method: Method, path: &str, input: &Value) -> Outcome<Value> {
        let body = if input.is_null() { Bytes::new() } else { Bytes::from(input.to_string()) };
        let headers = [("host", "localhost"), ("content-type", "application/json")];
        let path = format!("{FUNCTIONS}{path}");
        let request = self.deployed.signer.request("lambda", (method, &path), &headers, &body)?;
        Ok(serde_json::from_slice(&once(&self.deployed.plain(), request).await?)?)
    }

    /// How long a request takes on an open connection, in milliseconds.
    pub(crate) async fn time(&self, request: Prepared) -> Outcome<f64> {
        let mut connection = Connection::open(&self.deployed.plain()).await?;
        let sent = Instant::now();
        connection.exchange(request).await?;
        Ok(sent.elapsed().as_secs_f64() * 1000.0)
    }
}

/// How long a program runs, in milliseconds; in an empty environment, as a variable such as
/// `NODE_EXTRA_CA_CERTS` multiplies the time.
pub(crate) fn bare(interpreter: &Path, arguments: &[&str], folder: &Path) -> Outcome<f64> {
    let mut command = Command::new(interpreter);
    command.args(arguments).current_dir(folder).env_clear().stdin(Stdio::null()).stdout(Stdio::null());
    let started = Instant::now();
    if !command.status()?.success() {
        return Err(format!("{command:?} failed").into());
    }
    Ok(started.elapsed().as_secs_f64() * 1000.0)
}
