//! Becoming a process of an image: the last steps, in a process that is behind all its walls.
//!
//! Everything that can fail for a reason of the host's (a file that has changed, a kernel without a call) is
//! done here, in Rust; the restorer then only does what the image's list says.

use std::arch::asm;
use std::ffi::CString;
use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

use libc::c_void;
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use super::area::{self, PAGE};
pub(crate) use super::descriptor::RESUME;
use super::descriptor::{Descriptor, Kind};
use super::image::{Description, Layout, describe};
use super::plan::{HOLE_BYTES, Numbers, PLAN, entry_bytes, prologue};
use super::restorer;
use crate::message::{At, Fault};

/// Where the kernel's own pieces are in this process and all forked from it: name, start and length.
pub(crate) type Pieces = Vec<(String, u64, u64)>;

/// Descriptors put aside while the process's own are made.
const ASIDE: RawFd = 8;

pub(crate) fn pieces() -> Result<Pieces, Fault> {
    let text = std::fs::read_to_string("/proc/self/maps").at("reading the own areas")?;
    let areas = area::parse(&text)?;
    let pieces = areas.into_iter().filter(area::is_kernel_piece);
    Ok(pieces.map(|area| (area.name.clone(), area.start, area.bytes())).collect())
}

/// An image that this process, or one forked from it, is about to become.
pub(crate) struct Restoration {
    image: File,
    layout: Layout,
    description: Description,
    paths: Vec<CString>,
    prologue: Vec<u8>,
}

impl Restoration {
    /// Reads what there is to know; `pieces` are this process's own.
    pub(crate) fn prepare(image: OwnedFd, pieces: &Pieces) -> Result<Self, Fault> {
        let image = File::from(image);
        let layout = Layout::read(&image)?;
        let description = describe(&image, layout)?;
        let path = |file: &super::file::File| CString::new(file.path.as_str());
        let paths = description.files.iter().map(path).collect::<Result<_, _>>();
        let own = match_pieces(pieces, &description.pieces)?;
        let wanted: Vec<u64> = description.pieces.iter().map(|(_, start, _)| *start).collect();
        let entries = prologue(description.hole, &own, &wanted, description.list);
        Ok(Self {
            image,
            layout,
            paths: paths.map_err(|_| Fault::new("restoring: a path", libc::EINVAL))?,
            prologue: entries.iter().flat_map(entry_bytes).collect(),
            description,
        })
    }

    pub(crate) fn image(&self) -> RawFd {
        self.image.as_raw_fd()
    }

    /// The number that the process had when the snapshot was taken.
    pub(crate) fn number(&self) -> i32 {
        self.description.number
    }

    /// Becomes the process. Standard outputs are at their places; `failure` and `resume` anywhere.
    /// Returns only when that fails before the restorer has begun.
    pub(crate) fn enter(&self, failure: RawFd, resume: RawFd) -> Fault {
        let (given, aside) = match self.put_aside(failure, resume) {
            Ok(put) => put,
            Err(fault) => return fault,
        };
        match self.arrange(given, aside) {
            Ok((list, record)) => self.start(list, record),
            Err(fault) => {
                // Whoever called still means to tell it there.
                let _ = place(self.numbers().failure, failure, true);
                fault
            }
        }
    }

    fn numbers(&self) -> Numbers {
        Numbers { failure: self.description.free }
    }

    /// Copies what is still needed to numbers from the second answer on: the pipes given to the process, failure
    /// socket and image.
    fn put_aside(&self, failure: RawFd, resume: RawFd) -> Result<([RawFd; 5], RawFd), Fault> {
        let aside = self.numbers().file(self.paths.len()) + ASIDE;
        let mut given = [1, 2, resume, failure, self.image.as_raw_fd()];
        for number in &mut given {
            *number = duplicate_from(*number, aside)?;
        }
        Ok((given, aside))
    }

    /// Gives every descriptor its number, and fills the hole.
    fn arrange(&self, given: [RawFd; 5], aside: RawFd) -> Result<(u64, u64), Fault> {
        let [stdout, stderr, resume, failure, image] = given;
        // Whatever had these numbers is out of the way now, or of no more use.
        let closed = close_range(0, aside - 1);
        place(failure, self.numbers().failure, true)?;
        closed?;
        place(image, self.numbers().image(), true)?;
        for (index, (path, file)) in self.paths.iter().zip(&self.description.files).enumerate() {
            let open = open(path, file, libc::O_RDONLY)?;
            place_own(open, self.numbers().file(index), true)?;
        }
        for descriptor in &self.description.descriptors {
            self.make(descriptor, [stdout, stderr, resume])?;
        }
        self.watch()?;
        close_range(aside, RawFd::MAX)?;
        self.map()
    }

