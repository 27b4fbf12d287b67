//! Server processes: started, measured from `/proc` with all their descendants, and killed in the end.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Outcome;

/// Ticks of `/proc/PID/stat` in a second: `USER_HZ`, 100 on every Linux that we know.
const TICKS: f64 = 100.0;
/// How long a server may take until it listens.
const START_TIME_MAX: Duration = Duration::from_secs(30);
const PERIOD: Duration = Duration::from_millis(5);

/// A running server, killed when it is dropped.
pub(crate) struct Server(Child);

impl Server {
    /// Starts a server whose output nobody reads.
    pub(crate) fn start(command: &mut Command) -> Outcome<Self> {
        command
            .env_remove("NODE_EXTRA_CA_CERTS")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Ok(Self(command.spawn().map_err(|error| format!("{command:?}: {error}"))?))
    }

    /// Takes over a child.
    pub(crate) fn of(child: Child) -> Self {
        Self(child)
    }

    /// Waits until it listens.
    pub(crate) fn listening(self, address: SocketAddr) -> Outcome<Self> {
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            if started.elapsed() > START_TIME_MAX {
                return Err(format!("nothing listens at {address}").into());
            }
            std::thread::sleep(PERIOD);
        }
        Ok(self)
    }

    /// CPU time of it and all its descendants, ended ones included, in seconds.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        let ticks = |pid| stat(pid).map_or(0, |stat| stat.ticks);
        tree(self.0.id()).into_iter().map(ticks).sum::<u64>() as f64 / TICKS
    }

    /// Memory of it and all its descendants in MiB: resident, and its proportional share.
    pub(crate) fn memory_mib(&self) -> (f64, f64) {
        let rollups: Vec<String> = tree(self.0.id())
            .into_iter()
            .filter_map(|pid| std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok())
            .collect();
        let sum = |name: &str| rollups.iter().map(|text| kib(text, name)).sum::<f64>() / 1024.0;
        (sum("Rss:"), sum("Pss:"))
    }

    /// How many processes it is.
    pub(crate) fn processes(&self) -> usize {
        tree(self.0.id()).len()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The children of some servers outlive a killed parent: they are asked first, then made to.
        let pids = tree(self.0.id());
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let asked = Instant::now();
        while matches!(self.0.try_wait(), Ok(None)) && asked.elapsed() < Duration::from_secs(3) {
            std::thread::sleep(PERIOD);
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
        let left = pids.iter().filter(|pid| stat(**pid).is_some()).map(u32::to_string);
        let _ = Command::new("kill").arg("-9").args(left).stderr(Stdio::null()).status();
    }
}

struct Stat {
    parent: u32,
    ticks: u64,
}

/// Source: proc_pid_stat(5): after the name come state, parent, and as fields 14 to 17 the times.
fn stat(pid: u32) -> Option<Stat> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11..15)?.iter().filter_map(|field| field.parse::<u64>().ok()).sum();
    Some(Stat { parent: fields.get(1)?.parse().ok()?, ticks })
}

/// A process and its descendants.
fn tree(root: u32) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return vec![root] };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let parents: Vec<(u32, u32)> = pids.filter_map(|pid| Some((pid, stat(pid)?.parent))).collect();
    let mut found = vec![root];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    found
}

fn kib(rollup: &str, name: &str) -> f64 {
    let line = rollup.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0.0)
}

/// A port that is free now, for servers that cannot choose one themselves.
pub(crate) fn free_address() -> Outcome<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// Runs a command to its end; what it wrote to standard output.
pub(crate) fn succeed(command: &mut Command) -> Outcome<String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
