//! CreateAlias UpdateAlias GetAlias ListAliases DeleteAlias
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/configuration-aliases.html>

use pagoda_base::{Random, ids};
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::{Commit, Outcome, Stored};

use crate::function::conflict;
use crate::generated as g;
use crate::name::{self, FunctionId, LATEST, Named, Qualifier};
use crate::table::{self, ALIASES, Alias, FUNCTIONS, Function, VERSIONS};
use crate::update::check_revision;
use crate::{Lambda, page};

impl Alias {
    /// The versions that it leads to.
    pub(crate) fn versions(&self) -> impl Iterator<Item = &str> {
        let other = self.other.as_ref().map(|(version, _)| version.as_str());
        std::iter::once(self.version.as_str()).chain(other)
    }

    /// The version for one invocation.
    pub(crate) fn draw(&self, random: &dyn Random) -> &str {
        let Some((other, share)) = &self.other else { return &self.version };
        let mut bytes = [0; 4];
        random.fill(&mut bytes);
        let drawn = f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0);
        if drawn < *share { other } else { &self.version }
    }
}

/// The alias, if there is one.
pub(crate) async fn find(
    lambda: &Lambda,
    id: &FunctionId,
    name: &str,
) -> Result<Option<Stored<Alias>>, ApiError> {
    Ok(ALIASES.get(lambda.store(), &table::alias(id, name)).await?)
}

pub(crate) async fn create(
    lambda: &Lambda,
    cx: &Context,
    input: g::CreateAliasRequest,
) -> Result<g::AliasConfiguration, ApiError> {
    let named = name::parse(cx, &input.function_name)?;
    check_name(&input.name)?;
    let function = function(lambda, &named).await?;
    let alias = Alias {
        version: input.function_version,
        description: input.description.unwrap_or_default(),
        other: routing(input.routing_config)?,
        revision: ids::uuid(&*lambda.ports.random),
    };
    check_versions(lambda, &named.function, &alias).await?;
    let key = table::alias(&named.function, &input.name);
    if ALIASES.get(lambda.store(), &key).await?.is_some() {
        return Err(exists(&named, &input.name));
    }
    let commit = ALIASES.create(Commit::new(), &key, &alias)?;
    save(lambda, &named.function, &function, commit).await?;
    Ok(describe(&named.function, &input.name, alias))
}

pub(crate) async fn update(
    lambda: &Lambda,
    cx: &Context,
    input: g::UpdateAliasRequest,
) -> Result<g::AliasConfiguration, ApiError> {
    let named = name::parse(cx, &input.function_name)?;
    let function = function(lambda, &named).await?;
    let stored = present(lambda, &named, &input.name).await?;
    let mut alias = stored.record.clone();
    check_revision(&alias.revision, input.revision_id.as_deref())?;
    alias.version = input.function_version.unwrap_or(alias.version);
    alias.description = input.description.unwrap_or(alias.description);
    if input.routing_config.is_some() {
        alias.other = routing(input.routing_config)?;
    }
    alias.revision = ids::uuid(&*lambda.ports.random);
    check_versions(lambda, &named.function, &alias).await?;
    let commit = ALIASES.replace(Commit::new(), &stored.key, stored.stamp, &alias)?;
    save(lambda, &named.function, &function, commit).await?;
    Ok(describe(&named.function, &input.name, alias))
}

pub(crate) async fn get(
    lambda: &Lambda,
    cx: &Context,
    input: g::GetAliasRequest,
) -> Result<g::AliasConfiguration, ApiError> {
    let named = name::parse(cx, &input.function_name)?;
    let stored = present(lambda, &named, &input.name).await?;
    Ok(describe(&named.function, &input.name, stored.record))
}

pub(crate) async fn list(
    lambda: &Lambda,
    cx: &Context,
    input: g::ListAliasesRequest,
) -> Result<g::ListAliasesResponse, ApiError> {
    let named = name::parse(cx, &input.function_name)?;
    function(lambda, &named).await?;
    let id = &named.function;
    let after = input.marker.as_deref().map(page::read).transpose()?;
    let after = after.map(|name| table::alias(id, &name));
    let limit = page::limit(input.max_items);
    let found = ALIASES.scan(lambda.store(), &table::aliases(id), after.as_ref(), limit).await?;
    let (mut aliases, mut last) = (Vec::new(), String::new());
    for stored in found.items {
        last = page::name_in(&stored.key)?;
        let wanted = input.function_version.as_ref();
        if wanted.is_none_or(|wanted| stored.record.versions().any(|version| version == wanted)) {
            aliases.push(describe(id, &last, stored.record));
        }
    }
    let next_marker = found.next.map(|_| page::marker(last));
    Ok(g::ListAliasesResponse { next_marker, aliases: Some(aliases) })
}

/// Removes an alias, its policy with it; one that isn't there is gone already, as with AWS.
pub(crate) async fn delete(
    lambda: &Lambda,
    cx: &Context,
    input: g::DeleteAliasRequest,
) -> Result<Unit, ApiError> {
    let named = name::parse(cx, &input.function_name)?;
    let mut function = function(lambda, &named).await?;
    if let Some(stored) = find(lambda, &named.function, &input.name).await? {
        function.record.policies.remove(&input.name);
        let commit = ALIASES.remove(Commit::new(), &stored);
        save(lambda, &named.function, &function, commit).await?;
    }
    Ok(Unit)
}