    fn make(&self, descriptor: &Descriptor, given: [RawFd; 3]) -> Result<(), Fault> {
        let step = || format!("restoring: descriptor {}", descriptor.number);
        let nonblocking = descriptor.flags & libc::O_NONBLOCK.cast_unsigned() != 0;
        let flags = if nonblocking { libc::O_NONBLOCK } else { 0 };
        let cloexec = descriptor.close_on_exec;
        let fresh = match &descriptor.kind {
            Kind::Same(number) => return place(*number, descriptor.number, cloexec),
            Kind::Given(index) => {
                let number = usize::try_from(*index - 1).ok().and_then(|index| given.get(index));
                place(*number.ok_or_else(|| Fault::new(step(), libc::EINVAL))?, descriptor.number, cloexec)?;
                return set_flags(descriptor.number, descriptor.flags).at(step());
            }
            Kind::File { index, offset } => {
                let (path, file) = self
                    .paths
                    .get(*index)
                    .zip(self.description.files.get(*index))
                    .ok_or_else(|| Fault::new(step(), libc::EINVAL))?;
                let open = open(path, file, descriptor.flags.cast_signed())?;
                if *offset > 0 {
                    rustix::fs::seek(&open, rustix::fs::SeekFrom::Start(*offset)).at(step())?;
                }
                open
            }
            Kind::Event { count, semaphore } => {
                let flags = flags | if *semaphore { libc::EFD_SEMAPHORE } else { 0 };
                // SAFETY: the call takes numbers only.
                let event = owned(unsafe { libc::eventfd(0, flags) }).at(step())?;
                if *count > 0 {
                    rustix::io::write(&event, &count.to_le_bytes()).at(step())?;
                }
                event
            }
            Kind::Severed => {
                let (socket, _) =
                    socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::empty(), None)
                        .at(step())?;
                set_flags(socket.as_raw_fd(), descriptor.flags).at(step())?;
                socket
            }
            // SAFETY: the call takes numbers only.
            Kind::Poll(_) => owned(unsafe { libc::epoll_create1(0) }).at(step())?,
            Kind::Timer { clock, next, interval } => {
                // SAFETY: the call takes numbers only.
                let timer = owned(unsafe { libc::timerfd_create(*clock, flags) }).at(step())?;
                let time = |(seconds, nanos): (i64, i64)| libc::timespec { tv_sec: seconds, tv_nsec: nanos };
                let value = libc::itimerspec { it_interval: time(*interval), it_value: time(*next) };
                // SAFETY: `value` outlives the call, and no old value is asked for.
                let answer = unsafe {
                    libc::timerfd_settime(timer.as_raw_fd(), 0, &raw const value, std::ptr::null_mut())
                };
                if answer != 0 {
                    return Err(Fault::last(step()));
                }
                timer
            }
            Kind::Pipe { inode, held } => return self.pipe(descriptor.number, *inode, held),
        };
        place_own(fresh, descriptor.number, cloexec)
    }

    /// Makes all ends of a pipe when its first comes.
    fn pipe(&self, number: RawFd, inode: u64, held: &[u8]) -> Result<(), Fault> {
        let step = "restoring: a pipe";
        let aside = self.numbers().file(self.paths.len()) + ASIDE;
        let ends = || {
            let all = self.description.descriptors.iter();
            all.filter(move |end| matches!(end.kind, Kind::Pipe { inode: of, .. } if of == inode))
        };
        if ends().next().is_some_and(|first| first.number != number) {
            return Ok(());
        }
        let mut pipe = [0; 2];
        // SAFETY: the array outlives the call.
        if unsafe { libc::pipe2(pipe.as_mut_ptr(), 0) } != 0 {
            return Err(Fault::last(step));
        }
        // SAFETY: the bytes outlive the call. What a pipe had held goes into a new one at once.
        let written = unsafe { libc::write(pipe[1], held.as_ptr().cast(), held.len()) };
        if usize::try_from(written) != Ok(held.len()) {
            return Err(Fault::last(step));
        }
        // Their own numbers may be those of others' ends.
        let copies = [duplicate_from(pipe[0], aside)?, duplicate_from(pipe[1], aside)?];
        close_range(pipe[0], pipe[0])?;
        close_range(pipe[1], pipe[1])?;
        for end in ends() {
            let writes = end.flags & libc::O_ACCMODE.cast_unsigned() == libc::O_WRONLY.cast_unsigned();
            place(copies[usize::from(writes)], end.number, end.close_on_exec)?;
            set_flags(end.number, end.flags).at(step)?;
        }
        Ok(())
    }

    /// Fills the epoll sets, once all that they look at is there.
    fn watch(&self) -> Result<(), Fault> {
        let descriptors = &self.description.descriptors;
        for descriptor in descriptors {
            let Kind::Poll(watches) = &descriptor.kind else { continue };
            // What a set looks at may have been closed under that number and live on under another.
            let there = |number| descriptors.iter().any(|other| other.number == number);
            for watch in watches.iter().filter(|watch| there(watch.number)) {
                let mut event = libc::epoll_event { events: watch.events, u64: watch.data };
                // SAFETY: `event` outlives the call.
                let answer = unsafe {
                    libc::epoll_ctl(descriptor.number, libc::EPOLL_CTL_ADD, watch.number, &raw mut event)
                };
                if answer != 0 {
                    return Err(Fault::last(format!("restoring: watching descriptor {}", watch.number)));
                }
            }
        }
        Ok(())
    }

    /// Puts the restorer, its first list and the plan into the hole. Answers where that list and its
    /// failure record are.
    fn map(&self) -> Result<(u64, u64), Fault> {
        let step = "restoring: making room";
        let hole = self.description.hole;
        let (list, record) = (hole + PAGE, hole + PAGE * 2);
        let write = libc::PROT_READ | libc::PROT_WRITE;
        let fixed = libc::MAP_PRIVATE | libc::MAP_FIXED_NOREPLACE;
        let code = restorer::code();
        if code.len() as u64 > PAGE
            || self.prologue.len() as u64 > PAGE
            || self.layout.plan_bytes > HOLE_BYTES - PLAN
        {
            return Err(Fault::new(step, libc::E2BIG));
        }
        // SAFETY: with MAP_FIXED_NOREPLACE no memory of this process is replaced.
        unsafe { map_at(hole, PAGE * 3, write, fixed | libc::MAP_ANONYMOUS, -1, 0) }.at(step)?;
        let (image, offset) = (self.numbers().image(), self.layout.plan_offset);
        // SAFETY: as above.
        unsafe { map_at(hole + PLAN, self.layout.plan_bytes, write, fixed, image, offset) }.at(step)?;
        for (bytes, address) in [(code, hole), (&self.prologue, list)] {
            let to = std::ptr::with_exposed_provenance_mut::<u8>(address as usize);
            // SAFETY: the mapping made above has room for a page at each of these addresses.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
        }
        let start = std::ptr::with_exposed_provenance_mut::<c_void>(hole as usize);
        // SAFETY: changes the page made above, which holds code only.
        let answer = unsafe { libc::mprotect(start, PAGE as usize, libc::PROT_READ | libc::PROT_EXEC) };
        if answer == 0 { Ok((list, record)) } else { Err(Fault::last(step)) }
    }

    /// Leaves this program for good.
    fn start(&self, list: u64, record: u64) -> Fault {
        leave_rseq();
        let all = u64::MAX;
        // SAFETY: the set outlives the call, and the old one is not asked for. From here on no signal can
        // run code that is about to be unmapped; the process's own mask comes with its registers.
        let answer = unsafe {
            libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const all, 0, size_of::<u64>())
        };
        if answer != 0 {
            return Fault::last("restoring: blocking signals");
        }
        let failure = self.numbers().failure;
        // SAFETY: the restorer was copied to the hole and made executable; it ends the process or turns it into
        // another, and never comes back. It uses registers, the lists and the record only, all in the hole.
        unsafe {
            asm!(
                "jmp {code}",
                code = in(reg) self.description.hole,
                in("rdi") list,
                in("rsi") record,
                in("rdx") i64::from(failure),
                options(noreturn),
            )
        }
    }
}

