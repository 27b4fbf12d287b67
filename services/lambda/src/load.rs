//! Functions and their versions as they are read: decoded once for each version of their records.

use std::collections::HashMap;
use std::sync::Arc;

use pagoda_policy::{Document, Kind, Named};
use pagoda_protocol::ApiError;
use pagoda_store::{Key, Record, Stamp, Versioned};
use quick_cache::sync::Cache as Memory;

use crate::name::{self, FunctionId, LATEST, Qualifier, VersionId};
use crate::table::{self, Function, Version};
use crate::{Lambda, alias, permission};

/// Versions that are kept decoded.
const VERSIONS_MAX: usize = 10_000;

/// A version of a function, decoded, with its function and the compiled policies.
pub(crate) struct Loaded {
    pub(crate) id: FunctionId,
    /// `$LATEST`, or the number.
    pub(crate) number: String,
    pub(crate) version: Version,
    pub(crate) function: Arc<Known>,
    stamp: Stamp,
}

/// A function with its compiled policies.
pub(crate) struct Known {
    pub(crate) record: Function,
    policies: HashMap<String, Named>,
    stamp: Stamp,
}

/// What has been decoded, by the key of the version; `$LATEST` has the function's.
pub(crate) struct Cache(Memory<Key, Arc<Loaded>>);

impl Cache {
    pub(crate) fn new() -> Self {
        Self(Memory::new(VERSIONS_MAX))
    }
}

impl Loaded {
    /// What instances of this version belong to.
    pub(crate) fn version_id(&self) -> VersionId {
        VersionId { function: self.id.clone(), number: self.number.clone() }
    }
}

impl Known {
    /// The policy of the function, or of its version or alias `qualifier`.
    pub(crate) fn policy(&self, qualifier: Option<&str>) -> Option<&Named> {
        self.policies.get(qualifier.unwrap_or_default())
    }
}

impl Lambda {
    /// The newest version of the function, if there is one. The record is read each time; only decoding is
    /// saved.
    pub(crate) async fn find(&self, id: &FunctionId) -> Result<Option<Arc<Loaded>>, ApiError> {
        let key = table::function(id);
        let Some(found) = self.store().get(&key).await? else { return Ok(None) };
        if let Some(known) = self.cache.0.get(&key).filter(|known| known.stamp == found.stamp) {
            return Ok(Some(known));
        }
        let record = Function::decode(&found.value)?;
        let policies = compile(id, &record);
        let version = record.latest.clone();
        let function = Arc::new(Known { record, policies, stamp: found.stamp });
        Ok(Some(self.keep(key, id, LATEST.to_owned(), version, function, found.stamp)))
    }

    /// The function, or its version or alias, as it was named. Where an alias has two versions, one of them is
    /// drawn by their weights.
    ///
    /// # Errors
    /// `ResourceNotFoundException`.
    pub(crate) async fn load(&self, named: &name::Named) -> Result<Arc<Loaded>, ApiError> {
        let missing = || name::missing(&named.arn());
        let latest = self.find(&named.function).await?.ok_or_else(missing)?;
        let number = match named.qualifier() {
            Qualifier::Latest => return Ok(latest),
            Qualifier::Number(number) => number,
            Qualifier::Alias(name) => {
                let alias = alias::find(self, &named.function, name).await?.ok_or_else(missing)?;
                match alias.record.draw(&*self.ports.random).parse() {
                    Ok(number) => number,
                    Err(_) => return Ok(latest),
                }
            }
        };
        self.published(&latest, number).await?.ok_or_else(missing)
    }

    async fn published(&self, latest: &Loaded, number: u64) -> Result<Option<Arc<Loaded>>, ApiError> {
        let key = table::version(&latest.id, number);
        let Some(Versioned { value, stamp, .. }) = self.store().get(&key).await? else { return Ok(None) };
        let is_current =
            |known: &Arc<Loaded>| known.stamp == stamp && known.function.stamp == latest.function.stamp;
        if let Some(known) = self.cache.0.get(&key).filter(is_current) {
            return Ok(Some(known));
        }
        let (version, function) = (Version::decode(&value)?, Arc::clone(&latest.function));
        Ok(Some(self.keep(key, &latest.id, number.to_string(), version, function, stamp)))
    }

    fn keep(
        &self,
        key: Key,
        id: &FunctionId,
        number: String,
        version: Version,
        function: Arc<Known>,
        stamp: Stamp,
    ) -> Arc<Loaded> {
        let loaded = Arc::new(Loaded { id: id.clone(), number, version, function, stamp });
        self.cache.0.insert(key, Arc::clone(&loaded));
        loaded
    }
}

/// A policy that does not compile allows nothing; `AddPermission` checks that it does.
fn compile(id: &FunctionId, function: &Function) -> HashMap<String, Named> {
    let compiled = function.policies.iter().filter_map(|(qualifier, policy)| {
        let text = permission::document(&policy.statements)?;
        let document = Document::parse(&text, Kind::Resource).ok()?;
        Some((qualifier.clone(), Named { name: id.arn(), document: Arc::new(document) }))
    });
    compiled.collect()
}
