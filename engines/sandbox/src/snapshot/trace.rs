//! The `ptrace` calls that taking a snapshot needs. All of them on one thread: a tracer is a thread.
//!
//! Every thread of the process is stopped before anything is read, and none runs on unless the snapshot
//! fails: then each goes on where it was.

use std::collections::BTreeSet;
use std::fs;
use std::ptr;

use libc::{c_int, c_long, c_void, iovec, user_regs_struct};

use crate::message::{At, Fault};

/// More threads than any runtime has that only waits to be resumed.
const THREADS_MAX: usize = 512;
/// Largest extended processor state that is read.
const XSTATE_BYTES_MAX: usize = 32 * 1024;
const NT_PRSTATUS: usize = 1;
const NT_X86_XSTATE: usize = 0x202;
/// What a stop by PTRACE_INTERRUPT looks like in a wait status.
const INTERRUPTED: c_int = libc::SIGTRAP | libc::PTRACE_EVENT_STOP << 8;
/// Stops at system calls have this bit, by PTRACE_O_TRACESYSGOOD.
const AT_CALL: c_int = libc::SIGTRAP | 0x80;

/// What the kernel knows of a thread's restartable sequences.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rseq {
    pub(crate) pointer: u64,
    pub(crate) size: u32,
    pub(crate) signature: u32,
    pub(crate) flags: u32,
    pad: u32,
}

/// A stopped process; its threads run on when this is dropped.
pub(crate) struct Stopped {
    pub(crate) pid: i32,
    /// In no order: numbers of the host may have begun anew since the process began.
    pub(crate) threads: Vec<i32>,
    /// An address at which the process has a `syscall` instruction.
    instruction: u64,
}

impl Drop for Stopped {
    fn drop(&mut self) {
        for &thread in &self.threads {
            let _ = request(libc::PTRACE_DETACH, thread, ptr::null_mut(), ptr::null_mut(), "detaching");
        }
    }
}

impl Stopped {
    /// Stops every thread of process `pid`; `instruction` is the address of a `syscall` instruction in it.
    pub(crate) fn stop(pid: i32, instruction: u64) -> Result<Self, Fault> {
        let mut stopped = Self { pid, threads: Vec::new(), instruction };
        let mut known = BTreeSet::new();
        loop {
            let new: Vec<i32> = threads(pid)?.into_iter().filter(|thread| !known.contains(thread)).collect();
            if new.is_empty() {
                return Ok(stopped);
            }
            for thread in new {
                if known.len() == THREADS_MAX {
                    return Err(Fault::new("stopping threads: too many", libc::E2BIG));
                }
                known.insert(thread);
                if stop(thread)? {
                    stopped.threads.push(thread);
                }
            }
        }
    }

    /// The general registers of `thread`.
    pub(crate) fn registers(&self, thread: i32) -> Result<user_regs_struct, Fault> {
        // SAFETY: registers are integers, for which all zeroes is a value.
        let mut registers: user_regs_struct = unsafe { std::mem::zeroed() };
        let mut area =
            iovec { iov_base: (&raw mut registers).cast(), iov_len: size_of::<user_regs_struct>() };
        let area = (&raw mut area).cast();
        request(
            libc::PTRACE_GETREGSET,
            thread,
            ptr::without_provenance_mut(NT_PRSTATUS),
            area,
            "reading registers",
        )?;
        Ok(registers)
    }

    fn set_registers(&self, thread: i32, registers: &user_regs_struct) -> Result<(), Fault> {
        let mut copy = *registers;
        let mut area = iovec { iov_base: (&raw mut copy).cast(), iov_len: size_of::<user_regs_struct>() };
        let area = (&raw mut area).cast();
        request(
            libc::PTRACE_SETREGSET,
            thread,
            ptr::without_provenance_mut(NT_PRSTATUS),
            area,
            "writing registers",
        )
    }

    /// Floating-point and vector state of `thread`, in the processor's standard (uncompacted) format.
    pub(crate) fn extended(&self, thread: i32) -> Result<Vec<u8>, Fault> {
        let mut bytes = vec![0; XSTATE_BYTES_MAX];
        let mut area = iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
        let kind = ptr::without_provenance_mut(NT_X86_XSTATE);
        request(libc::PTRACE_GETREGSET, thread, kind, (&raw mut area).cast(), "reading the extended state")?;
        bytes.truncate(area.iov_len);
        Ok(bytes)
    }

    /// The signals that `thread` blocks.
    pub(crate) fn signal_mask(&self, thread: i32) -> Result<u64, Fault> {
        let mut mask = 0_u64;
        let size = ptr::without_provenance_mut(size_of::<u64>());
        request(libc::PTRACE_GETSIGMASK, thread, size, (&raw mut mask).cast(), "reading the signal mask")?;
        Ok(mask)
    }

    fn set_signal_mask(&self, thread: i32, mut mask: u64) -> Result<(), Fault> {
        let size = ptr::without_provenance_mut(size_of::<u64>());
        request(libc::PTRACE_SETSIGMASK, thread, size, (&raw mut mask).cast(), "writing the signal mask")
    }

