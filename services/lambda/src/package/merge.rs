//! Several layers become one package: later ones lie over earlier ones.
//!
//! Files are linked, not copied: packages never change, so that they can be shared.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use pagoda_protocol::ApiError;

use crate::table::Code;

use super::{Packages, UNFINISHED, UNPACKED_BYTES_MAX, refusal, unpack};

impl Packages {
    /// The package that shows `layers` laid over each other; none of none, and of one itself.
    ///
    /// # Errors
    /// `InvalidParameterValueException` when together they are larger than a package may be.
    pub(crate) async fn merge(&self, layers: Vec<Code>) -> Result<Option<Code>, ApiError> {
        if layers.len() < 2 {
            return Ok(layers.into_iter().next());
        }
        let names: String = layers.iter().map(|code| code.sha256.as_str()).collect();
        let sha256 = hex::encode(digest(&SHA256, names.as_bytes()));
        let tasks: Vec<PathBuf> = layers.iter().map(|code| self.task(code)).collect();
        let (directory, holds) = (self.directory.clone(), Arc::clone(&self.holds));
        let done = tokio::task::spawn_blocking(move || {
            let hold = holds.hold(Code { sha256, bytes: layers.iter().map(|code| code.bytes).sum() });
            let unfinished = directory.join(format!("{UNFINISHED}{}-{}", process::id(), hold.number()));
            let made = super::make(&directory, &hold, &unfinished, |unfinished| lay(unfinished, &tasks));
            made.map(|()| hold.code().clone())
        });
        done.await.map_err(|_| ApiError::internal())?.map(Some).map_err(refusal)
    }
}

fn lay(unfinished: &Path, layers: &[PathBuf]) -> Result<(), unpack::Error> {
    let into = unfinished.join("task");
    make_directory(&into)?;
    let mut names = BTreeSet::new();
    for layer in layers {
        cover(layer, &into, &mut names)?;
    }
    let sizes = names.iter().map(|name| Ok(fs::symlink_metadata(name)?.len()));
    let bytes: u64 = sizes.sum::<io::Result<u64>>()?;
    if bytes > UNPACKED_BYTES_MAX {
        return Err(unpack::Error::TooLarge);
    }
    Ok(())
}

/// Puts what is in `from` over what is in `into`; adds the files' names to `names`.
fn cover(from: &Path, into: &Path, names: &mut BTreeSet<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, place) = (entry.file_type()?, into.join(entry.file_name()));
        let present = fs::symlink_metadata(&place).ok().map(|found| found.file_type());
        if kind.is_dir() {
            if present.is_some_and(|present| !present.is_dir()) {
                fs::remove_file(&place)?;
                names.remove(&place);
            }
            make_directory(&place)?;
            cover(&entry.path(), &place, names)?;
            continue;
        }
        match present {
            Some(present) if present.is_dir() => {
                fs::remove_dir_all(&place)?;
                names.retain(|name| !name.starts_with(&place));
            }
            Some(_) => fs::remove_file(&place)?,
            None => {}
        }
        match kind.is_symlink() {
            true => symlink(fs::read_link(entry.path())?, &place)?,
            false => fs::hard_link(entry.path(), &place)?,
        }
        names.insert(place);
    }
    Ok(())
}

fn make_directory(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => {
            made?;
            fs::set_permissions(path, fs::Permissions::from_mode(0o755))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_layers_cover_earlier_ones() {
        let root = tempfile::tempdir().unwrap();
        let layer = |name: &str, files: &[(&str, &str)]| {
            let layer = root.path().join(name);
            for (path, text) in files {
                let path = layer.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            layer
        };
        let first = layer("first", &[("a", "1"), ("b/c", "1"), ("d", "1"), ("e/f", "1")]);
        let second = layer("second", &[("a", "2"), ("b/g", "2"), ("d/h", "2"), ("e", "2")]);
        let unfinished = root.path().join("new");
        fs::create_dir(&unfinished).unwrap();
        lay(&unfinished, &[first, second]).unwrap();
        let read = |path: &str| fs::read_to_string(unfinished.join("task").join(path)).ok();
        for (path, expected) in [("a", "2"), ("b/c", "1"), ("b/g", "2"), ("d/h", "2"), ("e", "2")] {
            assert_eq!(read(path).as_deref(), Some(expected), "{path}");
        }
        assert_eq!(fs::read_to_string(root.path().join("first/a")).unwrap(), "1", "layers never change");
    }
}
