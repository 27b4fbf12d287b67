//! PublishLayerVersion GetLayerVersion GetLayerVersionByArn ListLayerVersions ListLayers DeleteLayerVersion,
//! and the layers that a function names.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html>

use pagoda_base::{AccountId, Arn, Region};
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::{Commit, Outcome, Stored};

use crate::code::Source;
use crate::configuration::{in_base64, written};
use crate::generated as g;
use crate::table::{self, Code, LAYER_VERSIONS, LAYERS, Layer, LayerUse, LayerVersion, USES, Use};
use crate::{Lambda, download, page};

/// The most layers of one function.
const LAYERS_MAX: usize = 5;
const ATTEMPTS_MAX: usize = 10;

/// A layer's identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LayerId {
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    pub(crate) name: String,
}

impl LayerId {
    /// The ARN without a version.
    pub(crate) fn arn(&self) -> String {
        Arn::regional("lambda", &self.region, self.account, format!("layer:{}", self.name)).to_string()
    }

    /// The ARN of a version.
    pub(crate) fn version_arn(&self, number: u64) -> String {
        format!("{}:{number}", self.arn())
    }
}

/// Reads a layer's name or ARN.
pub(crate) fn parse(cx: &Context, text: &str) -> Result<LayerId, ApiError> {
    if text.starts_with("arn:") {
        return match parse_arn(text) {
            Some((id, None)) => Ok(id),
            _ => Err(invalid(format!("Invalid Layer name: {text}"))),
        };
    }
    let lawful = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if text.is_empty() || text.len() > 140 || !text.bytes().all(lawful) {
        return Err(invalid(format!("Invalid Layer name: {text}")));
    }
    Ok(LayerId { account: cx.account, region: cx.region.clone(), name: text.to_owned() })
}

/// Reads the ARN of a layer or of a version of one.
pub(crate) fn parse_arn(text: &str) -> Option<(LayerId, Option<u64>)> {
    let arn: Arn = text.parse().ok()?;
    let rest = arn.resource.strip_prefix("layer:").filter(|_| arn.service == "lambda")?;
    let (name, number) = match rest.split_once(':') {
        Some((name, number)) => (name, Some(number.parse().ok()?)),
        None => (rest, None),
    };
    let id = LayerId { account: arn.account_id()?, region: arn.region.parse().ok()?, name: name.to_owned() };
    Some((id, number))
}

pub(crate) async fn publish(
    lambda: &Lambda,
    cx: &Context,
    input: g::PublishLayerVersionRequest,
) -> Result<g::PublishLayerVersionResponse, ApiError> {
    let id = parse(cx, &input.layer_name)?;
    let g::LayerVersionContentInput { zip_file, s3_bucket, s3_key, s3_object_version } = input.content;
    let source = Source { zip_file, s3_bucket, s3_key, s3_object_version, image_uri: None };
    let hold = lambda.publish(cx, source).await?.hold;
    let version = LayerVersion {
        created: cx.now,
        code: hold.code().clone(),
        description: input.description.unwrap_or_default(),
        licence: input.license_info,
        runtimes: names(input.compatible_runtimes, |one| one.as_str()),
        architectures: names(input.compatible_architectures, |one| one.as_str()),
        policy: None,
    };
    let number = save(lambda, &id, &version).await?;
    let described = describe(&id, number, &version);
    Ok(g::PublishLayerVersionResponse {
        content: Some(content(lambda, cx, &version)),
        layer_arn: Some(id.arn()),
        layer_version_arn: described.layer_version_arn,
        description: described.description,
        created_date: described.created_date,
        version: described.version,
        compatible_runtimes: described.compatible_runtimes,
        license_info: described.license_info,
        compatible_architectures: described.compatible_architectures,
    })
}

/// Gives the version the next number. Numbers of deleted versions are not used again.
async fn save(lambda: &Lambda, id: &LayerId, version: &LayerVersion) -> Result<u64, ApiError> {
    let key = table::layer(id);
    for _ in 0..ATTEMPTS_MAX {
        let found = LAYERS.get(lambda.store(), &key).await?;
        let number = found.as_ref().map_or(0, |stored| stored.record.published) + 1;
        let layer = Layer { published: number };
        let commit = match &found {
            Some(stored) => LAYERS.replace(Commit::new(), &key, stored.stamp, &layer)?,
            None => LAYERS.create(Commit::new(), &key, &layer)?,
        };
        let commit = LAYER_VERSIONS.create(commit, &table::layer_version(id, number), version)?;
        let used = table::usage(&version.code.sha256, &id.version_arn(number));
        let commit = USES.put(commit, &used, &Use {})?;
        match lambda.store().commit(commit).await? {
            Outcome::CheckFailed { .. } => {}
            outcome => return Ok(outcome.done().map(|_| number)?),
        }
    }
    let message = "The layer is being published by too many at once.";
    Err(g::ResourceConflictException::new(message).into())
}

