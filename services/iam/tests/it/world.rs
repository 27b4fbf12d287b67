//! IAM behind its own policies.

use std::sync::Arc;

use pagoda_iam::{Iam, RootKey};
use pagoda_service::ports::FindCredential as _;
use pagoda_service::{Api, Authorizer, Caller};
use pagoda_testkit::{ACCOUNT, Client, World};
use serde_json::{Value, json};

pub(crate) const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

pub(crate) fn iam(world: &World) -> (Arc<Iam>, Client<'_>) {
    let root = RootKey {
        account: ACCOUNT.parse().unwrap(),
        access_key_id: "AKIAROOT".into(),
        secret_access_key: "root-secret".to_owned().into(),
    };
    let iam = Iam::new(world.store.clone(), world.random.clone(), world.sealer.clone(), vec![root]);
    let client = Client::new(world, [Api::of(&iam)], Authorizer::new(iam.clone()));
    (iam, client)
}

/// A user with a key; the caller that the key stands for.
pub(crate) async fn user(iam: &Iam, root: &Client<'_>, name: &str) -> Caller {
    root.must("iam", "CreateUser", json!({ "UserName": name })).await;
    let key = root.must("iam", "CreateAccessKey", json!({ "UserName": name })).await;
    let id = key["AccessKey"]["AccessKeyId"].as_str().unwrap();
    iam.find(id, None).await.unwrap().caller
}

pub(crate) fn allow(action: &str, resource: &str) -> String {
    statement("Allow", action, resource)
}

pub(crate) fn statement(effect: &str, action: &str, resource: &str) -> String {
    let statement: Value = json!({ "Effect": effect, "Action": action, "Resource": resource });
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}
