//! Limits and accounts by cgroup, versions 1 and 2.
//!
//! Every spawner has one directory `pagoda.PID.START` under its own cgroup in each hierarchy (so that limits
//! of the spawner's own surroundings hold for its instances too), with one directory an instance in it. A
//! dead spawner's leftovers are swept by the next one. Directories are held open, because the spawner's own
//! root no longer shows them; files are opened by their path from there, in one step, because a claim waits.
//!
//! Under version 1 a process must be written into its group, which waits for a grace period of the kernel
//! (5 to 15 ms when it happens alone); the instance does that to itself before it is claimed. Under version 2
//! it is cloned into its group.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use rustix::fs::{AtFlags, Mode, OFlags, mkdirat, openat, unlinkat};
use rustix::io::Errno;

use super::hierarchy::{self, Controller, Found};
use crate::message::{At, Fault, Meter, Usage, Version};
use crate::spec::Limits;

/// Length of a scheduling period. Short, so that a small share means short pauses.
const PERIOD_MICROS: u64 = 20_000;
/// Shortest time in a period that the kernel accepts.
const QUOTA_MICROS_MIN: u64 = 1_000;
/// The least share for which a period has its usual length.
const CPU_MILLIS_CHANGED_MIN: u32 = (QUOTA_MICROS_MIN * 1000 / PERIOD_MICROS) as u32;

/// The hierarchies in which this spawner has its directory.
pub(crate) struct Cgroups {
    version: Version,
    hierarchies: Vec<Hierarchy>,
    name: String,
    /// What this host can't limit, in words.
    pub(crate) missing: Vec<String>,
}

struct Hierarchy {
    controllers: Vec<Controller>,
    /// The spawner's surroundings, and its own directory there.
    place: OwnedFd,
    parent: OwnedFd,
}

impl Cgroups {
    /// Finds the hierarchies of this host, sweeps what dead spawners left, and makes this spawner's
    /// directories. What can't be had is in [`Cgroups::missing`].
    pub(crate) fn open() -> Self {
        let Found { version, places } = hierarchy::find();
        let mut missing = Vec::new();
        let mut hierarchies = Vec::new();
        let name = hierarchy::own_name();
        for place in places {
            hierarchy::sweep(&place.path);
            match hierarchy::make(&place.path, &name) {
                Ok((directory, parent)) => {
                    let controllers = place.controllers;
                    hierarchies.push(Hierarchy { controllers, place: directory, parent });
                }
                Err(fault) => missing.push(format!("cgroup in {}: {fault}", place.path.display())),
            }
        }
        for controller in Controller::ALL {
            if !hierarchies.iter().any(|hierarchy| hierarchy.controllers.contains(&controller)) {
                missing.push(format!("no cgroup controller for {controller:?}"));
            }
        }
        Self { version, hierarchies, name, missing }
    }

    pub(crate) fn version(&self) -> Version {
        self.version
    }

    /// What an instance must keep open to use this.
    pub(crate) fn descriptors(&self) -> impl Iterator<Item = RawFd> {
        self.hierarchies.iter().map(|hierarchy| hierarchy.parent.as_raw_fd())
    }

