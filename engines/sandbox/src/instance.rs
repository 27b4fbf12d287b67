//! A running instance, as the host sees it.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Mutex as SyncMutex;

use rustix::fs::fstat;
use rustix::io::{pread, pwrite};
use rustix::net::{Shutdown, shutdown};
use serde::{Deserialize, Serialize};
use tokio::io::unix::AsyncFd;
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

use crate::confine::cgroup::{cpu_micros, share};
use crate::message::{Answer, Fault, Meter, Usage, Version};
use crate::snapshot::{image, rehearsal, take};
use crate::socket::{hear, watch};
use crate::{Error, Ids, Image, connection};

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// It exited with this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// A program beside it ended with a failure, which has ended everything.
    Beside,
}

/// How an instance ended, and what it used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// How the program ended; signal 9 when the whole instance was killed.
    pub end: End,
    /// Whether the kernel killed a process of it for want of memory.
    pub oom_killed: bool,
    /// Most memory that it had at one time, page cache included; 0 where the host can't tell.
    pub memory_peak_bytes: u64,
    /// Processor time of all its processes; 0 where the host can't tell.
    pub cpu_micros: u64,
}

/// The host's ends of an instance's pipes.
pub(crate) struct Pipes {
    pub(crate) stdout: Receiver,
    pub(crate) stderr: Receiver,
    pub(crate) resume: Option<Sender>,
}

impl Pipes {
    /// Those of a clone that had waited.
    fn of(descriptors: &mut impl Iterator<Item = OwnedFd>) -> Result<Self, Error> {
        let step = "watching a pipe";
        let mut next = || descriptors.next().ok_or(Error::Ended);
        let (stdout, stderr, resume) = (next()?, next()?, next()?);
        let receiver = |pipe| Receiver::from_owned_fd(pipe).map_err(Error::system(step));
        let resume = Some(Sender::from_owned_fd(resume).map_err(Error::system(step))?);
        Ok(Self { stdout: receiver(stdout)?, stderr: receiver(stderr)?, resume })
    }

    fn inodes(&self) -> Result<[u64; 3], Error> {
        let inode = |pipe: BorrowedFd<'_>| {
            fstat(pipe).map(|found| found.st_ino).map_err(Error::system("looking at a pipe"))
        };
        let resume = self.resume.as_ref().map(|pipe| inode(pipe.as_fd())).transpose()?;
        Ok([inode(self.stdout.as_fd())?, inode(self.stderr.as_fd())?, resume.unwrap_or(0)])
    }
}

/// A confined process tree. Dropping it kills every process of it and removes all traces.
#[derive(Debug)]
pub struct Instance {
    /// What the guest writes to its standard output.
    pub stdout: Option<Receiver>,
    /// What the guest writes to its standard error.
    pub stderr: Option<Receiver>,
    /// The writing end of the guest's descriptor 3, if [`crate::Spec::resume`] was given: what is written to it
    /// follows that, and dropping it ends it.
    pub resume: Option<Sender>,
    /// Sockets that listen inside the instance, in the order of [`crate::Spec::listen`].
    pub listeners: Vec<TcpListener>,
    id: u64,
    ids: Ids,
    version: Version,
    meters: Vec<(Meter, OwnedFd)>,
    /// Descriptor of the program's process.
    process: OwnedFd,
    /// The guest's pipes by inode: standard output, standard error, resume (0 for none).
    pipes: [u64; 3],
    channel: AsyncFd<OwnedFd>,
    /// How the program ended, once that is known; held while waiting, so that several can wait.
    ended: Mutex<Option<End>>,
    exit: SyncMutex<Option<Exit>>,
}

impl Instance {
    /// Waits for the first answer.
    pub(crate) async fn started(channel: OwnedFd, pipes: Pipes) -> Result<Self, Error> {
        let channel = watch(channel).map_err(Error::system("watching an instance"))?;
        let Some((answer, descriptors)) = next(&channel).await? else { return Err(Error::Ended) };
        let (id, ids, waited, count, version, meters) = match answer {
            Answer::Started { id, ids, waited, listeners, version, meters } => {
                (id, ids, waited, listeners, version, meters)
            }
            Answer::Failed(Fault { step, errno }) => {
                return Err(Error::Spawn { step, source: io::Error::from_raw_os_error(errno) });
            }
            Answer::Busy => return Err(Error::Busy),
            Answer::Ended(_) | Answer::Gone(_) => return Err(Error::Ended),
        };
        let mut descriptors = descriptors.into_iter();
        let process = descriptors.next().ok_or(Error::Ended)?;
        let pipes = if waited { Pipes::of(&mut descriptors)? } else { pipes };
        let listeners = descriptors.by_ref().take(count).map(listener).collect::<Result<_, _>>()?;
        Ok(Self {
            pipes: pipes.inodes()?,
            stdout: Some(pipes.stdout),
            stderr: Some(pipes.stderr),
            resume: pipes.resume,
            process,
            listeners,
            id,
            ids,
            version,
            meters: meters.into_iter().zip(descriptors).collect(),
            channel,
            ended: Mutex::new(None),
            exit: SyncMutex::new(None),
        })
    }

