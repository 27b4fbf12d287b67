//! System calls that no library wraps safely, each as one safe function.

use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};

use rustix::process::Pid;
use rustix::thread::UnshareFlags;

use crate::message::Fault;

/// Lies above bit 31; `libc` has it truncated to a `c_int`.
const CLONE_INTO_CGROUP: u64 = 1 << 33;

/// What `clone` returns to each of the two processes.
pub(crate) enum Cloned {
    /// In the child, which is the first process of its pid namespace.
    Child,
    /// In the parent: a descriptor that names the child for its whole life.
    Parent(OwnedFd),
}

/// Clones this single-threaded process: into a new pid namespace if `namespace`, and into the cgroup (v2)
/// whose directory is `cgroup`.
pub(crate) fn clone(namespace: bool, cgroup: Option<&OwnedFd>) -> Result<Cloned, Fault> {
    let mut pidfd: RawFd = -1;
    // SAFETY: `clone_args` consists of integers, for which all zeroes is a value.
    let mut arguments: libc::clone_args = unsafe { std::mem::zeroed() };
    arguments.flags = libc::CLONE_PIDFD as u64
        | if namespace { libc::CLONE_NEWPID as u64 } else { 0 }
        | if cgroup.is_some() { CLONE_INTO_CGROUP } else { 0 };
    arguments.pidfd = (&raw mut pidfd) as u64;
    arguments.exit_signal = libc::SIGCHLD as u64;
    arguments.cgroup = cgroup.map_or(0, |directory| directory.as_raw_fd() as u64);
    // SAFETY: without CLONE_VM the child gets its own copy of memory and goes on here as after `fork`. The
    // spawner has one thread only, so no lock is held by a thread that the child lacks. `pidfd` outlives the call.
    let answer =
        unsafe { libc::syscall(libc::SYS_clone3, &raw mut arguments, size_of::<libc::clone_args>()) };
    match answer {
        -1 => Err(Fault::last("clone3")),
        0 => Ok(Cloned::Child),
        // SAFETY: the kernel has just made this descriptor, for us alone.
        _ => Ok(Cloned::Parent(unsafe { OwnedFd::from_raw_fd(pidfd) })),
    }
}

/// Forks this single-threaded process, giving the child the process id `number` in its innermost pid namespace;
/// `None` in the child, and its number and a descriptor of it in the parent.
pub(crate) fn fork_with(number: Option<i32>) -> Result<Option<(Pid, OwnedFd)>, Fault> {
    let mut pidfd: RawFd = -1;
    let numbers = [number.unwrap_or(0)];
    // SAFETY: `clone_args` consists of integers, for which all zeroes is a value.
    let mut arguments: libc::clone_args = unsafe { std::mem::zeroed() };
    arguments.flags = libc::CLONE_PIDFD as u64;
    arguments.pidfd = (&raw mut pidfd) as u64;
    arguments.exit_signal = libc::SIGCHLD as u64;
    if number.is_some() {
        arguments.set_tid = numbers.as_ptr() as u64;
        arguments.set_tid_size = 1;
    }
    // SAFETY: without CLONE_VM the child gets its own copy of memory and goes on here as after `fork`. The
    // callers have one thread only, so no lock is held by a thread that the child lacks. What the arguments
    // point to outlives the call.
    let answer =
        unsafe { libc::syscall(libc::SYS_clone3, &raw mut arguments, size_of::<libc::clone_args>()) };
    match (answer, i32::try_from(answer).ok().and_then(Pid::from_raw)) {
        (0, _) => Ok(None),
        // SAFETY: the kernel has just made this descriptor, for us alone.
        (1.., Some(pid)) => Ok(Some((pid, unsafe { OwnedFd::from_raw_fd(pidfd) }))),
        _ => Err(Fault::last("clone3")),
    }
}