pub(crate) async fn get(
    lambda: &Lambda,
    cx: &Context,
    input: g::GetLayerVersionRequest,
) -> Result<g::GetLayerVersionResponse, ApiError> {
    let id = parse(cx, &input.layer_name)?;
    let number = input.version_number.unsigned_abs();
    let stored = find(lambda, &id, number).await?;
    Ok(described(lambda, cx, &id, number, &stored.record))
}

pub(crate) async fn get_by_arn(
    lambda: &Lambda,
    cx: &Context,
    input: g::GetLayerVersionByArnRequest,
) -> Result<g::GetLayerVersionResponse, ApiError> {
    let (id, number) = read_version(&input.arn)?;
    let stored = find(lambda, &id, number).await?;
    Ok(described(lambda, cx, &id, number, &stored.record))
}

pub(crate) async fn delete(
    lambda: &Lambda,
    cx: &Context,
    input: g::DeleteLayerVersionRequest,
) -> Result<Unit, ApiError> {
    let id = parse(cx, &input.layer_name)?;
    let number = input.version_number.unsigned_abs();
    let found = LAYER_VERSIONS.get(lambda.store(), &table::layer_version(&id, number)).await?;
    if let Some(stored) = found {
        let used = table::usage(&stored.record.code.sha256, &id.version_arn(number));
        lambda.store().commit(Commit::new().delete(stored.key).delete(used)).await?.done()?;
        lambda.sweep.now();
    }
    Ok(Unit)
}

pub(crate) async fn list_versions(
    lambda: &Lambda,
    cx: &Context,
    input: g::ListLayerVersionsRequest,
) -> Result<g::ListLayerVersionsResponse, ApiError> {
    let id = parse(cx, &input.layer_name)?;
    let fits = fitting(input.compatible_runtime, input.compatible_architecture);
    // The newest comes first; a marker is the oldest that was shown.
    let mut all = all_versions(lambda, &id).await?;
    all.reverse();
    let before = input.marker.as_deref().map(page::read).transpose()?;
    let before = before.map(|text| text.parse::<u64>().map_err(|_| page::invalid())).transpose()?;
    all.retain(|(number, version)| before.is_none_or(|before| *number < before) && fits(version));
    let limit = page::limit(input.max_items) as usize;
    let more = all.len() > limit;
    all.truncate(limit);
    let next_marker = all.last().filter(|_| more).map(|(number, _)| page::marker(number.to_string()));
    let versions = all.iter().map(|(number, version)| describe(&id, *number, version)).collect();
    Ok(g::ListLayerVersionsResponse { next_marker, layer_versions: Some(versions) })
}

pub(crate) async fn list(
    lambda: &Lambda,
    cx: &Context,
    input: g::ListLayersRequest,
) -> Result<g::ListLayersResponse, ApiError> {
    let of = |name: String| LayerId { account: cx.account, region: cx.region.clone(), name };
    let fits = fitting(input.compatible_runtime, input.compatible_architecture);
    let after = input.marker.as_deref().map(page::read).transpose()?;
    let after = after.map(|name| table::layer(&of(name)));
    let prefix = table::layers_beside(&of(String::new()));
    let found = LAYERS.scan(lambda.store(), &prefix, after.as_ref(), page::limit(input.max_items)).await?;
    let (mut layers, mut last) = (Vec::new(), String::new());
    for stored in found.items {
        last = page::name_in(&stored.key)?;
        let id = of(last.clone());
        let newest = all_versions(lambda, &id).await?.into_iter().rfind(|(_, version)| fits(version));
        layers.extend(newest.map(|(number, version)| g::LayersListItem {
            layer_name: Some(id.name.clone()),
            layer_arn: Some(id.arn()),
            latest_matching_version: Some(describe(&id, number, &version)),
        }));
    }
    let next_marker = found.next.map(|_| page::marker(last));
    Ok(g::ListLayersResponse { next_marker, layers: Some(layers) })
}

async fn all_versions(lambda: &Lambda, id: &LayerId) -> Result<Vec<(u64, LayerVersion)>, ApiError> {
    let found = LAYER_VERSIONS.all_stored(lambda.store(), &table::layer_versions(id)).await?;
    found.into_iter().map(|stored| Ok((page::number_in(&stored.key)?, stored.record))).collect()
}

