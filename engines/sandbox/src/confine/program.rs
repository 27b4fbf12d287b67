//! The last steps before the guest's program: identity, limits, walls, `execve`.
//!
//! Everything that allocates or can be prepared is prepared before the fork. The order matters: privileges
//! go after what needs them, Landlock before seccomp, seccomp last.

use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use landlock::RulesetCreated;
use libc::sock_filter;
use rustix::fs::{Mode, OFlags, open};
use rustix::process::{
    Pid, Resource, Rlimit, Signal, chdir, getrlimit, set_parent_process_death_signal, setrlimit, setsid,
    umask,
};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use rustix::thread::{
    CapabilitySet, CapabilitySets, Gid, Uid, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_keep_capabilities, set_no_new_privs,
    set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

use super::{kernel, landlock as wall, seccomp};
use crate::message::{At, Beginning, Claim, Fault};
use crate::snapshot::enter::{Pieces, RESUME, Restoration};
use crate::snapshot::restorer;
use crate::spec::Ids;

/// A program ready to be executed or restored.
pub(crate) struct Program {
    beginning: Ready,
    directory: CString,
    open_files: u64,
}

enum Ready {
    Exec { path: CString, arguments: Vec<CString>, environment: Vec<CString> },
    Restore(Box<Restoration>),
}

impl Ready {
    fn exec(program: &Path, arguments: &[String], environment: &[(String, String)]) -> Result<Self, Fault> {
        let path = string(program.as_os_str().as_bytes())?;
        let mut argv = vec![path.clone()];
        for argument in arguments {
            argv.push(string(argument.as_bytes())?);
        }
        let variable = |(name, value): &(String, String)| string(format!("{name}={value}").as_bytes());
        let environment = environment.iter().map(variable).collect::<Result<_, _>>()?;
        Ok(Self::Exec { path, arguments: argv, environment })
    }
}

/// The pipes that it is given.
pub(crate) struct Pipes<'a> {
    pub(crate) output: [BorrowedFd<'a>; 2],
    pub(crate) resume: Option<BorrowedFd<'a>>,
}

/// Numbers that restored processes get are drawn from here, above those of any thread.
const NUMBERS: std::ops::Range<u32> = 4096..32_768;

/// The walls that it is put behind.
pub(crate) struct Walls<'a> {
    pub(crate) ids: Option<Ids>,
    pub(crate) rules: Option<RulesetCreated>,
    pub(crate) filter: &'a [sock_filter],
}

impl Walls<'_> {
    /// The same walls, for another program.
    pub(crate) fn again(&self) -> Result<Self, Fault> {
        let rules = self.rules.as_ref().map(RulesetCreated::try_clone).transpose();
        Ok(Self { ids: self.ids, rules: rules.at("copying Landlock rules")?, filter: self.filter })
    }
}

impl Program {
    pub(crate) fn prepare(claim: &Claim, image: Option<OwnedFd>, pieces: &Pieces) -> Result<Self, Fault> {
        let directory = string(claim.directory.as_os_str().as_bytes())?;
        let open_files = claim.limits.open_files;
        let (program, arguments) = match (&claim.start, image) {
            (Beginning::Exec { program, arguments }, _) => (program, arguments),
            (Beginning::Restore, Some(image)) => return Self::restored(image, pieces, directory, open_files),
            (Beginning::Restore, None) => return Err(Fault::new("restoring without an image", libc::EINVAL)),
        };
        let beginning = Ready::exec(program, arguments, &claim.environment)?;
        Ok(Self { beginning, directory, open_files })
    }

    /// A program that lives beside the claim's own.
    pub(crate) fn beside(claim: &Claim, program: &Path) -> Result<Self, Fault> {
        let beginning = Ready::exec(program, &[], &claim.beside.environment)?;
        let directory = string(claim.directory.as_os_str().as_bytes())?;
        Ok(Self { beginning, directory, open_files: claim.limits.open_files })
    }

    /// The process that `image` holds, to go on in `directory`.
    pub(crate) fn restored(
        image: OwnedFd,
        pieces: &Pieces,
        directory: CString,
        open_files: u64,
    ) -> Result<Self, Fault> {
        let beginning = Ready::Restore(Box::new(Restoration::prepare(image, pieces)?));
        Ok(Self { beginning, directory, open_files })
    }

