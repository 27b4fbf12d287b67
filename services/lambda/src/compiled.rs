//! Python packages are compiled when they arrive: what the interpreter would write beside the modules, and cannot
//! because the package is read-only, is there when the function is first called.
//!
//! Invariants: a package is read by a sandboxed interpreter, which runs nothing of it; what that writes goes into
//! `__pycache__` directories of the same package and nowhere else; without it functions only start later.

use std::collections::HashSet;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pagoda_sandbox::{Bind, Ids, Limits, Source, Spawner, Spec};
use tokio::io::AsyncReadExt as _;
use tokio::sync::watch;

use crate::Lambda;
use crate::execution::Templates;
use crate::image::{Budget, Tree};
use crate::interpreters::{Interpreter, Language};
use crate::package::{Hold, UNPACKED_BYTES_MAX};
use crate::table::{Code, Version};

/// Less source than this, in bytes, is compiled faster than a sandbox is begun.
const SOURCE_BYTES_MIN: u64 = 64 * 1024;
const TIME_MAX: Duration = Duration::from_secs(120);
const LIMITS: Limits =
    Limits { memory_bytes: 512 << 20, cpu_millis: 1_000, pids: 16, tmp_bytes: 1 << 20, open_files: 1024 };
const CACHE: &str = "__pycache__";
const NAME_BYTES_MAX: u64 = 4_096;

/// Which packages were compiled, by their hash and the interpreter, since this process began.
#[derive(Default)]
pub(crate) struct Compiled {
    known: Mutex<HashSet<(String, PathBuf)>>,
    making: watch::Sender<usize>,
}

impl Lambda {
    /// Has the packages of a version compiled, those that weren't.
    pub(crate) fn want_compiled(&self, version: &Version, interpreter: &Interpreter) {
        let (Ok(lambda), Some(spawner)) = (self.shared(), self.ports.spawner.clone()) else { return };
        if interpreter.language != Language::Python {
            return;
        }
        let packages = [(Some(&version.code), "/var/task"), (version.opt.as_ref(), "/opt")];
        for (code, guest) in packages {
            let Some(code) = code else { continue };
            let key = (code.sha256.clone(), interpreter.guest.clone());
            if !self.compiled.known.lock().unwrap_or_else(PoisonError::into_inner).insert(key) {
                continue;
            }
            self.compiled.making.send_modify(|making| *making += 1);
            let (lambda, spawner, interpreter) = (lambda.clone(), spawner.clone(), interpreter.clone());
            let hold = self.packages.hold(code);
            tokio::spawn(async move {
                if let Err(reason) = compile(&lambda, &spawner, &interpreter, &hold, guest).await {
                    tracing::warn!(package = hold.code().sha256, reason, "modules were not compiled");
                }
                lambda.compiled.making.send_modify(|making| *making -= 1);
            });
        }
    }

    /// Resolves when nothing is being compiled.
    pub async fn compiled_settled(&self) {
        // The sender lives as long as this.
        let _ = self.compiled.making.subscribe().wait_for(|making| *making == 0).await;
    }
}

async fn compile(
    lambda: &Lambda,
    spawner: &Spawner,
    interpreter: &Interpreter,
    hold: &Hold,
    guest: &'static str,
) -> Result<(), String> {
    let task = lambda.packages.task(hold.code());
    let directory = task.clone();
    let source = tokio::task::spawn_blocking(move || source_bytes(&directory)).await;
    if source.map_err(|error| error.to_string())? < SOURCE_BYTES_MIN {
        return Ok(());
    }
    let spec = spec(lambda, interpreter, hold.code(), guest);
    let mut instance = spawner.spawn(spec).await.map_err(|error| error.to_string())?;
    let mut found = Vec::new();
    if let Some(stdout) = instance.stdout.take() {
        let read = async { stdout.take(UNPACKED_BYTES_MAX).read_to_end(&mut found).await };
        let read = tokio::time::timeout(TIME_MAX, read).await.map_err(|_| "it takes too long".to_owned())?;
        read.map_err(|error| error.to_string())?;
    }
    let write = move || write(&task, found).map_err(|error| error.to_string());
    tokio::task::spawn_blocking(write).await.map_err(|error| error.to_string())?
}