fn fitting(
    runtime: Option<g::Runtime>,
    architecture: Option<g::Architecture>,
) -> impl Fn(&LayerVersion) -> bool {
    move |version| {
        let has = |list: &[String], wanted: Option<&str>| {
            wanted.is_none_or(|wanted| list.iter().any(|one| one == wanted))
        };
        has(&version.runtimes, runtime.as_ref().map(|one| one.as_str()))
            && has(&version.architectures, architecture.as_ref().map(|one| one.as_str()))
    }
}

/// The version.
///
/// # Errors
/// `ResourceNotFoundException`.
pub(crate) async fn find(
    lambda: &Lambda,
    id: &LayerId,
    number: u64,
) -> Result<Stored<LayerVersion>, ApiError> {
    let found = LAYER_VERSIONS.get(lambda.store(), &table::layer_version(id, number)).await?;
    found
        .ok_or_else(|| g::ResourceNotFoundException::new("The resource you requested does not exist.").into())
}

/// Reads the ARN of a version.
pub(crate) fn read_version(arn: &str) -> Result<(LayerId, u64), ApiError> {
    match parse_arn(arn) {
        Some((id, Some(number))) => Ok((id, number)),
        _ => Err(invalid(format!("Invalid layer version ARN: {arn}"))),
    }
}

impl Lambda {
    /// The layers that a function names, and the package that shows all of them.
    ///
    /// # Errors
    /// `InvalidParameterValueException` for layers that don't exist, come twice or are too large together.
    pub(crate) async fn layers(&self, arns: &[String]) -> Result<(Vec<LayerUse>, Option<Code>), ApiError> {
        if arns.len() > LAYERS_MAX {
            return Err(invalid(format!("Cannot reference more than {LAYERS_MAX} layers.")));
        }
        let mut uses: Vec<LayerUse> = Vec::new();
        let mut seen = Vec::new();
        for arn in arns {
            let (id, number) = read_version(arn)?;
            let missing = |_| invalid(format!("Layer version {arn} does not exist."));
            let stored = find(self, &id, number).await.map_err(missing)?;
            if seen.contains(&id) {
                let message = format!(
                    "Two different versions of the same layer are not allowed to be referenced in the same function. {} and {arn} are versions of the same layer.",
                    uses[0].arn
                );
                return Err(invalid(message));
            }
            seen.push(id);
            uses.push(LayerUse { arn: arn.clone(), code: stored.record.code });
        }
        let codes = uses.iter().map(|one| one.code.clone()).collect();
        Ok((uses, self.packages.merge(codes).await?))
    }
}

fn describe(id: &LayerId, number: u64, version: &LayerVersion) -> g::LayerVersionsListItem {
    g::LayerVersionsListItem {
        layer_version_arn: Some(id.version_arn(number)),
        version: Some(number.cast_signed()),
        description: Some(version.description.clone()),
        created_date: Some(written(version.created)),
        compatible_runtimes: read_names(&version.runtimes),
        license_info: version.licence.clone(),
        compatible_architectures: read_names(&version.architectures),
    }
}

fn described(
    lambda: &Lambda,
    cx: &Context,
    id: &LayerId,
    number: u64,
    version: &LayerVersion,
) -> g::GetLayerVersionResponse {
    let item = describe(id, number, version);
    g::GetLayerVersionResponse {
        content: Some(content(lambda, cx, version)),
        layer_arn: Some(id.arn()),
        layer_version_arn: item.layer_version_arn,
        description: item.description,
        created_date: item.created_date,
        version: item.version,
        compatible_runtimes: item.compatible_runtimes,
        license_info: item.license_info,
        compatible_architectures: item.compatible_architectures,
    }
}

fn content(lambda: &Lambda, cx: &Context, version: &LayerVersion) -> g::LayerVersionContentOutput {
    g::LayerVersionContentOutput {
        location: Some(download::address(lambda, cx, &version.code)),
        code_sha256: Some(in_base64(&version.code.sha256)),
        code_size: i64::try_from(version.code.bytes).ok(),
        ..Default::default()
    }
}

fn names<T>(list: Option<Vec<T>>, name: impl Fn(&T) -> &'static str) -> Vec<String> {
    list.iter().flatten().map(|one| name(one).to_owned()).collect()
}

fn read_names<T: std::str::FromStr>(names: &[String]) -> Option<Vec<T>> {
    let list: Vec<T> = names.iter().filter_map(|name| name.parse().ok()).collect();
    (!list.is_empty()).then_some(list)
}

fn invalid(message: String) -> ApiError {
    g::InvalidParameterValueException::new(message).into()
}
