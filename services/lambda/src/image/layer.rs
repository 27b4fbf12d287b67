//! One layer, laid over those below it.
//!
//! Source: <https://github.com/opencontainers/image-spec/blob/main/layer.md>

use std::collections::HashSet;
use std::io::Read;

use tar::{Archive, Entry, EntryType};

use super::{Error, IMAGE_BYTES_MAX, Tree};

const ENTRIES_MAX: u64 = 1_000_000;
const NAME_BYTES_MAX: usize = 255;
const DEPTH_MAX: usize = 128;
/// What begins the name of a file that takes another one away.
const WHITEOUT: &str = ".wh.";
/// Takes away everything that lower layers have in its directory.
const OPAQUE: &str = ".wh..wh..opq";

/// How much may still be written.
pub(super) struct Budget {
    pub(super) bytes: u64,
    entries: u64,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { bytes: IMAGE_BYTES_MAX, entries: ENTRIES_MAX }
    }

    fn count(&mut self) -> Result<(), Error> {
        self.entries = self.entries.checked_sub(1).ok_or_else(|| too_much("entries", ENTRIES_MAX))?;
        Ok(())
    }

    pub(super) fn spend(&mut self, bytes: usize) -> Result<(), Error> {
        let left = self.bytes.checked_sub(bytes as u64);
        self.bytes = left.ok_or_else(|| too_much("bytes", IMAGE_BYTES_MAX))?;
        Ok(())
    }
}

fn too_much(what: &str, max: u64) -> Error {
    Error::Invalid(format!("it unpacks to more than {max} {what}"))
}

/// Unpacks a layer over what `tree` holds.
pub(super) fn apply(tree: &Tree, content: &mut impl Read, budget: &mut Budget) -> Result<(), Error> {
    let mut archive = Archive::new(content);
    // What this layer has itself, which its whiteouts don't concern.
    let mut own = HashSet::new();
    for entry in archive.entries().map_err(unreadable)? {
        let mut entry = entry.map_err(unreadable)?;
        budget.count()?;
        let name = entry.path_bytes().into_owned();
        let parts = parts(&name)?;
        let Some((name, parents)) = parts.split_last() else { continue };
        if *name == OPAQUE {
            tree.clear(parents, &own)?;
        } else if let Some(hidden) = name.strip_prefix(WHITEOUT) {
            let path = [parents, &[hidden]].concat();
            if !own.contains(&path.join("/")) {
                tree.remove(parents, hidden)?;
            }
        } else {
            own.extend((1..=parts.len()).map(|depth| parts[..depth].join("/")));
            write(tree, &mut entry, parents, name, budget)?;
        }
    }
    Ok(())
}

fn write(
    tree: &Tree,
    entry: &mut Entry<'_, impl Read>,
    parents: &[&str],
    name: &str,
    budget: &mut Budget,
) -> Result<(), Error> {
    let (kind, mode) = (entry.header().entry_type(), entry.header().mode().map_err(unreadable)? & 0o777);
    let target = entry.link_name_bytes().map(|target| target.into_owned());
    match (kind, target) {
        (EntryType::Directory, _) => tree.directory(parents, name, mode),
        (EntryType::Regular | EntryType::Continuous, _) => {
            let modified = entry.header().mtime().map_err(unreadable)?;
            tree.file(parents, name, mode, modified, entry, budget)
        }
        (EntryType::Symlink, Some(target)) => tree.symlink(parents, name, &target),
        (EntryType::Link, Some(target)) => tree.link(parents, name, &parts(&target)?),
        // Devices and pipes have no use in a function's file system, which has no devices.
        _ => Ok(()),
    }
}

/// The parts of a path below the root.
fn parts(path: &[u8]) -> Result<Vec<&str>, Error> {
    let shown = || String::from_utf8_lossy(path.get(..100).unwrap_or(path)).into_owned();
    let text =
        std::str::from_utf8(path).map_err(|_| Error::Invalid(format!("'{}' is not UTF-8", shown())))?;
    let parts: Vec<&str> = text.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let lawful = |part: &&str| *part != ".." && part.len() <= NAME_BYTES_MAX && !part.contains('\0');
    match parts.len() <= DEPTH_MAX && parts.iter().all(lawful) {
        true => Ok(parts),
        false => Err(Error::Invalid(format!("'{}' does not stay inside the image", shown()))),
    }
}

fn unreadable(error: std::io::Error) -> Error {
    Error::Invalid(format!("a layer cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_the_root() {
        for (path, expected) in [
            ("./a/b", Some(vec!["a", "b"])),
            ("/a//b/", Some(vec!["a", "b"])),
            (".", Some(vec![])),
            ("a/../b", None),
            ("..", None),
            ("a\0", None),
        ] {
            assert_eq!(parts(path.as_bytes()).ok(), expected, "{path}");
        }
        assert!(parts("a/".repeat(129).as_bytes()).is_err());
    }
}
