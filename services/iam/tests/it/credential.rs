//! Access keys: usable while active, sealed at rest, gone when deleted.

use pagoda_service::ports::{FindCredential as _, NoCredential};
use pagoda_store::{Read, Space};
use pagoda_testkit::World;
use serde_json::json;

use crate::world::iam;

#[tokio::test]
async fn keys_work_while_they_are_active() {
    let world = World::new();
    let (service, root) = iam(&world);
    root.must("iam", "CreateUser", json!({ "UserName": "ann" })).await;
    let key = root.must("iam", "CreateAccessKey", json!({ "UserName": "ann" })).await["AccessKey"].clone();
    let id = key["AccessKeyId"].as_str().unwrap();
    let found = service.find(id, None).await.unwrap();
    assert_eq!(found.secret.as_str(), key["SecretAccessKey"].as_str().unwrap());
    assert_eq!(found.caller.arn(), "arn:aws:iam::123456789012:user/ann");

    let status = |status: &str| json!({ "UserName": "ann", "AccessKeyId": id, "Status": status });
    root.must("iam", "UpdateAccessKey", status("Inactive")).await;
    assert_eq!(service.find(id, None).await.err(), Some(NoCredential::Unknown));
    root.must("iam", "UpdateAccessKey", status("Active")).await;
    assert!(service.find(id, None).await.is_ok());
    root.must("iam", "DeleteAccessKey", json!({ "UserName": "ann", "AccessKeyId": id })).await;
    assert_eq!(service.find(id, None).await.err(), Some(NoCredential::Unknown));
    assert_eq!(service.find(id, Some("token")).await.err(), Some(NoCredential::Unknown));
}

#[tokio::test]
async fn no_secret_is_kept_in_the_clear() {
    let world = World::new();
    let (_iam, root) = iam(&world);
    root.must("iam", "CreateUser", json!({ "UserName": "ann" })).await;
    let key = root.must("iam", "CreateAccessKey", json!({ "UserName": "ann" })).await;
    let secret = key["AccessKey"]["SecretAccessKey"].as_str().unwrap();
    let (lo, hi) = pagoda_store::Key::raw(Space::Meta, Vec::new()).prefix_range();
    let rows = world
        .store
        .rows(Read::Range { lo, hi, limit: 1_000, bytes: 8_000_000, reverse: false })
        .await
        .unwrap();
    assert!(!rows.rows.is_empty());
    for row in rows.rows {
        assert!(!row.value.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }
}