async fn function(lambda: &Lambda, named: &Named) -> Result<Stored<Function>, ApiError> {
    let found = FUNCTIONS.get(lambda.store(), &table::function(&named.function)).await?;
    found.ok_or_else(|| name::missing(&named.arn()))
}

/// Commits with the function's record, so that neither it nor a version can go meanwhile.
async fn save(
    lambda: &Lambda,
    id: &FunctionId,
    function: &Stored<Function>,
    commit: Commit,
) -> Result<(), ApiError> {
    let commit = FUNCTIONS.replace(commit, &function.key, function.stamp, &function.record)?;
    match lambda.store().commit(commit).await? {
        Outcome::CheckFailed { .. } => Err(conflict(id)),
        outcome => {
            outcome.done()?;
            // An alias with provisioned instances has them elsewhere now.
            lambda.provision.now();
            Ok(())
        }
    }
}

async fn present(lambda: &Lambda, named: &Named, name: &str) -> Result<Stored<Alias>, ApiError> {
    let missing = || {
        let arn = named.function.qualified_arn(name);
        ApiError::from(g::ResourceNotFoundException::new(format!("Cannot find alias arn: {arn}")))
    };
    find(lambda, &named.function, name).await?.ok_or_else(missing)
}

/// A name of digits would be a version.
fn check_name(name: &str) -> Result<(), ApiError> {
    if name.bytes().all(|byte| byte.is_ascii_digit()) || name.starts_with('$') {
        let message = format!(
            "1 validation error detected: Value '{name}' at 'name' failed to satisfy constraint: Member must \
             satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)"
        );
        return Err(ApiError::validation(message));
    }
    Ok(())
}

/// The second version and its share.
fn routing(config: Option<g::AliasRoutingConfiguration>) -> Result<Option<(String, f64)>, ApiError> {
    let weights = config.and_then(|config| config.additional_version_weights).unwrap_or_default();
    if weights.len() > 1 {
        return Err(invalid("Number of items in AdditionalVersionWeights cannot be greater than 1".into()));
    }
    let Some((version, share)) = weights.into_iter().next() else { return Ok(None) };
    if !(0.0..=1.0).contains(&share) {
        return Err(invalid(format!("Value {share} at 'routingConfig' must be between 0.0 and 1.0")));
    }
    Ok(Some((version, share)))
}

async fn check_versions(lambda: &Lambda, id: &FunctionId, alias: &Alias) -> Result<(), ApiError> {
    for version in alias.versions() {
        let number = match version.parse::<u64>() {
            Ok(number) => number,
            Err(_) if version == LATEST && alias.other.is_none() => continue,
            Err(_) if version == LATEST => {
                return Err(invalid(
                    "$LATEST is not supported for an alias pointing to more than 1 version".into(),
                ));
            }
            Err(_) => return Err(name::missing(&id.qualified_arn(version))),
        };
        if VERSIONS.get(lambda.store(), &table::version(id, number)).await?.is_none() {
            return Err(name::missing(&id.qualified_arn(version)));
        }
    }
    match &alias.other {
        Some((other, _)) if *other == alias.version => Err(invalid(format!(
            "Invalid function version {other}. Function version {other} is already included in routing configuration."
        ))),
        _ => Ok(()),
    }
}

fn describe(id: &FunctionId, name: &str, alias: Alias) -> g::AliasConfiguration {
    let routing = alias.other.map(|(version, share)| g::AliasRoutingConfiguration {
        additional_version_weights: Some([(version, share)].into()),
    });
    g::AliasConfiguration {
        alias_arn: Some(id.qualified_arn(name)),
        name: Some(name.to_owned()),
        function_version: Some(alias.version),
        description: Some(alias.description),
        routing_config: routing,
        revision_id: Some(alias.revision),
    }
}

fn exists(named: &Named, name: &str) -> ApiError {
    let arn = named.function.qualified_arn(name);
    g::ResourceConflictException::new(format!("Alias already exists: {arn}")).into()
}

fn invalid(message: String) -> ApiError {
    g::InvalidParameterValueException::new(message).into()
}

/// Whether a qualifier names something of its own: an alias or a published version.
pub(crate) async fn check_qualifier(lambda: &Lambda, named: &Named) -> Result<(), ApiError> {
    if named.qualifier() == Qualifier::Latest && named.qualifier.is_some() {
        return Err(invalid("We currently do not support adding policies for $LATEST.".into()));
    }
    lambda.load(named).await.map(drop)
}

#[cfg(test)]
mod tests {
    use pagoda_base::SeededRandom;

    use super::*;

    #[test]
    fn the_share_decides() {
        let random = SeededRandom::new(1);
        for (share, expected) in [(0.0, 0..=0), (0.25, 200..=300), (1.0, 1_000..=1_000)] {
            let alias = Alias {
                version: "1".into(),
                description: String::new(),
                other: Some(("2".into(), share)),
                revision: String::new(),
            };
            let others = (0..1_000).filter(|_| alias.draw(&random) == "2").count();
            assert!(expected.contains(&others), "{share}: {others}");
        }
    }

    #[test]
    fn names_of_digits_are_versions() {
        for (name, fits) in [("live", true), ("1a", true), ("12", false), ("$LATEST", false)] {
            assert_eq!(check_name(name).is_ok(), fits, "{name}");
        }
    }
}
