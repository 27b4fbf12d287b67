//! Settings of methods on a stage: what `UpdateStage` says of all of them (`*/*`) or of one.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/api/API_MethodSetting.html>

use std::collections::BTreeMap;

use pagoda_protocol::ApiError;
use serde::{Deserialize, Serialize};

use crate::edit::bad_request;
use crate::generated as g;
use crate::method;
use crate::patch::Patch;

/// What an account has, and a method whose own setting says only half.
const RATE_DEFAULT: f64 = 10_000.0;
const BURST_DEFAULT: i32 = 5_000;
/// The settings of every method that has none of its own.
const ALL: &str = "*/*";
const UNLIMITED: f64 = -1.0;

/// How long an answer is kept where nothing is said, and at most.
const TTL_SECONDS: i32 = 300;
const TTL_SECONDS_MAX: i32 = 3_600;

/// How much a method takes, and how its answers are kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct MethodSetting {
    /// Requests a second; -1 for all.
    pub(crate) rate: Option<f64>,
    /// Requests at once; -1 for all.
    pub(crate) burst: Option<i32>,
    /// Whether the method has metrics of its own.
    #[serde(default)]
    pub(crate) metrics_enabled: Option<bool>,
    /// What of requests is told in the execution log.
    #[serde(default)]
    pub(crate) log_level: Option<LogLevel>,
    #[serde(default)]
    pub(crate) caching_enabled: Option<bool>,
    #[serde(default)]
    pub(crate) cache_ttl_seconds: Option<i32>,
    #[serde(default)]
    pub(crate) cache_encrypted: Option<bool>,
    #[serde(default)]
    pub(crate) invalidation_needs_authorization: Option<bool>,
    #[serde(default)]
    pub(crate) unauthorized: Option<Unauthorized>,
}

/// What of requests is told in the execution log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum LogLevel {
    /// Nothing.
    Off,
    /// What failed.
    Error,
    /// Every step.
    Info,
}

/// What becomes of a request that may not have its answer asked for anew, and says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Unauthorized {
    /// It is refused.
    Fail,
    /// It is answered from the cache, and the answer says so.
    Warn,
    /// It is answered from the cache.
    Ignore,
}

/// How a method's answers are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CacheSetting {
    /// Those to other verbs are not.
    pub(crate) get_only: bool,
    /// More than 0.
    pub(crate) ttl_seconds: i32,
    pub(crate) is_encrypted: bool,
    /// Whether it takes a permission to have an answer asked for anew.
    pub(crate) needs_authorization: bool,
    pub(crate) unauthorized: Unauthorized,
}

/// By `path/VERB` without the path's first slash, or `*/*`.
pub(crate) type MethodSettings = BTreeMap<String, MethodSetting>;

