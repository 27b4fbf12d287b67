//! What a caller asks of one instance: program, files, identity, ports and limits.
//!
//! A specification is complete: nothing of the host's environment, descriptors or working directory is
//! inherited. Guest paths are absolute, and a bind's guest path must be one of the spawner's mount points.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Error, Image};

/// Most binds of one instance.
pub const BINDS_MAX: usize = 16;
/// Most ports that one instance can have opened for it.
pub const PORTS_MAX: usize = 16;
/// Most programs beside an instance's own.
pub const BESIDE_MAX: usize = 10;
/// Most bytes of program, arguments and environment together.
pub const STRINGS_BYTES_MAX: usize = 96 * 1024;

/// Most bytes of [`Spec::resume`].
pub const RESUME_BYTES_MAX: usize = 256 * 1024;

/// How the process of an instance comes to life.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Start {
    /// Execute a program of the guest's file system: its absolute guest path, then its arguments
    /// (without the program's own name, which is the path).
    Exec {
        /// Absolute path inside the guest.
        program: PathBuf,
        /// What follows the program's name in `argv`.
        arguments: Vec<String>,
    },
    /// Be a clone of the image that has waited for its function ([`crate::Spawner::keep_ready`]), whose ids
    /// and directory then are the instance's; or else become the process that the image holds ([`crate::Instance::snapshot`]), where it waited for its resume
    /// pipe. Environment and arguments are those that it had: `Spec::environment` must be empty, and what is
    /// new comes through [`Spec::resume`], which must be given.
    Restore {
        /// The image.
        image: Arc<Image>,
    },
}

/// Where a bound directory comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A directory of the host, opened (following symlinks) when the instance is spawned.
    Path(PathBuf),
    /// An open directory (`O_PATH` suffices), so that the name can change under it without effect.
    Directory(Arc<OwnedFd>),
}

/// A directory of the host that the guest sees read-only.
#[derive(Debug, Clone)]
pub struct Bind {
    /// The host's directory.
    pub source: Source,
    /// Where the guest finds it: one of [`crate::Config::mount_points`].
    pub guest: PathBuf,
}

/// Programs that are executed before the instance's own, and live beside it with its user, its walls and its
/// pipes. If one of them ends with a failure, everything ends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beside {
    /// Absolute guest paths; at most [`BESIDE_MAX`].
    pub programs: Vec<PathBuf>,
    /// The whole environment of each.
    pub environment: Vec<(String, String)>,
}

/// The user and group that the guest runs as; give each function its own.
///
/// Ignored without root, where every instance has the caller's own ids
/// (and [`crate::Spawner::missing`] says so).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ids {
    /// User id, not 0.
    pub uid: u32,
    /// Group id, not 0.
    pub gid: u32,
}

/// How many clones of an image wait for their functions.
#[derive(Debug, Clone)]
pub struct Ready {
    /// So many; 0 ends those that wait.
    pub count: usize,
    /// Each has a user and a group of its own with an id out of these, for as long as it lives. No other
    /// instance may be given one of them.
    pub ids: std::ops::Range<u32>,
    /// What is bound for each before it is restored, as far as its open files need it; it stays whatever is
    /// bound later.
    pub binds: Vec<Bind>,
}

/// What one instance may use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Memory of all its processes, page cache and temporary files together; at least 16 MiB.
    pub memory_bytes: u64,
    /// Processor time in thousandths of one core (1000 is one whole core); at least 10.
    pub cpu_millis: u32,
    /// Processes and threads; at least 1.
    pub pids: u32,
    /// Size of `/tmp`.
    pub tmp_bytes: u64,
    /// Open files of each process (`RLIMIT_NOFILE`); the host's own hard limit caps it.
    pub open_files: u64,
}

impl Default for Limits {
    /// 128 MiB, the share of a core that AWS gives to 128 MiB (128/1769), 1024 processes and files,
    /// 512 MiB of `/tmp`.
    fn default() -> Self {
        Self { memory_bytes: 128 << 20, cpu_millis: 72, pids: 1024, tmp_bytes: 512 << 20, open_files: 1024 }
    }
}

/// One instance to be spawned.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The program.
    pub start: Start,
    /// The whole environment.
    pub environment: Vec<(String, String)>,
    /// Programs beside it. With any, no clone that waits is taken for [`Start::Restore`].
    pub beside: Beside,
    /// What the guest can read from its descriptor 3, a pipe that stays open for as long as
    /// [`crate::Instance::resume`] is kept. Without it there is no such descriptor.
    pub resume: Option<Vec<u8>>,
    /// Working directory, a guest path.
    pub directory: PathBuf,
    /// A directory of the host that is the guest's whole file system, read-only, in place of the tree that
    /// instances share: for [`Start::Exec`] without binds. It must have directories `dev`, `proc` and `tmp`.
    pub root: Option<Source>,
    /// Read-only directories of the host.
    pub binds: Vec<Bind>,
    /// Identity.
    pub ids: Ids,
    /// Ports on 127.0.0.1 *inside* the instance, whose listening sockets the caller gets.
    pub listen: Vec<u16>,
    /// Limits.
    pub limits: Limits,
}