fn spec(lambda: &Lambda, interpreter: &Interpreter, code: &Code, guest: &'static str) -> Spec {
    let id = Templates::ids(&lambda.config.limits);
    let arguments = ["-S", "-E", "/var/runtime/compile_all.py", guest];
    let mut spec = Spec::exec(&interpreter.guest, &arguments, Ids { uid: id, gid: id });
    let client = lambda.config.runtimes().join(interpreter.language.to_string());
    let bind = |host, guest: &str| Bind { source: Source::Path(host), guest: guest.into() };
    spec.binds = vec![bind(lambda.packages.task(code), guest), bind(client, "/var/runtime")];
    spec.limits = LIMITS;
    spec
}

/// How much source there is, as far as it matters.
fn source_bytes(directory: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(directory) else { return 0 };
    let mut bytes = 0;
    for entry in entries.flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            bytes += source_bytes(&entry.path());
        } else if kind.is_file() && entry.path().extension().is_some_and(|end| end == "py") {
            bytes += entry.metadata().map_or(0, |found| found.len());
        }
        if bytes >= SOURCE_BYTES_MIN {
            break;
        }
    }
    bytes
}

/// Writes what the interpreter found, as far as it is whole.
fn write(task: &Path, found: Vec<u8>) -> Result<(), crate::image::Error> {
    let tree = Tree::open(task)?;
    let mut budget = Budget::new();
    let mut rest = Cursor::new(found);
    while let (Some(path), Some(content)) =
        (part(&mut rest, NAME_BYTES_MAX), part(&mut rest, UNPACKED_BYTES_MAX))
    {
        let Some(parts) = lawful(&path) else { continue };
        let Some((name, parents)) = parts.split_last() else { continue };
        tree.file(parents, name, 0o644, 0, &mut content.as_slice(), &mut budget)?;
    }
    Ok(())
}

/// The next part, if all of it is there.
fn part(rest: &mut Cursor<Vec<u8>>, bytes_max: u64) -> Option<Vec<u8>> {
    let mut length = [0; 8];
    Read::read_exact(rest, &mut length).ok()?;
    let length = u64::from_be_bytes(length);
    let mut part = Vec::new();
    let read = Read::take(rest, length.min(bytes_max)).read_to_end(&mut part).ok()?;
    (read as u64 == length).then_some(part)
}

/// The parts of a path to a compiled module: `…/__pycache__/name.pyc`.
fn lawful(path: &[u8]) -> Option<Vec<&str>> {
    let parts: Vec<&str> = std::str::from_utf8(path).ok()?.split('/').collect();
    let [.., cache, name] = parts.as_slice() else { return None };
    let is_cache = *cache == CACHE && name.ends_with(".pyc");
    let stays =
        parts.iter().all(|part| !part.is_empty() && !matches!(*part, "." | "..") && !part.contains('\0'));
    (is_cache && stays).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_compiled_modules_are_written() {
        for (path, fits) in [
            ("a/__pycache__/b.cpython-311.pyc", true),
            ("__pycache__/b.pyc", true),
            ("b.pyc", false),
            ("__pycache__/b.py", false),
            ("../__pycache__/b.pyc", false),
            ("/__pycache__/b.pyc", false),
        ] {
            assert_eq!(lawful(path.as_bytes()).is_some(), fits, "{path}");
        }
        let mut parts = Cursor::new([&2_u64.to_be_bytes()[..], b"ab", &9_u64.to_be_bytes(), b"c"].concat());
        assert_eq!((part(&mut parts, 9), part(&mut parts, 9)), (Some(b"ab".to_vec()), None));
    }
}
