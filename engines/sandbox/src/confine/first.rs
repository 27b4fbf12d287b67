//! The first process of an instance: makes the sandbox, waits to be claimed, starts the program, reaps.
//!
//! The program is not process 1 itself, because the kernel gives process 1 no default signal actions (an
//! `abort` or a `SIGTERM` would not end it) and makes it the parent of every orphan, which programs don't
//! expect. When this process ends, the kernel kills all others of the instance.
//!
//! Making the sandbox needs nothing of the claim and therefore happens ahead of it. From the start of the
//! program on, this process has no privilege, and reads nothing that the guest could have written.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;

use landlock::RulesetCreated;
use libc::sock_filter;
use rustix::fs::{Gid, Uid, fchown};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::mount::{MountFlags, mount_remount};
use rustix::net::SocketFlags;
use rustix::process::{
    DumpableBehavior, Pid, Signal, WaitOptions, set_dumpable_behavior, set_parent_process_death_signal, wait,
};
use rustix::system::sethostname;
use rustix::thread::{CapabilitySet, UnshareFlags};

use super::cgroup::Cgroups;
use super::program::{Pipes, Program, Walls, drop_bounding_set, give_up_privileges};
use super::{clone, etc, kernel, landlock as wall, mount, network, root, tree};
use crate::instance::End;
use crate::message::{Answer, At, Binding, Claim, Fault, Order};
use crate::snapshot::enter::{Pieces, RESUME};
use crate::socket::{hear, pair, receive, tell};
use crate::spec::{Ids, Limits};

/// Whom the first process becomes once the program runs.
const NOBODY: Ids = Ids { uid: 65_534, gid: 65_534 };

/// What the spawner has prepared for all instances.
pub(crate) struct Ground {
    pub(crate) cgroups: Cgroups,
    pub(crate) filter: Vec<sock_filter>,
    /// The namespace that shows the host; none where instances are plain processes.
    pub(crate) twin: Option<OwnedFd>,
    /// Without root, the only ids that there are.
    pub(crate) only_ids: Option<Ids>,
    pub(crate) landlock: bool,
    /// Where the kernel's own pieces are in the memory of every process forked from the spawner.
    pub(crate) pieces: Pieces,
}

/// A sandbox without a function.
pub(crate) struct Sandbox {
    own: OwnedFd,
    pub(crate) rules: Option<RulesetCreated>,
}

/// The life of the process, after being cloned. Errors and `Ok` go to the spawner over `control`.
pub(crate) fn live(ground: &Ground, id: u64, control: OwnedFd) -> ! {
    let mut sandbox = match make(ground, id, &control) {
        Ok(sandbox) => sandbox,
        Err(fault) => {
            let _ = tell(&control, &Err::<(), _>(fault), &[]);
            kernel::exit(1);
        }
    };
    if tell(&control, &Ok::<_, Fault>(()), &[]).is_err() {
        kernel::exit(1);
    }
    let Ok(Some((order, mut descriptors))) = hear::<Order>(&control) else { kernel::exit(1) };
    let (claim, descriptors, clone) = match order {
        Order::Claim(claim) => (claim, descriptors, None),
        Order::Wait(wait) => {
            let (Some(sandbox), Some(image)) = (sandbox.as_mut(), descriptors.pop()) else { kernel::exit(1) };
            let clone = clone::restore(ground, sandbox, wait, image);
            let report = clone.as_ref().map(drop).map_err(std::clone::Clone::clone);
            let told = tell(&control, &report, &[]);
            let (Ok(clone), Ok(())) = (clone, told) else { kernel::exit(1) };
            match hear::<Order>(&control) {
                Ok(Some((Order::Claim(claim), descriptors))) => (claim, descriptors, Some(clone)),
                _ => kernel::exit(1),
            }
        }
    };
    let Some((channel, given)) = Given::sort(&claim, descriptors) else { kernel::exit(1) };
    let started = match (clone, &sandbox) {
        (Some(clone), Some(sandbox)) => clone.settle(ground, sandbox, id, &claim, given.resume.as_ref()),
        _ => start(ground, sandbox, id, &claim, given),
    };
    let announced = started.and_then(|started| announce(ground, id, &channel, &started).map(|()| started));
    match announced {
        Ok(started) => reap(started.pid, &started.beside, &channel, &control),
        Err(fault) => {
            let _ = tell(&channel, &Answer::Failed(fault), &[]);
            kernel::exit(1)
        }
    }
}

/// A program that runs, and what the host is to have of it.
pub(crate) struct Started {
    pub(crate) pid: Pid,
    pub(crate) process: OwnedFd,
    /// Programs beside it.
    pub(crate) beside: Vec<Pid>,
    pub(crate) ids: Ids,
    /// The host's ends of the pipes of a clone that had waited.
    pub(crate) pipes: Vec<OwnedFd>,
    pub(crate) listeners: Vec<OwnedFd>,
}

