//! A clone that waits for its function: restored ahead of its claim, and fitted to it afterwards.
//!
//! The process is behind all its walls from the start, under a user of its own, and blocked in a read. What
//! the claim adds is put around it from here: limits, bound directories, ports; then its message. Until then
//! the first process keeps its privileges, and reads nothing that the clone could have written.

use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;
use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_getpipe_size, fcntl_setpipe_size, pipe_with, splice};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use super::first::{Ground, Sandbox, Started, bind, identify, own, run, size};
use super::network;
use super::program::{Program, Walls};
use crate::message::{At, Binding, Claim, Fault, Wait};
use crate::spec::{Ids, Limits};

/// Bytes moved at a time.
const MOVE_BYTES: usize = 1 << 20;

/// A restored process that waits, and the host's ends of its pipes.
pub(crate) struct Clone {
    pid: Pid,
    process: OwnedFd,
    /// Standard output, standard error, resume.
    pipes: [OwnedFd; 3],
    ids: Ids,
    /// What it has already.
    bindings: Vec<Binding>,
}

/// Restores `image` in the sandbox.
pub(crate) fn restore(
    ground: &Ground,
    sandbox: &mut Sandbox,
    wait: Wait,
    image: OwnedFd,
) -> Result<Clone, Fault> {
    let pipe = || pipe_with(PipeFlags::CLOEXEC).at("making a pipe");
    let ((stdout, stdout_inner), (stderr, stderr_inner), (resume_inner, resume)) =
        (pipe()?, pipe()?, pipe()?);
    let ids = if ground.only_ids.is_some() { None } else { Some(wait.ids) };
    let shown = ground.only_ids.unwrap_or(wait.ids);
    let output = [stdout_inner, stderr_inner];
    identify(shown)?;
    bind(ground, sandbox, &wait.bindings)?;
    if let Some(ids) = ids {
        own(ids, output.iter().chain([&resume_inner]))?;
    }
    // Claims that ask for another number are not given such a clone.
    let open_files = Limits::default().open_files;
    let program = Program::restored(image, &ground.pieces, c"/".to_owned(), open_files)?;
    let walls = Walls { ids, rules: sandbox.rules.take(), filter: &ground.filter };
    let (pid, process) = run(&program, &output, Some(&resume_inner), walls)?;
    let pipes = [stdout, stderr, resume];
    Ok(Clone { pid, process, pipes, ids: shown, bindings: wait.bindings })
}

impl Clone {
    /// Fits the sandbox to the claim and lets the process read its message, the contents of `message`.
    pub(crate) fn settle(
        self,
        ground: &Ground,
        sandbox: &Sandbox,
        id: u64,
        claim: &Claim,
        message: Option<&OwnedFd>,
    ) -> Result<Started, Fault> {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        if !matches!(waitid(WaitId::PidFd(self.process.as_fd()), look), Ok(None)) {
            return Err(Fault::new("restoring: a clone has ended while it waited", libc::ESRCH));
        }
        ground.cgroups.limit(id, &claim.limits)?;
        size(&claim.limits)?;
        let missing = claim.bindings.iter().filter(|binding| !self.bindings.contains(binding));
        bind(ground, sandbox, &missing.cloned().collect::<Vec<_>>())?;
        let listeners = claim.listen.iter().map(|port| network::open(*port)).collect::<Result<_, _>>()?;
        if let Some(message) = message {
            pass_on(message, &self.pipes[2]).at("passing the message on")?;
        }
        let pipes = self.pipes.into();
        let beside = Vec::new();
        Ok(Started { pid: self.pid, process: self.process, beside, ids: self.ids, pipes, listeners })
    }
}

/// Moves what is in one pipe into another, which is empty.
fn pass_on(from: &OwnedFd, to: &OwnedFd) -> rustix::io::Result<()> {
    let bytes = fcntl_getpipe_size(from)?;
    if bytes > fcntl_getpipe_size(to)? {
        fcntl_setpipe_size(to, bytes)?;
    }
    loop {
        match splice(from, None, to, None, MOVE_BYTES, SpliceFlags::NONBLOCK) {
            Ok(0) | Err(Errno::AGAIN) => return Ok(()),
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}
