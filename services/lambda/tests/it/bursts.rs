//! More invocations than there is room for: who waits, who is next, and what is refused.

use std::sync::Arc;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use serde_json::json;
use tokio::task::JoinSet;

use crate::archive::{Archive, python};
use crate::scene::{Scene, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "waiters_of_a_function_are_served_in_their_order",
            waiters_of_a_function_are_served_in_their_order,
        ),
        trial("a_burst_does_not_starve_another_function", a_burst_does_not_starve_another_function),
        trial("the_coldest_instance_gives_way", the_coldest_instance_gives_way),
        trial("instances_come_at_a_limited_rate", instances_come_at_a_limited_rate),
        trial(
            "five_hundred_cold_invocations_are_all_answered",
            five_hundred_cold_invocations_are_all_answered,
        ),
        trial(
            "a_runtime_that_ends_while_idle_costs_nobody_an_event",
            a_runtime_that_ends_while_idle_costs_nobody_an_event,
        ),
    ]
}

/// Says how often it was called before, after a while.
const COUNTING: &str =
    "import time\nn = 0\ndef handler(e, c):\n    global n\n    n += 1\n    time.sleep(e)\n    return n\n";

/// Resolves once the invocation has taken its place in the line.
async fn queued() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

async fn waiters_of_a_function_are_served_in_their_order() {
    let scene = Arc::new(Scene::with(|config| config.limits.memory_mb = 128));
    scene.create("f", python(COUNTING), json!({})).await.unwrap();
    let mut all = Vec::new();
    for _ in 0..8 {
        let scene = Arc::clone(&scene);
        all.push(tokio::spawn(async move { scene.ask("f", json!(0.03)).await }));
        queued().await;
    }
    for (at, one) in all.into_iter().enumerate() {
        assert_eq!(one.await.unwrap(), at + 1);
    }
}

async fn a_burst_does_not_starve_another_function() {
    let scene = Arc::new(Scene::with(|config| {
        config.limits.memory_mb = 256;
        config.limits.wait = Duration::from_secs(30);
    }));
    for name in ["burst", "other"] {
        scene.create(name, python(COUNTING), json!({})).await.unwrap();
    }
    let mut burst = JoinSet::new();
    for _ in 0..30 {
        let scene = Arc::clone(&scene);
        burst.spawn(async move { scene.ask("burst", json!(0.2)).await });
    }
    queued().await;
    assert_eq!(scene.ask("other", json!(0)).await, 1);
    let mut before = 0;
    while burst.try_join_next().is_some() {
        before += 1;
    }
    assert!(before <= 6, "{before} of the burst came first");
    while let Some(done) = burst.join_next().await {
        done.unwrap();
    }
}

async fn the_coldest_instance_gives_way() {
    let scene = Scene::with(|config| config.limits.memory_mb = 256);
    for name in ["cold", "warm", "new"] {
        scene.create(name, python(COUNTING), json!({})).await.unwrap();
    }
    for name in ["warm", "cold", "warm", "new"] {
        scene.ask(name, json!(0)).await;
    }
    assert_eq!(scene.ask("warm", json!(0)).await, 3, "still there");
    assert_eq!(scene.ask("cold", json!(0)).await, 1, "begun anew");
}

async fn instances_come_at_a_limited_rate() {
    let scene = Arc::new(Scene::with(|config| config.limits.scaling = 2));
    scene.create("f", python(COUNTING), json!({})).await.unwrap();
    scene.create("other", python(COUNTING), json!({})).await.unwrap();
    let busy: Vec<_> = (0..2)
        .map(|_| {
            let scene = Arc::clone(&scene);
            tokio::spawn(async move { scene.ask("f", json!(1)).await })
        })
        .collect();
    queued().await;
    let error = scene.invoke_raw("f", "0").await.unwrap_err();
    assert_eq!((error.code.as_ref(), error.status.as_u16()), ("TooManyRequestsException", 429));
    assert_eq!(error.message, "Rate Exceeded.");
    assert_eq!(scene.ask("other", json!(0)).await, 1, "each function has a rate of its own");
    for one in busy {
        one.await.unwrap();
    }
    assert_eq!(scene.ask("f", json!(0)).await, 2, "an idle instance is no new one");
}

/// Everything that waits holds up nothing else: a call that needs no instance is answered meanwhile.
async fn five_hundred_cold_invocations_are_all_answered() {
    let scene = Arc::new(Scene::with(|config| {
        config.templates = true;
        config.limits.overcommit = true;
        config.limits.wait = Duration::from_secs(60);
    }));
    for at in 0..10 {
        scene.create(&format!("f{at}"), python(COUNTING), json!({})).await.unwrap();
    }
    let began = Instant::now();
    let mut burst = JoinSet::new();
    for at in 0..500 {
        let scene = Arc::clone(&scene);
        burst.spawn(async move { scene.ask(&format!("f{}", at % 10), json!(0.05)).await });
    }
    let mut slowest = Duration::ZERO;
    let mut answered = 0;
    while answered < 500 {
        let asked = Instant::now();
        scene.call("GetFunction", json!({"FunctionName": "f0"})).await.unwrap();
        slowest = slowest.max(asked.elapsed());
        while let Some(done) = burst.try_join_next() {
            done.unwrap();
            answered += 1;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let took = began.elapsed();
    assert!(slowest < took / 4, "the slowest other call took {slowest:?} of {took:?}");
}

/// A runtime that answers one event and then ends without asking for another.
const ENDING: &str = "#!/usr/bin/python3
import os, time, urllib.request as u
api = 'http://' + os.environ['AWS_LAMBDA_RUNTIME_API'] + '/2018-06-01/runtime/invocation/'
event = u.urlopen(api + 'next')
me = event.headers['Lambda-Runtime-Aws-Request-Id']
u.urlopen(api + me + '/response', open('/proc/sys/kernel/random/uuid', 'rb').read(8).join([b'\"', b'\"'])).read()
time.sleep(0.1)
os._exit(3)
";

async fn a_runtime_that_ends_while_idle_costs_nobody_an_event() {
    let scene = Scene::with(|config| config.limits.freeze_after = Duration::from_secs(60));
    let archive = Archive::new().with_mode("bootstrap", ENDING, 0o755).done();
    scene.create("f", archive, json!({"Runtime": "provided.al2023"})).await.unwrap();
    let first = scene.ask("f", json!({})).await;
    // Given to the runtime that is about to end.
    let second = scene.ask("f", json!({})).await;
    assert_ne!(first, second);
}