/// Descriptors that came with the claim.
struct Given {
    output: [OwnedFd; 2],
    resume: Option<OwnedFd>,
    image: Option<OwnedFd>,
}

impl Given {
    /// The channel and the rest.
    fn sort(claim: &Claim, descriptors: Vec<OwnedFd>) -> Option<(OwnedFd, Self)> {
        let mut descriptors = descriptors.into_iter();
        let channel = descriptors.next()?;
        let output = [descriptors.next()?, descriptors.next()?];
        let resume = if claim.resume { Some(descriptors.next()?) } else { None };
        Some((channel, Self { output, resume, image: descriptors.next() }))
    }
}

fn make(ground: &Ground, id: u64, control: &OwnedFd) -> Result<Option<Sandbox>, Fault> {
    set_parent_process_death_signal(Some(Signal::KILL)).at("asking for the parent's death")?;
    let kept = ground.cgroups.descriptors().chain([control.as_raw_fd()]);
    kernel::close_all_but(&kept.chain(ground.twin.as_ref().map(AsRawFd::as_raw_fd)).collect::<Vec<_>>())?;
    // Groups first, so that what the namespaces cost is on the instance's account.
    ground.cgroups.enter(id)?;
    drop_bounding_set();
    if ground.twin.is_none() {
        return Ok(None);
    }
    let namespaces = UnshareFlags::NEWNS
        | UnshareFlags::NEWNET
        | UnshareFlags::NEWIPC
        | UnshareFlags::NEWUTS
        | UnshareFlags::NEWCGROUP;
    kernel::unshare(namespaces).at("making namespaces")?;
    sethostname(etc::NAME.as_bytes()).at("setting the host name")?;
    network::raise()?;
    mount::proc(Path::new(root::EMPTY))?;
    mount::temporary(Path::new("/tmp"), MountFlags::NODEV, "size=64k,mode=0700")?;
    let shm = MountFlags::NODEV | MountFlags::NOEXEC;
    mount::temporary(Path::new("/dev/shm"), shm, "size=64m,mode=1777")?;
    let identity = MountFlags::NODEV | MountFlags::NOEXEC;
    mount::temporary(Path::new(etc::IDENTITY), identity, "size=16k,nr_inodes=8,mode=0755")?;
    let rules = if ground.landlock { Some(wall::rules()?) } else { None };
    set_dumpable_behavior(DumpableBehavior::NotDumpable).at("becoming undumpable")?;
    Ok(Some(Sandbox { own: root::namespace()?, rules }))
}

/// Fits the sandbox to the claim and starts the program in it.
fn start(
    ground: &Ground,
    sandbox: Option<Sandbox>,
    id: u64,
    claim: &Claim,
    given: Given,
) -> Result<Started, Fault> {
    let ids = if ground.only_ids.is_some() { None } else { Some(claim.ids) };
    let shown = ground.only_ids.unwrap_or(claim.ids);
    ground.cgroups.limit(id, &claim.limits)?;
    let rules = match sandbox {
        Some(mut sandbox) => {
            size(&claim.limits)?;
            bind(ground, &sandbox, &claim.bindings)?;
            match (&claim.root, &ground.twin) {
                (Some(directory), Some(twin)) => {
                    root::change(tree::open_one_of(directory, twin, &sandbox.own)?)?;
                    // What was ruled was ruled of the other tree.
                    sandbox.rules = if ground.landlock { Some(wall::rules()?) } else { None };
                }
                _ => identify(shown)?,
            }
            if let Some(ids) = ids {
                own(ids, given.output.iter().chain(&given.resume))?;
            }
            sandbox.rules
        }
        // Numbers of threads could not be what they were among the host's.
        None if given.image.is_some() => return Err(Fault::new("restoring without isolation", libc::ENOSYS)),
        None if claim.bindings.is_empty() && claim.root.is_none() => None,
        None => return Err(Fault::new("binding directories without isolation", libc::ENOSYS)),
    };
    let listeners = claim.listen.iter().map(|port| network::open(*port)).collect::<Result<_, _>>()?;
    let filter = if ground.twin.is_some() { ground.filter.as_slice() } else { &[] };
    let program = Program::prepare(claim, given.image, &ground.pieces)?;
    let walls = Walls { ids, rules, filter };
    let beside = claim.beside.programs.iter().map(|program| {
        let program = Program::beside(claim, program)?;
        run(&program, &given.output, None, walls.again()?).map(|(pid, _)| pid)
    });
    let beside = beside.collect::<Result<_, _>>()?;
    let (pid, process) = run(&program, &given.output, given.resume.as_ref(), walls)?;
    Ok(Started { pid, process, beside, ids: shown, pipes: Vec::new(), listeners })
}

