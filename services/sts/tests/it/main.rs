//! STS in process, over IAM: who may have a session, what it may do, and when it ends.

#![allow(clippy::unwrap_used)] // what panics here is a failed test

use std::sync::Arc;

use pagoda_iam::Iam;
use pagoda_service::ports::{AssumeRole as _, FindCredential as _, NoCredential};
use pagoda_service::{Api, Authorizer, Caller};
use pagoda_sts::Sts;
use pagoda_testkit::{Client, World};
use serde_json::{Value, json};

const ROLE: &str = "arn:aws:iam::123456789012:role/r";

struct House<'w> {
    iam: Arc<Iam>,
    sts: Arc<Sts>,
    root: Client<'w>,
}

impl<'w> House<'w> {
    fn new(world: &'w World) -> Self {
        let iam = Iam::new(world.store.clone(), world.random.clone(), world.sealer.clone(), Vec::new());
        let authorizer = Authorizer::new(iam.clone());
        let sealer = world.sealer.clone();
        let sts =
            Sts::new(iam.clone(), authorizer.clone(), sealer, world.clock.clone(), world.random.clone());
        let root = Client::new(world, [Api::of(&iam), Api::of(&sts)], authorizer);
        Self { iam, sts, root }
    }

    async fn user(&self, name: &str) -> Client<'w> {
        self.root.must("iam", "CreateUser", json!({ "UserName": name })).await;
        let key = self.root.must("iam", "CreateAccessKey", json!({ "UserName": name })).await;
        let id = key["AccessKey"]["AccessKeyId"].as_str().unwrap();
        self.root.by(self.iam.find(id, None).await.unwrap().caller)
    }

    /// A role that trusts `principal`, under `condition`, and may list users.
    async fn role(&self, principal: Value, condition: Value) {
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition }],
        });
        let input = json!({ "RoleName": "r", "AssumeRolePolicyDocument": trust.to_string() });
        self.root.must("iam", "CreateRole", input).await;
        let policy = allow("iam:List*");
        let input = json!({ "RoleName": "r", "PolicyName": "p", "PolicyDocument": policy });
        self.root.must("iam", "PutRolePolicy", input).await;
    }

    async fn session(&self, credentials: &Value) -> Result<Caller, NoCredential> {
        let text = |name: &str| credentials[name].as_str().unwrap().to_owned();
        let found = self.sts.find(&text("AccessKeyId"), Some(&text("SessionToken"))).await?;
        assert_eq!(found.secret.as_str(), text("SecretAccessKey"));
        Ok(found.caller)
    }
}

fn allow(action: &str) -> String {
    json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": action, "Resource": "*" }] }).to_string()
}

fn assume() -> Value {
    json!({ "RoleArn": ROLE, "RoleSessionName": "session" })
}

#[tokio::test]
async fn a_session_may_what_its_role_may_until_it_ends() {
    let world = World::new();
    let house = House::new(&world);
    let ann = house.user("ann").await;
    house.role(json!({ "AWS": "arn:aws:iam::123456789012:user/ann" }), json!({})).await;
    let answer = ann.must("sts", "AssumeRole", assume()).await;
    assert_eq!(answer["AssumedRoleUser"]["Arn"], "arn:aws:sts::123456789012:assumed-role/r/session");
    let session = house.root.by(house.session(&answer["Credentials"]).await.unwrap());
    session.must("iam", "ListUsers", json!({})).await;
    assert_eq!(session.refused("iam", "CreateUser", json!({ "UserName": "x" })).await, "AccessDenied");
    let identity = session.must("sts", "GetCallerIdentity", json!({})).await;
    assert_eq!(identity["Arn"], "arn:aws:sts::123456789012:assumed-role/r/session");
    world.advance_hours(1);
    assert_eq!(house.session(&answer["Credentials"]).await.err(), Some(NoCredential::Expired));
}

#[tokio::test]
async fn only_the_trusted_have_a_session() {
    let world = World::new();
    let house = House::new(&world);
    let (ann, bob) = (house.user("ann").await, house.user("bob").await);
    house.role(json!({ "AWS": "arn:aws:iam::123456789012:user/ann" }), json!({})).await;
    assert_eq!(bob.refused("sts", "AssumeRole", assume()).await, "AccessDenied");
    assert_eq!(house.root.refused("sts", "AssumeRole", assume()).await, "AccessDenied");
    let nowhere = json!({ "RoleArn": "arn:aws:iam::123456789012:role/none", "RoleSessionName": "session" });
    assert_eq!(ann.refused("sts", "AssumeRole", nowhere).await, "AccessDenied");
    // An identity policy alone opens no role.
    let policy = json!({ "UserName": "bob", "PolicyName": "p", "PolicyDocument": allow("sts:AssumeRole") });
    house.root.must("iam", "PutUserPolicy", policy).await;
    assert_eq!(bob.refused("sts", "AssumeRole", assume()).await, "AccessDenied");
}