    /// The ids that the guest has: those asked for, or those of the clone that had waited.
    pub fn ids(&self) -> Ids {
        self.ids
    }

    /// A number that no other instance of this spawner has.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Stops every process of the instance, whatever it does. Takes effect within microseconds of the
    /// processes' leaving the kernel, not necessarily before this returns.
    pub fn freeze(&self) -> Result<(), Error> {
        self.set_frozen(true)
    }

    /// Lets a frozen instance run on.
    pub fn thaw(&self) -> Result<(), Error> {
        self.set_frozen(false)
    }

    /// Whether something that was written to the resume pipe has not been read, as long as
    /// [`Instance::resume`] is kept.
    pub fn is_unheard(&self) -> bool {
        let waiting = self.resume.as_ref().map(rustix::io::ioctl_fionread);
        matches!(waiting, Some(Ok(1..)))
    }

    /// Gives the running instance another share of the processors, in thousandths of one core; at least 50.
    /// An instance that began with less than 50 must not be changed.
    pub fn set_cpu_millis(&self, cpu_millis: u32) -> Result<(), Error> {
        let step = "changing the processor share";
        let text = share(self.version, cpu_millis);
        pwrite(self.meter(Meter::CpuShare, step)?, text.as_bytes(), 0).map(drop).map_err(Error::system(step))
    }

    /// Connects to a port on which something listens inside the instance. Needs root, or [`Error::System`] says
    /// that it may not.
    pub async fn connect(&self, port: u16) -> Result<TcpStream, Error> {
        connection::open(&self.process, port).await
    }

    /// Kills every process of the instance, frozen or not; [`Instance::exited`] tells when they are gone.
    pub fn kill(&self) {
        // The spawner sees the channel closing. Failing means that it has closed already.
        let _ = shutdown(self.channel.get_ref(), Shutdown::Write);
    }

    /// Waits until the program waits for its resume pipe ([`crate::Spec::resume`]) and writes an image of it
    /// to `path`, a file for its owner alone that holds the program's memory. The instance is then killed;
    /// if its process is one that an image can't hold, it runs on.
    ///
    /// Needs the right to trace it, which this process has as root, and over its own user namespaces.
    pub async fn snapshot(&self, path: &Path) -> Result<Image, Error> {
        let own = self.pipes;
        let pid = self.waiting().await?;
        let target = path.to_owned();
        // A thread of its own, not one that other tasks use: what traces a process is a thread.
        let (told, taken) = tokio::sync::oneshot::channel();
        let work = move || {
            let _ =
                told.send(take::take(pid, own, &target).map_err(unable).and_then(|()| Image::open(&target)));
        };
        std::thread::Builder::new().spawn(work).map_err(Error::system("starting a thread"))?;
        let image =
            taken.await.map_err(|_| Error::Snapshot("the thread that took it has ended".to_owned()))??;
        self.kill();
        Ok(image)
    }

    /// Waits until the program, which was restored from the image at `path` and has handled its message, waits
    /// for its resume pipe again, and notes in the image which pages it has used: instances restored from then
    /// on have them before they begin. The instance is then killed.
    pub async fn rehearsed(&self, path: &Path) -> Result<Image, Error> {
        let pid = self.waiting().await?;
        let target = path.to_owned();
        let work = move || {
            rehearsal::advices(pid).and_then(|advices| image::amend(&target, &advices)).map_err(unable)?;
            Image::open(&target)
        };
        let image = tokio::task::spawn_blocking(work).await;
        self.kill();
        image.map_err(|_| Error::Snapshot("what noted the pages has ended".to_owned()))?
    }

    /// The program's process id, once it waits for its resume pipe.
    async fn waiting(&self) -> Result<i32, Error> {
        let [.., resume] = self.pipes;
        if resume == 0 {
            return Err(Error::Snapshot("the instance has no resume pipe".to_owned()));
        }
        let pid = self.pid()?;
        while !take::waits(pid, resume).map_err(unable)? {
            tokio::time::sleep(LOOK).await;
        }
        Ok(pid)
    }

