//! The host's handle to the spawner process.

use std::fs;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rustix::fs::{CWD, Mode, OFlags, fstat, openat};
use rustix::io::{Errno, dup};
use rustix::net::{Shutdown, SocketFlags, shutdown};
use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};
use rustix::process::{Pid, WaitOptions, waitpid};
use serde::Serialize;
use tokio::net::unix::pipe::{Receiver, Sender};

use crate::confine::{begin, kernel};
use crate::instance::Pipes;
use crate::message::{Beginning, Binding, Claim, Head, Hello, Keep, Order};
use crate::socket::{hear, pair, send, tell, watch};
use crate::spec::check_binds;
use crate::{Bind, Config, Error, Image, Instance, Isolation, Limits, Ready, Source, Spec, Start};

/// The name under which [`Spawner::launch`] executes a program, and the descriptor that it hands it.
const NAME: &str = "pagoda-spawner";
const DESCRIPTOR: i32 = 3;

/// A running spawner process. Clones share it; when the last is dropped, it and its instances end.
#[derive(Debug, Clone)]
pub struct Spawner {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    requests: OwnedFd,
    hello: Hello,
    mount_points: Vec<PathBuf>,
    unsafe_no_sandbox: bool,
}

impl Drop for Shared {
    /// Closes the socket, on which the spawner kills all instances and ends, and waits for that: some
    /// milliseconds, after which nothing is left.
    fn drop(&mut self) {
        let _ = shutdown(&self.requests, Shutdown::Both);
        let pid = Pid::from_raw(self.hello.pid.cast_signed());
        // It is a child of this process, unless whoever ignores SIGCHLD has had it reaped already.
        while pid.is_some() && matches!(waitpid(pid, WaitOptions::empty()), Err(Errno::INTR)) {}
    }
}

impl Spawner {
    /// Forks the spawner from this process, which must not have threads yet: call it first in `main`,
    /// before tokio. Takes about 10 ms.
    pub fn start(config: Config) -> Result<Self, Error> {
        let threads = fs::read_dir("/proc/self/task").map(Iterator::count).unwrap_or(1);
        if threads > 1 {
            return Err(Error::Threads { threads });
        }
        let (outer, inner) = pair(SocketFlags::empty()).map_err(Error::system("making a socket"))?;
        match kernel::fork() {
            Ok(Some(_)) => drop(inner),
            Ok(None) => begin::main(inner),
            Err(fault) => return Err(Error::Start(fault.to_string())),
        }
        Self::greet(outer, config)
    }

    /// Executes `executable` as the spawner, for processes that already have threads. Its `main` must
    /// call [`serve_if_spawner`] first.
    pub fn launch(config: Config, executable: &Path) -> Result<Self, Error> {
        let (outer, inner) = pair(SocketFlags::empty()).map_err(Error::system("making a socket"))?;
        let mut command = Command::new(executable);
        command.arg0(NAME).env_clear().stdin(std::process::Stdio::null());
        // SAFETY: between fork and exec the closure makes system calls only (dup2, fcntl), and touches no
        // lock or allocation of the parent.
        unsafe { command.pre_exec(move || kernel::hand_down(&inner, DESCRIPTOR).map(drop)) };
        // Waited for when the last handle is dropped.
        command.spawn().map_err(Error::system("executing the spawner"))?;
        drop(command);
        Self::greet(outer, config)
    }

    fn greet(requests: OwnedFd, config: Config) -> Result<Self, Error> {
        tell(&requests, &config, &[]).map_err(Error::system("configuring the spawner"))?;
        let (hello, _) = hear::<Hello>(&requests)
            .map_err(Error::system("hearing from the spawner"))?
            .ok_or_else(|| Error::Start("it ended before it was ready".to_owned()))?;
        rustix::io::ioctl_fionbio(&requests, true).map_err(Error::system("configuring a socket"))?;
        let Config { mount_points, unsafe_no_sandbox, .. } = config;
        Ok(Self { shared: Arc::new(Shared { requests, hello, mount_points, unsafe_no_sandbox }) })
    }

    /// How well instances are confined here.
    pub fn isolation(&self) -> Isolation {
        self.shared.hello.isolation
    }

