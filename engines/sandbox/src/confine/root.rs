//! The tree that all instances share, built once in the spawner's own mount namespace.
//!
//! The spawner ends with this tree as its root and the host's mounts detached from it, so that an instance,
//! whose mount namespace is a copy, never holds a way to the host. A second namespace that still shows
//! the host (the *twin*) is kept open by descriptor for one purpose: to open the directories that the host
//! process asks to have bound. See [`super::tree`].

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, chmod, makedev, mknodat, open};
use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags, mount_change, unmount};
use rustix::process::pivot_root;
use rustix::thread::UnshareFlags;

use super::{etc, kernel, mount};
use crate::Config;
use crate::message::{At, Fault};

/// Where the tree is put together. Any directory would do that is on every system and no tree's source.
const STAGE: &str = "/sys";
/// An empty directory of the tree.
pub(crate) const EMPTY: &str = "/var/empty";

/// Directories of the host that hold programs, where they are not links into `/usr`.
const SYSTEM: &[&str] = &["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"];
const DIRECTORIES: &[&str] = &["dev/shm", "etc", "proc", "run", "tmp", "var/empty"];
/// Character devices by minor number; the major is 1.
const DEVICES: &[(&str, u32)] = &[("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)];
const LINKS: &[(&str, &str)] = &[
    ("/proc/self/fd", "dev/fd"),
    ("/proc/self/fd/0", "dev/stdin"),
    ("/proc/self/fd/1", "dev/stdout"),
    ("/proc/self/fd/2", "dev/stderr"),
];

/// Builds the tree and moves this process into it. Returns the twin.
///
/// `rootless` keeps the host's `/proc` in it: without privilege a fresh one can only be mounted where one is
/// fully visible. Each instance mounts its own over it.
pub(crate) fn enter(config: &Config, rootless: bool) -> Result<OwnedFd, Fault> {
    kernel::unshare(UnshareFlags::NEWNS).at("making a mount namespace")?;
    let downstream = MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC;
    mount_change(c"/", downstream).at("detaching from the host's mounts")?;
    let twin = namespace()?;
    kernel::unshare(UnshareFlags::NEWNS).at("making the second mount namespace")?;
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change(c"/", private).at("detaching from the twin")?;
    build(config, rootless)?;
    std::env::set_current_dir(STAGE).at("entering the tree")?;
    pivot_root(c".", c".").at("pivot_root")?;
    unmount(c".", UnmountFlags::DETACH).at("detaching the host's tree")?;
    std::env::set_current_dir("/").at("entering /")?;
    Ok(twin)
}

/// Moves this process, in a mount namespace of its own, from the shared tree into the detached `tree`; its
/// `/dev`, `/proc` and `/tmp` come along.
pub(crate) fn change(tree: OwnedFd) -> Result<(), Fault> {
    let stage = Path::new(EMPTY);
    mount::place_read_only(tree, stage)?;
    for name in ["dev", "proc", "tmp"] {
        mount::shift(&Path::new("/").join(name), &stage.join(name))?;
    }
    std::env::set_current_dir(stage).at("entering the tree")?;
    pivot_root(c".", c".").at("pivot_root")?;
    unmount(c".", UnmountFlags::DETACH).at("detaching the shared tree")?;
    std::env::set_current_dir("/").at("entering /")
}

/// This process's mount namespace.
pub(crate) fn namespace() -> Result<OwnedFd, Fault> {
    open(c"/proc/self/ns/mnt", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .at("opening the mount namespace")
}

fn build(config: &Config, rootless: bool) -> Result<(), Fault> {
    let stage = Path::new(STAGE);
    // Sources are opened before anything covers them.
    let mut copies = Vec::new();
    for tree in &config.trees {
        let host = fs::canonicalize(&tree.host).at(format!("finding {}", tree.host.display()))?;
        copies.push((tree.guest.clone(), mount::copy(&host, true)?));
    }
    copies.extend(etc::copies());
    let proc = if rootless { Some(mount::copy(Path::new("/proc"), true)?) } else { None };

    mount::temporary(stage, MountFlags::NODEV, "size=16m,mode=0755")?;
    for name in DIRECTORIES {
        directory(&stage.join(name))?;
    }
    system(stage)?;
    etc::write(&stage.join("etc"))?;
    devices(&stage.join("dev"))?;
    for point in &config.mount_points {
        directory(&inside(stage, point))?;
    }
    if let Some(proc) = proc {
        mount::place(proc, &stage.join("proc"))?;
    }
    for (guest, copy) in copies {
        let path = inside(stage, &guest);
        directory(&path)?;
        mount::place_read_only(copy, &path)?;
    }
    mount::freeze(&stage.join("dev"), libc::MOUNT_ATTR_NOEXEC)?;
    mount::freeze(stage, libc::MOUNT_ATTR_NODEV)
}

/// The host's programs: `/usr`, and its old neighbours as they are there (a link or a directory).
fn system(stage: &Path) -> Result<(), Fault> {
    for name in SYSTEM {
        let (host, path) = (Path::new("/").join(name), stage.join(name));
        match fs::read_link(&host) {
            Ok(target) => symlink(target, &path).at(format!("linking /{name}"))?,
            Err(_) if host.is_dir() => {
                directory(&path)?;
                mount::place_read_only(mount::copy(&host, true)?, &path)?;
            }
            Err(_) => {}
        }
    }
    Ok(())
}

/// `/dev` is a file system of its own, the only one on which device files work.
fn devices(dev: &Path) -> Result<(), Fault> {
    mount::temporary(dev, MountFlags::empty(), "size=64k,mode=0755")?;
    directory(&dev.join("shm"))?;
    for (name, minor) in DEVICES {
        let path = dev.join(name);
        let mode = Mode::from_raw_mode(0o666);
        if mknodat(CWD, &path, FileType::CharacterDevice, mode, makedev(1, *minor)).is_ok() {
            // The mask applies to device files too.
            chmod(&path, mode).at(format!("opening /dev/{name} to all"))?;
        } else {
            // Without privilege no device file can be made, but the host's can be bound.
            fs::write(&path, "").at(format!("making /dev/{name}"))?;
            let copy = mount::copy(&Path::new("/dev").join(name), false)?;
            mount::place(copy, &path)?;
        }
    }
    for (target, link) in LINKS {
        let name = Path::new(link).strip_prefix("dev").unwrap_or(Path::new(link));
        symlink(target, dev.join(name)).at(format!("linking {link}"))?;
    }
    Ok(())
}

fn inside(stage: &Path, guest: &Path) -> PathBuf {
    stage.join(guest.strip_prefix("/").unwrap_or(guest))
}

/// Makes `path` and what is above it, open for everyone to pass through.
fn directory(path: &Path) -> Result<(), Fault> {
    fs::DirBuilder::new().recursive(true).mode(0o755).create(path).at(format!("making {}", path.display()))
}
