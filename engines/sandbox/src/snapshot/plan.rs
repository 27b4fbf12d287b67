//! The list of system calls that makes a process out of an image, with all that the calls point to.
//!
//! It is made once, when the snapshot is taken, for a fixed address range (the *hole*) that the process does
//! not use, and lies in the image as it is needed: a restoring process maps it and starts the interpreter of
//! [`super::restorer`]. What differs from restore to restore (where this process's own memory is) comes in a
//! short list before it.

use super::area::Area;
use super::frame;
use super::memory::{Advice, Mapping, Memory, Source};
use super::process::Process;
use super::restorer::{ANY, ENTRY_BYTES, EXACT, Entry, GOTO, RETURN, STORE, SUCCESS, THREAD};
use super::thread::Thread;
use crate::message::Fault;

/// Length of the hole; far more than any plan needs.
pub(crate) const HOLE_BYTES: u64 = 64 << 20;
/// Where in the hole the plan lies; before it are the restorer's code and what it moves aside.
pub(crate) const PLAN: u64 = 1 << 20;
/// Where holes are looked for: between programs and libraries.
const HOLES_FROM: u64 = 0x1000_0000_0000;
const HOLES_STEP: u64 = 0x0040_0000_0000;
const HOLES: u64 = 64;
/// Threads that may have come and gone between two that still are.
const GONE_MAX: i32 = 256;

const PR_SET_MM_MAP: u64 = 14;
const SIGNAL_SET_BYTES: u64 = 8;
const ADDRESS_SPACE_END: u64 = 0x7fff_ffff_f000;

/// Numbers of the descriptors that a restoring process has while the list runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbers {
    /// The lowest number that the process does not use, and the failure socket's.
    pub(crate) failure: i32,
}

impl Numbers {
    pub(crate) fn image(self) -> i32 {
        self.failure + 1
    }

    pub(crate) fn file(self, index: usize) -> i32 {
        self.failure + 2 + i32::try_from(index).unwrap_or(i32::MAX / 2)
    }
}

/// A finished plan.
pub(crate) struct Plan {
    pub(crate) bytes: Vec<u8>,
    /// Address of the first entry.
    pub(crate) list: u64,
    /// How many entries make the memory; they come first.
    pub(crate) memory: usize,
}

/// All that a plan is made from.
pub(crate) struct Parts<'a> {
    pub(crate) memory: &'a Memory,
    pub(crate) process: &'a Process,
    /// The first is the process itself.
    pub(crate) threads: &'a [Thread],
    /// The program's file, by number.
    pub(crate) program: Option<usize>,
    pub(crate) files: usize,
    pub(crate) numbers: Numbers,
}

/// A range that neither the process nor a restoring one uses.
pub(crate) fn hole(areas: &[Area]) -> Result<u64, Fault> {
    let holes = (0..HOLES).map(|index| HOLES_FROM + index * HOLES_STEP);
    let free = |hole: &u64| !areas.iter().any(|area| area.start < hole + HOLE_BYTES && *hole < area.end);
    holes.into_iter().find(free).ok_or_else(|| Fault::new("finding room for the restorer", libc::ENOMEM))
}

