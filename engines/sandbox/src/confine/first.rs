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
use rustix::mount::{MountFlags, mount_remount};
use rustix::net::SocketFlags;
use rustix::process::{
    DumpableBehavior, Pid, Signal, WaitOptions, set_dumpable_behavior, set_parent_process_death_signal, wait,
};
use rustix::system::sethostname;
use rustix::thread::UnshareFlags;

use super::cgroup::Cgroups;
use super::program::{Program, Walls, drop_bounding_set, give_up_privileges};
use super::{etc, kernel, landlock as wall, mount, network, root, tree};
use crate::instance::End;
use crate::message::{Answer, At, Claim, Fault};
use crate::socket::{hear, pair, tell};
use crate::spec::Ids;

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
}

/// A sandbox without a function.
struct Sandbox {
    own: OwnedFd,
    rules: Option<RulesetCreated>,
}

/// The life of the process, after being cloned. Errors and `Ok` go to the spawner over `control`.
pub(crate) fn live(ground: &Ground, id: u64, control: OwnedFd) -> ! {
    let sandbox = match make(ground, id, &control) {
        Ok(sandbox) => sandbox,
        Err(fault) => {
            let _ = tell(&control, &Err::<(), _>(fault), &[]);
            kernel::exit(1);
        }
    };
    if tell(&control, &Ok::<_, Fault>(()), &[]).is_err() {
        kernel::exit(1);
    }
    let Ok(Some((claim, descriptors))) = hear::<Claim>(&control) else { kernel::exit(1) };
    let Ok([channel, stdout, stderr]) = <[OwnedFd; 3]>::try_from(descriptors) else { kernel::exit(1) };
    match start(ground, sandbox, id, &claim, &channel, [&stdout, &stderr]) {
        Ok(program) => {
            drop((stdout, stderr));
            reap(program, &channel, &control)
        }
        Err(fault) => {
            let _ = tell(&channel, &Answer::Failed(fault), &[]);
            kernel::exit(1)
        }
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
    channel: &OwnedFd,
    output: [&OwnedFd; 2],
) -> Result<Pid, Fault> {
    let ids = if ground.only_ids.is_some() { None } else { Some(claim.ids) };
    ground.cgroups.limit(id, &claim.limits)?;
    let rules = match (sandbox, &ground.twin) {
        (Some(sandbox), Some(twin)) => {
            furnish(claim, &tree::open(&claim.bindings, twin, &sandbox.own)?)?;
            let shown = ground.only_ids.unwrap_or(claim.ids);
            etc::identify(shown.uid, shown.gid)?;
            if let Some(ids) = ids {
                own(ids, output)?;
            }
            sandbox.rules
        }
        _ if claim.bindings.is_empty() => None,
        _ => return Err(Fault::new("binding directories without isolation", libc::ENOSYS)),
    };
    let listeners = claim.listen.iter().map(|port| network::open(*port)).collect::<Result<Vec<_>, _>>()?;
    let filter = if ground.twin.is_some() { ground.filter.as_slice() } else { &[] };
    let program = run(&Program::prepare(claim)?, output, Walls { ids, rules, filter })?;
    announce(ground, id, channel, &listeners)?;
    Ok(program)
}

fn furnish(claim: &Claim, copies: &[OwnedFd]) -> Result<(), Fault> {
    let bytes = claim.limits.tmp_bytes;
    // A file costs kernel memory too, so their number is limited with their size.
    let options = format!("size={bytes},nr_inodes={}", (bytes / 4096).clamp(1024, 1 << 20));
    let options = std::ffi::CString::new(options).map_err(|_| Fault::new("sizing /tmp", libc::EINVAL))?;
    let flags = MountFlags::NODEV | MountFlags::NOSUID;
    mount_remount(c"/tmp", flags, options.as_c_str()).at("sizing /tmp")?;
    for (binding, copy) in claim.bindings.iter().zip(copies) {
        mount::place_read_only(copy, &binding.guest)?;
    }
    Ok(())
}

/// Gives the guest its `/tmp`, and its outputs, so that it can open `/dev/stdout` by name.
fn own(ids: Ids, output: [&OwnedFd; 2]) -> Result<(), Fault> {
    std::os::unix::fs::chown("/tmp", Some(ids.uid), Some(ids.gid)).at("giving /tmp away")?;
    for pipe in output {
        fchown(pipe, Some(Uid::from_raw(ids.uid)), Some(Gid::from_raw(ids.gid))).at("giving outputs away")?;
    }
    Ok(())
}

/// Forks the program and waits until it has been executed.
fn run(program: &Program, output: [&OwnedFd; 2], walls: Walls<'_>) -> Result<Pid, Fault> {
    let (failed, failure) = pair(SocketFlags::empty()).at("making a socket")?;
    let Some(pid) = kernel::fork()? else {
        let fault = program.execute(output.map(AsFd::as_fd), &failure, walls);
        let _ = tell(&failure, &fault, &[]);
        kernel::exit(127)
    };
    drop(failure);
    match hear::<Fault>(&failed).at("waiting for the program")? {
        Some((fault, _)) => Err(fault),
        None => Ok(pid),
    }
}

fn announce(ground: &Ground, id: u64, channel: &OwnedFd, listeners: &[OwnedFd]) -> Result<(), Fault> {
    let (meters, files): (Vec<_>, Vec<_>) = ground.cgroups.meters(id).into_iter().unzip();
    let descriptors: Vec<_> = listeners.iter().chain(&files).map(AsFd::as_fd).collect();
    let version = ground.cgroups.version();
    let answer = Answer::Started { id, listeners: listeners.len(), version, meters };
    tell(channel, &answer, &descriptors).at("announcing the start")
}

/// Reaps whatever ends until the program does, and ends then, which ends everything else.
fn reap(program: Pid, channel: &OwnedFd, control: &OwnedFd) -> ! {
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
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => kernel::exit(1),
        }
    }
}

fn disarm(channel: &OwnedFd, control: &OwnedFd) -> Result<(), Fault> {
    kernel::close_all_but(&[channel.as_raw_fd(), control.as_raw_fd()])?;
    // Without root there is nobody else to become.
    let nobody = rustix::process::geteuid().is_root().then_some(NOBODY);
    give_up_privileges(nobody)?;
    // Changing the user has cleared both of these.
    set_dumpable_behavior(DumpableBehavior::NotDumpable).at("becoming undumpable")?;
    set_parent_process_death_signal(Some(Signal::KILL)).at("asking for the parent's death")?;
    if crate::socket::closed(control) {
        return Err(Fault::new("the spawner is gone", libc::ESRCH));
    }
    Ok(())
}