impl Spec {
    /// A specification that restores `image` and gives it `resume`, with the defaults of [`Spec::exec`].
    pub fn restore(image: Arc<Image>, resume: Vec<u8>, ids: Ids) -> Self {
        let start = Start::Restore { image };
        Self { start, resume: Some(resume), ..Self::exec("/", &[], ids) }
    }

    /// A specification for `program` with `arguments` and defaults for the rest:
    /// no environment, directory `/`, no binds, no ports, default limits.
    pub fn exec(program: impl Into<PathBuf>, arguments: &[&str], ids: Ids) -> Self {
        Self {
            start: Start::Exec {
                program: program.into(),
                arguments: arguments.iter().map(|text| (*text).to_owned()).collect(),
            },
            environment: Vec::new(),
            beside: Beside::default(),
            resume: None,
            directory: PathBuf::from("/"),
            root: None,
            binds: Vec::new(),
            ids,
            listen: Vec::new(),
            limits: Limits::default(),
        }
    }

    /// Refuses what could not be carried out or would weaken the confinement.
    pub(crate) fn check(&self, mount_points: &[PathBuf]) -> Result<(), Error> {
        self.check_strings()?;
        if self.ids.uid == 0 || self.ids.gid == 0 {
            return refuse("ids: uid and gid must not be 0".to_owned());
        }
        if self.root.is_some() && !(self.binds.is_empty() && matches!(self.start, Start::Exec { .. })) {
            return refuse("root: only for programs that are executed, without binds".to_owned());
        }
        check_binds(&self.binds, mount_points)?;
        if self.listen.len() > PORTS_MAX || self.listen.contains(&0) {
            return refuse(format!("listen: at most {PORTS_MAX} ports, none of them 0"));
        }
        if !self.directory.is_absolute() {
            return refuse(format!("directory: {} is not absolute", self.directory.display()));
        }
        self.limits.check()
    }

    fn check_strings(&self) -> Result<(), Error> {
        if self.resume.as_ref().is_some_and(|bytes| bytes.len() > RESUME_BYTES_MAX) {
            return refuse(format!("resume: at most {RESUME_BYTES_MAX} bytes"));
        }
        self.beside.check()?;
        let (program, arguments) = match &self.start {
            Start::Exec { program, arguments } => (program, arguments),
            Start::Restore { .. } if self.resume.is_none() => {
                return refuse("resume: a restored process waits for it".to_owned());
            }
            Start::Restore { .. } if !self.environment.is_empty() => {
                return refuse("environment: a restored process has its own".to_owned());
            }
            Start::Restore { .. } => return Ok(()),
        };
        check_environment(&self.environment)?;
        if !program.is_absolute() {
            return refuse(format!("program: {} is not absolute", program.display()));
        }
        let environment = self.environment.iter().chain(&self.beside.environment);
        let environment = environment.flat_map(|(name, value)| [name, value]);
        let mut bytes = program.as_os_str().len();
        for text in arguments.iter().chain(environment) {
            if text.contains('\0') {
                return refuse("arguments and environment must not contain NUL".to_owned());
            }
            bytes += text.len() + 1;
        }
        if bytes > STRINGS_BYTES_MAX {
            return refuse(format!("arguments and environment: {bytes} bytes, at most {STRINGS_BYTES_MAX}"));
        }
        Ok(())
    }
}

impl Beside {
    fn check(&self) -> Result<(), Error> {
        if self.programs.len() > BESIDE_MAX {
            return refuse(format!("beside: {} programs, at most {BESIDE_MAX}", self.programs.len()));
        }
        match self.programs.iter().find(|program| !program.is_absolute()) {
            Some(program) => refuse(format!("beside: {} is not absolute", program.display())),
            None => check_environment(&self.environment),
        }
    }
}

pub(crate) fn check_binds(binds: &[Bind], mount_points: &[PathBuf]) -> Result<(), Error> {
    if binds.len() > BINDS_MAX {
        return refuse(format!("binds: {} given, at most {BINDS_MAX}", binds.len()));
    }
    for (index, bind) in binds.iter().enumerate() {
        if !mount_points.contains(&bind.guest) {
            return refuse(format!("binds: {} is no mount point of this spawner", bind.guest.display()));
        }
        if binds.iter().take(index).any(|other| other.guest == bind.guest) {
            return refuse(format!("binds: {} is given twice", bind.guest.display()));
        }
    }
    Ok(())
}

fn check_environment(environment: &[(String, String)]) -> Result<(), Error> {
    match environment.iter().find(|(name, _)| name.is_empty() || name.contains('=')) {
        Some((name, _)) => refuse(format!("environment: {name:?} is no variable name")),
        None => Ok(()),
    }
}

impl Limits {
    fn check(&self) -> Result<(), Error> {
        if self.memory_bytes < 16 << 20 {
            return refuse(format!("memory_bytes: {} is under 16 MiB", self.memory_bytes));
        }
        if self.cpu_millis < 10 {
            return refuse(format!("cpu_millis: {} is under 10", self.cpu_millis));
        }
        if self.pids == 0 || self.tmp_bytes == 0 || self.open_files < 16 {
            return refuse("pids and tmp_bytes must not be 0, open_files not under 16".to_owned());
        }
        Ok(())
    }
}

fn refuse(reason: String) -> Result<(), Error> {
    Err(Error::Spec(reason))
}