/// What applies the patch of a setting's member.
type Apply = fn(&mut MethodSetting, &str, &Patch<'_>) -> Result<(), ApiError>;

/// The groups of members that patches know.
const GROUPS: [(&str, Apply); 4] = [
    ("/caching/", apply_caching),
    ("/throttling/", apply_throttling),
    ("/logging/", apply_logging),
    ("/metrics/", apply_metrics),
];

/// Applies a patch of `/{path}/{verb}/{group}/…`, or the removal of `/{path}/{verb}`. False where the patch is about
/// something else.
pub(crate) fn apply(settings: &mut MethodSettings, patch: &Patch<'_>) -> Result<bool, ApiError> {
    for (group, apply) in GROUPS {
        if let Some((place, name)) = patch.path.split_once(group) {
            let setting = settings.entry(key(place).ok_or_else(|| patch.refused())?).or_default();
            apply(setting, name, patch)?;
            return Ok(true);
        }
    }
    match (patch.op, key(patch.path)) {
        (g::Op::Remove, Some(key)) => {
            settings.remove(&key);
            Ok(true)
        }
        _ => Ok(false),
    }
}

fn apply_throttling(setting: &mut MethodSetting, name: &str, patch: &Patch<'_>) -> Result<(), ApiError> {
    match name {
        "rateLimit" => setting.rate = Some(number(patch)?),
        // Whole, and within the range of its type.
        "burstLimit" => setting.burst = Some(number(patch)?.trunc() as i32),
        _ => return Err(patch.refused()),
    }
    Ok(())
}

fn apply_metrics(setting: &mut MethodSetting, name: &str, patch: &Patch<'_>) -> Result<(), ApiError> {
    match name {
        "enabled" => setting.metrics_enabled = Some(patch.flag()?),
        _ => return Err(patch.refused()),
    }
    Ok(())
}

fn apply_logging(setting: &mut MethodSetting, name: &str, patch: &Patch<'_>) -> Result<(), ApiError> {
    match name {
        "loglevel" => {
            setting.log_level = Some(match patch.replaced()? {
                "OFF" => LogLevel::Off,
                "ERROR" => LogLevel::Error,
                "INFO" => LogLevel::Info,
                _ => {
                    return Err(bad_request(
                        "Invalid logging level specified, must be one of OFF, ERROR, INFO",
                    ));
                }
            });
        }
        "dataTrace" if patch.flag()? => {
            return Err(ApiError::not_implemented("UpdateStage", "logging/dataTrace"));
        }
        "dataTrace" => {}
        _ => return Err(patch.refused()),
    }
    Ok(())
}

fn apply_caching(setting: &mut MethodSetting, name: &str, patch: &Patch<'_>) -> Result<(), ApiError> {
    match name {
        "enabled" => setting.caching_enabled = Some(patch.flag()?),
        "ttlInSeconds" => {
            let seconds = patch.replaced()?.parse().ok();
            let seconds = seconds.filter(|seconds| (0..=TTL_SECONDS_MAX).contains(seconds));
            let invalid =
                || bad_request(format!("Invalid cache TTL, must be between 0 and {TTL_SECONDS_MAX}"));
            setting.cache_ttl_seconds = Some(seconds.ok_or_else(invalid)?);
        }
        "dataEncrypted" => setting.cache_encrypted = Some(patch.flag()?),
        "requireAuthorizationForCacheControl" => {
            setting.invalidation_needs_authorization = Some(patch.flag()?);
        }
        "unauthorizedCacheControlHeaderStrategy" => {
            setting.unauthorized = Some(match patch.replaced()?.parse() {
                Ok(g::UnauthorizedCacheControlHeaderStrategy::FailWith403) => Unauthorized::Fail,
                Ok(g::UnauthorizedCacheControlHeaderStrategy::SucceedWithResponseHeader) => {
                    Unauthorized::Warn
                }
                Ok(g::UnauthorizedCacheControlHeaderStrategy::SucceedWithoutResponseHeader) => {
                    Unauthorized::Ignore
                }
                Err(_) => return Err(bad_request(format!("Invalid patch value for {}", patch.path))),
            });
        }
        _ => return Err(patch.refused()),
    }
    Ok(())
}

fn number(patch: &Patch<'_>) -> Result<f64, ApiError> {
    let value: Option<f64> = patch.replaced()?.parse().ok();
    let value = value.filter(|value| *value == UNLIMITED || (0.0..=f64::from(i32::MAX)).contains(value));
    value.ok_or_else(|| bad_request(format!("Invalid patch value for {}", patch.path)))
}

/// `/~1pets~1{id}/GET`, as patches name a method: `pets/{id}/GET`.
fn key(place: &str) -> Option<String> {
    let (path, verb) = place.strip_prefix('/')?.rsplit_once('/')?;
    let path = path.replace("~1", "/").replace("~0", "~");
    if verb != "*" && !method::VERBS.contains(&verb) {
        return None;
    }
    Some(format!("{}/{verb}", path.trim_matches('/')))
}

/// What applies to a method: what it does not say itself, the setting of all says.
struct Applying<'s> {
    own: Option<&'s MethodSetting>,
    all: Option<&'s MethodSetting>,
}

