//! Where on this host a cgroup can be made, for which resource, and what earlier spawners left there.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Pid, Signal, getpid, kill_process};

use crate::message::{At, Fault, Version};

/// What is limited or counted. Version 2 freezes without a controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Controller {
    Memory,
    Cpu,
    CpuAccount,
    Pids,
    Freezer,
}

impl Controller {
    pub(crate) const ALL: [Self; 5] = [Self::Memory, Self::Cpu, Self::CpuAccount, Self::Pids, Self::Freezer];

    /// The name in version 1.
    fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Cpu => "cpu",
            Self::CpuAccount => "cpuacct",
            Self::Pids => "pids",
            Self::Freezer => "freezer",
        }
    }
}

/// A directory under which groups can be made.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) controllers: Vec<Controller>,
    pub(crate) path: PathBuf,
}

/// All places, and the version that they are of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) version: Version,
    pub(crate) places: Vec<Place>,
}

/// Looks at this process's mounts and groups.
pub(crate) fn find() -> Found {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let places = places_v1(&mounts, &groups);
    if places.iter().any(|place| place.controllers.contains(&Controller::Memory)) {
        return Found { version: Version::V1, places };
    }
    let places = place_v2(&mounts, &groups).into_iter().filter_map(|path| delegate(&path)).collect();
    Found { version: Version::V2, places }
}

/// The hierarchies of version 1, each at this process's own group.
fn places_v1(mounts: &str, groups: &str) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for mount in mounts.lines().filter_map(Mount::parse).filter(|mount| mount.kind == "cgroup") {
        let has = |name: &str| mount.options.split(',').any(|option| option == name);
        let controllers: Vec<Controller> =
            Controller::ALL.into_iter().filter(|controller| has(controller.name())).collect();
        let Some(first) = controllers.first() else { continue };
        // A hierarchy may be mounted more than once.
        if places.iter().any(|place| place.controllers.contains(first)) {
            continue;
        }
        let own = groups.lines().find_map(|line| {
            let (names, path) = line.split_once(':')?.1.split_once(':')?;
            names.split(',').any(|name| name == first.name()).then_some(path)
        });
        places.push(Place { controllers, path: mount.path_of(own.unwrap_or("/")) });
    }
    places
}

/// This process's own group in version 2.
fn place_v2(mounts: &str, groups: &str) -> Option<PathBuf> {
    let mount = mounts.lines().filter_map(Mount::parse).find(|mount| mount.kind == "cgroup2")?;
    let own = groups.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or("/");
    Some(mount.path_of(own))
}

/// Makes `own` (or, for root, the hierarchy's top) pass its controllers on to groups below it.
///
/// A group with processes can't, so this process and its parent move to a group of their own first: the
/// arrangement that systemd's `Delegate=yes` expects.
fn delegate(own: &Path) -> Option<Place> {
    let parent = rustix::process::getppid();
    let top = own.ancestors().take_while(|path| path.join("cgroup.procs").exists()).last()?;
    for path in [own, top] {
        let _ = fs::create_dir(path.join("pagoda.server"));
        for pid in [Some(getpid()), parent].into_iter().flatten() {
            let pid = pid.as_raw_nonzero().to_string();
            let _ = fs::write(path.join("pagoda.server/cgroup.procs"), pid);
        }
        let enabled = fs::write(path.join("cgroup.subtree_control"), "+memory +cpu +pids").is_ok();
        if enabled {
            return Some(Place { controllers: Controller::ALL.to_vec(), path: path.to_owned() });
        }
    }
    None
}

/// One line of `/proc/self/mountinfo`.
struct Mount<'a> {
    root: &'a str,
    point: &'a str,
    kind: &'a str,
    options: &'a str,
}

