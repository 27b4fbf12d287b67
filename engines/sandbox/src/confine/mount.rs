//! Mounts of the three kinds that a sandbox consists of: bound trees, small temporary file systems, `/proc`.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, open};
use rustix::mount::{
    MountFlags, MoveMountFlags, OpenTreeFlags, mount as attach, mount_bind, move_mount, open_tree,
};

use super::kernel;
use crate::message::{At, Fault};

const READ_ONLY: u64 = libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV;

/// Files of `/proc` that tell of the host or reach into its kernel.
const HIDDEN_FILES: &[&str] =
    &["cmdline", "kallsyms", "kcore", "key-users", "keys", "kmsg", "modules", "sysrq-trigger", "timer_list"];
/// Directories of `/proc` of the same kind.
const HIDDEN_DIRECTORIES: &[&str] = &["acpi", "bus", "driver", "fs", "irq", "scsi"];

/// A detached copy of the mount at `path`; with `recursive`, of all mounts below it too.
pub(crate) fn copy(path: &Path, recursive: bool) -> Result<OwnedFd, Fault> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    if recursive {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    open_tree(CWD, path, flags).at(format!("opening {}", path.display()))
}

/// A detached copy of the mount that `directory` is open at.
pub(crate) fn copy_of(directory: impl AsFd) -> Result<OwnedFd, Fault> {
    let flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
    open_tree(directory, c"", flags).at("opening a bound directory")
}

/// Attaches a detached tree at `path`, as it is.
pub(crate) fn place(tree: impl AsFd, path: &Path) -> Result<(), Fault> {
    move_mount(tree, c"", CWD, path, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
        .at(format!("mounting {}", path.display()))
}

/// Moves the mount at `from`, with all that is mounted in it, to `to`.
pub(crate) fn shift(from: &Path, to: &Path) -> Result<(), Fault> {
    move_mount(CWD, from, CWD, to, MoveMountFlags::empty()).at(format!(
        "moving {} to {}",
        from.display(),
        to.display()
    ))
}

/// Attaches a detached tree at `path`, read-only and without devices or set-user-id programs.
pub(crate) fn place_read_only(tree: impl AsFd, path: &Path) -> Result<(), Fault> {
    kernel::restrict_mount(&tree, READ_ONLY, true)?;
    place(tree, path)
}

/// Makes the mount at `path` (not those below it) read-only.
pub(crate) fn freeze(path: &Path, extra: u64) -> Result<(), Fault> {
    let flags = OFlags::PATH | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let tree = open(path, flags, Mode::empty()).at(format!("opening {}", path.display()))?;
    kernel::restrict_mount(tree, libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID | extra, false)
}

/// Mounts an empty temporary file system. `options` are tmpfs's own, for example `size=64k,mode=0755`.
pub(crate) fn temporary(path: &Path, flags: MountFlags, options: &str) -> Result<(), Fault> {
    let options = std::ffi::CString::new(options).map_err(|_| Fault::new("tmpfs options", libc::EINVAL))?;
    attach(c"tmpfs", path, c"tmpfs", flags | MountFlags::NOSUID, Some(options.as_c_str()))
        .at(format!("mounting {}", path.display()))
}

/// Mounts this pid namespace's own `/proc`, in which a process sees its own user's processes only, and
/// covers what tells of the host. `empty` is an empty read-only directory.
pub(crate) fn proc(empty: &Path) -> Result<(), Fault> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC | MountFlags::RDONLY;
    attach(c"proc", c"/proc", c"proc", flags, Some(c"hidepid=2")).at("mounting /proc")?;
    let files = HIDDEN_FILES.iter().map(|name| (name, Path::new("/dev/null")));
    for (name, cover) in files.chain(HIDDEN_DIRECTORIES.iter().map(|name| (name, empty))) {
        match mount_bind(cover, Path::new("/proc").join(name)) {
            Ok(()) | Err(rustix::io::Errno::NOENT) => {}
            Err(errno) => return Err(Fault::new(format!("covering /proc/{name}"), errno.raw_os_error())),
        }
    }
    Ok(())
}