    /// Forks the process that will be the program; `None` in it.
    ///
    /// A restored one has another number than when its snapshot was taken, by which OpenSSL knows that it must
    /// not go on with the random state that it had.
    pub(crate) fn fork(&self) -> Result<Option<(Pid, OwnedFd)>, Fault> {
        let Ready::Restore(restoration) = &self.beginning else { return kernel::fork_with(None) };
        let mut random = [0; 4];
        rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty()).at("getrandom")?;
        let number = NUMBERS.start + u32::from_le_bytes(random) % (NUMBERS.end - NUMBERS.start - 1);
        let number = number.cast_signed();
        kernel::fork_with(Some(if number < restoration.number() { number } else { number + 1 }))
    }

    /// What a process that could not become the program said.
    pub(crate) fn fault(&self, message: &[u8]) -> Fault {
        let record = restorer::fault(message);
        let told = || serde_json::from_slice(message).ok();
        record.or_else(told).unwrap_or_else(|| Fault::new("starting the program", libc::EBADMSG))
    }

    /// Turns this process into the program. Returns only when that fails.
    ///
    /// `failure` is kept open past the closing of everything else, to report on; it closes on execution.
    pub(crate) fn execute(&self, pipes: &Pipes<'_>, failure: &OwnedFd, walls: Walls<'_>) -> Fault {
        let resume = match self.enter(pipes, failure, walls) {
            Ok(resume) => resume,
            Err(fault) => return fault,
        };
        match &self.beginning {
            Ready::Exec { path, arguments, environment } => {
                let (arguments, environment) = (pointers(arguments), pointers(environment));
                // SAFETY: the path is NUL-terminated, and both lists are null-terminated lists of
                // NUL-terminated strings owned by `self`.
                unsafe { libc::execve(path.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
                Fault::last(format!("executing {}", path.to_string_lossy()))
            }
            Ready::Restore(restoration) => restoration.enter(failure.as_raw_fd(), resume.unwrap_or(RESUME)),
        }
    }

    /// Answers where the resume pipe is.
    fn enter(&self, pipes: &Pipes<'_>, failure: &OwnedFd, walls: Walls<'_>) -> Result<Option<RawFd>, Fault> {
        setsid().at("setsid")?;
        umask(Mode::from_raw_mode(0o022));
        connect(pipes.output)?;
        limit(Resource::Nofile, self.open_files)?;
        limit(Resource::Core, 0)?;
        limit(Resource::Memlock, 64 << 10)?;
        let (keep, image) = match &self.beginning {
            // Naming the program that a process came from takes this one; the restorer drops it then.
            Ready::Restore(restoration) => (CapabilitySet::CHECKPOINT_RESTORE, Some(restoration.image())),
            Ready::Exec { .. } => (CapabilitySet::empty(), None),
        };
        give_up_privileges(walls.ids, keep)?;
        set_parent_process_death_signal(Some(Signal::KILL)).at("asking for the parent's death")?;
        chdir(&self.directory).at(format!("entering {}", self.directory.to_string_lossy()))?;
        if let Some(rules) = walls.rules {
            wall::enter(rules)?;
        }
        let resume = match (&self.beginning, pipes.resume) {
            (Ready::Exec { .. }, Some(pipe)) => Some(kernel::hand_down(pipe, RESUME).at("the resume pipe")?),
            (_, pipe) => pipe.map(|pipe| pipe.as_raw_fd()),
        };
        kernel::close_all_but(
            &[Some(failure.as_raw_fd()), image, resume].into_iter().flatten().collect::<Vec<_>>(),
        )?;
        if !walls.filter.is_empty() {
            seccomp::install(walls.filter)?;
        }
        Ok(resume)
    }
}

/// Standard input is empty, outputs go to the host.
fn connect([stdout, stderr]: [BorrowedFd<'_>; 2]) -> Result<(), Fault> {
    let null = open(c"/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).at("opening /dev/null")?;
    dup2_stdin(null.as_fd()).at("stdin")?;
    dup2_stdout(stdout).at("stdout")?;
    dup2_stderr(stderr).at("stderr")
}

/// Never above the host's own hard limit, which it takes a capability to raise.
fn limit(resource: Resource, value: u64) -> Result<(), Fault> {
    let value = getrlimit(resource).maximum.map_or(value, |maximum| maximum.min(value));
    setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) }).at("setrlimit")
}

/// Drops what programs executed from here on could be given by their files. Done ahead of the claim: it
/// takes one call for each capability, and this process keeps those that it has.
pub(crate) fn drop_bounding_set() {
    for number in 0..u64::BITS {
        // Fails for numbers past the last capability. If it failed for others, no_new_privs would still
        // keep programs from regaining them.
        if remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(1 << number)).is_err() {
            break;
        }
    }
}

/// Becomes `ids` (where this process may choose) and gives up all capabilities but `keep`, for good.
pub(crate) fn give_up_privileges(ids: Option<Ids>, keep: CapabilitySet) -> Result<(), Fault> {
    if let Some(ids) = ids {
        let (uid, gid) = (Uid::from_raw(ids.uid), Gid::from_raw(ids.gid));
        if !keep.is_empty() {
            set_keep_capabilities(true).at("keeping a capability")?;
        }
        set_thread_groups(&[]).at("setgroups")?;
        set_thread_res_gid(gid, gid, gid).at("setresgid")?;
        set_thread_res_uid(uid, uid, uid).at("setresuid")?;
    }
    clear_ambient_capability_set().at("dropping ambient capabilities")?;
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: keep, permitted: keep, inheritable: none })
        .at("dropping capabilities")?;
    set_no_new_privs(true).at("no_new_privs")
}

fn string(bytes: &[u8]) -> Result<CString, Fault> {
    CString::new(bytes).map_err(|_| Fault::new("reading the specification", libc::EINVAL))
}

fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    strings.iter().map(|text| text.as_ptr()).chain([std::ptr::null()]).collect()
}
