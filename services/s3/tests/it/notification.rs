//! Notifications: which functions are told of which changes, and that none is lost.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use pagoda_protocol::ApiError;
use pagoda_service::ports::{CheckInvocation, Invocation, InvokeLater};
use pagoda_service::{Background, Context};
use serde_json::Value;

use crate::world::{OWNER, World, root};

const FUNCTION: &str = "arn:aws:lambda:us-east-1:111111111111:function:f";

/// Functions that keep what they are told, or have no time.
#[derive(Default)]
struct Functions {
    told: Mutex<Vec<(String, Value)>>,
    busy: Mutex<bool>,
}

#[async_trait]
impl CheckInvocation for Functions {
    async fn check(&self, _cx: &Context, function: &str, source: &str) -> Result<(), ApiError> {
        assert_eq!(source, "arn:aws:s3:::bucket");
        match function.ends_with(":locked") {
            true => Err(ApiError::new("AccessDeniedException", 403, "no")),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl InvokeLater for Functions {
    async fn enqueue(&self, cx: &Context, invocation: Invocation) -> Result<(), ApiError> {
        if *self.busy.lock().unwrap() {
            return Err(ApiError::new("TooManyRequestsException", 429, "later"));
        }
        assert_eq!(cx.account.as_str(), OWNER);
        assert_eq!(invocation.source_arn.as_deref(), Some("arn:aws:s3:::bucket"));
        let event = serde_json::from_slice(&invocation.payload).unwrap();
        self.told.lock().unwrap().push((invocation.function_arn, event));
        Ok(())
    }
}

impl Functions {
    /// Waits for that many notifications: event names and keys in the order of their sequencers.
    async fn all(&self, count: usize) -> Vec<(String, String)> {
        while self.told.lock().unwrap().len() < count {
            tokio::task::yield_now().await;
        }
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut told: Vec<_> = self
            .told
            .lock()
            .unwrap()
            .iter()
            .map(|(_, event)| {
                let record = &event["Records"][0];
                let object = &record["s3"]["object"];
                (text(&object["sequencer"]), text(&record["eventName"]), text(&object["key"]))
            })
            .collect();
        told.sort();
        told.into_iter().map(|(_, event, key)| (event, key)).collect()
    }
}

fn rule(id: &str, function: &str, events: &[&str], filters: &[(&str, &str)]) -> String {
    let events: String = events.iter().map(|event| format!("<Event>{event}</Event>")).collect();
    let filters: String = filters
        .iter()
        .map(|(name, value)| format!("<FilterRule><Name>{name}</Name><Value>{value}</Value></FilterRule>"))
        .collect();
    format!(
        "<CloudFunctionConfiguration><Id>{id}</Id><CloudFunction>{function}</CloudFunction>{events}\
         <Filter><S3Key>{filters}</S3Key></Filter></CloudFunctionConfiguration>"
    )
}

fn document(rules: &[String]) -> String {
    format!("<NotificationConfiguration>{}</NotificationConfiguration>", rules.concat())
}

async fn scene() -> (World, Arc<Functions>, Background) {
    let world = World::with_bucket().await;
    let functions = Arc::new(Functions::default());
    world.s3.notify(functions.clone());
    let mut background = Background::default();
    world.s3.run(&mut background);
    (world, functions, background)
}

#[tokio::test]
async fn every_kind_of_change_is_told() {
    let (world, functions, _background) = scene().await;
    let events = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectTagging:*"];
    let configuration = document(&[rule("all", FUNCTION, &events, &[("prefix", "in/")])]);
    world.send("PUT", "/bucket?notification", &[], configuration).await.ok();
    let answer = world.send("GET", "/bucket?notification", &[], "").await;
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    assert!(
        text.contains("<Id>all</Id>") && text.contains("<Name>Prefix</Name><Value>in/</Value>"),
        "{text}"
    );
    world.send("PUT", "/bucket/in/a%20b+%C3%A9.txt", &[], "hello").await.ok();
    world.send("PUT", "/bucket/out", &[], "hello").await.ok();
    let source = ("x-amz-copy-source", "/bucket/out");
    world.send("PUT", "/bucket/in/copy", &[source], "").await.ok();
    let tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>";
    world.send("PUT", "/bucket/in/copy?tagging", &[], tags).await.ok();
    world.send("DELETE", "/bucket/in/copy?tagging", &[], "").await;
    world.send("DELETE", "/bucket/in/copy", &[], "").await;
    world.send("DELETE", "/bucket/in/copy", &[], "").await;
    let told = functions.all(5).await;
    let expected = [
        ("ObjectCreated:Put", "in/a+b%2B%C3%A9.txt"),
        ("ObjectCreated:Copy", "in/copy"),
        ("ObjectTagging:Put", "in/copy"),
        ("ObjectTagging:Delete", "in/copy"),
        ("ObjectRemoved:Delete", "in/copy"),
    ];
    assert_eq!(told, expected.map(|(event, key)| (event.to_owned(), key.to_owned())));
    let (function, event) = functions.told.lock().unwrap()[0].clone();
    let record = &event["Records"][0];
    assert_eq!(function, FUNCTION);
    assert_eq!((&record["eventVersion"], &record["eventSource"]), (&"2.1".into(), &"aws:s3".into()));
    assert_eq!(record["s3"]["configurationId"], "all");
    assert_eq!(record["s3"]["bucket"]["arn"], "arn:aws:s3:::bucket");
    assert_eq!(
        (&record["s3"]["object"]["size"], &record["requestParameters"]["sourceIPAddress"]),
        (&5.into(), &"127.0.0.1".into())
    );
    let removed = functions
        .told
        .lock()
        .unwrap()
        .iter()
        .find(|(_, event)| event["Records"][0]["eventName"] == "ObjectRemoved:Delete")
        .cloned();
    assert_eq!(removed.unwrap().1["Records"][0]["s3"]["object"].get("size"), None);
}

#[tokio::test]
async fn what_finds_no_room_is_told_after_a_restart() {
    let (world, functions, background) = scene().await;
    let configuration = document(&[rule("all", FUNCTION, &["s3:ObjectCreated:Put"], &[])]);
    world.send("PUT", "/bucket?notification", &[], configuration).await.ok();
    *functions.busy.lock().unwrap() = true;
    for number in 0..50 {
        world.send("PUT", &format!("/bucket/{number}"), &[], "x").await.ok();
    }
    background.stop().await;
    assert!(functions.told.lock().unwrap().is_empty());
    *functions.busy.lock().unwrap() = false;
    let again = world.restarted();
    again.notify(functions.clone());
    let mut background = Background::default();
    again.run(&mut background);
    let told = functions.all(50).await;
    background.stop().await;
    let keys: Vec<_> = told.into_iter().map(|(_, key)| key).collect();
    assert_eq!(keys, (0..50).map(|number| number.to_string()).collect::<Vec<_>>());
    let outbox = world
        .store
        .rows(pagoda_store::Read::prefix(
            &pagoda_store::KeyBuilder::new(pagoda_store::Space::Queue).text("s3.outbox").done(),
            10,
        ))
        .await
        .unwrap();
    assert!(outbox.rows.is_empty(), "what was told is not told again");
}

#[tokio::test]
async fn wrong_configurations_are_refused() {
    let (world, _functions, _background) = scene().await;
    let put = "s3:ObjectCreated:Put";
    let queue = "<NotificationConfiguration><QueueConfiguration><Queue>arn:aws:sqs:us-east-1:1:q</Queue>\
                 <Event>s3:ObjectCreated:*</Event></QueueConfiguration></NotificationConfiguration>";
    let rows = [
        (queue.to_owned(), 501, "QueueConfigurations"),
        (queue.replace("Queue", "Topic"), 501, "TopicConfigurations"),
        (
            "<NotificationConfiguration><EventBridgeConfiguration/></NotificationConfiguration>".into(),
            501,
            "EventBridge",
        ),
        (document(&[rule("a", FUNCTION, &["s3:LifecycleTransition"], &[])]), 501, "s3:LifecycleTransition"),
        (document(&[rule("a", FUNCTION, &["s3:ObjectCreated:Post"], &[])]), 501, "s3:ObjectCreated:Post"),
        (
            document(&[rule("a", FUNCTION, &[put], &[]), rule("b", FUNCTION, &["s3:ObjectCreated:*"], &[])]),
            400,
            "common event type",
        ),
        (
            document(&[
                rule("a", FUNCTION, &[put], &[("suffix", "g")]),
                rule("b", FUNCTION, &[put], &[("suffix", ".jpg")]),
            ]),
            400,
            "overlapping suffixes",
        ),
        (
            document(&[rule("a", FUNCTION, &[put], &[]), rule("a", FUNCTION, &["s3:ObjectRemoved:*"], &[])]),
            400,
            "must be unique",
        ),
        (
            document(&[rule("a", FUNCTION, &[put], &[("prefix", "a"), ("Prefix", "b")])]),
            400,
            "more than one prefix",
        ),
        (document(&[rule("a", FUNCTION, &[put], &[("infix", "a")])]), 400, "either prefix or suffix"),
        (document(&[rule("a", &format!("{FUNCTION}:locked"), &[put], &[])]), 400, "Not authorized to invoke"),
        (
            document(&[rule("a", &FUNCTION.replace("us-east-1", "eu-west-1"), &[put], &[])]),
            400,
            "service region",
        ),
        (document(&[rule("a", "arn:aws:sqs:us-east-1:1:q", &[put], &[])]), 400, "not well formed"),
    ];
    for (body, status, text) in rows {
        let answer = world.send("PUT", "/bucket?notification", &[], body.clone()).await;
        let said = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.status, status, "{body}: {said}");
        assert!(said.contains(text), "{text}: {said}");
    }
    let skip = ("x-amz-skip-destination-validation", "true");
    let locked = document(&[rule("a", &format!("{FUNCTION}:locked"), &[put], &[])]);
    world.send("PUT", "/bucket?notification", &[skip], locked).await.ok();
    world.send("PUT", "/bucket?notification", &[], document(&[])).await.ok();
    let answer = world.send("GET", "/bucket?notification", &[], "").await;
    assert!(!String::from_utf8_lossy(&answer.body).contains("CloudFunction"));
    let other = world.send_as(root(crate::world::OTHER), "GET", "/bucket?notification", &[], "".into()).await;
    assert_eq!(other.status, 403);
}
