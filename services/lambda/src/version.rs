//! PublishVersion ListVersionsByFunction, and the removal of one version.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html>

use pagoda_base::ids;
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_store::{Commit, Outcome, StoreError};

use crate::configuration::describe_one;
use crate::function::conflict;
use crate::generated as g;
use crate::name::{self, FunctionId, LATEST, Named, VersionId};
use crate::table::{self, ALIASES, FUNCTIONS, USES, Use, VERSIONS, Version};
use crate::update::check_revision;
use crate::{Lambda, configuration, page};

/// How often a publication begins anew because the function was changed meanwhile.
const ATTEMPTS_MAX: usize = 10;

/// What a publication asks for beside the function.
#[derive(Default)]
pub(crate) struct Wanted {
    /// Hash that `$LATEST` must have, in base64.
    pub(crate) code_sha256: Option<String>,
    /// Instead of the function's own.
    pub(crate) description: Option<String>,
    /// Revision that `$LATEST` must have.
    pub(crate) revision: Option<String>,
}

pub(crate) async fn publish(
    lambda: &Lambda,
    cx: &Context,
    input: g::PublishVersionRequest,
) -> Result<g::FunctionConfiguration, ApiError> {
    let named = name::parse(cx, &input.function_name)?;
    let g::PublishVersionRequest { code_sha256, description, revision_id, .. } = input;
    let wanted = Wanted { code_sha256, description, revision: revision_id };
    publish_latest(lambda, cx, &named.function, &wanted).await
}

/// Makes what `$LATEST` is a version of its own, unless the newest version is just that.
pub(crate) async fn publish_latest(
    lambda: &Lambda,
    cx: &Context,
    id: &FunctionId,
    wanted: &Wanted,
) -> Result<g::FunctionConfiguration, ApiError> {
    for _ in 0..ATTEMPTS_MAX {
        let found = FUNCTIONS.get(lambda.store(), &table::function(id)).await?;
        let stored = found.ok_or_else(|| name::missing(&id.arn()))?;
        check(&stored.record.latest, wanted)?;
        let mut function = stored.record.clone();
        let newest = table::version(id, function.published);
        if let Some(newest) = VERSIONS.get(lambda.store(), &newest).await?
            && newest.record.generation == function.latest.generation
        {
            return describe(lambda, id, function.published, &newest.record);
        }
        function.published += 1;
        let version = freeze(lambda, cx, &function.latest, wanted);
        let commit = FUNCTIONS.replace(Commit::new(), &stored.key, stored.stamp, &function)?;
        let commit = VERSIONS.create(commit, &table::version(id, function.published), &version)?;
        let commit = uses(commit, &version, &id.qualified_arn(&function.published.to_string()))?;
        match lambda.store().commit(commit).await? {
            Outcome::CheckFailed { .. } => {}
            outcome => {
                outcome.done()?;
                snapshot(lambda, cx, id, function.published).await?;
                return describe(lambda, id, function.published, &version);
            }
        }
    }
    Err(conflict(id))
}

/// Begins the snapshot of a version that is to have one.
pub(crate) async fn snapshot(
    lambda: &Lambda,
    cx: &Context,
    id: &FunctionId,
    number: u64,
) -> Result<(), ApiError> {
    let named = Named { function: id.clone(), qualifier: Some(number.to_string()) };
    let loaded = lambda.load(&named).await?;
    if loaded.has_snapshot() {
        lambda.begin_snapshot(cx, loaded);
    }
    Ok(())
}

fn check(latest: &Version, wanted: &Wanted) -> Result<(), ApiError> {
    check_revision(&latest.revision, wanted.revision.as_deref())?;
    let present = configuration::in_base64(&latest.code.sha256);
    match &wanted.code_sha256 {
        Some(wanted) if !wanted.is_empty() && *wanted != present => {
            let message = format!(
                "CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST ({present}). Please try \
                 again with the CodeSHA256 in $LATEST."
            );
            Err(g::InvalidParameterValueException::new(message).into())
        }
        _ => Ok(()),
    }
}

fn freeze(lambda: &Lambda, cx: &Context, latest: &Version, wanted: &Wanted) -> Version {
    let mut version = latest.clone();
    version.modified = cx.now;
    version.revision = ids::uuid(&*lambda.ports.random);
    if let Some(description) = wanted.description.as_ref().filter(|text| !text.is_empty()) {
        version.settings.description.clone_from(description);
    }
    version
}

/// Adds that `user` uses what `version` consists of.
pub(crate) fn uses(commit: Commit, version: &Version, user: &str) -> Result<Commit, StoreError> {
    version
        .packages()
        .try_fold(commit, |commit, code| USES.put(commit, &table::usage(&code.sha256, user), &Use {}))
}

