//! The last steps before the guest's program: identity, limits, walls, `execve`.
//!
//! Everything that allocates or can be prepared is prepared before the fork. The order matters: privileges
//! go after what needs them, Landlock before seccomp, seccomp last.

use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use landlock::RulesetCreated;
use libc::sock_filter;
use rustix::fs::{Mode, OFlags, open};
use rustix::process::{
    Resource, Rlimit, Signal, chdir, getrlimit, set_parent_process_death_signal, setrlimit, setsid, umask,
};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use rustix::thread::{
    CapabilitySet, CapabilitySets, Gid, Uid, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_no_new_privs, set_thread_groups,
    set_thread_res_gid, set_thread_res_uid,
};

use super::{kernel, landlock as wall, seccomp};
use crate::message::{At, Claim, Fault};
use crate::spec::{Ids, Start};

/// A program ready to be executed.
pub(crate) struct Program {
    path: CString,
    arguments: Vec<CString>,
    environment: Vec<CString>,
    directory: CString,
    open_files: u64,
}

/// The walls that it is put behind.
pub(crate) struct Walls<'a> {
    pub(crate) ids: Option<Ids>,
    pub(crate) rules: Option<RulesetCreated>,
    pub(crate) filter: &'a [sock_filter],
}

impl Program {
    pub(crate) fn prepare(claim: &Claim) -> Result<Self, Fault> {
        let Start::Exec { program, arguments } = &claim.start;
        let path = string(program.as_os_str().as_bytes())?;
        let mut argv = vec![path.clone()];
        for argument in arguments {
            argv.push(string(argument.as_bytes())?);
        }
        let variable = |(name, value): &(String, String)| string(format!("{name}={value}").as_bytes());
        Ok(Self {
            path,
            arguments: argv,
            environment: claim.environment.iter().map(variable).collect::<Result<_, _>>()?,
            directory: string(claim.directory.as_os_str().as_bytes())?,
            open_files: claim.limits.open_files,
        })
    }

    /// Turns this process into the program. Returns only when that fails.
    ///
    /// `failure` is kept open past the closing of everything else, to report on; it closes on execution.
    pub(crate) fn execute(&self, output: [BorrowedFd<'_>; 2], failure: &OwnedFd, walls: Walls<'_>) -> Fault {
        match self.enter(output, failure, walls) {
            Err(fault) => fault,
            Ok(()) => {
                let arguments = pointers(&self.arguments);
                let environment = pointers(&self.environment);
                // SAFETY: the path is NUL-terminated, and both lists are null-terminated lists of
                // NUL-terminated strings owned by `self`.
                unsafe { libc::execve(self.path.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
                Fault::last(format!("executing {}", self.path.to_string_lossy()))
            }
        }
    }

    fn enter(&self, output: [BorrowedFd<'_>; 2], failure: &OwnedFd, walls: Walls<'_>) -> Result<(), Fault> {
        setsid().at("setsid")?;
        umask(Mode::from_raw_mode(0o022));
        connect(output)?;
        limit(Resource::Nofile, self.open_files)?;
        limit(Resource::Core, 0)?;
        limit(Resource::Memlock, 64 << 10)?;
        give_up_privileges(walls.ids)?;
        set_parent_process_death_signal(Some(Signal::KILL)).at("asking for the parent's death")?;
        chdir(&self.directory).at(format!("entering {}", self.directory.to_string_lossy()))?;
        if let Some(rules) = walls.rules {
            wall::enter(rules)?;
        }
        kernel::close_all_but(&[failure.as_raw_fd()])?;
        if !walls.filter.is_empty() {
            seccomp::install(walls.filter)?;
        }
        Ok(())
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

/// Becomes `ids` (where this process may choose) and empties every other set of capabilities, for good.
pub(crate) fn give_up_privileges(ids: Option<Ids>) -> Result<(), Fault> {
    if let Some(ids) = ids {
        let (uid, gid) = (Uid::from_raw(ids.uid), Gid::from_raw(ids.gid));
        set_thread_groups(&[]).at("setgroups")?;
        set_thread_res_gid(gid, gid, gid).at("setresgid")?;
        set_thread_res_uid(uid, uid, uid).at("setresuid")?;
    }
    clear_ambient_capability_set().at("dropping ambient capabilities")?;
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
        .at("dropping capabilities")?;
    set_no_new_privs(true).at("no_new_privs")
}

fn string(bytes: &[u8]) -> Result<CString, Fault> {
    CString::new(bytes).map_err(|_| Fault::new("reading the specification", libc::EINVAL))
}

fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    strings.iter().map(|text| text.as_ptr()).chain([std::ptr::null()]).collect()
}
