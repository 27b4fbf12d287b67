//! A second wall around the file system: reading and executing everywhere in the guest's tree, writing only
//! where an instance may keep something, whatever the mounts say; no signals or abstract sockets outwards.

use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};

use crate::message::Fault;

/// Newest interface whose rights are asked for; an older kernel enforces those that it knows.
const NEWEST: ABI = ABI::V6;

/// The rules for this mount namespace, to be entered with [`enter`]. Made anew for each instance because
/// a rule names a mounted directory, and `/tmp` and `/dev/shm` are the instance's own.
pub(crate) fn rules() -> Result<RulesetCreated, Fault> {
    build().map_err(|_| Fault::new("making Landlock rules", libc::EINVAL))
}

/// Whether this kernel enforces Landlock at all.
pub(crate) fn available() -> bool {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))
        .and_then(Ruleset::create)
        .is_ok()
}

/// Puts this process and all that come from it under the rules. Returns whether they are enforced.
pub(crate) fn enter(rules: RulesetCreated) -> Result<bool, Fault> {
    let status = rules.restrict_self().map_err(|_| Fault::new("entering Landlock", libc::EPERM))?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}

fn build() -> Result<RulesetCreated, RulesetError> {
    let all = AccessFs::from_all(NEWEST);
    let read = AccessFs::from_read(NEWEST);
    let device = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::IoctlDev;
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all)?
        .scope(Scope::AbstractUnixSocket | Scope::Signal)?
        .create()?
        .no_new_privs(false);
    let grants = [("/", read), ("/tmp", all), ("/dev/shm", all & !AccessFs::Execute)];
    let devices = ["/dev/null", "/dev/zero", "/dev/full"].map(|path| (path, device));
    for (path, access) in grants.into_iter().chain(devices) {
        if let Ok(open) = PathFd::new(Path::new(path)) {
            rules = rules.add_rule(PathBeneath::new(open, access))?;
        }
    }
    Ok(rules)
}