/// This process's pieces in the order of the image's; they must be the same ones of the same lengths.
fn match_pieces(own: &Pieces, wanted: &Pieces) -> Result<Vec<(u64, u64)>, Fault> {
    let find = |(name, _, bytes): &(String, u64, u64)| {
        let piece = own.iter().find(|(other, _, length)| other == name && length == bytes);
        piece.map(|(_, start, bytes)| (*start, *bytes))
    };
    let found: Option<Vec<_>> = wanted.iter().map(find).collect();
    let found = found.filter(|found| found.len() == own.len());
    found.ok_or_else(|| Fault::new("restoring: another kernel's image", libc::ESTALE))
}

/// Ends the registration that the C library of this program has made for this thread, if it has made one:
/// the kernel would go on writing to memory that is not there any more.
fn leave_rseq() {
    const SIGNATURE: u32 = 0x5305_3053;
    const UNREGISTER: i32 = 1;
    // SAFETY: the name is NUL-terminated; null is a value for "no such symbol".
    let offset = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"__rseq_offset".as_ptr()) }.cast::<isize>();
    if offset.is_null() {
        return;
    }
    // SAFETY: glibc documents `__rseq_offset` as a constant of type `ptrdiff_t`.
    let offset = unsafe { offset.read() };
    let thread: usize;
    // SAFETY: reads the thread pointer, which on this architecture is kept at its own address.
    unsafe { asm!("mov {}, fs:0", out(reg) thread, options(nostack, readonly, preserves_flags)) };
    let area = thread.wrapping_add_signed(offset);
    // Which length it registered depends on its version; a wrong one is refused without effect.
    for bytes in (32..=512).step_by(32) {
        // SAFETY: the call only forgets an address.
        if unsafe { libc::syscall(libc::SYS_rseq, area, bytes, UNREGISTER, SIGNATURE) } == 0 {
            return;
        }
    }
}

