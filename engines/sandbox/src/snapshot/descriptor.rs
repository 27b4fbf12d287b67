//! The open descriptors of a process, each in the form in which it can be made again.
//!
//! What leads out of the process (a socket, a pipe to somebody else) is refused by name: a restored process
//! could not have it. Connections are broken off instead, as programs know it of connections. Its standard descriptors and its resume pipe are those of its new instance.

use std::fs;
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, SocketType, getpeername, sockopt};
use rustix::pipe::{PipeFlags, SpliceFlags, pipe_with, tee};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
use serde::{Deserialize, Serialize};

use super::file::Files;
use crate::message::{At, Fault};

/// Most descriptors that an image holds.
const DESCRIPTORS_MAX: usize = 1024;
/// The shortest time that does not mean never.
const AT_ONCE: (i64, i64) = (0, 1);
/// What a new pipe can hold.
const PIPE_BYTES_MAX: usize = 64 * 1024;
/// The descriptor that every restored process waits on.
pub(crate) const RESUME: i32 = 3;

/// Pipes that a new instance has anew: standard output, standard error, resume, by inode.
pub(crate) type Own = [u64; 3];

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Descriptor {
    pub(crate) number: i32,
    /// Status flags, as `open` and `fcntl` have them; without `O_CLOEXEC`.
    pub(crate) flags: u32,
    pub(crate) close_on_exec: bool,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// Another number for what an earlier descriptor is.
    Same(i32),
    /// What the new instance has at this number.
    Given(i32),
    File {
        index: usize,
        offset: u64,
    },
    Event {
        count: u64,
        semaphore: bool,
    },
    /// One end of a pipe that is its own, and what was in that pipe.
    Pipe {
        inode: u64,
        held: Vec<u8>,
    },
    /// A stream whose other end is closed, or a connection, whose other end will be.
    Severed,
    /// Times in seconds and nanoseconds; `next` is the time left.
    Timer {
        clock: i32,
        next: (i64, i64),
        interval: (i64, i64),
    },
    Poll(Vec<Watch>),
}

/// What an epoll set looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Watch {
    pub(crate) number: i32,
    pub(crate) events: u32,
    pub(crate) data: u64,
}

/// One descriptor before it is judged.
struct Found {
    number: i32,
    link: String,
    info: String,
}

/// All descriptors of process `pid`, by number.
pub(crate) fn all(pid: i32, own: Own, files: &mut Files) -> Result<Vec<Descriptor>, Fault> {
    let found = list(pid)?;
    let mut all: Vec<Descriptor> = Vec::with_capacity(found.len());
    for (index, one) in found.iter().enumerate() {
        let flags = u32::from_str_radix(field(&one.info, "flags").unwrap_or("0"), 8).unwrap_or(0);
        let earlier = found.iter().take(index).filter(|other| other.link == one.link);
        let same = earlier.map(|other| other.number).find(|&number| is_same(pid, number, one.number));
        let kind = match same {
            Some(number) => Kind::Same(number),
            None => judge(pid, one, flags, own, &found, files)?,
        };
        let close_on_exec = flags & libc::O_CLOEXEC.cast_unsigned() != 0;
        let flags = flags & !libc::O_CLOEXEC.cast_unsigned();
        all.push(Descriptor { number: one.number, flags, close_on_exec, kind });
    }
    Ok(all)
}

fn list(pid: i32) -> Result<Vec<Found>, Fault> {
    let step = "listing descriptors";
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).at(step)?;
    let mut numbers: Vec<i32> =
        entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    numbers.sort_unstable();
    if numbers.len() > DESCRIPTORS_MAX {
        return Err(Fault::new("listing descriptors: too many", libc::E2BIG));
    }
    let look = |number| {
        let link = fs::read_link(format!("/proc/{pid}/fd/{number}")).at(step)?;
        let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{number}")).at(step)?;
        Ok(Found { number, link: link.to_string_lossy().into_owned(), info })
    };
    numbers.into_iter().map(look).collect()
}

fn judge(
    pid: i32,
    one: &Found,
    flags: u32,
    own: Own,
    found: &[Found],
    files: &mut Files,
) -> Result<Kind, Fault> {
    let refuse = || Err(refusal(one));
    if let Some(inode) = one.link.strip_prefix("pipe:[").and_then(|rest| rest.strip_suffix(']')) {
        let inode: u64 = inode.parse().unwrap_or(0);
        return match own.iter().position(|pipe| *pipe == inode) {
            Some(index) => Ok(Kind::Given(index as i32 + 1)),
            None => pipe(pid, one, inode, found),
        };
    }
    if one.link.starts_with("socket:[") {
        let breaks = is_broken_by_rest(pid, one.number).at("looking at a socket")?;
        return if breaks { Ok(Kind::Severed) } else { refuse() };
    }
    match one.link.strip_prefix("anon_inode:") {
        Some("[eventfd]") => {
            let count = field(&one.info, "eventfd-count").map(|count| u64::from_str_radix(count, 16));
            let semaphore = field(&one.info, "eventfd-semaphore") == Some("1");
            match count {
                Some(Ok(count)) => Ok(Kind::Event { count, semaphore }),
                _ => refuse(),
            }
        }
        Some("[eventpoll]") => Ok(Kind::Poll(watches(&one.info))),
        Some("[timerfd]") => timer(&one.info).ok_or_else(|| refusal(one)),
        Some(_) => refuse(),
        None if one.link.starts_with('/') => {
            // A file that is written would be shared by all that are restored.
            let writes = flags & libc::O_ACCMODE.cast_unsigned() != libc::O_RDONLY.cast_unsigned();
            match files.open(&one.link, None) {
                Some(index) if !writes || files.is_device(index) => {
                    let offset = field(&one.info, "pos").and_then(|pos| pos.parse().ok()).unwrap_or(0);
                    Ok(Kind::File { index, offset })
                }
                _ => refuse(),
            }
        }
        None => refuse(),
    }
}

