//! The records that Lambda keeps, and their keys.

use std::collections::BTreeMap;

use pagoda_base::Timestamp;
use pagoda_store::tuple::KeyBuilder;
use pagoda_store::{Key, Record, Space, StoreError, Table};
use serde::{Deserialize, Serialize};

use crate::generated::PackageType;
use crate::image::{Image, Override};
use crate::layer::LayerId;
use crate::logging::Logging;
use crate::name::FunctionId;

/// A function: its newest version and what belongs to all of them, in one record so that a change is one commit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Function {
    /// What `$LATEST` is.
    pub(crate) latest: Version,
    pub(crate) tags: BTreeMap<String, String>,
    /// The resource policies by qualifier; the function's own has the empty one.
    pub(crate) policies: BTreeMap<String, Policy>,
    /// The number of the version that was published last; 0 for none.
    pub(crate) published: u64,
    /// Instances kept for this function alone, which it cannot exceed.
    pub(crate) reserved: Option<u32>,
    /// Whether it may go on when it has led to its own invocation again and again.
    #[serde(default)]
    pub(crate) may_recurse: bool,
}

impl Function {
    /// A function of which nothing is said but what it is.
    pub(crate) fn of(latest: Version) -> Self {
        let (tags, policies) = Default::default();
        Self { latest, tags, policies, published: 0, reserved: None, may_recurse: false }
    }
}

/// Code and settings as they run. Published versions never change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Version {
    pub(crate) modified: Timestamp,
    /// Changes with every change that callers can see.
    pub(crate) revision: String,
    /// Changes with code and settings: what instances of another generation are ended for.
    pub(crate) generation: String,
    pub(crate) code: Code,
    /// In the order in which they are laid over each other.
    pub(crate) layers: Vec<LayerUse>,
    /// The layers as one package, which guests see as `/opt`.
    pub(crate) opt: Option<Code>,
    /// Where the code is a container image: how that is run. The package is its file system then.
    #[serde(default)]
    pub(crate) image: Option<Image>,
    pub(crate) settings: Settings,
}

impl Version {
    /// What kind of package it is.
    pub(crate) fn package_type(&self) -> PackageType {
        if self.image.is_some() { PackageType::Image } else { PackageType::Zip }
    }

    /// All packages that it consists of.
    pub(crate) fn packages(&self) -> impl Iterator<Item = &Code> {
        std::iter::once(&self.code).chain(&self.opt)
    }
}

/// A layer as a version uses it: the version keeps it when the layer is deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LayerUse {
    pub(crate) arn: String,
    pub(crate) code: Code,
}

/// A resource policy.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Policy {
    /// Its statements by their ids, each as JSON.
    pub(crate) statements: BTreeMap<String, String>,
    pub(crate) revision: String,
}

/// A name for a version, and perhaps for a second one that takes a share of the invocations.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Alias {
    pub(crate) version: String,
    pub(crate) description: String,
    /// The other version and its share, from 0 to 1.
    pub(crate) other: Option<(String, f64)>,
    pub(crate) revision: String,
}

/// The newest number of a layer's versions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Layer {
    pub(crate) published: u64,
}

/// One version of a layer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LayerVersion {
    pub(crate) created: Timestamp,
    pub(crate) code: Code,
    pub(crate) description: String,
    pub(crate) licence: Option<String>,
    pub(crate) runtimes: Vec<String>,
    pub(crate) architectures: Vec<String>,
    pub(crate) policy: Option<Policy>,
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
    /// None for an image: [`crate::runtime::IMAGE`].
    pub(crate) runtime: String,
    pub(crate) role: String,
    pub(crate) handler: String,
    pub(crate) description: String,
    pub(crate) timeout_seconds: u32,
    pub(crate) memory_mb: u32,
    pub(crate) storage_mb: u32,
    /// The environment variables, sealed JSON; none where there are none.
    pub(crate) sealed_variables: Option<Vec<u8>>,
    /// Whether all invocations are traced.
    pub(crate) tracing: bool,
    /// Whether published versions are started from a snapshot.
    pub(crate) snap_start: bool,
    /// The log group, where it isn't the function's own.
    pub(crate) log_group: Option<String>,
    /// Its form.
    #[serde(default)]
    pub(crate) logging: Logging,
    /// What is changed of how an image says that it is run.
    #[serde(default)]
    pub(crate) image: Override,
}

