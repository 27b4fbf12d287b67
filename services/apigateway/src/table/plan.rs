//! Records of API keys and of the plans that limit them.

use std::collections::BTreeMap;

use pagoda_base::Timestamp;
use serde::{Deserialize, Serialize};

use super::Texts;

/// A key by which requests are told apart and limited. It authorizes nobody.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ApiKey {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) customer_id: Option<String>,
    pub(crate) is_enabled: bool,
    /// The value, sealed.
    pub(crate) sealed: Vec<u8>,
    pub(crate) tags: Texts,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
}

/// The id of the key with a value, which its place in the table stands for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct MarkedKey(pub(crate) String);

/// Stages, and how much the keys of the plan may ask of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct UsagePlan {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    /// By `{api}:{stage}`.
    pub(crate) stages: BTreeMap<String, PlanStage>,
    pub(crate) throttle: Option<Throttle>,
    pub(crate) quota: Option<Quota>,
    pub(crate) tags: Texts,
}

/// A stage of a plan.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct PlanStage {
    /// By `{path}/{VERB}`.
    pub(crate) throttle: BTreeMap<String, Throttle>,
}

/// How many requests of a key a plan lets through.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Throttle {
    /// A second, in the long run.
    pub(crate) rate: f64,
    /// At once.
    pub(crate) burst: f64,
}

/// How many requests of a key a plan lets through in a period.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Quota {
    pub(crate) limit: i64,
    /// Days between the calendar's beginning of a period and the plan's.
    pub(crate) offset_days: i64,
    pub(crate) period: Period,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Period {
    Day,
    Week,
    Month,
}

/// A key of a plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct UsagePlanKey {
    pub(crate) plan: String,
    pub(crate) key: String,
}