/// Makes the list and lays it out for `hole`.
pub(crate) fn make(parts: &Parts<'_>, hole: u64) -> Result<Plan, Fault> {
    let mut data = Data { base: hole + PLAN, bytes: Vec::new() };
    let Some((first, others)) = parts.threads.split_first() else {
        return Err(Fault::new("planning: no thread", libc::EINVAL));
    };
    let mut list = Vec::new();
    memory(parts, &mut list, &mut data);
    let memory = list.len();
    process(parts, &mut list, &mut data);
    list.push(call(libc::SYS_arch_prctl, &[ARCH_SET_FS, first.registers.fs_base]));
    if first.registers.gs_base != 0 {
        list.push(call(libc::SYS_arch_prctl, &[ARCH_SET_GS, first.registers.gs_base]));
    }
    // A restored process has a number of its own, which its C library keeps where a thread's end is told.
    let entry = call(libc::SYS_set_tid_address, &[first.clear]);
    let (kind, expected) = if first.clear_is_number { (STORE, first.clear) } else { (SUCCESS, 0) };
    list.push(Entry { kind, expected, ..entry });
    threads(others, &mut list, &mut data)?;
    for index in 0..parts.files {
        list.push(call(libc::SYS_close, &[parts.numbers.file(index) as u64]));
    }
    list.push(call(libc::SYS_close, &[parts.numbers.image() as u64]));
    list.extend(thread(first, &mut data, &[call(libc::SYS_close, &[parts.numbers.failure as u64])]));
    let list = data.list(&list);
    if data.bytes.len() as u64 > HOLE_BYTES - PLAN {
        return Err(Fault::new("planning: too much", libc::E2BIG));
    }
    Ok(Plan { bytes: data.bytes, list, memory })
}

/// The same plan, which has followed `advices` by the time that the memory is complete. Whether the kernel can
/// do what they advise makes no difference to the process.
pub(crate) fn amend(plan: Plan, hole: u64, advices: &[Advice]) -> Result<Plan, Fault> {
    let damaged = || Fault::new("planning: a damaged plan", libc::EINVAL);
    let mut data = Data { base: hole + PLAN, bytes: plan.bytes };
    let from = plan.list.checked_sub(data.base).ok_or_else(damaged)? as usize;
    let length = plan.memory.checked_mul(ENTRY_BYTES as usize).ok_or_else(damaged)?;
    let mut list = data.bytes.get(from..).and_then(|rest| rest.get(..length)).ok_or_else(damaged)?.to_vec();
    let advise = |advice: &Advice| Entry { kind: ANY, ..self::advise(advice) };
    let rest = Entry { kind: GOTO, ..call(0, &[plan.list + length as u64]) };
    list.extend(advices.iter().map(advise).chain([rest]).flat_map(|entry| entry_bytes(&entry)));
    let list = data.put(&list, ENTRY_BYTES as usize);
    if data.bytes.len() as u64 > HOLE_BYTES - PLAN {
        return Err(Fault::new("planning: too much", libc::E2BIG));
    }
    Ok(Plan { bytes: data.bytes, list, memory: plan.memory })
}

const ARCH_SET_GS: u64 = 0x1001;
const ARCH_SET_FS: u64 = 0x1002;

/// The list that goes before: frees all of this process's memory but the hole, and puts the kernel's pieces
/// where the image had them. `own` and `wanted` are those pieces, `(start, length)`, in the same order.
pub(crate) fn prologue(hole: u64, own: &[(u64, u64)], wanted: &[u64], list: u64) -> Vec<Entry> {
    let aside = hole + PLAN / 2;
    let mut entries = Vec::new();
    let mut kept: Vec<(u64, u64)> = own.iter().map(|(start, bytes)| (*start, start + bytes)).collect();
    kept.push((hole, hole + HOLE_BYTES));
    kept.sort_unstable();
    let mut from = 0;
    for (start, end) in kept {
        if start > from {
            entries.push(call(libc::SYS_munmap, &[from, start - from]));
        }
        from = end;
    }
    entries.push(call(libc::SYS_munmap, &[from, ADDRESS_SPACE_END - from]));
    let step = |from: u64, bytes: u64, to: u64| {
        let flags = (libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED) as u64;
        Entry { expected: to, ..call(libc::SYS_mremap, &[from, bytes, bytes, flags, to]) }
    };
    let mut places = Vec::new();
    let mut next = aside;
    for (start, bytes) in own {
        entries.push(step(*start, *bytes, next));
        places.push((next, *bytes));
        next += bytes;
    }
    entries.extend(places.iter().zip(wanted).map(|((from, bytes), to)| step(*from, *bytes, *to)));
    entries.push(Entry { kind: GOTO, ..call(0, &[list]) });
    entries
}

