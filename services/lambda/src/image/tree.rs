//! A directory that is the root of a file system: paths in it are resolved as a guest would resolve them.
//!
//! Invariant: no link of the tree leads out of it, for every path is opened with `RESOLVE_IN_ROOT`, and what a
//! directory holds is changed by the open directory and a single name.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags, Stat, Timespec, Timestamps, fchmod, futimens,
    linkat, mkdirat, openat, openat2, statat, symlinkat, unlinkat,
};
use rustix::io::Errno;

use super::Error;
use super::layer::Budget;

const CHUNK_BYTES: usize = 64 * 1024;
/// What every guest has at these places is its own.
const PLACES: [&str; 3] = ["dev", "proc", "tmp"];

/// A root.
pub(crate) struct Tree(OwnedFd);

impl Tree {
    pub(crate) fn open(directory: &Path) -> std::io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(openat(CWD, directory, flags, Mode::empty())?))
    }

    /// The program that a guest would find under `name`: a path, or a name along the directories of `path`.
    pub(crate) fn program(&self, name: &str, directory: &str, path: &str) -> Option<PathBuf> {
        let is_program = |place: &PathBuf| {
            let found = self.resolve(place, OFlags::PATH).and_then(|file| rustix::fs::fstat(&file));
            found.is_ok_and(|found| is(&found, FileType::RegularFile) && found.st_mode & 0o111 != 0)
        };
        if name.contains('/') {
            return Some(Path::new("/").join(directory).join(name));
        }
        path.split(':').map(|directory| Path::new("/").join(directory).join(name)).find(is_program)
    }

    /// The names of the programs in a directory.
    pub(crate) fn programs(&self, directory: &str) -> Vec<String> {
        let read = || -> rustix::io::Result<Vec<String>> {
            let open = self.resolve(Path::new(directory), OFlags::RDONLY | OFlags::DIRECTORY)?;
            let mut names = Vec::new();
            for entry in Dir::read_from(&open)? {
                let name = entry?.file_name().to_string_lossy().into_owned();
                if self.program(&format!("{directory}/{name}"), "/", "").is_some()
                    && statat(&open, &name, AtFlags::SYMLINK_NOFOLLOW)
                        .is_ok_and(|found| is(&found, FileType::RegularFile) && found.st_mode & 0o111 != 0)
                {
                    names.push(name);
                }
            }
            Ok(names)
        };
        read().unwrap_or_default()
    }

    /// Makes a directory, or gives it this mode.
    pub(super) fn directory(&self, parents: &[&str], name: &str, mode: u32) -> Result<(), Error> {
        let parent = self.parent(parents)?;
        if !stat(&parent, name)?.is_some_and(|found| is(&found, FileType::Directory)) {
            self.remove_in(&parent, name)?;
            mkdirat(&parent, name, Mode::RWXU).map_err(disk)?;
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let directory = openat(&parent, name, flags, Mode::empty()).map_err(disk)?;
        // Whoever made it has to be able to remove what is in it.
        fchmod(&directory, Mode::from_raw_mode(mode) | Mode::RWXU).map_err(disk)
    }

    pub(super) fn file(
        &self,
        parents: &[&str],
        name: &str,
        mode: u32,
        modified: u64,
        content: &mut impl Read,
        budget: &mut Budget,
    ) -> Result<(), Error> {
        let parent = self.parent(parents)?;
        self.remove_in(&parent, name)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(openat(&parent, name, flags, Mode::RUSR | Mode::WUSR).map_err(disk)?);
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let read = content.read(&mut chunk).map_err(|error| Error::Invalid(error.to_string()))?;
            let Some(bytes) = chunk.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
            budget.spend(read)?;
            file.write_all(bytes)?;
        }
        fchmod(&file, Mode::from_raw_mode(mode)).map_err(disk)?;
        let time = Timespec { tv_sec: modified.try_into().unwrap_or_default(), tv_nsec: 0 };
        futimens(&file, &Timestamps { last_access: time, last_modification: time }).map_err(disk)
    }

    pub(super) fn symlink(&self, parents: &[&str], name: &str, target: &[u8]) -> Result<(), Error> {
        let parent = self.parent(parents)?;
        self.remove_in(&parent, name)?;
        symlinkat(target, &parent, name).map_err(disk)
    }

    /// Another name for a file that is there.
    pub(super) fn link(&self, parents: &[&str], name: &str, target: &[&str]) -> Result<(), Error> {
        let missing = || Error::Invalid(format!("'{name}' is a link to what is not there"));
        let (target, beside) = target.split_last().ok_or_else(missing)?;
        let (parent, from) = (self.parent(parents)?, self.parent(beside)?);
        let found = stat(&from, target)?.ok_or_else(missing)?;
        if is(&found, FileType::Directory) {
            return Err(missing());
        }
        if stat(&parent, name)?.is_some_and(|one| (one.st_dev, one.st_ino) == (found.st_dev, found.st_ino)) {
            return Ok(());
        }
        self.remove_in(&parent, name)?;
        linkat(&from, *target, &parent, name, AtFlags::empty()).map_err(disk)
    }

    /// Removes what is there, if there is something.
    pub(super) fn remove(&self, parents: &[&str], name: &str) -> Result<(), Error> {
        match self.resolve(&path(parents), OFlags::PATH | OFlags::DIRECTORY) {
            Ok(parent) => self.remove_in(&parent, name),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(()),
            Err(errno) => Err(disk(errno)),
        }
    }

    /// Removes what a directory holds, but for what is in `kept`, paths from the root.
    pub(super) fn clear(&self, parents: &[&str], kept: &HashSet<String>) -> Result<(), Error> {
        let directory = match self.resolve(&path(parents), OFlags::RDONLY | OFlags::DIRECTORY) {
            Ok(directory) => directory,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(()),
            Err(errno) => return Err(disk(errno)),
        };
        for entry in Dir::read_from(&directory).map_err(disk)? {
            let entry = entry.map_err(disk)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if matches!(name.as_str(), "." | "..") {
                continue;
            }
            let below = [parents, &[&name]].concat();
            if !kept.contains(&below.join("/")) {
                self.remove_in(&directory, &name)?;
            } else if entry.file_type() == FileType::Directory {
                self.clear(&below, kept)?;
            }
        }
        Ok(())
    }

    /// Makes the places that every guest needs.
    pub(super) fn finish(&self) -> Result<(), Error> {
        for name in PLACES {
            self.directory(&[], name, 0o755)?;
        }
        if self.resolve(Path::new("/etc/hosts"), OFlags::PATH).is_err() {
            let mut hosts: &[u8] = b"127.0.0.1 localhost\n";
            self.file(&["etc"], "hosts", 0o644, 0, &mut hosts, &mut Budget::new())?;
        }
        Ok(())
    }

    fn resolve(&self, path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        openat2(&self.0, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve)
    }

    /// The directory, made if it isn't there.
    fn parent(&self, parts: &[&str]) -> Result<OwnedFd, Error> {
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        match self.resolve(&path(parts), flags) {
            Err(Errno::NOENT) => {}
            Err(Errno::NOTDIR | Errno::LOOP) => {
                return Err(Error::Invalid(format!("'{}' is no directory", parts.join("/"))));
            }
            found => return found.map_err(disk),
        }
        let Some((name, above)) = parts.split_last() else {
            return self.resolve(&path(&[]), flags).map_err(disk);
        };
        let above = self.parent(above)?;
        match mkdirat(&above, *name, Mode::from_raw_mode(0o755)) {
            // A link to what isn't there is in its place.
            Err(Errno::EXIST) => {
                return Err(Error::Invalid(format!("'{}' is no directory", parts.join("/"))));
            }
            made => made.map_err(disk)?,
        }
        self.resolve(&path(parts), flags).map_err(disk)
    }

    fn remove_in(&self, parent: &OwnedFd, name: &str) -> Result<(), Error> {
        match stat(parent, name)? {
            None => Ok(()),
            Some(found) if is(&found, FileType::Directory) => {
                // Follows no link below this one, which is the open directory.
                let path = format!("/proc/self/fd/{}/{name}", parent.as_raw_fd());
                Ok(std::fs::remove_dir_all(path)?)
            }
            Some(_) => unlinkat(parent, name, AtFlags::empty()).map_err(disk),
        }
    }
}

fn path(parts: &[&str]) -> PathBuf {
    Path::new("/").join(parts.iter().collect::<PathBuf>())
}

fn stat(parent: &OwnedFd, name: &str) -> Result<Option<Stat>, Error> {
    match statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(found) => Ok(Some(found)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(disk(errno)),
    }
}

fn is(found: &Stat, kind: FileType) -> bool {
    FileType::from_raw_mode(found.st_mode) == kind
}

fn disk(errno: Errno) -> Error {
    Error::Io(errno.into())
}
