//! What all threads of a process share, beside its memory and its descriptors.

use std::fs;

use super::thread::Scratch;
use crate::message::{At, Fault};

const SIGNALS: u64 = 64;
/// Bytes of a signal set, as the kernel counts them.
const SIGNAL_SET_BYTES: u64 = 8;
const MEMBARRIER_CMD_GET_REGISTRATIONS: u64 = 1 << 9;

/// `struct prctl_mm_map` without its last three fields, as words in its order.
pub(crate) type Bounds = [u64; 11];

#[derive(Debug)]
pub(crate) struct Process {
    /// What each signal does that doesn't do the usual: number, then `struct sigaction` of the kernel.
    pub(crate) actions: Vec<(u64, [u64; 4])>,
    pub(crate) umask: u32,
    pub(crate) bounds: Bounds,
    pub(crate) auxiliary: Vec<u8>,
    /// The program's guest path.
    pub(crate) program: String,
    /// Registrations for `membarrier`, as bits of its commands.
    pub(crate) barriers: u64,
}

/// Reads all about process `pid`; `scratch` belongs to one of its threads.
pub(crate) fn read(pid: i32, scratch: &Scratch<'_>, breaking: u64) -> Result<Process, Fault> {
    alone(pid)?;
    let mut actions = Vec::new();
    for signal in
        (1..=SIGNALS).filter(|signal| ![libc::SIGKILL as u64, libc::SIGSTOP as u64].contains(signal))
    {
        let arguments = [signal, 0, scratch.address, SIGNAL_SET_BYTES];
        scratch.call(libc::SYS_rt_sigaction, &arguments, "reading a signal's action")?;
        let action: [u64; 4] = scratch.words()?;
        if action.iter().any(|word| *word != 0) {
            actions.push((signal, action));
        }
    }
    let status = fs::read_to_string(format!("/proc/{pid}/status")).at("reading the status")?;
    let umask = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    let umask = umask.and_then(|value| u32::from_str_radix(value.trim(), 8).ok());
    let program = fs::read_link(format!("/proc/{pid}/exe")).at("reading the program's path")?;
    Ok(Process {
        actions,
        umask: umask.unwrap_or(0o022),
        bounds: bounds(pid, breaking)?,
        auxiliary: fs::read(format!("/proc/{pid}/auxv")).at("reading the auxiliary vector")?,
        program: program.to_string_lossy().into_owned(),
        barriers: 0,
    })
}

/// The commands of `membarrier` that a process has registered for, from what it answers when asked.
pub(crate) fn barriers(answer: i64) -> u64 {
    u64::try_from(answer).unwrap_or(0)
}

/// The arguments that ask for them.
pub(crate) const ASK_BARRIERS: [u64; 2] = [MEMBARRIER_CMD_GET_REGISTRATIONS, 0];

/// Refuses a process with children, or with timers that the kernel keeps for it.
fn alone(pid: i32) -> Result<(), Fault> {
    let mut children = String::new();
    for thread in super::trace::threads(pid)? {
        let path = format!("/proc/{pid}/task/{thread}/children");
        children += &fs::read_to_string(path).unwrap_or_default();
    }
    if let Some(child) = children.split_whitespace().next() {
        let name = fs::read_to_string(format!("/proc/{child}/comm")).unwrap_or_default();
        let name = format!("a process with children cannot be in an image (it has {})", name.trim_end());
        return Err(Fault::new(name, libc::ENOTSUP));
    }
    let timers = fs::read_to_string(format!("/proc/{pid}/timers")).unwrap_or_default();
    if !timers.trim().is_empty() {
        let name = "a process with timers of timer_create cannot be in an image";
        return Err(Fault::new(name, libc::ENOTSUP));
    }
    Ok(())
}

/// Fields of `/proc/PID/stat`, whose field 2 may contain spaces and brackets; `breaking` is the end of the heap.
fn bounds(pid: i32, breaking: u64) -> Result<Bounds, Fault> {
    let step = "reading the memory's bounds";
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).at(step)?;
    let fields: Vec<u64> = stat
        .rsplit_once(')')
        .map(|(_, rest)| rest.split_whitespace().map(|field| field.parse().unwrap_or(0)).collect())
        .unwrap_or_default();
    // Numbered from 1 in proc_pid_stat(5); field 3 is the first behind the name.
    let field = |number: usize| fields.get(number - 3).copied().unwrap_or(0);
    let bounds = [
        field(26),
        field(27),
        field(45),
        field(46),
        field(47),
        breaking,
        field(28),
        field(48),
        field(49),
        field(50),
        field(51),
    ];
    if bounds.contains(&0) { Err(Fault::new(step, libc::EINVAL)) } else { Ok(bounds) }
}