    /// Whether plain processes run where the host allows no isolation ([`Config::unsafe_no_sandbox`]).
    pub fn allows_unsafe(&self) -> bool {
        self.shared.unsafe_no_sandbox
    }

    /// The spawner's process id, for whoever looks at the process table.
    pub fn pid(&self) -> u32 {
        self.shared.hello.pid
    }

    /// What this host lacks for [`Isolation::Full`], in words for an operator.
    pub fn missing(&self) -> &[String] {
        &self.shared.hello.missing
    }

    /// Starts an instance. When this returns, its program has been executed.
    ///
    /// Must be called within a tokio runtime, to which the instance's pipes and listeners then belong.
    pub async fn spawn(&self, spec: Spec) -> Result<Instance, Error> {
        if self.isolation() == Isolation::None && !self.shared.unsafe_no_sandbox {
            return Err(Error::NotIsolated(self.missing().join("; ")));
        }
        spec.check(&self.shared.mount_points)?;
        // Held until the instance has opened them too, so that none can be replaced by another of its number.
        let (_held, bindings) = bindings(&spec.binds)?;
        let root = spec.root.map(|source| Bind { source, guest: PathBuf::from("/") });
        let root = root.map(|bind| open(&bind).map(|held| (held, bind))).transpose()?;
        let root_binding = root.as_ref().map(|(held, bind)| identify((held, bind))).transpose()?;
        let (channel, inner) = pair(SocketFlags::empty()).map_err(Error::system("making a socket"))?;
        rustix::io::ioctl_fionbio(&channel, true).map_err(Error::system("configuring a socket"))?;
        let (stdout, stdout_inner) = pipe()?;
        let (stderr, stderr_inner) = pipe()?;
        let (resume, resume_inner) = spec.resume.as_deref().map(resume).transpose()?.unzip();
        let (start, image) = match spec.start {
            Start::Exec { program, arguments } => (Beginning::Exec { program, arguments }, None),
            Start::Restore { image } => (Beginning::Restore, Some(image)),
        };
        // A process's own limit can't be changed from outside, so that those that wait have the usual one.
        // What is beside it has to begin before it.
        let usual = spec.limits.open_files == Limits::default().open_files && spec.beside.programs.is_empty();
        let key = image.as_ref().filter(|_| usual).map_or(0, |image| image.key());
        let claim = Claim {
            start,
            resume: resume.is_some(),
            environment: spec.environment,
            beside: spec.beside,
            directory: spec.directory,
            root: root_binding,
            bindings,
            ids: spec.ids,
            listen: spec.listen,
            limits: spec.limits,
        };
        let mut descriptors = vec![inner.as_fd(), stdout_inner.as_fd(), stderr_inner.as_fd()];
        descriptors.extend(resume_inner.as_ref().map(AsFd::as_fd));
        descriptors.extend(image.as_ref().map(|image| image.descriptor()));
        self.request(Head::Claim { image: key }, &Order::Claim(Box::new(claim)), &descriptors).await?;
        drop((inner, stdout_inner, stderr_inner, resume_inner));
        Instance::started(channel, Pipes { stdout, stderr, resume }).await
    }

    /// Keeps clones of `image` waiting for their functions: they are made one after the other when nothing else
    /// happens, and [`Spawner::spawn`] takes one if there is one. Asked again, the new numbers hold.
    ///
    /// They wait in directory `/` with the usual limit of open files, without which none is taken, and use no
    /// processor time. That an image can't be restored shows when
    /// it is: then none will wait.
    pub async fn keep_ready(&self, image: &Image, ready: &Ready) -> Result<(), Error> {
        let Some(last_id) = ready.ids.end.checked_sub(1).filter(|last| ready.ids.contains(last)) else {
            return Err(Error::Spec("ids: none to give to ready clones".to_owned()));
        };
        if ready.ids.start == 0 || ready.count > READY_MAX {
            return Err(Error::Spec(format!("ready: at most {READY_MAX}, with ids above 0")));
        }
        check_binds(&ready.binds, &self.shared.mount_points)?;
        // One that is replaced after this is not found any more: none waits then.
        let (_, bindings) = bindings(&ready.binds)?;
        let keep = Keep { count: ready.count, first_id: ready.ids.start, last_id, bindings };
        self.request(Head::Keep { image: image.key() }, &keep, &[image.descriptor()]).await
    }