fn memory(parts: &Parts<'_>, list: &mut Vec<Entry>, data: &mut Data) {
    list.extend(parts.memory.mappings.iter().map(|mapping| map(mapping, parts.numbers)));
    for copy in &parts.memory.copies {
        let vector = data.put(&words(&[copy.start, copy.bytes]), 8);
        let image = parts.numbers.image() as u64;
        let arguments = [image, vector, 1, copy.offset, copy.offset >> 32];
        list.push(Entry { expected: copy.bytes, ..call(libc::SYS_preadv, &arguments) });
    }
    list.extend(parts.memory.advices.iter().map(advise));
}

fn advise(advice: &Advice) -> Entry {
    call(libc::SYS_madvise, &[advice.start, advice.bytes, advice.advice as u64])
}

fn map(mapping: &Mapping, numbers: Numbers) -> Entry {
    let (descriptor, offset) = match mapping.source {
        Source::Nothing => (u64::MAX, 0),
        Source::File { index, offset } => (numbers.file(index) as u64, offset),
        Source::Image { offset } => (numbers.image() as u64, offset),
    };
    let flags = (mapping.flags | libc::MAP_FIXED) as u64;
    let length = mapping.end - mapping.start;
    let arguments = [mapping.start, length, mapping.protection as u64, flags, descriptor, offset];
    Entry { expected: mapping.start, ..call(libc::SYS_mmap, &arguments) }
}

fn process(parts: &Parts<'_>, list: &mut Vec<Entry>, data: &mut Data) {
    let process = parts.process;
    let auxiliary = data.put(&process.auxiliary, 8);
    let mut bounds = words(&process.bounds);
    bounds.extend(auxiliary.to_le_bytes());
    bounds.extend((process.auxiliary.len() as u32).to_le_bytes());
    let program = parts.program.map_or(-1, |index| parts.numbers.file(index));
    bounds.extend(program.to_le_bytes());
    let bytes = bounds.len() as u64;
    let map = data.put(&bounds, 8);
    list.push(call(libc::SYS_prctl, &[libc::PR_SET_MM as u64, PR_SET_MM_MAP, map, bytes, 0]));
    // Naming the program took the last capability.
    let header = data.put(&words(&[0x2008_0522]), 8);
    let none = data.put(&words(&[0, 0, 0]), 8);
    list.push(call(libc::SYS_capset, &[header, none]));
    list.push(call(libc::SYS_prctl, &[libc::PR_SET_KEEPCAPS as u64, 0]));
    // What it had mapped of its own is gone; from here on it may be looked at by its own user, as any other.
    list.push(call(libc::SYS_prctl, &[libc::PR_SET_DUMPABLE as u64, 1]));
    list.push(Entry { kind: ANY, ..call(libc::SYS_umask, &[u64::from(process.umask)]) });
    for (signal, action) in &process.actions {
        let action = data.put(&words(action), 8);
        list.push(call(libc::SYS_rt_sigaction, &[*signal, action, 0, SIGNAL_SET_BYTES]));
    }
    for bit in (0..32).filter(|bit| process.barriers & 1 << bit != 0) {
        list.push(call(libc::SYS_membarrier, &[1 << bit, 0]));
    }
}

