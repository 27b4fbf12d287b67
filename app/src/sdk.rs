//! The AWS SDKs that functions find without bringing them, as on AWS: fetched once from their registries
//! into the data folder.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html>

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pagoda_lambda::{Interpreters, Language, Sdk};

use crate::data::Data;
use crate::error::{Doing as _, Error};

const PYTHON_PACKAGES: [&str; 1] = ["boto3==1.43.11"];
/// The clients of the services that the platform has; Lambda's runtimes have all.
const NODEJS_PACKAGES: [&str; 8] = [
    "@aws-sdk/client-api-gateway@3",
    "@aws-sdk/client-cloudwatch-logs@3",
    "@aws-sdk/client-dynamodb@3",
    "@aws-sdk/client-iam@3",
    "@aws-sdk/client-lambda@3",
    "@aws-sdk/client-s3@3",
    "@aws-sdk/client-sts@3",
    "@aws-sdk/lib-dynamodb@3",
];

/// The SDKs that the data folder has already.
pub(crate) fn present(data: &Data) -> Sdk {
    let there = |path: PathBuf| path.join(DONE).exists().then_some(path);
    Sdk { python: there(python(data)), nodejs: there(nodejs(data)) }
}

/// Written when a folder is complete.
const DONE: &str = ".complete";

fn python(data: &Data) -> PathBuf {
    data.sdks().join("python")
}

fn nodejs(data: &Data) -> PathBuf {
    data.sdks().join("nodejs/node_modules")
}

/// Fetches what is missing of the languages that this host runs; tells `say` what it does.
pub(crate) fn fetch(data: &Data, interpreters: &Interpreters, say: impl Fn(&str)) -> Result<(), Error> {
    let has = |language| interpreters.all().any(|one| one.language == language);
    let have = present(data);
    if have.python.is_none() && has(Language::Python) {
        say("fetching the AWS SDK for Python (once)");
        let folder = python(data);
        clear(&folder)?;
        let mut pip = Command::new("python3");
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
            "--root-user-action=ignore",
            "--target",
        ]);
        run(pip.arg(&folder).args(PYTHON_PACKAGES), "pip")?;
        complete(&folder)?;
    }
    if have.nodejs.is_none() && has(Language::Nodejs) {
        say("fetching the AWS SDK for JavaScript (once)");
        let folder = nodejs(data);
        clear(&folder)?;
        let prefix = data.sdks().join("nodejs");
        std::fs::write(prefix.join("package.json"), "{\"private\":true}\n").doing("package.json")?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--silent", "--no-audit", "--no-fund", "--no-progress", "--prefix"]);
        run(npm.arg(&prefix).args(NODEJS_PACKAGES), "npm")?;
        complete(&folder)?;
    }
    Ok(())
}

fn clear(folder: &Path) -> Result<(), Error> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).doing(folder.display()),
        _ => std::fs::create_dir_all(folder).doing(folder.display()),
    }
}

fn complete(folder: &Path) -> Result<(), Error> {
    std::fs::write(folder.join(DONE), "").doing(folder.display())
}

fn run(command: &mut Command, name: &str) -> Result<(), Error> {
    let output = command.stdin(Stdio::null()).output().doing(name)?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it failed").to_owned();
    Err(Error::new(format!("{name}: {last}")))
}
