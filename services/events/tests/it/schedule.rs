//! Schedules fire when they are due: once, and after a restart too.

use serde_json::json;

use crate::world::EventsWorld;

#[tokio::test]
async fn a_rate_fires_in_its_rhythm() {
    let world = EventsWorld::new();
    world.rule(json!({ "Name": "r", "ScheduleExpression": "rate(5 minutes)" }), json!({})).await;
    assert!(world.after(299).await.is_empty());
    let taken = world.after(1).await;
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].1["source"], "aws.events");
    assert_eq!(taken[0].1["detail-type"], "Scheduled Event");
    assert_eq!(taken[0].1["time"], "2026-01-15T12:05:00Z");
    assert_eq!(taken[0].1["resources"], json!(["arn:aws:events:us-east-1:123456789012:rule/r"]));
    assert!(world.after(299).await.is_empty());
    assert_eq!(world.after(1).await.len(), 1);
}

#[tokio::test]
async fn what_was_missed_is_made_up_for_once() {
    let world = EventsWorld::new();
    world.rule(json!({ "Name": "r", "ScheduleExpression": "cron(0 * * * ? *)" }), json!({})).await;
    let world = world.restarted();
    assert_eq!(world.after(10 * 3_600 + 60).await.len(), 1);
    assert!(world.after(0).await.is_empty());
    assert!(world.after(58 * 60).await.is_empty());
    let world = world.restarted();
    assert_eq!(world.after(60).await[0].1["time"], "2026-01-15T23:00:00Z");
}

#[tokio::test]
async fn a_changed_rule_has_one_schedule() {
    let world = EventsWorld::new();
    world.rule(json!({ "Name": "r", "ScheduleExpression": "rate(1 minute)" }), json!({})).await;
    world.must("PutRule", json!({ "Name": "r", "ScheduleExpression": "rate(1 hour)" })).await;
    assert!(world.after(3_599).await.is_empty());
    assert_eq!(world.after(1).await.len(), 1);
    world.must("DisableRule", json!({ "Name": "r" })).await;
    assert!(world.after(7_200).await.is_empty());
    world.must("EnableRule", json!({ "Name": "r" })).await;
    assert!(world.after(3_599).await.is_empty(), "it begins anew");
    assert_eq!(world.after(1).await.len(), 1);
    world.must("RemoveTargets", json!({ "Rule": "r", "Ids": ["t"] })).await;
    world.must("DeleteRule", json!({ "Name": "r" })).await;
    assert!(world.after(7_200).await.is_empty());
}
