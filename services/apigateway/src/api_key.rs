//! CreateApiKey GetApiKey GetApiKeys UpdateApiKey DeleteApiKey ImportApiKeys
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-setup-api-key-with-restapi.html>

mod csv;

use pagoda_base::ids;
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::{Commit, Outcome, Stored};

use crate::edit::bad_request;
use crate::generated as g;
use crate::table::{self, API_KEYS, ApiKey, MARKED_KEYS, MarkedKey};
use crate::{ApiGateway, patch, position, tag, usage_plan_key};

const ID_CHARS: usize = 10;
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-key-file-format.html>
const VALUE_CHARS: std::ops::RangeInclusive<usize> = 20..=128;
const MADE_CHARS: usize = 40;
const PURPOSE: &str = "apigateway.api-key";

/// A key that is wanted.
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) customer_id: Option<String>,
    pub(crate) is_enabled: bool,
    pub(crate) value: Option<String>,
    pub(crate) tags: table::Texts,
}

pub(crate) async fn create(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::CreateApiKeyRequest,
) -> Result<g::ApiKey, ApiError> {
    let tags = input.tags.unwrap_or_default();
    tag::check(cx, &tags)?;
    let wanted = Wanted {
        name: input.name.unwrap_or_default(),
        description: input.description,
        customer_id: input.customer_id,
        is_enabled: input.enabled.unwrap_or(false),
        value: input.value.filter(|value| !value.is_empty()),
        tags,
    };
    let (key, value) = keep(gateway, cx, wanted).await?;
    Ok(describe(&key, Some(value)))
}

/// Keeps a new key; it and its value.
async fn keep(gateway: &ApiGateway, cx: &Context, wanted: Wanted) -> Result<(ApiKey, String), ApiError> {
    let random = &*gateway.ports.random;
    let value = wanted.value.unwrap_or_else(|| ids::short_id(MADE_CHARS, random));
    if !VALUE_CHARS.contains(&value.chars().count()) {
        return Err(bad_request("API Key value should be at least 20 characters and at most 128 characters"));
    }
    let key = ApiKey {
        id: ids::short_id(ID_CHARS, random),
        name: wanted.name,
        description: wanted.description,
        customer_id: wanted.customer_id,
        is_enabled: wanted.is_enabled,
        sealed: gateway.ports.sealer.seal(PURPOSE, value.as_bytes()),
        tags: wanted.tags,
        created: cx.now,
        updated: cx.now,
    };
    let place = table::in_account(&API_KEYS, cx.account, &cx.region, &key.id);
    let commit = API_KEYS.create(Commit::new(), &place, &key)?;
    let marked = marked(gateway, cx, &value);
    let commit = MARKED_KEYS.create(commit, &marked, &MarkedKey(key.id.clone()))?;
    match gateway.store().commit(commit).await? {
        Outcome::CheckFailed { .. } => Err(g::ConflictException::new("API Key already exists").into()),
        outcome => {
            outcome.done()?;
            gateway.admissions.forget();
            Ok((key, value))
        }
    }
}

/// Where the id of the key with a value is.
pub(crate) fn marked(gateway: &ApiGateway, cx: &Context, value: &str) -> pagoda_store::Key {
    let mark = gateway.ports.sealer.mark(PURPOSE, value.as_bytes());
    let mark: String = mark.iter().map(|byte| format!("{byte:02x}")).collect();
    table::in_account(&MARKED_KEYS, cx.account, &cx.region, &mark)
}

pub(crate) async fn get(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetApiKeyRequest,
) -> Result<g::ApiKey, ApiError> {
    let key = load(gateway, cx, &input.api_key).await?.record;
    let value = input.include_value.unwrap_or(false).then(|| value(gateway, &key)).transpose()?;
    Ok(describe(&key, value))
}

pub(crate) async fn list(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetApiKeysRequest,
) -> Result<g::ApiKeys, ApiError> {
    let mut all =
        API_KEYS.all(gateway.store(), &table::of_account(&API_KEYS, cx.account, &cx.region)).await?;
    if let Some(name) = &input.name_query {
        all.retain(|key| key.name.starts_with(name.as_str()));
    }
    if let Some(customer) = &input.customer_id {
        all.retain(|key| key.customer_id.as_ref() == Some(customer));
    }
    let (page, position) = position::cut(all, |key| &key.id, input.position.as_deref(), input.limit)?;
    let with_values = input.include_values.unwrap_or(false);
    let item = |key: &ApiKey| Ok(describe(key, with_values.then(|| value(gateway, key)).transpose()?));
    let items = page.iter().map(item).collect::<Result<_, ApiError>>()?;
    Ok(g::ApiKeys { position, items: Some(items), warnings: None })
}