fn refusal(one: &Found) -> Fault {
    Fault::new(format!("descriptor {} ({}) cannot be in an image", one.number, one.link), libc::ENOTSUP)
}

/// A pipe both of whose ends are the process's own.
fn pipe(pid: i32, one: &Found, inode: u64, found: &[Found]) -> Result<Kind, Fault> {
    let writes = |found: &Found| {
        let flags = u32::from_str_radix(field(&found.info, "flags").unwrap_or("0"), 8).unwrap_or(0);
        flags & libc::O_ACCMODE.cast_unsigned() == libc::O_WRONLY.cast_unsigned()
    };
    let mut ends = found.iter().filter(|other| other.link == one.link && writes(other) != writes(one));
    let Some(peer) = ends.next() else { return Err(refusal(one)) };
    let reader = if writes(one) { peer.number } else { one.number };
    let held = held(&copy(pid, reader).at("looking at a pipe")?).at("looking into a pipe")?;
    Ok(Kind::Pipe { inode, held })
}

/// What is in a pipe, which stays there.
fn held(pipe: &OwnedFd) -> rustix::io::Result<Vec<u8>> {
    let bytes = usize::try_from(rustix::io::ioctl_fionread(pipe)?).unwrap_or(0);
    let mut held = vec![0; bytes.min(PIPE_BYTES_MAX)];
    if !held.is_empty() {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
        let copied = tee(pipe, &write, held.len(), SpliceFlags::NONBLOCK)?;
        held.truncate(copied);
        rustix::io::read(&read, &mut held)?;
    }
    Ok(held)
}

/// Whether descriptor `number` of process `pid` is a stream whose other end is gone, or a connection, which any
/// rest may break off.
fn is_broken_by_rest(pid: i32, number: i32) -> rustix::io::Result<bool> {
    let socket = copy(pid, number)?;
    if sockopt::socket_type(&socket)? != SocketType::STREAM {
        return Ok(false);
    }
    Ok(match sockopt::socket_domain(&socket)? {
        AddressFamily::UNIX => crate::socket::closed(&socket),
        AddressFamily::INET | AddressFamily::INET6 => getpeername(&socket).is_ok(),
        _ => false,
    })
}

fn copy(pid: i32, number: i32) -> rustix::io::Result<OwnedFd> {
    let pid = Pid::from_raw(pid).ok_or(rustix::io::Errno::SRCH)?;
    let process = pidfd_open(pid, PidfdFlags::empty())?;
    pidfd_getfd(&process, number, PidfdGetfdFlags::empty())
}

/// Whether two descriptors of process `pid` are one open file.
fn is_same(pid: i32, one: i32, other: i32) -> bool {
    const KCMP_FILE: i32 = 0;
    // SAFETY: the call takes numbers only.
    unsafe { libc::syscall(libc::SYS_kcmp, pid, pid, KCMP_FILE, one, other) == 0 }
}

fn watches(info: &str) -> Vec<Watch> {
    let lines = info.lines().filter(|line| line.starts_with("tfd:"));
    lines
        .filter_map(|line| {
            let mut fields = line.split_ascii_whitespace();
            let mut after = |name: &str| fields.by_ref().skip_while(|word| *word != name).nth(1);
            Some(Watch {
                number: after("tfd:")?.parse().ok()?,
                events: u32::from_str_radix(after("events:")?, 16).ok()?,
                data: u64::from_str_radix(after("data:")?, 16).ok()?,
            })
        })
        .collect()
}

fn timer(info: &str) -> Option<Kind> {
    let pair = |name| {
        let (seconds, nanos) = field(info, name)?.strip_prefix('(')?.strip_suffix(')')?.split_once(", ")?;
        Some((seconds.parse().ok()?, nanos.parse().ok()?))
    };
    // One that has come due and was not read has no time left, and is only wound up again by being read.
    let due = field(info, "ticks")? != "0";
    Some(Kind::Timer {
        clock: field(info, "clockid")?.parse().ok()?,
        next: if due { AT_ONCE } else { pair("it_value")? },
        interval: pair("it_interval")?,
    })
}

fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_read() {
        let info = "pos:\t0\nflags:\t02\nmnt_id:\t15\nino:\t1055\ntfd:        8 events:       19 data:                8  pos:0 ino:61af sdev:7\ntfd:       10 events: 80000001 data: ffffffff0000000a  pos:0 ino:1 sdev:7\n";
        let expected = [
            Watch { number: 8, events: 0x19, data: 8 },
            Watch { number: 10, events: 0x8000_0001, data: 0xffff_ffff_0000_000a },
        ];
        assert_eq!(watches(info), expected);
    }

    #[test]
    fn timers_are_read() {
        let info = "pos:\t0\nclockid: 1\nticks: 0\nsettime flags: 00\nit_value: (0, 49406829)\nit_interval: (1, 0)\n";
        let expected = Kind::Timer { clock: 1, next: (0, 49_406_829), interval: (1, 0) };
        assert_eq!(timer(info), Some(expected));
        let due = "clockid: 1\nticks: 1\nit_value: (0, 0)\nit_interval: (0, 5)\n";
        let expected = Kind::Timer { clock: 1, next: AT_ONCE, interval: (0, 5) };
        assert_eq!(timer(due), Some(expected));
        assert_eq!(timer("clockid: 1\n"), None);
    }
}
