//! CreateAccessKey ListAccessKeys UpdateAccessKey DeleteAccessKey

use pagoda_base::ids;
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::{Commit, Decision, update};

use crate::generated as g;
use crate::table::{self, ACCESS_KEYS, AccessKey, User};
use crate::{Iam, entity, page, user};

/// Access keys of one user.
const KEYS_MAX: usize = 2;

/// The purpose under which secrets of this key are sealed.
pub(crate) fn purpose(id: &str) -> String {
    format!("iam access key {id}")
}

pub(crate) async fn create(
    iam: &Iam,
    cx: &Context,
    input: g::CreateAccessKeyRequest,
) -> Result<g::CreateAccessKeyResponse, ApiError> {
    let name = user::named(cx, input.user_name)?;
    let id = ids::unique_id("AKIA", &*iam.random);
    let secret = ids::secret_access_key(&*iam.random);
    let key = AccessKey {
        account: cx.account,
        user: name.clone(),
        sealed_secret: iam.sealer.seal(&purpose(&id), secret.as_bytes()),
        active: true,
        created: cx.now,
    };
    entity::change(iam, cx, &name, |mut user: User| {
        if user.keys.len() >= KEYS_MAX {
            let message = format!("Cannot exceed quota for AccessKeysPerUser: {KEYS_MAX}");
            return Err(g::LimitExceededException::new(message).into());
        }
        user.keys.push(id.clone());
        let commit = ACCESS_KEYS.create(Commit::new(), &table::access_key(&id), &key)?;
        Ok(Decision::save(user, ()).with(commit))
    })
    .await?;
    Ok(g::CreateAccessKeyResponse {
        access_key: g::AccessKey {
            user_name: name,
            access_key_id: id,
            status: g::StatusType::Active,
            secret_access_key: secret,
            create_date: Some(cx.now),
        },
    })
}

pub(crate) async fn list(
    iam: &Iam,
    cx: &Context,
    input: g::ListAccessKeysRequest,
) -> Result<g::ListAccessKeysResponse, ApiError> {
    let name = user::named(cx, input.user_name)?;
    let user = entity::load::<User>(iam, cx, &name).await?.record;
    let page = page::cut(user.keys, |id: &String| id, input.marker.as_deref(), input.max_items)?;
    let mut described = Vec::new();
    for id in page.items {
        if let Some(stored) = ACCESS_KEYS.get(iam.store(), &table::access_key(&id)).await? {
            described.push(g::AccessKeyMetadata {
                user_name: Some(name.clone()),
                access_key_id: Some(id),
                status: Some(if stored.record.active {
                    g::StatusType::Active
                } else {
                    g::StatusType::Inactive
                }),
                create_date: Some(stored.record.created),
            });
        }
    }
    Ok(g::ListAccessKeysResponse {
        access_key_metadata: described,
        is_truncated: page.is_truncated,
        marker: page.marker,
    })
}

pub(crate) async fn update_status(
    iam: &Iam,
    cx: &Context,
    input: g::UpdateAccessKeyRequest,
) -> Result<Unit, ApiError> {
    let active = match input.status {
        g::StatusType::Active => true,
        g::StatusType::Inactive => false,
        g::StatusType::Expired => {
            return Err(ApiError::new(
                "ValidationError",
                400,
                "Status can be set to Active or Inactive only.",
            ));
        }
    };
    let name = user::named(cx, input.user_name)?;
    let place = table::access_key(&input.access_key_id);
    let changed = update(iam.store(), &place, |key: Option<AccessKey>| {
        let key = key.filter(|key| owned(key, cx, &name)).ok_or_else(|| missing(&input.access_key_id))?;
        Ok(Decision::save(AccessKey { active, ..key }, Unit))
    });
    let answer = changed.await;
    iam.forget();
    answer
}

pub(crate) async fn delete(
    iam: &Iam,
    cx: &Context,
    input: g::DeleteAccessKeyRequest,
) -> Result<Unit, ApiError> {
    let name = user::named(cx, input.user_name)?;
    entity::change(iam, cx, &name, |mut user: User| {
        let before = user.keys.len();
        user.keys.retain(|id| *id != input.access_key_id);
        if user.keys.len() == before {
            return Err(missing(&input.access_key_id));
        }
        Ok(Decision::save(user, Unit).with(Commit::new().delete(table::access_key(&input.access_key_id))))
    })
    .await
}

fn owned(key: &AccessKey, cx: &Context, user: &str) -> bool {
    key.account == cx.account && key.user.eq_ignore_ascii_case(user)
}

fn missing(id: &str) -> ApiError {
    g::NoSuchEntityException::new(format!("The Access Key with id {id} cannot be found.")).into()
}