/// Makes the other threads, with the numbers that they had: those that came and went between them come
/// and go again.
fn threads(others: &[Thread], list: &mut Vec<Entry>, data: &mut Data) -> Result<(), Fault> {
    let exit = data.list(&[call(libc::SYS_exit, &[0])]);
    let gone = data.put(&words(&[exit]), 16);
    let mut next = FIRST_THREAD;
    for other in others {
        if other.number < next || other.number - next > GONE_MAX {
            return Err(Fault::new(
                "a process whose threads come and go cannot be in an image",
                libc::ENOTSUP,
            ));
        }
        for _ in next..other.number {
            let flags = THREAD_FLAGS as u64;
            list.push(Entry { kind: THREAD, ..call(libc::SYS_clone, &[flags, gone, 0, 0, 0]) });
        }
        next = other.number + 1;
        let own = thread(other, data, &[]);
        let own = data.list(&own);
        let stack = data.put(&words(&[own]), 16);
        let told = if other.clear_is_number { libc::CLONE_PARENT_SETTID } else { 0 };
        let flags = (THREAD_FLAGS | libc::CLONE_SETTLS | libc::CLONE_CHILD_CLEARTID | told) as u64;
        let arguments = [flags, stack, other.clear, other.clear, other.registers.fs_base];
        list.push(Entry { kind: THREAD, ..call(libc::SYS_clone, &arguments) });
    }
    Ok(())
}

/// The number that the first thread of a restored process gets: process 1 is the instance's first, and the
/// restored process itself has one out of the row.
const FIRST_THREAD: i32 = 2;

const THREAD_FLAGS: i32 = libc::CLONE_VM
    | libc::CLONE_FS
    | libc::CLONE_FILES
    | libc::CLONE_SIGHAND
    | libc::CLONE_THREAD
    | libc::CLONE_SYSVSEM;

/// What a thread does for itself before it goes on; `before` comes last but for its going on.
fn thread(thread: &Thread, data: &mut Data, before: &[Entry]) -> Vec<Entry> {
    let mut list = Vec::new();
    if thread.robust.0 != 0 {
        list.push(call(libc::SYS_set_robust_list, &[thread.robust.0, thread.robust.1]));
    }
    let rseq = thread.rseq;
    if rseq.pointer != 0 {
        let arguments = [rseq.pointer, u64::from(rseq.size), 0, u64::from(rseq.signature)];
        list.push(call(libc::SYS_rseq, &arguments));
    }
    let mut name = thread.name.clone().into_bytes();
    name.push(0);
    let name = data.put(&name, 1);
    list.push(call(libc::SYS_prctl, &[libc::PR_SET_NAME as u64, name]));
    list.extend(before);
    let state = data.put(&thread.extended, frame::STATE_ALIGNMENT);
    let frame = frame::frame(&thread.registers, thread.mask, thread.stack, state);
    let frame = data.put(&frame, 16) + frame::POPPED;
    list.push(Entry { kind: RETURN, ..call(libc::SYS_rt_sigreturn, &[frame]) });
    list
}

/// A call that must answer 0.
fn call(number: libc::c_long, arguments: &[u64]) -> Entry {
    let mut all = [0; 6];
    all.iter_mut().zip(arguments).for_each(|(to, from)| *to = *from);
    Entry { number: number as u32, kind: EXACT, arguments: all, expected: 0 }
}

fn words(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

pub(crate) fn entry_bytes(entry: &Entry) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(ENTRY_BYTES as usize);
    bytes.extend(entry.number.to_le_bytes());
    bytes.extend(entry.kind.to_le_bytes());
    bytes.extend(words(&entry.arguments));
    bytes.extend(entry.expected.to_le_bytes());
    bytes
}

/// Bytes that will lie at a known address.
struct Data {
    base: u64,
    bytes: Vec<u8>,
}

impl Data {
    /// Adds `bytes` and answers their address.
    fn put(&mut self, bytes: &[u8], alignment: usize) -> u64 {
        self.bytes.resize(self.bytes.len().next_multiple_of(alignment), 0);
        let address = self.base + self.bytes.len() as u64;
        self.bytes.extend_from_slice(bytes);
        address
    }

    fn list(&mut self, entries: &[Entry]) -> u64 {
        let bytes: Vec<u8> = entries.iter().flat_map(entry_bytes).collect();
        self.put(&bytes, ENTRY_BYTES as usize)
    }
}