impl<'a> Mount<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (place, kind) = line.split_once(" - ")?;
        let mut place = place.split(' ').skip(3);
        let mut kind = kind.split(' ');
        Some(Self { root: place.next()?, point: place.next()?, kind: kind.next()?, options: kind.nth(1)? })
    }

    /// The directory of group `own`, which in a container may lie above what is mounted.
    fn path_of(&self, own: &str) -> PathBuf {
        let below = Path::new(own).strip_prefix(self.root).unwrap_or(Path::new(""));
        Path::new(self.point).join(below)
    }
}

/// `pagoda.PID.START`: the start time tells this process from an earlier one with the same number.
pub(crate) fn own_name() -> String {
    let pid = getpid().as_raw_nonzero().get();
    format!("pagoda.{pid}.{}", start_time(pid).unwrap_or(0))
}

/// Makes this spawner's directory `name` in `place` and opens both; in version 2 its instances need the
/// controllers passed on too.
pub(crate) fn make(place: &Path, name: &str) -> Result<(OwnedFd, OwnedFd), Fault> {
    let path = place.join(name);
    fs::create_dir(&path).at("making a group")?;
    if path.join("cgroup.subtree_control").exists() {
        fs::write(path.join("cgroup.subtree_control"), "+memory +cpu +pids").at("enabling controllers")?;
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let place = open(place, flags, Mode::empty()).at("opening the own group")?;
    Ok((place, open(&path, flags, Mode::empty()).at("opening a group")?))
}

/// Kills what dead spawners left under `place` and removes its groups. Best effort: a group that is still
/// emptying is left to the next sweep.
pub(crate) fn sweep(place: &Path) {
    for directory in subdirectories(place) {
        let name = directory.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut parts = name.strip_prefix("pagoda.").unwrap_or_default().split('.');
        let pid = parts.next().and_then(|part| part.parse::<i32>().ok());
        let start = parts.next().and_then(|part| part.parse::<u64>().ok());
        if let (Some(pid), Some(start)) = (pid, start)
            && start_time(pid) != Some(start)
        {
            clear(&directory);
        }
    }
}

fn clear(directory: &Path) {
    for group in subdirectories(directory) {
        let _ = fs::write(group.join("freezer.state"), "THAWED");
        let processes = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
        for pid in processes.lines().filter_map(|line| Pid::from_raw(line.parse().ok()?)) {
            let _ = kill_process(pid, Signal::KILL);
        }
        let _ = fs::remove_dir(group);
    }
    let _ = fs::remove_dir(directory);
}

fn subdirectories(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}

/// When process `pid` started, in ticks since boot; `None` if there is none, or only what its parent has
/// not yet reaped. Fields 22 and 3 of `/proc/PID/stat`, whose field 2 may itself contain spaces and brackets.
fn start_time(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") { None } else { fields.nth(18)?.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str = "\
30 29 0:25 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
31 29 0:26 / /sys/fs/cgroup/memory rw,relatime shared:3 - cgroup cgroup rw,memory
32 29 0:26 / /elsewhere/memory rw,relatime - cgroup cgroup rw,memory
33 29 0:27 /docker/abc /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
34 29 0:28 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
";
    const GROUPS: &str = "9:cpu,cpuacct:/\n4:memory:/app/one\n8:pids:/docker/abc/job\n0::/user.slice/a\n";

    #[test]
    fn version_1_places_lie_at_the_own_group() {
        let place = |controllers: &[Controller], path: &str| Place {
            controllers: controllers.to_vec(),
            path: PathBuf::from(path),
        };
        let expected = vec![
            place(&[Controller::Cpu, Controller::CpuAccount], "/sys/fs/cgroup/cpu,cpuacct"),
            place(&[Controller::Memory], "/sys/fs/cgroup/memory/app/one"),
            place(&[Controller::Pids], "/sys/fs/cgroup/pids/job"),
        ];
        assert_eq!(places_v1(V1, GROUPS), expected);
    }

    #[test]
    fn version_2_place_is_the_own_group() {
        assert_eq!(place_v2(V1, GROUPS), Some(PathBuf::from("/sys/fs/cgroup/unified/user.slice/a")));
        assert_eq!(place_v2("", GROUPS), None);
    }
}
