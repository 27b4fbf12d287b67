//! The tests with real clients: pytest over tests/, with the program's path in `PAGODA_BIN`.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::test::tally::Tally;
use crate::{Outcome, process};

/// What the tests need from PyPI, pinned. Without it there are no such tests.
pub(crate) const REQUIREMENTS: &str = "tests/requirements.txt";
/// The environment that they run in.
pub(crate) const VENV: &str = ".cache/venv";

/// Runs them.
pub(crate) fn run(root: &Path, binary: &Path) -> Outcome<Tally> {
    let root = root.canonicalize()?;
    let mut pytest = Command::new(root.join(VENV).join("bin/python"));
    pytest.args(["-m", "pytest", "-p", "no:cacheprovider", "-ra", "--color=no", "tests"]);
    pytest.current_dir(&root).env("PAGODA_BIN", binary).env("PATH", path(&root)?);
    let mut tally = Tally::default();
    let status = process::follow(&mut pytest, |line| tally.read(line))?;
    Ok(tally.ended(status.success()))
}

/// The environment's programs (`aws` among them) go before the machine's.
fn path(root: &Path) -> Outcome<OsString> {
    let machine = env::var_os("PATH").unwrap_or_default();
    let own = [root.join(VENV).join("bin")].into_iter();
    Ok(env::join_paths(own.chain(env::split_paths(&machine).collect::<Vec<PathBuf>>()))?)
}
