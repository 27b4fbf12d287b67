//! The records of function URLs: one under its function, one under its id.

use pagoda_base::Timestamp;
use pagoda_protocol::ApiError;
use pagoda_store::{Commit, Key, Record, Space, StoreError, Stored, Table};
use serde::{Deserialize, Serialize};

use crate::Lambda;
use crate::name::{FunctionId, Named};
use crate::table;

/// A URL of a function or alias.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FunctionUrl {
    pub(super) id: String,
    /// Whether callers must sign; anybody may call otherwise, if the function's policy says so.
    pub(super) signed: bool,
    pub(super) cors: Option<Cors>,
    /// Whether the answer is passed on as it comes.
    #[serde(default)]
    pub(super) streamed: bool,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
}

/// Which pages of other sites may call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cors {
    pub(super) credentials: bool,
    pub(super) headers: Vec<String>,
    pub(super) methods: Vec<String>,
    pub(super) origins: Vec<String>,
    pub(super) exposed: Vec<String>,
    pub(super) max_age_seconds: Option<u32>,
}

/// Whose an id is.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Owner {
    account: String,
    region: String,
    function: String,
    qualifier: Option<String>,
}

const URLS: Table<FunctionUrl> = Table::new(Space::Meta);
const OWNERS: Table<Owner> = Table::new(Space::Index);

impl Record for FunctionUrl {
    const KIND: &str = "lambda.url";
    const VERSION: u8 = 2;

    /// Those of version 1 are buffered.
    fn migrate(_version: u8, body: &[u8]) -> Result<Self, StoreError> {
        Self::read(Self::VERSION, body)
    }
}

impl Record for Owner {
    const KIND: &str = "lambda.url-owner";
    const VERSION: u8 = 1;
}

/// The URL of a function or alias.
pub(super) async fn get(lambda: &Lambda, named: &Named) -> Result<Option<Stored<FunctionUrl>>, ApiError> {
    Ok(URLS.get(lambda.store(), &key(named)).await?)
}

/// A page of the URLs of a function, each with its qualifier.
pub(super) async fn scan(
    lambda: &Lambda,
    id: &FunctionId,
    after: Option<&str>,
    limit: u32,
) -> Result<pagoda_store::Page<FunctionUrl>, ApiError> {
    let after = after.map(|qualifier| table::of(URLS.key(), id).text(qualifier).done());
    Ok(URLS.scan(lambda.store(), &prefix(id), after.as_ref(), limit).await?)
}

/// The function or alias that a URL leads to, and the URL.
pub(super) async fn find(lambda: &Lambda, id: &str) -> Result<Option<(Named, FunctionUrl)>, ApiError> {
    let Some(owner) = OWNERS.get(lambda.store(), &owner_key(id)).await? else { return Ok(None) };
    let Owner { account, region, function, qualifier } = owner.record;
    let (Ok(account), Ok(region)) = (account.parse(), region.parse()) else { return Ok(None) };
    let named = Named { function: FunctionId { account, region, name: function }, qualifier };
    // A function that was deleted has left its id behind.
    let found = get(lambda, &named).await?.map(|stored| stored.record);
    Ok(found.filter(|url| url.id == id).map(|url| (named, url)))
}

/// Adds a new URL.
pub(super) fn create(commit: Commit, named: &Named, url: &FunctionUrl) -> Result<Commit, StoreError> {
    let owner = Owner {
        account: named.function.account.to_string(),
        region: named.function.region.to_string(),
        function: named.function.name.clone(),
        qualifier: named.qualifier.clone(),
    };
    OWNERS.put(URLS.create(commit, &key(named), url)?, &owner_key(&url.id), &owner)
}

/// Changes a URL.
pub(super) fn replace(
    commit: Commit,
    stored: &Stored<FunctionUrl>,
    url: &FunctionUrl,
) -> Result<Commit, StoreError> {
    URLS.replace(commit, &stored.key, stored.stamp, url)
}

/// Takes a URL away.
pub(super) fn remove(commit: Commit, stored: &Stored<FunctionUrl>) -> Commit {
    URLS.remove(commit, stored).delete(owner_key(&stored.record.id))
}

/// The prefix of all URLs of a function.
pub(crate) fn prefix(id: &FunctionId) -> Key {
    table::of(URLS.key(), id).done()
}

fn key(named: &Named) -> Key {
    let qualifier = named.qualifier.as_deref().unwrap_or_default();
    table::of(URLS.key(), &named.function).text(qualifier).done()
}

fn owner_key(id: &str) -> Key {
    OWNERS.key().text(id).done()
}