/// Leaves `descriptor` at `number` too, open across an execution.
pub(crate) fn hand_down(descriptor: impl AsFd, number: RawFd) -> std::io::Result<RawFd> {
    let from = descriptor.as_fd().as_raw_fd();
    if from == number {
        rustix::io::fcntl_setfd(&descriptor, rustix::io::FdFlags::empty())?;
        return Ok(number);
    }
    // SAFETY: whatever is at `number` belongs to the parent's copy, and this process is about to execute
    // another program; no owner of it will run here.
    match unsafe { libc::dup2(from, number) } {
        -1 => Err(std::io::Error::last_os_error()),
        _ => Ok(number),
    }
}

/// Forks this single-threaded process; `None` in the child.
pub(crate) fn fork() -> Result<Option<Pid>, Fault> {
    // SAFETY: the callers have one thread only, so the child may do whatever the parent may.
    match unsafe { libc::fork() } {
        -1 => Err(Fault::last("fork")),
        pid => Ok(Pid::from_raw(pid)),
    }
}

/// Ends this process at once, without running what the parent had registered for its own exit.
pub(crate) fn exit(code: i32) -> ! {
    // SAFETY: `_exit` has no preconditions.
    unsafe { libc::_exit(code) }
}

/// Leaves the named namespaces for new ones.
pub(crate) fn unshare(flags: UnshareFlags) -> rustix::io::Result<()> {
    // SAFETY: the danger is CLONE_FILES, which would pull descriptors away from other threads; callers
    // here have one thread and pass namespaces only.
    unsafe { rustix::thread::unshare_unsafe(flags) }
}

/// Sets mount attributes (`MOUNT_ATTR_*`) on the mount that `tree` is open at, and with `recursive` on all
/// below it.
pub(crate) fn restrict_mount(tree: impl AsFd, attributes: u64, recursive: bool) -> Result<(), Fault> {
    let set = libc::mount_attr { attr_set: attributes, attr_clr: 0, propagation: 0, userns_fd: 0 };
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the path is a NUL-terminated literal, and `set` outlives the call and is of the size given.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree.as_fd().as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const set,
            size_of::<libc::mount_attr>(),
        )
    };
    if answer == 0 { Ok(()) } else { Err(Fault::last("mount_setattr")) }
}

/// Closes every descriptor from 3 on, except those in `keep`.
pub(crate) fn close_all_but(keep: &[RawFd]) -> Result<(), Fault> {
    let mut keep: Vec<u32> =
        keep.iter().filter_map(|fd| u32::try_from(*fd).ok()).filter(|fd| *fd > 2).collect();
    keep.sort_unstable();
    let mut first = 3;
    for kept in keep.into_iter().chain([u32::MAX]) {
        if kept > first {
            close_range(first, kept - if kept == u32::MAX { 0 } else { 1 })?;
        }
        first = kept.saturating_add(1);
    }
    Ok(())
}

fn close_range(first: u32, last: u32) -> Result<(), Fault> {
    // SAFETY: the callers have just been forked and own no object whose descriptor is not in their keep
    // list and that they will still use or drop (they leave by `exec` or `_exit`).
    let answer = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    if answer == 0 { Ok(()) } else { Err(Fault::last("close_range")) }
}

/// Undoes what a Rust program inherits or sets: ignored SIGPIPE, blocked signals.
pub(crate) fn reset_signals() {
    for signal in 1..=64 {
        // SAFETY: SIG_DFL runs no code of ours; numbers that can't be changed are refused without effect.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    // SAFETY: `sigset_t` is plain memory, for which all zeroes is the empty set on Linux.
    let none: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: `none` outlives the call and the old set is not asked for.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut()) };
}

/// Switches the loopback interface of this network namespace on.
pub(crate) fn raise_loopback(socket: impl AsFd) -> Result<(), Fault> {
    // SAFETY: `ifreq` is plain memory, for which all zeroes is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = from.cast_signed();
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: `request` is what SIOCSIFFLAGS reads, and outlives the call.
    let answer = unsafe { libc::ioctl(socket.as_fd().as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) };
    if answer == 0 { Ok(()) } else { Err(Fault::last("raising the loopback interface")) }
}