    async fn request(
        &self,
        head: Head,
        rest: &impl Serialize,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<(), Error> {
        let mut bytes = head.bytes().to_vec();
        serde_json::to_writer(&mut bytes, rest).map_err(|error| Error::Spec(error.to_string()))?;
        loop {
            match send(&self.shared.requests, &bytes, descriptors) {
                Ok(()) => return Ok(()),
                Err(Errno::AGAIN) => self.writable().await?,
                Err(Errno::PIPE | Errno::CONNRESET) => return Err(Error::Ended),
                Err(errno) => return Err(Error::system("asking the spawner")(errno)),
            }
        }
    }

    /// Waits until the spawner has read something. Registered anew each time, and by a descriptor of its
    /// own, because the callers may belong to different runtimes.
    async fn writable(&self) -> Result<(), Error> {
        let step = "waiting for the spawner";
        let copy = dup(&self.shared.requests).map_err(Error::system(step))?;
        let copy = watch(copy).map_err(Error::system(step))?;
        copy.writable().await.map(drop).map_err(Error::system(step))
    }
}

/// Serves as the spawner and ends the process, if [`Spawner::launch`] executed it as one; returns at once
/// otherwise. Call it first in `main`.
pub fn serve_if_spawner() {
    if std::env::args_os().next().is_none_or(|name| name != NAME) {
        return;
    }
    // SAFETY: `launch` leaves its socket at this number, and nothing in this process has used it yet.
    let socket = unsafe { OwnedFd::from_raw_fd(DESCRIPTOR) };
    begin::main(socket)
}

fn open(bind: &Bind) -> Result<Arc<OwnedFd>, Error> {
    let path = match &bind.source {
        Source::Directory(directory) => return Ok(Arc::clone(directory)),
        Source::Path(path) => path,
    };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = openat(CWD, path, flags, Mode::empty()).map_err(|errno| Error::Spawn {
        step: format!("opening {}", path.display()),
        source: errno.into(),
    })?;
    Ok(Arc::new(directory))
}

/// The directories, opened, and how the instance finds them again.
fn bindings(binds: &[Bind]) -> Result<(Vec<Arc<OwnedFd>>, Vec<Binding>), Error> {
    let held = binds.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let bindings = held.iter().zip(binds).map(identify).collect::<Result<_, _>>()?;
    Ok((held, bindings))
}

fn identify((directory, bind): (&Arc<OwnedFd>, &Bind)) -> Result<Binding, Error> {
    let step = "looking at a bound directory";
    let found = fstat(directory).map_err(Error::system(step))?;
    let link = format!("/proc/self/fd/{}", directory.as_raw_fd());
    let host = fs::read_link(link).map_err(Error::system(step))?;
    Ok(Binding { host, device: found.st_dev, inode: found.st_ino, guest: bind.guest.clone() })
}

fn pipe() -> Result<(Receiver, OwnedFd), Error> {
    let step = "making a pipe";
    let (read, write) = pipe_with(PipeFlags::CLOEXEC).map_err(Error::system(step))?;
    Ok((Receiver::from_owned_fd(read).map_err(Error::system(step))?, write))
}

/// A pipe that holds `bytes` already.
fn resume(bytes: &[u8]) -> Result<(Sender, OwnedFd), Error> {
    let step = "making the resume pipe";
    let (read, write) = pipe_with(PipeFlags::CLOEXEC).map_err(Error::system(step))?;
    if bytes.len() > PIPE_BYTES {
        fcntl_setpipe_size(&write, bytes.len()).map_err(Error::system(step))?;
    }
    rustix::io::ioctl_fionbio(&write, true).map_err(Error::system(step))?;
    let mut rest = bytes;
    while !rest.is_empty() {
        let written = rustix::io::write(&write, rest).map_err(Error::system(step))?;
        rest = rest.get(written..).unwrap_or_default();
    }
    Ok((Sender::from_owned_fd(write).map_err(Error::system(step))?, read))
}

/// Most clones of an image that wait.
const READY_MAX: usize = 1024;
/// What every pipe holds.
const PIPE_BYTES: usize = 64 * 1024;
