//! The code that turns a process into another one: an interpreter of a list of system calls.
//!
//! It runs at an address that neither the image nor this process uses, from registers alone, because it
//! unmaps everything else, stacks included. It knows nothing of what the list does. A call that answers
//! otherwise than its entry expects is told over the failure socket, and the process ends.

use std::arch::global_asm;

use crate::message::Fault;

/// One call of the list.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) number: u32,
    pub(crate) kind: u32,
    pub(crate) arguments: [u64; 6],
    pub(crate) expected: u64,
}

/// The answer must be `expected`.
pub(crate) const EXACT: u32 = 0;
/// The answer must not be an error.
pub(crate) const SUCCESS: u32 = 1;
/// A clone: the child goes on with the list whose address is on its stack.
pub(crate) const THREAD: u32 = 2;
/// The stack pointer becomes the first argument; does not come back.
pub(crate) const RETURN: u32 = 3;
/// No call: goes on with the list at the first argument.
pub(crate) const GOTO: u32 = 4;
/// The answer's lower half is stored at the address `expected`.
pub(crate) const STORE: u32 = 5;
/// Any answer will do.
pub(crate) const ANY: u32 = 6;

pub(crate) const ENTRY_BYTES: u64 = size_of::<Entry>() as u64;

/// What is sent over the failure socket: the entry's address, the answer, the call's number.
pub(crate) const RECORD_BYTES: usize = 24;

global_asm!(
    ".pushsection .text.pagoda_restorer, \"ax\", @progbits",
    ".global pagoda_restorer",
    ".hidden pagoda_restorer",
    ".global pagoda_restorer_end",
    ".hidden pagoda_restorer_end",
    // rdi: the list, rsi: where the failure record is put, rdx: the failure socket.
    "pagoda_restorer:",
    "mov rbx, rdi",
    "mov r12, rsi",
    "mov r13, rdx",
    "2:",
    "mov eax, [rbx]",
    "mov r14d, [rbx + 4]",
    "mov rdi, [rbx + 8]",
    "mov rsi, [rbx + 16]",
    "mov rdx, [rbx + 24]",
    "mov r10, [rbx + 32]",
    "mov r8, [rbx + 40]",
    "mov r9, [rbx + 48]",
    "cmp r14d, {goto}",
    "je 5f",
    "cmp r14d, {return_}",
    "jne 3f",
    "mov rsp, rdi",
    "3:",
    "syscall",
    "cmp r14d, {exact}",
    "jne 4f",
    "cmp rax, [rbx + 56]",
    "jne 8f",
    "jmp 7f",
    "4:",
    "cmp r14d, {any}",
    "je 7f",
    "cmp rax, -4096",
    "ja 8f",
    "cmp r14d, {store}",
    "jne 6f",
    "mov rcx, [rbx + 56]",
    "mov [rcx], eax",
    "jmp 7f",
    "5:",
    "mov rbx, rdi",
    "jmp 2b",
    "6:",
    "cmp r14d, {thread}",
    "jne 7f",
    "test rax, rax",
    "jnz 7f",
    "mov rbx, [rsp]",
    "jmp 2b",
    "7:",
    "add rbx, 64",
    "jmp 2b",
    "8:",
    "mov [r12], rbx",
    "mov [r12 + 8], rax",
    "mov eax, [rbx]",
    "mov [r12 + 16], rax",
    "mov rdi, r13",
    "mov rsi, r12",
    "mov edx, {record}",
    "mov eax, 1", // write
    "syscall",
    "mov edi, 127",
    "mov eax, 231", // exit_group
    "syscall",
    "ud2",
    "pagoda_restorer_end:",
    ".popsection",
    exact = const EXACT,
    thread = const THREAD,
    return_ = const RETURN,
    goto = const GOTO,
    store = const STORE,
    any = const ANY,
    record = const RECORD_BYTES,
);

unsafe extern "C" {
    static pagoda_restorer: u8;
    static pagoda_restorer_end: u8;
}

/// The interpreter's machine code; it refers to no address of its own.
pub(crate) fn code() -> &'static [u8] {
    let (start, end) = (&raw const pagoda_restorer, &raw const pagoda_restorer_end);
    // SAFETY: both are labels of one section of this program's text, the second behind the first, so that what
    // lies between is readable and never changes.
    unsafe { std::slice::from_raw_parts(start, end.addr() - start.addr()) }
}

/// What a failure record says: which call failed, and why. `None` if `message` is no record.
pub(crate) fn fault(message: &[u8]) -> Option<Fault> {
    // A list's addresses are aligned, so that no record begins like a text.
    let record: &[u8; RECORD_BYTES] = message.try_into().ok()?;
    let words = record.as_chunks::<8>().0;
    let [entry, answer, number] = words else { return None };
    let entry = u64::from_le_bytes(*entry);
    if entry % ENTRY_BYTES != 0 {
        return None;
    }
    let errno = match i64::from_le_bytes(*answer) {
        error @ -4095..0 => (-error) as i32,
        _ => libc::EIO,
    };
    let number = i64::from_le_bytes(*number);
    let name = NAMES.iter().find(|(known, _)| *known == number).map_or("a call", |(_, name)| name);
    Some(Fault::new(format!("restoring: {name} at {entry:#x}"), errno))
}

const NAMES: &[(libc::c_long, &str)] = &[
    (libc::SYS_munmap, "munmap"),
    (libc::SYS_mremap, "mremap"),
    (libc::SYS_mmap, "mmap"),
    (libc::SYS_preadv, "preadv"),
    (libc::SYS_madvise, "madvise"),
    (libc::SYS_prctl, "prctl"),
    (libc::SYS_capset, "capset"),
    (libc::SYS_rt_sigaction, "rt_sigaction"),
    (libc::SYS_clone, "clone"),
    (libc::SYS_rseq, "rseq"),
    (libc::SYS_set_robust_list, "set_robust_list"),
];