/// That a version of a function, or of a layer, uses a package. The key says it all.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Use {}

pub(crate) const FUNCTIONS: Table<Function> = Table::new(Space::Meta);
pub(crate) const VERSIONS: Table<Version> = Table::new(Space::Meta);
pub(crate) const ALIASES: Table<Alias> = Table::new(Space::Meta);
pub(crate) const LAYERS: Table<Layer> = Table::new(Space::Meta);
pub(crate) const LAYER_VERSIONS: Table<LayerVersion> = Table::new(Space::Meta);
pub(crate) const USES: Table<Use> = Table::new(Space::Meta);

impl Record for Function {
    const KIND: &str = "lambda.function";
    const VERSION: u8 = 2;

    /// Those of version 1 may not recurse.
    fn migrate(_version: u8, body: &[u8]) -> Result<Self, StoreError> {
        Self::read(Self::VERSION, body)
    }
}

impl Record for Version {
    const KIND: &str = "lambda.version";
    const VERSION: u8 = 1;
}

impl Record for Alias {
    const KIND: &str = "lambda.alias";
    const VERSION: u8 = 1;
}

impl Record for Layer {
    const KIND: &str = "lambda.layer";
    const VERSION: u8 = 1;
}

impl Record for LayerVersion {
    const KIND: &str = "lambda.layer-version";
    const VERSION: u8 = 1;
}

impl Record for Use {
    const KIND: &str = "lambda.package-use";
    const VERSION: u8 = 1;
}

/// The key of a function.
pub(crate) fn function(id: &FunctionId) -> Key {
    of(FUNCTIONS.key(), id).done()
}

/// The prefix of all functions of `id`'s account and region.
pub(crate) fn beside(id: &FunctionId) -> Key {
    FUNCTIONS.key().text(id.account.as_str()).text(id.region.as_str()).done()
}

/// The key of a published version.
pub(crate) fn version(id: &FunctionId, number: u64) -> Key {
    of(VERSIONS.key(), id).u64(number).done()
}

/// The prefix of all published versions.
pub(crate) fn versions(id: &FunctionId) -> Key {
    of(VERSIONS.key(), id).done()
}

/// The key of an alias.
pub(crate) fn alias(id: &FunctionId, name: &str) -> Key {
    of(ALIASES.key(), id).text(name).done()
}

/// The prefix of all aliases.
pub(crate) fn aliases(id: &FunctionId) -> Key {
    of(ALIASES.key(), id).done()
}

/// The key of a layer.
pub(crate) fn layer(id: &LayerId) -> Key {
    LAYERS.key().text(id.account.as_str()).text(id.region.as_str()).text(&id.name).done()
}

/// The prefix of all layers of `id`'s account and region.
pub(crate) fn layers_beside(id: &LayerId) -> Key {
    LAYERS.key().text(id.account.as_str()).text(id.region.as_str()).done()
}

/// The key of a version of a layer.
pub(crate) fn layer_version(id: &LayerId, number: u64) -> Key {
    let key = LAYER_VERSIONS.key().text(id.account.as_str()).text(id.region.as_str());
    key.text(&id.name).u64(number).done()
}

/// The prefix of all versions of a layer.
pub(crate) fn layer_versions(id: &LayerId) -> Key {
    LAYER_VERSIONS.key().text(id.account.as_str()).text(id.region.as_str()).text(&id.name).done()
}

/// The key of the use of the package `sha256` by `user`, an ARN with the version.
pub(crate) fn usage(sha256: &str, user: &str) -> Key {
    USES.key().text(sha256).text(user).done()
}

/// The prefix of all uses of the package `sha256`.
pub(crate) fn usages(sha256: &str) -> Key {
    USES.key().text(sha256).done()
}

/// A key that goes on with the function.
pub(crate) fn of(key: KeyBuilder, id: &FunctionId) -> KeyBuilder {
    key.text(id.account.as_str()).text(id.region.as_str()).text(&id.name)
}
