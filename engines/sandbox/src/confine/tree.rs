//! Directories of the host, opened for an instance.
//!
//! A mount of another namespace can't be copied by descriptor, so the path is opened again in the twin
//! namespace and compared with the directory that the host process had opened: what is bound is that
//! directory or nothing. No part of the path is the guest's to change.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, fstat, openat2};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::mount;
use crate::message::{At, Binding, Fault};

/// Detached copies of the bound directories, in their order. This process is in namespace `own` before and
/// after; `twin` is the one that shows the host.
pub(crate) fn open(bindings: &[Binding], twin: &OwnedFd, own: &OwnedFd) -> Result<Vec<OwnedFd>, Fault> {
    if bindings.is_empty() {
        return Ok(Vec::new());
    }
    join(twin)?;
    let copies = bindings.iter().map(open_one).collect();
    join(own)?;
    copies
}

/// A detached copy of one directory.
pub(crate) fn open_one_of(binding: &Binding, twin: &OwnedFd, own: &OwnedFd) -> Result<OwnedFd, Fault> {
    join(twin)?;
    let copy = open_one(binding);
    join(own)?;
    copy
}

fn open_one(binding: &Binding) -> Result<OwnedFd, Fault> {
    let name = || format!("opening {}", binding.host.display());
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    // The path is canonical, so a link in it means that someone has changed it since.
    let directory = openat2(CWD, &binding.host, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS).at(name())?;
    let found = fstat(&directory).at(name())?;
    if (found.st_dev, found.st_ino) != (binding.device, binding.inode) {
        return Err(Fault::new(name(), libc::ESTALE));
    }
    mount::copy_of(directory)
}

fn join(namespace: &OwnedFd) -> Result<(), Fault> {
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Mount))
        .at("changing the mount namespace")
}