/// # Safety
///
/// With `MAP_FIXED` in `flags`, nothing in the range may be in use.
unsafe fn map_at(
    address: u64,
    bytes: u64,
    protection: i32,
    flags: i32,
    file: RawFd,
    offset: u64,
) -> std::io::Result<()> {
    let wanted = std::ptr::with_exposed_provenance_mut::<c_void>(address as usize);
    // SAFETY: by this function's own contract.
    let answer = unsafe { libc::mmap(wanted, bytes as usize, protection, flags, file, offset as i64) };
    match answer {
        libc::MAP_FAILED => Err(std::io::Error::last_os_error()),
        found if found == wanted => Ok(()),
        _ => Err(std::io::Error::from_raw_os_error(libc::EEXIST)),
    }
}

fn open(path: &CString, file: &super::file::File, flags: i32) -> Result<OwnedFd, Fault> {
    let step = || format!("restoring: opening {}", file.path);
    // SAFETY: the path is NUL-terminated.
    let open =
        owned(unsafe { libc::open(path.as_ptr(), flags | libc::O_CLOEXEC | libc::O_NOFOLLOW) }).at(step())?;
    file.check(&open)?;
    Ok(open)
}

fn owned(answer: RawFd) -> std::io::Result<OwnedFd> {
    if answer < 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made this descriptor, for us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(answer) })
}

fn duplicate_from(number: RawFd, from: RawFd) -> Result<RawFd, Fault> {
    // SAFETY: the call takes numbers only.
    match unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, from) } {
        -1 => Err(Fault::last("restoring: putting a descriptor aside")),
        copy => Ok(copy),
    }
}

/// Makes `number` another number of what `from` is.
fn place(from: RawFd, number: RawFd, close_on_exec: bool) -> Result<(), Fault> {
    let flags = if close_on_exec { libc::O_CLOEXEC } else { 0 };
    // SAFETY: at `number` nothing is that anybody here owns: all numbers below those put aside were closed.
    match unsafe { libc::dup3(from, number, flags) } {
        -1 => Err(Fault::last(format!("restoring: placing descriptor {number}"))),
        _ => Ok(()),
    }
}

/// Moves `descriptor` to `number`, at which it may have been opened already.
fn place_own(descriptor: OwnedFd, number: RawFd, close_on_exec: bool) -> Result<(), Fault> {
    if descriptor.as_raw_fd() != number {
        return place(descriptor.as_raw_fd(), number, close_on_exec);
    }
    let flags = if close_on_exec { FdFlags::CLOEXEC } else { FdFlags::empty() };
    fcntl_setfd(&descriptor, flags).at("restoring: a descriptor")?;
    // It belongs to the process that this one becomes.
    let _ = descriptor.into_raw_fd();
    Ok(())
}

fn set_flags(number: RawFd, flags: u32) -> std::io::Result<()> {
    // SAFETY: the call takes numbers only.
    match unsafe { libc::fcntl(number, libc::F_SETFL, flags.cast_signed()) } {
        -1 => Err(std::io::Error::last_os_error()),
        _ => Ok(()),
    }
}

fn close_range(first: RawFd, last: RawFd) -> Result<(), Fault> {
    // SAFETY: the callers own nothing in the range that they will still use or drop: this process becomes
    // another one or ends.
    let answer = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    if answer == 0 { Ok(()) } else { Err(Fault::last("restoring: closing descriptors")) }
}
