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

/// How much a method takes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct MethodSetting {
    /// Requests a second; -1 for all.
    pub(crate) rate: Option<f64>,
    /// Requests at once; -1 for all.
    pub(crate) burst: Option<i32>,
}

/// By `path/VERB` without the path's first slash, or `*/*`.
pub(crate) type MethodSettings = BTreeMap<String, MethodSetting>;

/// Applies a patch of `/{path}/{verb}/throttling/…`, or the removal of `/{path}/{verb}`. False where the patch is
/// about something else.
pub(crate) fn apply(settings: &mut MethodSettings, patch: &Patch<'_>) -> Result<bool, ApiError> {
    const OTHERS: [&str; 3] = ["/logging/", "/metrics/", "/caching/"];
    if let Some((place, name)) = patch.path.split_once("/throttling/") {
        let setting = settings.entry(key(place).ok_or_else(|| patch.refused())?).or_default();
        match name {
            "rateLimit" => setting.rate = Some(number(patch)?),
            // Whole, and within the range of its type.
            "burstLimit" => setting.burst = Some(number(patch)?.trunc() as i32),
            _ => return Err(patch.refused()),
        }
        return Ok(true);
    }
    if OTHERS.iter().any(|other| patch.path.contains(other)) {
        return Err(ApiError::not_implemented("UpdateStage", patch.path));
    }
    match (patch.op, key(patch.path)) {
        (g::Op::Remove, Some(key)) => {
            settings.remove(&key);
            Ok(true)
        }
        _ => Ok(false),
    }
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

/// Requests a second and at once that the method of a path and verb takes; nothing where it takes all.
pub(crate) fn limit(settings: &MethodSettings, path: &str, verb: &str) -> Option<(f64, f64)> {
    let (own, all) = (settings.get(&format!("{}/{verb}", path.trim_matches('/'))), settings.get(ALL));
    let given = |of: fn(&MethodSetting) -> Option<f64>| own.and_then(of).or_else(|| all.and_then(of));
    let (rate, burst) = (given(|one| one.rate), given(|one| one.burst.map(f64::from)));
    if (rate, burst) == (None, None) || rate == Some(UNLIMITED) || burst == Some(UNLIMITED) {
        return None;
    }
    Some((rate.unwrap_or(RATE_DEFAULT), burst.unwrap_or(f64::from(BURST_DEFAULT))))
}

pub(crate) fn describe(settings: &MethodSettings) -> Option<BTreeMap<String, g::MethodSetting>> {
    let one = |setting: &MethodSetting| g::MethodSetting {
        metrics_enabled: Some(false),
        data_trace_enabled: Some(false),
        throttling_burst_limit: Some(setting.burst.unwrap_or(BURST_DEFAULT)),
        throttling_rate_limit: Some(setting.rate.unwrap_or(RATE_DEFAULT)),
        caching_enabled: Some(false),
        ..Default::default()
    };
    let described = settings.iter().map(|(key, setting)| (key.clone(), one(setting)));
    (!settings.is_empty()).then(|| described.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(settings: &[(&str, f64, i32)], path: &str, verb: &str, expected: Option<(f64, f64)>) {
        let setting = |rate, burst| MethodSetting { rate: Some(rate), burst: Some(burst) };
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
        let half = MethodSetting { rate: Some(3.0), burst: None };
        let settings = MethodSettings::from([("a/GET".to_owned(), half)]);
        assert_eq!(limit(&settings, "/a", "GET"), Some((3.0, 5_000.0)));
    }
}