/// Takes back what [`uses`] added.
pub(crate) fn unused(commit: Commit, version: &Version, user: &str) -> Commit {
    version.packages().fold(commit, |commit, code| commit.delete(table::usage(&code.sha256, user)))
}

pub(crate) async fn list(
    lambda: &Lambda,
    cx: &Context,
    input: g::ListVersionsByFunctionRequest,
) -> Result<g::ListVersionsByFunctionResponse, ApiError> {
    let named = name::parse(cx, &input.function_name)?;
    let latest = lambda.load(&named).await?;
    let id = &latest.id;
    let mut limit = page::limit(input.max_items);
    let after = input.marker.as_deref().map(page::read).transpose()?;
    let after = after.map(|text| text.parse::<u64>().map_err(|_| page::invalid())).transpose()?;
    let mut versions = Vec::new();
    if after.is_none() {
        versions.push(describe_one(lambda, id, LATEST, &latest.version, id.qualified_arn(LATEST))?);
        limit -= 1;
    }
    let after = after.map(|number| table::version(id, number));
    let prefix = table::versions(id);
    // A page of one has room for $LATEST only.
    let found = VERSIONS.scan(lambda.store(), &prefix, after.as_ref(), limit.max(1)).await?;
    let shown = found.items.len().min(limit as usize);
    let mut last = 0;
    for stored in found.items.iter().take(shown) {
        last = page::number_in(&stored.key)?;
        versions.push(describe(lambda, id, last, &stored.record)?);
    }
    let more = found.next.is_some() || shown < found.items.len();
    let next_marker = more.then(|| page::marker(last.to_string()));
    Ok(g::ListVersionsByFunctionResponse { next_marker, versions: Some(versions) })
}

/// Removes a version; one that isn't there is gone already, as with AWS.
pub(crate) async fn delete(lambda: &Lambda, named: &Named, number: u64) -> Result<(), ApiError> {
    let id = &named.function;
    let function = FUNCTIONS.get(lambda.store(), &table::function(id)).await?;
    let function = function.ok_or_else(|| name::missing(&named.arn()))?;
    let Some(version) = VERSIONS.get(lambda.store(), &table::version(id, number)).await? else {
        return Ok(());
    };
    let aliases = aliases_of(lambda, id, &number.to_string()).await?;
    if !aliases.is_empty() {
        let message = format!(
            "You cannot delete this version because it is used by the following aliases: {}",
            aliases.join(", ")
        );
        return Err(g::ResourceConflictException::new(message).into());
    }
    let user = id.qualified_arn(&number.to_string());
    // Aliases are made with the function's record, so that none can appear meanwhile.
    let mut record = function.record.clone();
    record.policies.remove(&number.to_string());
    let commit = VERSIONS.remove(unused(Commit::new(), &version.record, &user), &version);
    let commit = FUNCTIONS.replace(commit, &function.key, function.stamp, &record)?;
    match lambda.store().commit(commit).await? {
        Outcome::CheckFailed { .. } => return Err(conflict(id)),
        outcome => outcome.done()?,
    };
    let gone = VersionId { function: id.clone(), number: number.to_string() };
    lambda.scheduler.forget_version(&gone);
    lambda.snapshots.forget(|version| *version == gone);
    lambda.sweep.now();
    Ok(())
}

/// All versions whose instances come from a snapshot.
pub(crate) async fn with_snapshot(lambda: &Lambda) -> Result<Vec<VersionId>, ApiError> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let found = VERSIONS.scan(lambda.store(), &VERSIONS.key().done(), after.as_ref(), 1_000).await?;
        for stored in found.items.iter().filter(|stored| stored.record.settings.snap_start) {
            let number = page::number_in(&stored.key)?.to_string();
            all.push(VersionId { function: page::function_in(&stored.key)?, number });
        }
        after = found.next;
        if after.is_none() {
            return Ok(all);
        }
    }
}

async fn aliases_of(lambda: &Lambda, id: &FunctionId, number: &str) -> Result<Vec<String>, ApiError> {
    let mut names = Vec::new();
    for stored in ALIASES.all_stored(lambda.store(), &table::aliases(id)).await? {
        if stored.record.versions().any(|version| version == number) {
            names.push(page::name_in(&stored.key)?);
        }
    }
    Ok(names)
}

fn describe(
    lambda: &Lambda,
    id: &FunctionId,
    number: u64,
    version: &Version,
) -> Result<g::FunctionConfiguration, ApiError> {
    let number = number.to_string();
    describe_one(lambda, id, &number, version, id.qualified_arn(&number))
}
