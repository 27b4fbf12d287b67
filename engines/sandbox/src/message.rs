//! What travels between the host process, the spawner and the first process of an instance.
//!
//! Messages are JSON in single `SOCK_SEQPACKET` packets, descriptors beside them. The guest's program never
//! holds an end of any of these sockets.

use std::io;
use std::path::PathBuf;

use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::instance::End;
use crate::isolation::Isolation;
use crate::spec::{Beside, Ids, Limits};

/// Most bytes of one message.
pub(crate) const MESSAGE_BYTES_MAX: usize = 160 * 1024;

/// First words of the spawner, once its tree stands.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Hello {
    pub(crate) isolation: Isolation,
    pub(crate) pid: u32,
    pub(crate) missing: Vec<String>,
}

/// A directory to bind: its canonical host path and the identity it must still have there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Binding {
    pub(crate) host: PathBuf,
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) guest: PathBuf,
}

/// How the process of an instance comes to life: [`crate::Start`] on its way to it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Beginning {
    Exec {
        program: PathBuf,
        arguments: Vec<String>,
    },
    /// One descriptor more: the image.
    Restore,
}

/// A checked [`crate::Spec`], on its way to an instance. Descriptors: channel, stdout, stderr, the resume pipe if
/// there is one, and what the beginning needs.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Claim {
    pub(crate) start: Beginning,
    pub(crate) resume: bool,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) beside: Beside,
    pub(crate) directory: PathBuf,
    /// The guest's file system, if it isn't the shared tree.
    pub(crate) root: Option<Binding>,
    pub(crate) bindings: Vec<Binding>,
    pub(crate) ids: Ids,
    pub(crate) listen: Vec<u16>,
    pub(crate) limits: Limits,
}

/// How many clones of an image are to wait for functions, under which ids, and with which directories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Keep {
    pub(crate) count: usize,
    pub(crate) first_id: u32,
    pub(crate) last_id: u32,
    pub(crate) bindings: Vec<Binding>,
}

/// A sandbox is to become a clone that waits. Descriptor: the image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wait {
    pub(crate) ids: Ids,
    pub(crate) bindings: Vec<Binding>,
}

/// What a sandbox is told.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Order {
    Claim(Box<Claim>),
    Wait(Wait),
}

/// The first bytes of a request to the spawner: what it is about, and the image (0 for none). What follows is
/// passed on unread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    /// An [`Order::Claim`] follows.
    Claim { image: u64 },
    /// A [`Keep`] follows. Descriptor: the image.
    Keep { image: u64 },
}

impl Head {
    pub(crate) const BYTES: usize = 9;

    pub(crate) fn bytes(self) -> [u8; Self::BYTES] {
        let (kind, image) = match self {
            Self::Claim { image } => (0, image),
            Self::Keep { image } => (1, image),
        };
        let mut bytes = [kind; Self::BYTES];
        bytes[1..].copy_from_slice(&image.to_le_bytes());
        bytes
    }

    /// Splits a request.
    pub(crate) fn split(message: &[u8]) -> Option<(Self, &[u8])> {
        let (head, rest) = message.split_first_chunk::<{ Self::BYTES }>()?;
        let [kind, image @ ..] = *head;
        let image = u64::from_le_bytes(image);
        match kind {
            0 => Some((Self::Claim { image }, rest)),
            1 => Some((Self::Keep { image }, rest)),
            _ => None,
        }
    }
}

/// How cgroup files are named and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Version {
    V1,
    V2,
}

/// A file of the instance's cgroup, handed to the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Meter {
    Freezer,
    MemoryPeak,
    Cpu,
    CpuShare,
}

/// What an instance used up, read after its last process ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Usage {
    pub(crate) oom_killed: bool,
    pub(crate) memory_peak_bytes: u64,
    pub(crate) cpu_micros: u64,
}

/// What the host hears over an instance's channel, in this order.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// The program runs. Descriptors: the process; if `waited`, the host's ends of the pipes that it has
    /// (standard output, standard error, resume); one listener for each port; one for each meter.
    Started { id: u64, ids: Ids, waited: bool, listeners: usize, version: Version, meters: Vec<Meter> },
    /// It could not be started; nothing follows.
    Failed(Fault),
    /// Too many wait; nothing follows.
    Busy,
    /// The program ended.
    Ended(End),
    /// All its processes are gone; nothing follows.
    Gone(Usage),
}

/// A step that failed, and the system's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fault {
    pub(crate) step: String,
    pub(crate) errno: i32,
}

impl Fault {
    pub(crate) fn new(step: impl Into<String>, errno: i32) -> Self {
        Self { step: step.into(), errno }
    }

    /// The failure of the last raw system call.
    pub(crate) fn last(step: impl Into<String>) -> Self {
        Self::new(step, io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO))
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.step, io::Error::from_raw_os_error(self.errno))
    }
}

/// Names the step of a failed call.
pub(crate) trait At<T> {
    fn at(self, step: impl Into<String>) -> Result<T, Fault>;
}

impl<T> At<T> for rustix::io::Result<T> {
    fn at(self, step: impl Into<String>) -> Result<T, Fault> {
        self.map_err(|errno: Errno| Fault::new(step, errno.raw_os_error()))
    }
}

impl<T> At<T> for io::Result<T> {
    fn at(self, step: impl Into<String>) -> Result<T, Fault> {
        self.map_err(|error| Fault::new(step, error.raw_os_error().unwrap_or(libc::EIO)))
    }
}
