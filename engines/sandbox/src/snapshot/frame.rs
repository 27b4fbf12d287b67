//! The kernel's own form of a thread's state: the frame that `rt_sigreturn` reads.
//!
//! Returning from a signal that never came is how a thread gets back all its registers, its vector state, its
//! signal mask and its signal stack in one call. Layout: `arch/x86/include/uapi/asm/sigcontext.h` and
//! `ucontext.h` of Linux.

use libc::user_regs_struct;

use crate::message::Fault;

/// `rt_sigreturn` expects the frame's return address popped.
pub(crate) const POPPED: u64 = 8;
/// Alignment that the processor asks for its vector state.
pub(crate) const STATE_ALIGNMENT: usize = 64;

const FLAGS: u64 = 0x7; // UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS
const FRAME_BYTES: usize = 8 + 304 + 128;
const MAGIC_1: u32 = 0x4650_5853;
const MAGIC_2: u32 = 0x4650_5845;
/// Where in the legacy part of the state software may keep something.
const SOFTWARE: usize = 464;
/// Tile state, which takes a permission that the restoring process lacks.
const TILES: u64 = 0b11 << 17;
/// Features whose state the legacy part holds.
const LEGACY: u64 = 0b11;
const LEGACY_BYTES: usize = 576;

// What a call that was interrupted answers inside the kernel.
const ERESTARTSYS: i64 = -512;
const ERESTARTNOINTR: i64 = -513;
const ERESTARTNOHAND: i64 = -514;
const ERESTART_RESTARTBLOCK: i64 = -516;
const CALL_BYTES: u64 = 2;

/// A signal stack, as `sigaltstack` answers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SignalStack {
    pub(crate) pointer: u64,
    pub(crate) flags: i32,
    pub(crate) bytes: u64,
}

/// Makes a thread that was stopped inside a call begin that call again.
///
/// Calls with a relative timeout begin it anew too: the time between snapshot and restore counts for nothing.
pub(crate) fn rewind(registers: &mut user_regs_struct) {
    let restarts = [ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND, ERESTART_RESTARTBLOCK];
    if registers.orig_rax.cast_signed() >= 0 && restarts.contains(&registers.rax.cast_signed()) {
        registers.rax = registers.orig_rax;
        registers.rip -= CALL_BYTES;
    }
    registers.orig_rax = u64::MAX;
}

/// Vector state as `ptrace` gives it, made into what a frame holds.
pub(crate) fn state(mut bytes: Vec<u8>, sizes: impl Fn(u32) -> usize) -> Result<Vec<u8>, Fault> {
    let short = || Fault::new("reading the extended state", libc::EINVAL);
    let word = bytes.get(SOFTWARE..SOFTWARE + 8).and_then(|word| word.try_into().ok()).ok_or_else(short)?;
    let features = u64::from_le_bytes(word) & !TILES;
    let ends = (2..64).filter(|feature| features & !LEGACY & 1 << feature != 0).map(sizes);
    let length = ends.max().unwrap_or(0).max(LEGACY_BYTES);
    if bytes.len() < length {
        return Err(short());
    }
    bytes.truncate(length);
    let size = u32::try_from(length).map_err(|_| short())?;
    let mut software = Vec::with_capacity(48);
    software.extend(MAGIC_1.to_le_bytes());
    software.extend((size + 4).to_le_bytes());
    software.extend(features.to_le_bytes());
    software.extend(size.to_le_bytes());
    software.resize(48, 0);
    bytes.get_mut(SOFTWARE..SOFTWARE + 48).ok_or_else(short)?.copy_from_slice(&software);
    bytes.extend(MAGIC_2.to_le_bytes());
    Ok(bytes)
}

/// Where in the standard format the state of `feature` ends.
pub(crate) fn end_of(feature: u32) -> usize {
    let leaf = core::arch::x86_64::__cpuid_count(0xd, feature);
    leaf.ebx as usize + leaf.eax as usize
}

/// The frame of a thread with `registers`, whose vector state lies at `state`.
pub(crate) fn frame(registers: &user_regs_struct, mask: u64, stack: SignalStack, state: u64) -> Vec<u8> {
    let r = registers;
    let flags = u64::from((stack.flags & !libc::SS_ONSTACK).cast_unsigned());
    let segments = r.cs & 0xffff | (r.gs & 0xffff) << 16 | (r.fs & 0xffff) << 32 | (r.ss & 0xffff) << 48;
    let words = [
        0,
        FLAGS,
        0,
        stack.pointer,
        flags,
        stack.bytes,
        r.r8,
        r.r9,
        r.r10,
        r.r11,
        r.r12,
        r.r13,
        r.r14,
        r.r15,
        r.rdi,
        r.rsi,
        r.rbp,
        r.rbx,
        r.rdx,
        r.rax,
        r.rcx,
        r.rsp,
        r.rip,
        r.eflags,
        segments,
        0,
        0,
        mask,
        0,
        state,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        mask,
    ];
    let mut bytes: Vec<u8> = words.iter().flat_map(|word: &u64| word.to_le_bytes()).collect();
    bytes.resize(FRAME_BYTES, 0);
    bytes
}