    /// The restartable sequences of `thread`; a null pointer where it has none.
    pub(crate) fn rseq(&self, thread: i32) -> Result<Rseq, Fault> {
        let mut rseq = Rseq::default();
        let size = ptr::without_provenance_mut(size_of::<Rseq>());
        let what = "reading restartable sequences";
        request(libc::PTRACE_GET_RSEQ_CONFIGURATION, thread, size, (&raw mut rseq).cast(), what)?;
        Ok(rseq)
    }

    /// Address and length of the robust futex list of `thread`.
    pub(crate) fn robust_list(&self, thread: i32) -> Result<(u64, u64), Fault> {
        let (mut head, mut length) = (0_u64, 0_u64);
        // SAFETY: the kernel writes two words, which outlive the call.
        let answer =
            unsafe { libc::syscall(libc::SYS_get_robust_list, thread, &raw mut head, &raw mut length) };
        if answer == 0 { Ok((head, length)) } else { Err(Fault::last("reading the robust list")) }
    }

    /// Makes `thread` do a system call with every signal blocked, and puts its registers back.
    pub(crate) fn call(&self, thread: i32, number: c_long, arguments: &[u64]) -> Result<i64, Fault> {
        let (before, mask) = (self.registers(thread)?, self.signal_mask(thread)?);
        let argument = |index: usize| arguments.get(index).copied().unwrap_or(0);
        let mut registers = before;
        registers.rip = self.instruction;
        registers.rax = number.cast_unsigned();
        // Not in a call: nothing to restart.
        registers.orig_rax = u64::MAX;
        (registers.rdi, registers.rsi, registers.rdx) = (argument(0), argument(1), argument(2));
        (registers.r10, registers.r8, registers.r9) = (argument(3), argument(4), argument(5));
        self.set_signal_mask(thread, u64::MAX)?;
        let answer = self.run_call(thread, &registers);
        self.set_registers(thread, &before)?;
        self.set_signal_mask(thread, mask)?;
        answer
    }

    fn run_call(&self, thread: i32, registers: &user_regs_struct) -> Result<i64, Fault> {
        self.set_registers(thread, registers)?;
        for _ in 0..2 {
            request(libc::PTRACE_SYSCALL, thread, ptr::null_mut(), ptr::null_mut(), "making a call")?;
            let signal = wait_stop(thread)?;
            if signal != Some(AT_CALL) {
                return Err(Fault::new("making a call", libc::EINTR));
            }
        }
        Ok(self.registers(thread)?.rax.cast_signed())
    }
}

/// The numbers of all threads of process `pid`, lowest first.
pub(crate) fn threads(pid: i32) -> Result<Vec<i32>, Fault> {
    let entries = fs::read_dir(format!("/proc/{pid}/task")).at("listing threads")?;
    let mut threads: Vec<i32> =
        entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    threads.sort_unstable();
    Ok(threads)
}

/// Stops one thread; `false` if it has just ended.
fn stop(thread: i32) -> Result<bool, Fault> {
    let options = ptr::without_provenance_mut(libc::PTRACE_O_TRACESYSGOOD as usize);
    match request(libc::PTRACE_SEIZE, thread, ptr::null_mut(), options, "seizing a thread") {
        Err(fault) if fault.errno == libc::ESRCH => return Ok(false),
        answer => answer?,
    }
    request(libc::PTRACE_INTERRUPT, thread, ptr::null_mut(), ptr::null_mut(), "stopping a thread")?;
    loop {
        match wait_stop(thread)? {
            None => return Ok(false),
            Some(INTERRUPTED) => return Ok(true),
            Some(signal) => {
                // On its way to a signal, which it gets: the interruption is still to come.
                let signal = ptr::without_provenance_mut((signal & 0x7f) as usize);
                request(libc::PTRACE_CONT, thread, ptr::null_mut(), signal, "passing a signal on")?;
            }
        }
    }
}

/// Waits until `thread` stops, and answers with what; `None` if it has ended.
fn wait_stop(thread: i32) -> Result<Option<c_int>, Fault> {
    let mut status = 0;
    loop {
        // SAFETY: `status` outlives the call.
        let answer = unsafe { libc::waitpid(thread, &raw mut status, libc::__WALL) };
        if answer == thread {
            return Ok(libc::WIFSTOPPED(status).then_some(status >> 8));
        }
        let fault = Fault::last("waiting for a thread");
        if fault.errno != libc::EINTR {
            return Err(fault);
        }
    }
}

fn request(
    what: libc::c_uint,
    thread: i32,
    address: *mut c_void,
    data: *mut c_void,
    step: &str,
) -> Result<(), Fault> {
    // SAFETY: the callers pass addresses and sizes of objects that outlive the call, as each request asks.
    let answer = unsafe { libc::ptrace(what, thread, address, data) };
    if answer == -1 { Err(Fault::last(step)) } else { Ok(()) }
}
