//! The records that Lambda keeps, and their keys.

use std::collections::BTreeMap;

use pagoda_base::Timestamp;
use pagoda_store::{Key, Record, Space, Table};
use serde::{Deserialize, Serialize};

use crate::name::FunctionId;

/// A function: code, settings, tags and policy in one record, so that a change is one commit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Function {
    pub(crate) modified: Timestamp,
    /// Changes with every change that callers can see.
    pub(crate) revision: String,
    /// Changes with code and settings: what instances of another generation are ended for.
    pub(crate) generation: String,
    pub(crate) code: Code,
    pub(crate) settings: Settings,
    pub(crate) tags: BTreeMap<String, String>,
    /// The statements of the resource policy by their ids, each as JSON.
    pub(crate) statements: BTreeMap<String, String>,
    /// The policy's own revision.
    pub(crate) policy_revision: String,
}

/// A package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Code {
    /// Hexadecimal; the package's directory has this name.
    pub(crate) sha256: String,
    /// The archive's size.
    pub(crate) bytes: u64,
}

/// How a function runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) runtime: String,
    pub(crate) role: String,
    pub(crate) handler: String,
    pub(crate) description: String,
    pub(crate) timeout_seconds: u32,
    pub(crate) memory_mb: u32,
    pub(crate) storage_mb: u32,
    /// The environment variables, sealed JSON; none where there are none.
    pub(crate) sealed_variables: Option<Vec<u8>>,
    /// The log group, where it isn't the function's own.
    pub(crate) log_group: Option<String>,
}

/// That a function uses a package. The key says it all.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Use {}

pub(crate) const FUNCTIONS: Table<Function> = Table::new(Space::Meta);
pub(crate) const USES: Table<Use> = Table::new(Space::Meta);

impl Record for Function {
    const KIND: &str = "lambda.function";
    const VERSION: u8 = 1;
}

impl Record for Use {
    const KIND: &str = "lambda.package-use";
    const VERSION: u8 = 1;
}

/// The key of a function.
pub(crate) fn function(id: &FunctionId) -> Key {
    FUNCTIONS.key().text(id.account.as_str()).text(id.region.as_str()).text(&id.name).done()
}

/// The prefix of all functions of `id`'s account and region.
pub(crate) fn beside(id: &FunctionId) -> Key {
    FUNCTIONS.key().text(id.account.as_str()).text(id.region.as_str()).done()
}

/// The key of a function's use of the package `sha256`.
pub(crate) fn usage(sha256: &str, id: &FunctionId) -> Key {
    let key = USES.key().text(sha256);
    key.text(id.account.as_str()).text(id.region.as_str()).text(&id.name).done()
}

/// The prefix of all uses of the package `sha256`.
pub(crate) fn usages(sha256: &str) -> Key {
    USES.key().text(sha256).done()
}
