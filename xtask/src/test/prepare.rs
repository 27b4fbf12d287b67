//! What the tests need from outside: Debian packages, a Python environment, npm packages.
//!
//! Invariant: what is there already is not touched, so that a second run needs no network.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::test::python::{REQUIREMENTS, VENV};
use crate::test::tally::Tally;
use crate::{Outcome, process, say};

/// Programs, and the Debian packages that bring them.
const PROGRAMS: [(&str, &str); 6] = [
    ("chromium", "chromium"),
    ("chromedriver", "chromium-driver"),
    ("python3", "python3"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("ruby", "ruby"),
];

/// Makes all of it.
pub(crate) fn run(root: &Path) -> Outcome<Tally> {
    packages()?;
    venv(root)?;
    npm(&root.join("tests/js"))?;
    Ok(Tally::default())
}

fn packages() -> Outcome {
    let mut missing: Vec<&str> = PROGRAMS
        .into_iter()
        .filter(|(program, _)| !process::answers(program))
        .map(|(_, name)| name)
        .collect();
    if !process::succeeds(Command::new("python3").args(["-c", "import ensurepip"])) {
        missing.push("python3-venv");
    }
    if missing.is_empty() {
        return Ok(());
    }
    let is_root = process::succeeds(Command::new("sh").args(["-c", "test $(id -u) = 0"]));
    if !is_root || !process::answers("apt-get") {
        let list = missing.join(" ");
        say(&format!("missing, and only root on Debian can install it here: apt-get install {list}"));
        return Ok(());
    }
    process::run(apt().arg("update"))?;
    process::run(apt().args(["install", "--yes", "--no-install-recommends"]).args(missing))
}

fn apt() -> Command {
    let mut apt = Command::new("apt-get");
    apt.args(["--quiet", "--option", "DPkg::Lock::Timeout=120"]).env("DEBIAN_FRONTEND", "noninteractive");
    apt
}

/// A copy of the requirements inside the environment says what it was made for.
fn venv(root: &Path) -> Outcome {
    let (folder, wanted) = (root.join(VENV), root.join(REQUIREMENTS));
    let made_for = folder.join("requirements.txt");
    let text = fs::read_to_string(&wanted)?;
    if fs::read_to_string(&made_for).is_ok_and(|known| known == text) {
        return Ok(());
    }
    process::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
        .arg(&wanted);
    process::run(&mut pip)?;
    Ok(fs::write(made_for, text)?)
}

fn npm(folder: &Path) -> Outcome {
    let stamp = folder.join("node_modules/.pagoda-made-for");
    let Ok(text) = fs::read_to_string(folder.join("package.json")) else { return Ok(()) };
    let lock = fs::read_to_string(folder.join("package-lock.json"));
    let wanted = text + lock.as_deref().unwrap_or_default();
    if fs::read_to_string(&stamp).is_ok_and(|known| known == wanted) {
        return Ok(());
    }
    let mut npm = Command::new("npm");
    npm.arg(if lock.is_ok() { "ci" } else { "install" }).args(["--no-audit", "--no-fund"]);
    process::run(npm.current_dir(folder))?;
    Ok(fs::write(stamp, wanted)?)
}
