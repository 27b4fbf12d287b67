//! Files of the guest's tree that an image refers to instead of containing them.
//!
//! A file is referred to by its guest path, and only if that path leads to it. A restoring process opens it
//! there and compares: a file that has been replaced since makes the image unusable.

use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use rustix::fs::{FileType, fstat};
use serde::{Deserialize, Serialize};

use super::area::{Area, device};
use crate::message::{At, Fault};

/// Most files that an image refers to.
const FILES_MAX: usize = 512;

/// A file and what it must still be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct File {
    pub(crate) path: String,
    identity: Identity,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Identity {
    Regular { device: u64, inode: u64, bytes: u64, modified: (i64, i64) },
    Directory,
    Device(u64),
}

impl File {
    /// Refuses `open` if it is not the file that was meant.
    pub(crate) fn check(&self, open: impl AsFd) -> Result<(), Fault> {
        let step = || format!("restoring: {} has changed", self.path);
        let found = fstat(open).at(step())?;
        let found = match FileType::from_raw_mode(found.st_mode) {
            FileType::CharacterDevice => Identity::Device(found.st_rdev),
            FileType::Directory => Identity::Directory,
            _ => Identity::Regular {
                device: found.st_dev,
                inode: found.st_ino,
                bytes: found.st_size.cast_unsigned(),
                modified: (found.st_mtime, found.st_mtime_nsec.cast_signed()),
            },
        };
        if found == self.identity { Ok(()) } else { Err(Fault::new(step(), libc::ESTALE)) }
    }
}

/// The files found so far, as the process `pid` sees them.
pub(crate) struct Files {
    root: String,
    all: Vec<File>,
}

impl Files {
    pub(crate) fn new(pid: i32) -> Self {
        Self { root: format!("/proc/{pid}/root"), all: Vec::new() }
    }

    pub(crate) fn into_list(self) -> Vec<File> {
        self.all
    }

    /// The number of the file that `area` shows; `None` if no path leads to it.
    pub(crate) fn of(&mut self, area: &Area) -> Option<usize> {
        self.open(&area.name, Some((area.device, area.inode)))
    }

    /// The number of the file at `path`; `None` if nothing is there that could be opened again, or not
    /// the file with this device and inode.
    pub(crate) fn open(&mut self, path: &str, expected: Option<(u64, u64)>) -> Option<usize> {
        let found = fs::symlink_metadata(format!("{}{path}", self.root)).ok()?;
        if expected.is_some_and(|expected| expected != (device(found.dev()), found.ino())) {
            return None;
        }
        let kind = found.file_type();
        let identity = if kind.is_char_device() {
            Identity::Device(found.rdev())
        } else if kind.is_dir() {
            Identity::Directory
        } else if kind.is_file() {
            let modified = (found.mtime(), found.mtime_nsec());
            Identity::Regular { device: found.dev(), inode: found.ino(), bytes: found.size(), modified }
        } else {
            return None;
        };
        // What a guest writes is gone with its instance.
        if ["/tmp/", "/dev/shm/", "/proc/"].iter().any(|place| path.starts_with(place)) {
            return None;
        }
        let file = File { path: path.to_owned(), identity };
        if let Some(index) = self.all.iter().position(|known| *known == file) {
            return Some(index);
        }
        (self.all.len() < FILES_MAX).then(|| {
            self.all.push(file);
            self.all.len() - 1
        })
    }

    pub(crate) fn is_device(&self, index: usize) -> bool {
        self.all.get(index).is_some_and(|file| matches!(file.identity, Identity::Device(_)))
    }
}
