//! The state of one thread, as it is read from outside.

use std::fs;

use libc::user_regs_struct;

use super::frame::{self, SignalStack};
use super::trace::{Rseq, Stopped};
use crate::message::{At, Fault};

/// What a thread needs to go on.
#[derive(Debug)]
pub(crate) struct Thread {
    /// Its number in its own pid namespace.
    pub(crate) number: i32,
    pub(crate) name: String,
    pub(crate) registers: user_regs_struct,
    /// Vector state as a frame holds it.
    pub(crate) extended: Vec<u8>,
    pub(crate) mask: u64,
    pub(crate) stack: SignalStack,
    /// Where the kernel clears a word when it ends.
    pub(crate) clear: u64,
    /// Whether the thread's own number is kept at that address too.
    pub(crate) clear_is_number: bool,
    pub(crate) robust: (u64, u64),
    pub(crate) rseq: Rseq,
}

/// Scratch memory of a stopped process: below the red zone of a thread's stack, put back when done.
pub(crate) struct Scratch<'a> {
    stopped: &'a Stopped,
    memory: &'a fs::File,
    pub(crate) thread: i32,
    pub(crate) address: u64,
    before: [u8; SCRATCH_BYTES],
}

const SCRATCH_BYTES: usize = 256;
const RED_ZONE: u64 = 128;

impl<'a> Scratch<'a> {
    pub(crate) fn new(stopped: &'a Stopped, memory: &'a fs::File, thread: i32) -> Result<Self, Fault> {
        let top = stopped.registers(thread)?.rsp - RED_ZONE - SCRATCH_BYTES as u64;
        let address = top & !15;
        let mut before = [0; SCRATCH_BYTES];
        std::os::unix::fs::FileExt::read_exact_at(memory, &mut before, address).at("reading a stack")?;
        Ok(Self { stopped, memory, thread, address, before })
    }

    /// Makes the thread do a call that answers 0.
    pub(crate) fn call(&self, number: libc::c_long, arguments: &[u64], step: &str) -> Result<(), Fault> {
        match self.stopped.call(self.thread, number, arguments)? {
            0 => Ok(()),
            answer => Err(Fault::new(step, i32::try_from(-answer).unwrap_or(libc::EIO))),
        }
    }

    /// What a call has left in the scratch memory, as words.
    pub(crate) fn words<const N: usize>(&self) -> Result<[u64; N], Fault> {
        words(self.memory, self.address)
    }
}

impl Drop for Scratch<'_> {
    fn drop(&mut self) {
        // Where it was readable a moment ago it can be written; the process is stopped.
        let _ = std::os::unix::fs::FileExt::write_all_at(self.memory, &self.before, self.address);
    }
}

pub(crate) fn words<const N: usize>(memory: &fs::File, address: u64) -> Result<[u64; N], Fault> {
    let mut words = [0; N];
    for (index, word) in words.iter_mut().enumerate() {
        let mut bytes = [0; 8];
        let at = address + index as u64 * 8;
        std::os::unix::fs::FileExt::read_exact_at(memory, &mut bytes, at).at("reading memory")?;
        *word = u64::from_le_bytes(bytes);
    }
    Ok(words)
}

/// Reads all about `thread`, whose process's memory is `memory`.
pub(crate) fn read(stopped: &Stopped, memory: &fs::File, thread: i32) -> Result<Thread, Fault> {
    let scratch = Scratch::new(stopped, memory, thread)?;
    let get_address = libc::PR_GET_TID_ADDRESS as u64;
    scratch.call(libc::SYS_prctl, &[get_address, scratch.address], "reading the thread's address")?;
    let [clear] = scratch.words()?;
    scratch.call(libc::SYS_sigaltstack, &[0, scratch.address], "reading the signal stack")?;
    let [pointer, flags, bytes] = scratch.words()?;
    drop(scratch);
    let stack = SignalStack { pointer, flags: flags as i32, bytes };
    let mut registers = stopped.registers(thread)?;
    frame::rewind(&mut registers);
    let number = number(stopped.pid, thread)?;
    let clear_is_number =
        clear != 0 && words(memory, clear).is_ok_and(|[word]| word as u32 == number.cast_unsigned());
    let name = fs::read_to_string(format!("/proc/{}/task/{thread}/comm", stopped.pid)).unwrap_or_default();
    Ok(Thread {
        number,
        name: name.trim_end_matches('\n').to_owned(),
        registers,
        extended: frame::state(stopped.extended(thread)?, frame::end_of)?,
        mask: stopped.signal_mask(thread)?,
        stack,
        clear,
        clear_is_number,
        robust: stopped.robust_list(thread)?,
        rseq: stopped.rseq(thread)?,
    })
}

/// The thread's number in the innermost pid namespace.
pub(crate) fn number(pid: i32, thread: i32) -> Result<i32, Fault> {
    let step = "reading a thread's number";
    let status = fs::read_to_string(format!("/proc/{pid}/task/{thread}/status")).at(step)?;
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    let number = line.and_then(|line| line.split_whitespace().last()?.parse().ok());
    number.ok_or_else(|| Fault::new(step, libc::EINVAL))
}