    /// Version 2: makes the group of instance `id` and opens it, to be cloned into.
    pub(crate) fn for_clone(&self, id: u64) -> Result<Option<OwnedFd>, Fault> {
        match (self.version, self.hierarchies.first()) {
            (Version::V2, Some(hierarchy)) => {
                hierarchy.make(id)?;
                hierarchy.open(id).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Version 1: makes the groups of instance `id`, with the usual period, and moves this process into them.
    pub(crate) fn enter(&self, id: u64) -> Result<(), Fault> {
        if self.version == Version::V2 {
            return Ok(());
        }
        for hierarchy in &self.hierarchies {
            hierarchy.make(id)?;
            hierarchy.write(id, "cgroup.procs", "0")?;
            if hierarchy.controllers.contains(&Controller::Cpu) {
                hierarchy.write(id, "cpu.cfs_period_us", &PERIOD_MICROS.to_string())?;
            }
        }
        Ok(())
    }

    /// Sets the limits of instance `id`. One more process than asked for is allowed: the instance's own first.
    pub(crate) fn limit(&self, id: u64, limits: &Limits) -> Result<(), Fault> {
        let memory = limits.memory_bytes.to_string();
        let pids = u64::from(limits.pids).saturating_add(1).to_string();
        let (quota, period) = quota(limits.cpu_millis);
        let set = |controller, name: &str, value: &str| match self.hierarchy(controller) {
            Some(hierarchy) => hierarchy.write(id, name, value),
            None => Ok(()),
        };
        set(Controller::Pids, "pids.max", &pids)?;
        match self.version {
            Version::V1 => {
                set(Controller::Memory, "memory.limit_in_bytes", &memory)?;
                // Absent where the kernel does not account for swap; then there is none to be had either.
                optional(set(Controller::Memory, "memory.memsw.limit_in_bytes", &memory))?;
                if period != PERIOD_MICROS {
                    set(Controller::Cpu, "cpu.cfs_period_us", &period.to_string())?;
                }
                set(Controller::Cpu, "cpu.cfs_quota_us", &quota.to_string())
            }
            Version::V2 => {
                set(Controller::Memory, "memory.max", &memory)?;
                optional(set(Controller::Memory, "memory.swap.max", "0"))?;
                optional(set(Controller::Memory, "memory.oom.group", "1"))?;
                set(Controller::Cpu, "cpu.max", &format!("{quota} {period}"))
            }
        }
    }

    /// Opens the files through which the host freezes and reads instance `id`.
    pub(crate) fn meters(&self, id: u64) -> Vec<(Meter, OwnedFd)> {
        let open = |meter, controller, name: &str, flags| {
            let file = self.hierarchy(controller)?.file(id, name, flags).ok()?;
            Some((meter, file))
        };
        let (freezer, peak, cpu, share) = match self.version {
            Version::V1 => {
                ("freezer.state", "memory.max_usage_in_bytes", "cpuacct.usage", "cpu.cfs_quota_us")
            }
            Version::V2 => ("cgroup.freeze", "memory.peak", "cpu.stat", "cpu.max"),
        };
        let meters = [
            open(Meter::CpuShare, Controller::Cpu, share, OFlags::WRONLY),
            open(Meter::Freezer, Controller::Freezer, freezer, OFlags::WRONLY),
            open(Meter::MemoryPeak, Controller::Memory, peak, OFlags::RDONLY),
            open(Meter::Cpu, Controller::CpuAccount, cpu, OFlags::RDONLY),
        ];
        meters.into_iter().flatten().collect()
    }

    /// Version 1 keeps a signal from frozen processes, so that they must be thawed to be killed.
    pub(crate) fn thaw(&self, id: u64) {
        if self.version == Version::V1
            && let Some(hierarchy) = self.hierarchy(Controller::Freezer)
        {
            // Failing means that the group is gone, and its processes with it.
            let _ = hierarchy.write(id, "freezer.state", "THAWED");
        }
    }

    /// What instance `id` used up, zero where it can't be known.
    pub(crate) fn usage(&self, id: u64) -> Usage {
        let read = |controller, name| self.hierarchy(controller)?.read(id, name).ok();
        let (oom, peak, cpu) = match self.version {
            Version::V1 => ("memory.oom_control", "memory.max_usage_in_bytes", "cpuacct.usage"),
            Version::V2 => ("memory.events", "memory.peak", "cpu.stat"),
        };
        let oom = read(Controller::Memory, oom).unwrap_or_default();
        let peak = read(Controller::Memory, peak).unwrap_or_default();
        let cpu = read(Controller::CpuAccount, cpu).unwrap_or_default();
        Usage {
            oom_killed: field(&oom, "oom_kill").is_some_and(|count| count > 0),
            memory_peak_bytes: peak.trim().parse().unwrap_or(0),
            cpu_micros: cpu_micros(self.version, &cpu),
        }
    }

    /// Removes the groups of instance `id`; `false` if its last process has not yet left them.
    pub(crate) fn remove(&self, id: u64) -> bool {
        self.hierarchies.iter().all(|hierarchy| {
            let removed = unlinkat(&hierarchy.parent, instance(id), AtFlags::REMOVEDIR);
            matches!(removed, Ok(()) | Err(Errno::NOENT))
        })
    }

    /// Removes this spawner's own directories, after its last instance.
    pub(crate) fn close(&self) {
        for hierarchy in &self.hierarchies {
            // What is not yet empty is left to the next spawner's sweep.
            let _ = unlinkat(&hierarchy.place, &self.name, AtFlags::REMOVEDIR);
        }
    }

    fn hierarchy(&self, controller: Controller) -> Option<&Hierarchy> {
        self.hierarchies.iter().find(|hierarchy| hierarchy.controllers.contains(&controller))
    }
}

impl Hierarchy {
    fn make(&self, id: u64) -> Result<(), Fault> {
        match mkdirat(&self.parent, instance(id), Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(errno) => Err(Fault::new("making a cgroup", errno.raw_os_error())),
        }
    }

    fn open(&self, id: u64) -> Result<OwnedFd, Fault> {
        let flags = OFlags::DIRECTORY | OFlags::PATH | OFlags::CLOEXEC;
        openat(&self.parent, instance(id), flags, Mode::empty()).at("opening a cgroup")
    }

    /// A file of instance `id`'s group.
    fn file(&self, id: u64, name: &str, flags: OFlags) -> rustix::io::Result<OwnedFd> {
        openat(&self.parent, format!("{}/{name}", instance(id)), flags | OFlags::CLOEXEC, Mode::empty())
    }

    fn write(&self, id: u64, name: &str, value: &str) -> Result<(), Fault> {
        let step = || format!("writing {value} to {name}");
        let file = self.file(id, name, OFlags::WRONLY).at(step())?;
        File::from(file).write_all(value.as_bytes()).at(step())
    }

    fn read(&self, id: u64, name: &str) -> Result<String, Fault> {
        let file = self.file(id, name, OFlags::RDONLY).at(name)?;
        let mut text = String::new();
        File::from(file).read_to_string(&mut text).at(name)?;
        Ok(text)
    }
}

/// What is written to change a running instance's share. Under version 1 the period stays as it is, which is
/// why shares under [`CPU_MILLIS_CHANGED_MIN`] cannot be set then.
pub(crate) fn share(version: Version, cpu_millis: u32) -> String {
    let (quota, period) = quota(cpu_millis.max(CPU_MILLIS_CHANGED_MIN));
    match version {
        Version::V1 => quota.to_string(),
        Version::V2 => format!("{quota} {period}"),
    }
}

/// Processor time of the account file's `text`, in microseconds.
pub(crate) fn cpu_micros(version: Version, text: &str) -> u64 {
    match version {
        Version::V1 => text.trim().parse::<u64>().unwrap_or(0) / 1000,
        Version::V2 => field(text, "usage_usec").unwrap_or(0),
    }
}

fn instance(id: u64) -> String {
    format!("i{id}")
}

/// Time and period in microseconds that give `cpu_millis` thousandths of a core.
fn quota(cpu_millis: u32) -> (u64, u64) {
    let millis = u64::from(cpu_millis.max(1));
    let quota = (PERIOD_MICROS * millis / 1000).max(QUOTA_MICROS_MIN);
    (quota, quota * 1000 / millis)
}

fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.trim().parse().ok())
}

fn optional(result: Result<(), Fault>) -> Result<(), Fault> {
    match result {
        Err(fault) if fault.errno == libc::ENOENT => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_keep_the_share() {
        for (millis, expected) in [
            (1000, (20_000, 20_000)),
            (72, (1_440, 20_000)),
            (10, (1_000, 100_000)),
            (2500, (50_000, 20_000)),
        ] {
            assert_eq!(quota(millis), expected, "{millis}");
        }
    }

    #[test]
    fn shares_are_written_for_the_usual_period() {
        assert_eq!(share(Version::V1, 500), "10000");
        assert_eq!(share(Version::V1, 1), "1000");
        assert_eq!(share(Version::V2, 2000), "40000 20000");
    }

    #[test]
    fn accounts_are_read() {
        assert_eq!(field("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n", "oom_kill"), Some(2));
        assert_eq!(field("low 0\noom 3\noom_kill 1\noom_group_kill 0\n", "oom_kill"), Some(1));
        assert_eq!(field("", "oom_kill"), None);
        assert_eq!(cpu_micros(Version::V1, "123456789\n"), 123_456);
        assert_eq!(cpu_micros(Version::V2, "usage_usec 77\nuser_usec 70\n"), 77);
    }
}