    /// The program's process id on this host.
    fn pid(&self) -> Result<i32, Error> {
        let step = "looking for the process";
        let path = format!("/proc/self/fdinfo/{}", self.process.as_raw_fd());
        let text = std::fs::read_to_string(path).map_err(Error::system(step))?;
        let pid = text.lines().find_map(|line| line.strip_prefix("Pid:")?.trim().parse().ok());
        // A process that has ended has no number any more.
        pid.filter(|pid| *pid > 0).ok_or_else(|| Error::Snapshot("the program has ended".to_owned()))
    }

    /// Waits until every process of the instance is gone. Answers the same whenever it is asked again.
    pub async fn exited(&self) -> Exit {
        let mut ended = self.ended.lock().await;
        if let Some(exit) = self.known_exit() {
            return exit;
        }
        let usage = loop {
            match next(&self.channel).await {
                Ok(Some((Answer::Ended(end), _))) => *ended = Some(end),
                Ok(Some((Answer::Gone(usage), _))) => break usage,
                Ok(Some(_)) => {}
                // The spawner is gone, and its death has killed the instance.
                Ok(None) | Err(_) => break self.usage(),
            }
        };
        let exit = Exit {
            end: ended.unwrap_or(End::Signal(libc::SIGKILL)),
            oom_killed: usage.oom_killed,
            memory_peak_bytes: usage.memory_peak_bytes,
            cpu_micros: usage.cpu_micros,
        };
        *self.exit.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(exit);
        exit
    }

    /// Most memory that the instance has had at one time so far.
    pub fn memory_peak_bytes(&self) -> Result<u64, Error> {
        if let Some(exit) = self.known_exit() {
            return Ok(exit.memory_peak_bytes);
        }
        let text = self.read(Meter::MemoryPeak, "reading the memory account")?;
        Ok(text.trim().parse().unwrap_or(0))
    }

    /// Processor time that the instance has used so far, in microseconds.
    pub fn cpu_micros(&self) -> Result<u64, Error> {
        if let Some(exit) = self.known_exit() {
            return Ok(exit.cpu_micros);
        }
        Ok(cpu_micros(self.version, &self.read(Meter::Cpu, "reading the processor account")?))
    }

    fn known_exit(&self) -> Option<Exit> {
        *self.exit.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn usage(&self) -> Usage {
        Usage {
            oom_killed: false,
            memory_peak_bytes: self.memory_peak_bytes().unwrap_or(0),
            cpu_micros: self.cpu_micros().unwrap_or(0),
        }
    }

    fn set_frozen(&self, frozen: bool) -> Result<(), Error> {
        let step = if frozen { "freezing" } else { "thawing" };
        let word: &[u8] = match (self.version, frozen) {
            (Version::V1, true) => b"FROZEN",
            (Version::V1, false) => b"THAWED",
            (Version::V2, true) => b"1",
            (Version::V2, false) => b"0",
        };
        pwrite(self.meter(Meter::Freezer, step)?, word, 0).map(drop).map_err(Error::system(step))
    }

    fn read(&self, meter: Meter, step: &'static str) -> Result<String, Error> {
        let mut bytes = [0; 4096];
        let length = pread(self.meter(meter, step)?, &mut bytes, 0).map_err(Error::system(step))?;
        Ok(String::from_utf8_lossy(bytes.get(..length).unwrap_or_default()).into_owned())
    }

    fn meter(&self, meter: Meter, step: &'static str) -> Result<&OwnedFd, Error> {
        let found = self.meters.iter().find(|(kind, _)| *kind == meter);
        found.map(|(_, file)| file).ok_or_else(|| Error::system(step)(rustix::io::Errno::NOTSUP))
    }
}

/// How often a program is looked at that will soon wait.
const LOOK: std::time::Duration = std::time::Duration::from_millis(1);

fn unable(fault: Fault) -> Error {
    Error::Snapshot(fault.to_string())
}

/// The next message of the instance, with its descriptors; `None` after the last.
async fn next(channel: &AsyncFd<OwnedFd>) -> Result<Option<(Answer, Vec<OwnedFd>)>, Error> {
    let heard = channel.async_io(tokio::io::Interest::READABLE, |socket| Ok(hear::<Answer>(socket)?)).await;
    match heard {
        Ok(message) => Ok(message),
        Err(error) if error.raw_os_error() == Some(libc::ECONNRESET) => Ok(None),
        Err(error) => Err(Error::system("hearing from an instance")(error)),
    }
}

fn listener(socket: OwnedFd) -> Result<TcpListener, Error> {
    TcpListener::from_std(socket.into()).map_err(Error::system("watching a listener"))
}
