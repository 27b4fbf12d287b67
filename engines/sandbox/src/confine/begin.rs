//! The spawner's beginning: what this host allows, the shared tree, and the first word to the host process.

use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::fs::Mode;
use rustix::process::{DumpableBehavior, set_dumpable_behavior, setsid, umask};
use rustix::thread::{UnshareFlags, set_name};

use super::cgroup::Cgroups;
use super::first::Ground;
use super::serve::Service;
use super::{kernel, landlock, root, seccomp};
use crate::Config;
use crate::isolation::Isolation;
use crate::message::{At, Fault, Hello};
use crate::snapshot::enter;
use crate::socket::hear;
use crate::spec::Ids;

/// Reads the configuration from `socket`, makes ready, greets, serves, and ends the process.
pub(crate) fn main(socket: OwnedFd) -> ! {
    // A terminal's Ctrl-C is for the host process, which may want to drain first.
    let _ = setsid();
    let _ = set_name(c"pagoda-spawner");
    // The shared tree is for everyone to read, whatever the operator's own files are.
    umask(Mode::from_raw_mode(0o022));
    let _ = kernel::close_all_but(&[socket.as_raw_fd()]);
    kernel::reset_signals();
    // Of all that runs on a host that has no memory left, guests end before anybody else: they inherit this.
    // Source: proc_pid_oom_score_adj(5).
    let _ = fs::write("/proc/self/oom_score_adj", "1000");
    let Ok(Some((config, _))) = hear::<Config>(&socket) else { kernel::exit(1) };
    let (ground, hello) = prepare(&config);
    match Service::new(ground, socket, config.pool) {
        Ok(service) => service.run(&hello),
        Err(_) => kernel::exit(1),
    }
    kernel::exit(0)
}

fn prepare(config: &Config) -> (Ground, Hello) {
    let rootless = !rustix::process::geteuid().is_root();
    // Without them nothing can be restored, and that says so itself.
    let pieces = enter::pieces().unwrap_or_default();
    let mut cgroups = Cgroups::open();
    let mut missing = std::mem::take(&mut cgroups.missing);
    let twin = match enter(config, rootless) {
        Ok(twin) => Some(twin),
        Err(fault) => {
            missing.insert(0, format!("namespaces: {fault}"));
            None
        }
    };
    let landlock = landlock::available();
    if !landlock {
        missing.push("Landlock".to_owned());
    }
    if rootless {
        missing.push("own ids for each function (needs root)".to_owned());
    }
    // Without a filter the namespaces alone would leave the whole kernel within reach.
    let filter = seccomp::available();
    if !filter {
        missing.push("seccomp".to_owned());
    }
    let isolation = match (&twin, filter, missing.is_empty()) {
        (Some(_), true, true) => Isolation::Full,
        (Some(_), true, false) => Isolation::Partial,
        _ => Isolation::None,
    };
    let twin = twin.filter(|_| isolation != Isolation::None);
    let only_ids = rootless.then(own_ids);
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let ground = Ground { cgroups, filter: seccomp::filter(), twin, only_ids, landlock, pieces };
    (ground, Hello { isolation, pid: std::process::id(), missing })
}

fn enter(config: &Config, rootless: bool) -> Result<OwnedFd, Fault> {
    if rootless {
        become_own_root()?;
    }
    root::enter(config, rootless)
}

/// Enters a user namespace in which this process has every capability and its own ids.
fn become_own_root() -> Result<(), Fault> {
    let ids = own_ids();
    kernel::unshare(UnshareFlags::NEWUSER).at("making a user namespace")?;
    fs::write("/proc/self/setgroups", "deny").at("denying setgroups")?;
    fs::write("/proc/self/uid_map", format!("{0} {0} 1", ids.uid)).at("mapping the user")?;
    fs::write("/proc/self/gid_map", format!("{0} {0} 1", ids.gid)).at("mapping the group")
}

fn own_ids() -> Ids {
    Ids { uid: rustix::process::geteuid().as_raw(), gid: rustix::process::getegid().as_raw() }
}
