//! CreateLogGroup DescribeLogGroups DeleteLogGroup

use pagoda_base::{Arn, Timestamp};
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::{Commit, Outcome, Stored};

use crate::generated as g;
use crate::table::{self, GARBAGE, GROUPS, Garbage, Group, STREAMS};
use crate::tag::{self, Tags};
use crate::{Logs, Scope, token};

const LIMIT_DEFAULT: i32 = 50;
/// Streams that are let go of in one commit.
const STREAMS_A_COMMIT: u32 = 1_000;

pub(crate) async fn create(
    logs: &Logs,
    cx: &Context,
    input: g::CreateLogGroupRequest,
) -> Result<Unit, ApiError> {
    let tags = tag::merged(cx, Tags::new(), input.tags.unwrap_or_default())?;
    let group = Group { name: input.log_group_name, created: cx.now, retention_days: None, tags };
    if logs.insert_group(&Scope::of(cx), &group).await? {
        Ok(Unit)
    } else {
        Err(g::ResourceAlreadyExistsException::new("The specified log group already exists").into())
    }
}

pub(crate) async fn describe(
    logs: &Logs,
    cx: &Context,
    input: g::DescribeLogGroupsRequest,
) -> Result<g::DescribeLogGroupsResponse, ApiError> {
    let (prefix, pattern) = (input.log_group_name_prefix, input.log_group_name_pattern);
    if prefix.is_some() && pattern.is_some() {
        let message = "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.";
        return Err(g::InvalidParameterException::new(message).into());
    }
    let scope = Scope::of(cx);
    let wanted = |name: &str| {
        prefix.as_deref().is_none_or(|prefix| name.starts_with(prefix))
            && pattern.as_deref().is_none_or(|part| name.to_lowercase().contains(&part.to_lowercase()))
    };
    let limit = input.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_DEFAULT) as usize;
    let mut after = input.next_token.map(|text| token::read::<String>(&text)).transpose()?;
    let mut found: Vec<Group> = Vec::new();
    while found.len() <= limit {
        let from = after.as_deref().map(|name| table::group(&scope, name));
        let page = GROUPS.scan(logs.store(), &table::groups(&scope), from.as_ref(), 1_000).await?;
        after = page.items.last().map(|stored| stored.record.name.clone());
        found.extend(page.items.into_iter().map(|stored| stored.record).filter(|group| wanted(&group.name)));
        if page.next.is_none() {
            break;
        }
    }
    let next_token = (found.len() > limit).then(|| token::write(&found[limit - 1].name));
    found.truncate(limit);
    let log_groups = Some(found.iter().map(|group| describe_one(&scope, group)).collect());
    Ok(g::DescribeLogGroupsResponse { log_groups, next_token })
}

pub(crate) async fn delete(
    logs: &Logs,
    cx: &Context,
    input: g::DeleteLogGroupRequest,
) -> Result<Unit, ApiError> {
    let scope = Scope::of(cx);
    let stored = load(logs, &scope, &input.log_group_name).await?;
    loop {
        let prefix = table::streams(&scope, &input.log_group_name);
        let page = STREAMS.scan(logs.store(), &prefix, None, STREAMS_A_COMMIT).await?;
        let mut commit = Commit::new().at(stored.key.clone(), stored.stamp);
        for stream in &page.items {
            let garbage = Garbage { incarnation: stream.record.incarnation.clone() };
            commit = STREAMS.remove(commit, stream);
            commit = GARBAGE.put(commit, &table::garbage(&garbage.incarnation), &garbage)?;
        }
        if page.next.is_none() {
            commit = commit.delete(stored.key.clone());
        }
        match logs.store().commit(commit).await? {
            // A stream was written to in between: read again.
            Outcome::CheckFailed { check, .. } if check > 0 => continue,
            Outcome::CheckFailed { .. } => return Err(aborted()),
            outcome => outcome.done()?,
        };
        if page.next.is_none() {
            logs.sweep.now();
            return Ok(Unit);
        }
    }
}

impl Logs {
    /// Makes the group unless it exists; whether it was made.
    pub(crate) async fn ensure_group(
        &self,
        scope: &Scope,
        name: &str,
        now: Timestamp,
    ) -> Result<bool, ApiError> {
        let group = Group { name: name.to_owned(), created: now, retention_days: None, tags: Tags::new() };
        self.insert_group(scope, &group).await
    }

    async fn insert_group(&self, scope: &Scope, group: &Group) -> Result<bool, ApiError> {
        let commit = GROUPS.create(Commit::new(), &table::group(scope, &group.name), group)?;
        match self.store().commit(commit).await? {
            Outcome::CheckFailed { .. } => Ok(false),
            outcome => Ok(outcome.done().map(|_| true)?),
        }
    }
}

/// The group, if it exists.
pub(crate) async fn load(logs: &Logs, scope: &Scope, name: &str) -> Result<Stored<Group>, ApiError> {
    let found = GROUPS.get(logs.store(), &table::group(scope, name)).await?;
    found.ok_or_else(missing)
}

pub(crate) fn missing() -> ApiError {
    g::ResourceNotFoundException::new("The specified log group does not exist.").into()
}

/// The refusal when somebody else changed the same thing at the same time.
pub(crate) fn aborted() -> ApiError {
    let message = "A conflicting operation is currently in progress against this resource. Please try again.";
    g::OperationAbortedException::new(message).into()
}

/// The group's name, given as such or as an ARN.
pub(crate) fn named(name: Option<&str>, identifier: Option<&str>) -> Result<String, ApiError> {
    let invalid = |message: &str| Err(g::InvalidParameterException::new(message).into());
    match (name, identifier) {
        (Some(_), Some(_)) => {
            invalid("LogGroup name and LogGroup identifier are mutually exclusive parameters.")
        }
        (None, None) => invalid("Please specify either LogGroup name or LogGroup identifier."),
        (Some(name), None) => Ok(name.to_owned()),
        (None, Some(identifier)) => {
            let resource = identifier.parse::<Arn>().map(|arn| arn.resource);
            let resource = resource.unwrap_or_else(|_| identifier.to_owned());
            let name = resource.strip_prefix("log-group:").unwrap_or(&resource);
            Ok(name.strip_suffix(":*").unwrap_or(name).to_owned())
        }
    }
}

/// The group's ARN, without the `:*` that older answers put behind it.
pub(crate) fn arn(scope: &Scope, name: &str) -> String {
    Arn::regional("logs", &scope.region, scope.account, format!("log-group:{name}")).to_string()
}

fn describe_one(scope: &Scope, group: &Group) -> g::LogGroup {
    let arn = arn(scope, &group.name);
    g::LogGroup {
        log_group_name: Some(group.name.clone()),
        creation_time: Some(group.created.as_millisecond()),
        retention_in_days: group.retention_days,
        metric_filter_count: Some(0),
        arn: Some(format!("{arn}:*")),
        log_group_arn: Some(arn),
        log_group_class: Some(g::LogGroupClass::Standard),
        ..Default::default()
    }
}