/// Sizes `/tmp`.
pub(crate) fn size(limits: &Limits) -> Result<(), Fault> {
    let bytes = limits.tmp_bytes;
    // A file costs kernel memory too, so their number is limited with their size.
    let options = format!("size={bytes},nr_inodes={}", (bytes / 4096).clamp(1024, 1 << 20));
    let options = std::ffi::CString::new(options).map_err(|_| Fault::new("sizing /tmp", libc::EINVAL))?;
    let flags = MountFlags::NODEV | MountFlags::NOSUID;
    mount_remount(c"/tmp", flags, options.as_c_str()).at("sizing /tmp")
}

/// Binds directories.
pub(crate) fn bind(ground: &Ground, sandbox: &Sandbox, bindings: &[Binding]) -> Result<(), Fault> {
    let Some(twin) = &ground.twin else { return Ok(()) };
    let copies = tree::open(bindings, twin, &sandbox.own)?;
    for (binding, copy) in bindings.iter().zip(&copies) {
        mount::place_read_only(copy, &binding.guest)?;
    }
    Ok(())
}

/// Lets the guest look itself up.
pub(crate) fn identify(ids: Ids) -> Result<(), Fault> {
    etc::identify(ids.uid, ids.gid)
}

/// Gives the guest its `/tmp`, and its pipes, so that it can open `/dev/stdout` by name.
pub(crate) fn own<'a>(ids: Ids, pipes: impl Iterator<Item = &'a OwnedFd>) -> Result<(), Fault> {
    std::os::unix::fs::chown("/tmp", Some(ids.uid), Some(ids.gid)).at("giving /tmp away")?;
    for pipe in pipes {
        fchown(pipe, Some(Uid::from_raw(ids.uid)), Some(Gid::from_raw(ids.gid))).at("giving pipes away")?;
    }
    Ok(())
}

/// Forks the program and waits until it has been executed, or restored.
pub(crate) fn run(
    program: &Program,
    output: &[OwnedFd; 2],
    resume: Option<&OwnedFd>,
    walls: Walls<'_>,
) -> Result<(Pid, OwnedFd), Fault> {
    let (failed, failure) = pair(SocketFlags::empty()).at("making a socket")?;
    // Out of the way of what the program has at fixed numbers.
    let failure = fcntl_dupfd_cloexec(failure, RESUME + 1).at("making a socket")?;
    let Some((pid, process)) = program.fork()? else {
        let pipes = Pipes { output: output.each_ref().map(AsFd::as_fd), resume: resume.map(AsFd::as_fd) };
        let fault = program.execute(&pipes, &failure, walls);
        let _ = tell(&failure, &fault, &[]);
        kernel::exit(127)
    };
    drop(failure);
    match receive(&failed).at("waiting for the program")? {
        Some((message, _)) => Err(program.fault(&message)),
        None => Ok((pid, process)),
    }
}

fn announce(ground: &Ground, id: u64, channel: &OwnedFd, started: &Started) -> Result<(), Fault> {
    let (meters, files): (Vec<_>, Vec<_>) = ground.cgroups.meters(id).into_iter().unzip();
    let Started { process, pipes, listeners, .. } = started;
    let descriptors: Vec<_> =
        [process].into_iter().chain(pipes).chain(listeners).chain(&files).map(AsFd::as_fd).collect();
    let (version, waited) = (ground.cgroups.version(), !pipes.is_empty());
    let answer =
        Answer::Started { id, ids: started.ids, waited, listeners: listeners.len(), version, meters };
    tell(channel, &answer, &descriptors).at("announcing the start")
}

/// Reaps whatever ends until the program does or one beside it fails, and ends then, which ends everything
/// else.
fn reap(program: Pid, beside: &[Pid], channel: &OwnedFd, control: &OwnedFd) -> ! {
    if disarm(channel, control).is_err() {
        kernel::exit(1);
    }
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == program => {
                let end = match (status.exit_status(), status.terminating_signal()) {
                    (Some(code), _) => End::Code(code),
                    (None, signal) => End::Signal(signal.unwrap_or(libc::SIGKILL)),
                };
                let _ = tell(channel, &Answer::Ended(end), &[]);
                kernel::exit(0);
            }
            Ok(Some((pid, status))) if beside.contains(&pid) && status.exit_status() != Some(0) => {
                let _ = tell(channel, &Answer::Ended(End::Beside), &[]);
                kernel::exit(0);
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => kernel::exit(1),
        }
    }
}

fn disarm(channel: &OwnedFd, control: &OwnedFd) -> Result<(), Fault> {
    kernel::close_all_but(&[channel.as_raw_fd(), control.as_raw_fd()])?;
    // Without root there is nobody else to become.
    let nobody = rustix::process::geteuid().is_root().then_some(NOBODY);
    give_up_privileges(nobody, CapabilitySet::empty())?;
    // Changing the user has cleared both of these.
    set_dumpable_behavior(DumpableBehavior::NotDumpable).at("becoming undumpable")?;
    set_parent_process_death_signal(Some(Signal::KILL)).at("asking for the parent's death")?;
    if crate::socket::closed(control) {
        return Err(Fault::new("the spawner is gone", libc::ESRCH));
    }
    Ok(())
}
