//! Taking a snapshot: stop, look at everything, write the image.

use std::fs;
use std::path::Path;

use super::area::{self, Area, PAGE, is_kernel_piece};
use super::descriptor::{self, Own, RESUME};
use super::file::Files;
use super::image::{Description, Draft, boot};
use super::memory::Pages;
use super::plan::{self, Numbers, Parts};
use super::process;
use super::thread::{self, Scratch, Thread};
use super::trace::{Stopped, threads};
use crate::message::{At, Fault};

/// `syscall`.
const CALL: [u8; 2] = [0x0f, 0x05];

/// Whether a thread of process `pid` waits for the resume pipe, whose inode is `pipe`.
pub(crate) fn waits(pid: i32, pipe: u64) -> Result<bool, Fault> {
    for thread in threads(pid)? {
        let call = fs::read_to_string(format!("/proc/{pid}/task/{thread}/syscall")).unwrap_or_default();
        let mut words = call.split_whitespace();
        if words.next() != Some("0") {
            continue;
        }
        let number =
            words.next().and_then(|word| i32::from_str_radix(word.trim_start_matches("0x"), 16).ok());
        let link = number.and_then(|number| fs::read_link(format!("/proc/{pid}/fd/{number}")).ok());
        if link.is_some_and(|link| link.as_os_str() == format!("pipe:[{pipe}]").as_str()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Writes an image of process `pid` to `path`. On failure the process runs on; on success it is left to
/// the caller to end it. `own` are the pipes that its instance gave it.
pub(crate) fn take(pid: i32, own: Own, path: &Path) -> Result<(), Fault> {
    let before = areas(pid)?;
    let memory = fs::File::options().read(true).write(true).open(format!("/proc/{pid}/mem"));
    let memory = memory.at("opening /proc/PID/mem")?;
    let stopped = Stopped::stop(pid, find_call(&memory, &before)?)?;
    let (process, threads) = state(&stopped, &memory)?;
    let areas = areas(pid)?;
    let mut files = Files::new(pid);
    let descriptors = descriptor::all(pid, own, &mut files)?;
    let draft = Draft::new(path)?;
    let mut pages = Pages::new(pid, &draft.file, PAGE)?;
    let contents = pages.save(&areas, &mut files)?;
    let end = pages.next;
    let program = files.open(&process.program, None);
    let files = files.into_list();
    let pieces: Vec<Area> = areas.iter().filter(|area| is_kernel_piece(area)).cloned().collect();
    let highest = descriptors.iter().map(|descriptor| descriptor.number).max().unwrap_or(RESUME);
    let free = highest.max(RESUME) + 1;
    let parts = Parts {
        memory: &contents,
        process: &process,
        threads: &threads,
        program,
        files: files.len(),
        numbers: Numbers { failure: free },
    };
    let hole = plan::hole(&areas)?;
    let plan = plan::make(&parts, hole)?;
    let description = Description {
        boot: boot()?,
        hole,
        list: plan.list,
        memory: plan.memory,
        number: threads.first().map_or(0, |thread| thread.number),
        free,
        pieces: pieces.iter().map(|area| (area.name.clone(), area.start, area.bytes())).collect(),
        files,
        descriptors,
    };
    draft.finish(end, &plan.bytes, &description)
}

fn state(stopped: &Stopped, memory: &fs::File) -> Result<(process::Process, Vec<Thread>), Fault> {
    let read = |thread: &i32| thread::read(stopped, memory, *thread);
    let main = stopped.pid;
    if !stopped.threads.contains(&main) {
        return Err(Fault::new(
            "a process whose first thread has ended cannot be in an image",
            libc::ENOTSUP,
        ));
    }
    let mut threads: Vec<Thread> = stopped.threads.iter().map(read).collect::<Result<_, _>>()?;
    // The process itself first, then the others in the order in which they came to be.
    let own = thread::number(main, main)?;
    threads.sort_by_key(|thread| (thread.number != own, thread.number));
    let breaking = stopped.call(main, libc::SYS_brk, &[0])?.cast_unsigned();
    let barriers = stopped.call(main, libc::SYS_membarrier, &process::ASK_BARRIERS)?;
    let scratch = Scratch::new(stopped, memory, main)?;
    let process = process::read(stopped.pid, &scratch, breaking)?;
    drop(scratch);
    Ok((process::Process { barriers: process::barriers(barriers), ..process }, threads))
}

fn areas(pid: i32) -> Result<Vec<Area>, Fault> {
    area::parse(&fs::read_to_string(format!("/proc/{pid}/smaps")).at("reading the areas")?)
}

/// The address of a `syscall` instruction in the kernel's own code for the process.
fn find_call(memory: &fs::File, areas: &[Area]) -> Result<u64, Fault> {
    let missing = || Fault::new("finding the kernel's code in the process", libc::ENOENT);
    let code = areas.iter().find(|area| area.name == "[vdso]").ok_or_else(missing)?;
    let mut bytes = vec![0; code.bytes() as usize];
    std::os::unix::fs::FileExt::read_exact_at(memory, &mut bytes, code.start)
        .at("reading the kernel's code")?;
    let offset = bytes.windows(CALL.len()).position(|window| window == CALL).ok_or_else(missing)?;
    Ok(code.start + offset as u64)
}