impl<'s> Applying<'s> {
    fn to(settings: &'s MethodSettings, path: &str, verb: &str) -> Self {
        let own = settings.get(&format!("{}/{verb}", path.trim_matches('/')));
        Self { own, all: settings.get(ALL) }
    }

    fn get<T>(&self, of: fn(&MethodSetting) -> Option<T>) -> Option<T> {
        self.own.and_then(of).or_else(|| self.all.and_then(of))
    }
}

/// Requests a second and at once that the method of a path and verb takes; nothing where it takes all.
pub(crate) fn limit(settings: &MethodSettings, path: &str, verb: &str) -> Option<(f64, f64)> {
    let of = Applying::to(settings, path, verb);
    let (rate, burst) = (of.get(|one| one.rate), of.get(|one| one.burst.map(f64::from)));
    if (rate, burst) == (None, None) || rate == Some(UNLIMITED) || burst == Some(UNLIMITED) {
        return None;
    }
    Some((rate.unwrap_or(RATE_DEFAULT), burst.unwrap_or(f64::from(BURST_DEFAULT))))
}

/// How the answers of the method of a path and verb are kept; nothing where they are not. What holds for all methods
/// turns it on for `GET` alone.
pub(crate) fn caching(settings: &MethodSettings, path: &str, verb: &str) -> Option<CacheSetting> {
    let of = Applying::to(settings, path, verb);
    if !of.get(|one| one.caching_enabled).unwrap_or(false) {
        return None;
    }
    let setting = CacheSetting {
        get_only: of.own.and_then(|own| own.caching_enabled).is_none(),
        ttl_seconds: of.get(|one| one.cache_ttl_seconds).unwrap_or(TTL_SECONDS),
        is_encrypted: of.get(|one| one.cache_encrypted).unwrap_or(false),
        needs_authorization: of.get(|one| one.invalidation_needs_authorization).unwrap_or(true),
        unauthorized: of.get(|one| one.unauthorized).unwrap_or(Unauthorized::Warn),
    };
    (setting.ttl_seconds > 0).then_some(setting)
}

/// What of requests to the method of a path and verb is told.
pub(crate) fn log_level(settings: &MethodSettings, path: &str, verb: &str) -> Option<LogLevel> {
    let level = Applying::to(settings, path, verb).get(|one| one.log_level);
    level.filter(|level| *level != LogLevel::Off)
}

/// Whether any method has a level.
pub(crate) fn logs_any(settings: &MethodSettings) -> bool {
    settings.values().any(|one| one.log_level.is_some_and(|level| level != LogLevel::Off))
}

/// Whether the method of a path and verb has metrics of its own.
pub(crate) fn has_metrics(settings: &MethodSettings, path: &str, verb: &str) -> bool {
    Applying::to(settings, path, verb).get(|one| one.metrics_enabled).unwrap_or(false)
}

fn describe_level(level: LogLevel) -> String {
    match level {
        LogLevel::Off => "OFF",
        LogLevel::Error => "ERROR",
        LogLevel::Info => "INFO",
    }
    .to_owned()
}

fn describe_unauthorized(unauthorized: Unauthorized) -> g::UnauthorizedCacheControlHeaderStrategy {
    match unauthorized {
        Unauthorized::Fail => g::UnauthorizedCacheControlHeaderStrategy::FailWith403,
        Unauthorized::Warn => g::UnauthorizedCacheControlHeaderStrategy::SucceedWithResponseHeader,
        Unauthorized::Ignore => g::UnauthorizedCacheControlHeaderStrategy::SucceedWithoutResponseHeader,
    }
}