pub(crate) async fn update(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::UpdateApiKeyRequest,
) -> Result<g::ApiKey, ApiError> {
    let patches = patch::read(&input.patch_operations)?;
    let stored = load(gateway, cx, &input.api_key).await?;
    let mut key = stored.record.clone();
    for patch in &patches {
        match patch.path {
            "/name" => key.name = patch.replaced()?.to_owned(),
            "/description" => key.description = Some(patch.replaced()?.to_owned()),
            "/customerId" => key.customer_id = Some(patch.replaced()?.to_owned()),
            "/enabled" => key.is_enabled = patch.flag()?,
            _ => return Err(patch.refused()),
        }
    }
    key.updated = cx.now;
    let commit = API_KEYS.replace(Commit::new(), &stored.key, stored.stamp, &key)?;
    gateway.commit_plans(commit).await?;
    Ok(describe(&key, None))
}

pub(crate) async fn delete(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::DeleteApiKeyRequest,
) -> Result<Unit, ApiError> {
    let stored = load(gateway, cx, &input.api_key).await?;
    let mut commit = API_KEYS.remove(Commit::new(), &stored);
    commit = commit.delete(marked(gateway, cx, &value(gateway, &stored.record)?));
    for used in usage_plan_key::of_key(gateway, cx, &stored.record.id).await? {
        commit = commit.delete(used.key);
    }
    gateway.commit_plans(commit).await?;
    Ok(Unit)
}

/// Keys from a file of comma-separated values, with the plans that they name.
pub(crate) async fn import(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::ImportApiKeysRequest,
) -> Result<g::ApiKeyIds, ApiError> {
    let rows = csv::read(&input.body)?;
    let (mut made, mut warnings) = (Vec::new(), Vec::new());
    for row in rows {
        let plans = row.plans.clone();
        match keep(gateway, cx, row.wanted).await {
            Ok((key, _)) => {
                for plan in &plans {
                    if let Err(error) = usage_plan_key::put(gateway, cx, plan, &key.id).await {
                        warnings.push(format!("{}: {}", key.name, error.message));
                    }
                }
                made.push(key.id);
            }
            Err(error) => warnings.push(error.message.clone()),
        }
        if input.fail_on_warnings.unwrap_or(false) && !warnings.is_empty() {
            for id in made {
                delete(gateway, cx, g::DeleteApiKeyRequest { api_key: id }).await?;
            }
            return Err(bad_request(format!("Failed to import API keys: {}", warnings.join("; "))));
        }
    }
    Ok(g::ApiKeyIds { ids: Some(made), warnings: (!warnings.is_empty()).then_some(warnings) })
}

pub(crate) async fn load(gateway: &ApiGateway, cx: &Context, id: &str) -> Result<Stored<ApiKey>, ApiError> {
    let place = table::in_account(&API_KEYS, cx.account, &cx.region, id);
    let missing = || g::NotFoundException::new("Invalid API Key identifier specified").into();
    API_KEYS.get(gateway.store(), &place).await?.ok_or_else(missing)
}

pub(crate) fn value(gateway: &ApiGateway, key: &ApiKey) -> Result<String, ApiError> {
    let opened = gateway.ports.sealer.open(PURPOSE, &key.sealed).map_err(|_| ApiError::internal())?;
    Ok(String::from_utf8_lossy(&opened).into_owned())
}

fn describe(key: &ApiKey, value: Option<String>) -> g::ApiKey {
    g::ApiKey {
        id: Some(key.id.clone()),
        value,
        name: Some(key.name.clone()),
        customer_id: key.customer_id.clone(),
        description: key.description.clone(),
        enabled: Some(key.is_enabled),
        created_date: Some(key.created),
        last_updated_date: Some(key.updated),
        stage_keys: Some(Vec::new()),
        tags: (!key.tags.is_empty()).then(|| key.tags.clone()),
    }
}