#[tokio::test]
async fn an_external_id_must_be_the_one_agreed_on() {
    let world = World::new();
    let house = House::new(&world);
    let ann = house.user("ann").await;
    let condition = json!({ "StringEquals": { "sts:ExternalId": "agreed" } });
    house.role(json!({ "AWS": "arn:aws:iam::123456789012:user/ann" }), condition).await;
    assert_eq!(ann.refused("sts", "AssumeRole", assume()).await, "AccessDenied");
    let mut input = assume();
    input["ExternalId"] = json!("agreed");
    ann.must("sts", "AssumeRole", input).await;
}

#[tokio::test]
async fn a_session_policy_narrows_and_never_widens() {
    let world = World::new();
    let house = House::new(&world);
    let ann = house.user("ann").await;
    house.role(json!({ "AWS": "arn:aws:iam::123456789012:user/ann" }), json!({})).await;
    let mut input = assume();
    input["Policy"] = json!(allow("iam:ListRoles"));
    let answer = ann.must("sts", "AssumeRole", input.clone()).await;
    let session = house.root.by(house.session(&answer["Credentials"]).await.unwrap());
    session.must("iam", "ListRoles", json!({})).await;
    assert_eq!(session.refused("iam", "ListUsers", json!({})).await, "AccessDenied");
    input["Policy"] = json!("{");
    assert_eq!(ann.refused("sts", "AssumeRole", input).await, "MalformedPolicyDocument");
}

#[tokio::test]
async fn forged_and_foreign_tokens_are_unknown() {
    let world = World::new();
    let house = House::new(&world);
    let ann = house.user("ann").await;
    house.role(json!({ "AWS": "arn:aws:iam::123456789012:user/ann" }), json!({})).await;
    let one = ann.must("sts", "AssumeRole", assume()).await["Credentials"].clone();
    let two = ann.must("sts", "AssumeRole", assume()).await["Credentials"].clone();
    let (id, token) = (one["AccessKeyId"].as_str().unwrap(), two["SessionToken"].as_str().unwrap());
    assert_eq!(house.sts.find(id, Some(token)).await.err(), Some(NoCredential::Unknown));
    assert_eq!(house.sts.find(id, Some("bm9uZQ==")).await.err(), Some(NoCredential::Unknown));
    assert_eq!(house.sts.find(id, None).await.err(), Some(NoCredential::Unknown));
}

#[tokio::test]
async fn sessions_end_with_their_role() {
    let world = World::new();
    let house = House::new(&world);
    let ann = house.user("ann").await;
    let trust = json!({ "AWS": "arn:aws:iam::123456789012:user/ann" });
    house.role(trust.clone(), json!({})).await;
    let old = ann.must("sts", "AssumeRole", assume()).await["Credentials"].clone();
    house.root.must("iam", "DeleteRolePolicy", json!({ "RoleName": "r", "PolicyName": "p" })).await;
    house.root.must("iam", "DeleteRole", json!({ "RoleName": "r" })).await;
    // A role of the same name is another role.
    house.role(trust, json!({})).await;
    assert_eq!(house.session(&old).await.err(), Some(NoCredential::Unknown));
}

#[tokio::test]
async fn services_assume_roles_that_trust_them() {
    let world = World::new();
    let house = House::new(&world);
    house.role(json!({ "Service": "lambda.amazonaws.com" }), json!({})).await;
    let cx = world.context(world.root());
    let assumed = house.sts.assume(&cx, "lambda.amazonaws.com", ROLE, "f", 3_600).await.unwrap();
    assert!(assumed.access_key_id.starts_with("ASIA"));
    let other = house.sts.assume(&cx, "apigateway.amazonaws.com", ROLE, "f", 3_600).await;
    assert_eq!(other.err().unwrap().code, "AccessDenied");
}

#[tokio::test]
async fn durations_have_limits() {
    let world = World::new();
    let house = House::new(&world);
    let ann = house.user("ann").await;
    house.role(json!({ "AWS": "arn:aws:iam::123456789012:user/ann" }), json!({})).await;
    for seconds in [899, 3_601, 43_201] {
        let mut input = assume();
        input["DurationSeconds"] = json!(seconds);
        assert_eq!(ann.refused("sts", "AssumeRole", input).await, "ValidationError", "{seconds}");
    }
}