pub(crate) fn describe(settings: &MethodSettings) -> Option<BTreeMap<String, g::MethodSetting>> {
    let one = |setting: &MethodSetting| g::MethodSetting {
        metrics_enabled: Some(setting.metrics_enabled.unwrap_or(false)),
        logging_level: setting.log_level.map(describe_level),
        data_trace_enabled: Some(false),
        throttling_burst_limit: Some(setting.burst.unwrap_or(BURST_DEFAULT)),
        throttling_rate_limit: Some(setting.rate.unwrap_or(RATE_DEFAULT)),
        caching_enabled: Some(setting.caching_enabled.unwrap_or(false)),
        cache_ttl_in_seconds: Some(setting.cache_ttl_seconds.unwrap_or(TTL_SECONDS)),
        cache_data_encrypted: Some(setting.cache_encrypted.unwrap_or(false)),
        require_authorization_for_cache_control: Some(
            setting.invalidation_needs_authorization.unwrap_or(true),
        ),
        unauthorized_cache_control_header_strategy: Some(describe_unauthorized(
            setting.unauthorized.unwrap_or(Unauthorized::Warn),
        )),
    };
    let described = settings.iter().map(|(key, setting)| (key.clone(), one(setting)));
    (!settings.is_empty()).then(|| described.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(settings: &[(&str, f64, i32)], path: &str, verb: &str, expected: Option<(f64, f64)>) {
        let setting =
            |rate, burst| MethodSetting { rate: Some(rate), burst: Some(burst), ..Default::default() };
        let settings: MethodSettings = settings
            .iter()
            .map(|(place, rate, burst)| (key(place).unwrap(), setting(*rate, *burst)))
            .collect();
        assert_eq!(limit(&settings, path, verb), expected, "{settings:?}");
    }

    #[test]
    fn a_methods_own_setting_comes_before_that_of_all() {
        let all = ("/*/*", 5.0, 2);
        check(&[], "/a", "GET", None);
        check(&[all], "/a", "GET", Some((5.0, 2.0)));
        check(&[all, ("/~1a/GET", 1.0, 1)], "/a", "GET", Some((1.0, 1.0)));
        check(&[all, ("/~1a/GET", 1.0, 1)], "/a", "POST", Some((5.0, 2.0)));
        check(&[("/~1a~1{b}/GET", 1.0, 1)], "/a/{b}", "GET", Some((1.0, 1.0)));
        check(&[("/a/GET", 1.0, 1)], "/a", "GET", Some((1.0, 1.0)));
        check(&[("//GET", 1.0, 1)], "/", "GET", Some((1.0, 1.0)));
        check(&[all, ("/~1a/GET", -1.0, 1)], "/a", "GET", None);
    }

    #[test]
    fn half_a_setting_is_completed() {
        let half = MethodSetting { rate: Some(3.0), ..Default::default() };
        let settings = MethodSettings::from([("a/GET".to_owned(), half)]);
        assert_eq!(limit(&settings, "/a", "GET"), Some((3.0, 5_000.0)));
    }

    #[test]
    fn only_get_is_cached_unless_a_method_says_so_itself() {
        let enabled = |enabled| MethodSetting { caching_enabled: Some(enabled), ..Default::default() };
        let mut settings = MethodSettings::new();
        assert_eq!(caching(&settings, "/a", "GET"), None);
        settings.insert(ALL.to_owned(), enabled(true));
        assert!(caching(&settings, "/a", "ANY").is_some_and(|setting| setting.get_only));
        settings.insert("a/POST".to_owned(), MethodSetting { cache_ttl_seconds: Some(9), ..enabled(true) });
        let own = caching(&settings, "/a", "POST").unwrap();
        assert_eq!((own.get_only, own.ttl_seconds), (false, 9));
        settings.insert("a/GET".to_owned(), enabled(false));
        assert_eq!(caching(&settings, "/a", "GET"), None);
        settings
            .insert("b/GET".to_owned(), MethodSetting { cache_ttl_seconds: Some(0), ..Default::default() });
        assert_eq!(caching(&settings, "/b", "GET"), None);
    }
}
