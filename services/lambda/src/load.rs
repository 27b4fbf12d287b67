//! Functions as they are read: decoded once for each version of their record.

use std::sync::Arc;

use pagoda_policy::{Document, Kind, Named};
use pagoda_protocol::ApiError;
use pagoda_store::{Key, Record, Stamp};
use quick_cache::sync::Cache as Memory;

use crate::Lambda;
use crate::name::{self, FunctionId};
use crate::permission;
use crate::table::{self, Function};

/// Functions that are kept decoded.
const FUNCTIONS_MAX: usize = 10_000;

/// A function, decoded, with its policy compiled.
pub(crate) struct Loaded {
    pub(crate) id: FunctionId,
    pub(crate) function: Function,
    pub(crate) policy: Option<Named>,
    stamp: Stamp,
}

/// What has been decoded.
pub(crate) struct Cache(Memory<Key, Arc<Loaded>>);

impl Cache {
    pub(crate) fn new() -> Self {
        Self(Memory::new(FUNCTIONS_MAX))
    }
}

impl Lambda {
    /// The function, if there is one. The record is read each time; only decoding is saved.
    pub(crate) async fn find(&self, id: &FunctionId) -> Result<Option<Arc<Loaded>>, ApiError> {
        let key = table::function(id);
        let Some(found) = self.store().get(&key).await? else { return Ok(None) };
        if let Some(known) = self.cache.0.get(&key).filter(|known| known.stamp == found.stamp) {
            return Ok(Some(known));
        }
        let function = Function::decode(&found.value)?;
        let policy = compile(id.arn(), &function);
        let loaded = Arc::new(Loaded { id: id.clone(), function, policy, stamp: found.stamp });
        self.cache.0.insert(key, Arc::clone(&loaded));
        Ok(Some(loaded))
    }

    /// The function.
    ///
    /// # Errors
    /// `ResourceNotFoundException`.
    pub(crate) async fn load(&self, named: &name::Named) -> Result<Arc<Loaded>, ApiError> {
        named.check_version()?;
        self.find(&named.function).await?.ok_or_else(|| name::missing(&named.arn()))
    }
}

/// A policy that does not compile allows nothing; `AddPermission` checks that it does.
fn compile(arn: String, function: &Function) -> Option<Named> {
    let text = permission::document(&function.statements)?;
    let document = Document::parse(&text, Kind::Resource).ok()?;
    Some(Named { name: arn, document: Arc::new(document) })
}
