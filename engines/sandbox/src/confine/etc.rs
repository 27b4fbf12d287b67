//! The few files of `/etc` that programs need, none of which tells of the host.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::mount;
use crate::message::{At, Fault};

/// Name that the guest has for its own user, group and machine.
pub(crate) const NAME: &str = "sandbox";
/// Where each instance keeps the files that name its own ids; `/etc` links to them.
pub(crate) const IDENTITY: &str = "/run";

/// Files with fixed contents. Names resolve from `hosts` only: there is no network to ask.
const WRITTEN: &[(&str, &str)] = &[
    ("hosts", "127.0.0.1 localhost sandbox\n::1 localhost\n"),
    ("hostname", "sandbox\n"),
    ("resolv.conf", ""),
    ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n"),
    ("os-release", "ID=linux\nNAME=Linux\nPRETTY_NAME=Linux\n"),
];

/// Public files taken over from the host as they are.
const COPIED: &[&str] = &["ld.so.cache", "ld.so.conf", "mime.types", "protocols", "services", "gai.conf"];

/// Public directories of the host, where they exist; the last part may end in `*`.
const BOUND: &[&str] = &["alternatives", "fonts", "java*", "ld.so.conf.d", "pki", "python3*", "ssl/certs"];

/// Copies (detached) of the host's directories that `/etc` shows, with their names in it.
pub(crate) fn copies() -> Vec<(PathBuf, std::os::fd::OwnedFd)> {
    let named = BOUND.iter().flat_map(|pattern| expand(Path::new("/etc"), pattern));
    let directories = named.filter(|path| path.is_dir());
    directories
        .filter_map(|path| {
            // What can't be opened is not shown; a program that needs it says so itself.
            let copy = mount::copy(&path, false).ok()?;
            Some((path, copy))
        })
        .collect()
}

/// Writes the files into `etc`, the guest's own directory.
pub(crate) fn write(etc: &Path) -> Result<(), Fault> {
    for (name, text) in WRITTEN {
        fs::write(etc.join(name), text).at(format!("writing /etc/{name}"))?;
    }
    for name in COPIED {
        if let Ok(bytes) = fs::read(Path::new("/etc").join(name)) {
            fs::write(etc.join(name), bytes).at(format!("copying /etc/{name}"))?;
        }
    }
    fs::create_dir_all(etc.join("ssl")).at("making /etc/ssl")?;
    if let Ok(bytes) = fs::read("/etc/ssl/openssl.cnf") {
        fs::write(etc.join("ssl/openssl.cnf"), bytes).at("copying openssl.cnf")?;
    }
    symlink("/usr/share/zoneinfo/UTC", etc.join("localtime")).at("linking localtime")?;
    for name in ["passwd", "group"] {
        symlink(Path::new(IDENTITY).join(name), etc.join(name)).at(format!("linking {name}"))?;
    }
    Ok(())
}

/// Writes the instance's own user and group, so that a program can look itself up.
pub(crate) fn identify(uid: u32, gid: u32) -> Result<(), Fault> {
    let passwd = format!("root:x:0:0::/:/usr/sbin/nologin\n{NAME}:x:{uid}:{gid}::/tmp:/usr/sbin/nologin\n");
    let group = format!("root:x:0:\n{NAME}:x:{gid}:\n");
    fs::write(Path::new(IDENTITY).join("passwd"), passwd).at("writing passwd")?;
    fs::write(Path::new(IDENTITY).join("group"), group).at("writing group")
}

fn expand(directory: &Path, pattern: &str) -> Vec<PathBuf> {
    let Some(prefix) = pattern.strip_suffix('*') else { return vec![directory.join(pattern)] };
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .map(|e| e.path())
        .collect()
}
