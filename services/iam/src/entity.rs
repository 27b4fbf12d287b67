//! What users and roles have in common: a name, a path, tags, policies. One place loads and changes both.

use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_store::{Decision, Record, Stored, Table, update};

use crate::Iam;
use crate::generated as g;
use crate::table::{self, Identity, ROLES, Role, USERS, User};

/// A user or a role.
pub(crate) trait Entity: Record + Clone + 'static {
    /// `user` or `role`: in ARNs and in messages.
    const NOUN: &str;
    /// All characters of the inline policies together, white space aside.
    const INLINE_CHARS_MAX: usize;

    fn table() -> Table<Self>;
    fn identity(&self) -> &Identity;
    fn identity_mut(&mut self) -> &mut Identity;
}

impl Entity for User {
    const NOUN: &str = "user";
    const INLINE_CHARS_MAX: usize = 2_048;

    fn table() -> Table<Self> {
        USERS
    }

    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn identity_mut(&mut self) -> &mut Identity {
        &mut self.identity
    }
}

impl Entity for Role {
    const NOUN: &str = "role";
    const INLINE_CHARS_MAX: usize = 10_240;

    fn table() -> Table<Self> {
        ROLES
    }

    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn identity_mut(&mut self) -> &mut Identity {
        &mut self.identity
    }
}

/// The entity of this name in the caller's account.
pub(crate) async fn load<E: Entity>(iam: &Iam, cx: &Context, name: &str) -> Result<Stored<E>, ApiError> {
    let table = E::table();
    let found = table.get(iam.store(), &table::key_in(&table, cx.account, name)).await?;
    found.ok_or_else(|| missing::<E>(name))
}

/// All entities of the account below a path.
pub(crate) async fn all<E: Entity>(iam: &Iam, cx: &Context, path: Option<&str>) -> Result<Vec<E>, ApiError> {
    let table = E::table();
    let mut found = table.all(iam.store(), &table::all_in(&table, cx.account)).await?;
    found.retain(|entity: &E| entity.identity().path.starts_with(path.unwrap_or("/")));
    Ok(found)
}

/// Changes the entity, if it exists; what was read of it is stale from then on.
pub(crate) async fn change<E: Entity, T>(
    iam: &Iam,
    cx: &Context,
    name: &str,
    mut decide: impl FnMut(E) -> Result<Decision<E, T>, ApiError>,
) -> Result<T, ApiError> {
    let key = table::key_in(&E::table(), cx.account, name);
    let changed =
        update(iam.store(), &key, |current: Option<E>| decide(current.ok_or_else(|| missing::<E>(name))?));
    let answer = changed.await;
    iam.forget();
    answer
}

/// The refusal for a name that nobody has.
pub(crate) fn missing<E: Entity>(name: &str) -> ApiError {
    g::NoSuchEntityException::new(format!("The {} with name {name} cannot be found.", E::NOUN)).into()
}

/// The refusal for a name that is taken.
pub(crate) fn taken<E: Entity>(name: &str) -> ApiError {
    let noun = if E::NOUN == "user" { "User" } else { "Role" };
    g::EntityAlreadyExistsException::new(format!("{noun} with name {name} already exists.")).into()
}

/// The refusal to delete what others still hang on.
pub(crate) fn in_use(what: &str) -> ApiError {
    g::DeleteConflictException::new(format!("Cannot delete entity, must {what} first.")).into()
}
