//! Random batches have the same outcomes, and leave the same rows, on the durable engine as on the
//! plain reference, also after reopening.

use std::path::Path;

use pagoda_base::SeededRandom;
use pagoda_store::{Check, Commit, Consistency, Embedded, Engine, Key, KeyBuilder, Memory, Op};
use pagoda_store::{Read, Row, Space, Stamp};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::stores::clock;

/// A step of a history, in small numbers so that commits meet often.
#[derive(Clone, Debug)]
enum Step {
    Batch(Vec<Draft>),
    Reopen,
}

/// A commit whose stamps are known only once it is made.
#[derive(Clone, Debug)]
struct Draft {
    checks: Vec<(u8, bool)>,
    fence: Option<u8>,
    token: Option<u8>,
    ops: Vec<DraftOp>,
}

#[derive(Clone, Debug)]
enum DraftOp {
    Put(u8, u8),
    Delete(u8),
    Append(u8),
    Add(u8, i64),
    Clear(u8, u8),
}

fn key(number: u8) -> Key {
    KeyBuilder::new(if number.is_multiple_of(2) { Space::Data } else { Space::Queue })
        .u64(number.into())
        .done()
}

fn op() -> impl Strategy<Value = DraftOp> {
    prop_oneof![
        4 => (0u8..8, any::<u8>()).prop_map(|(key, value)| DraftOp::Put(key, value)),
        2 => (0u8..8).prop_map(DraftOp::Delete),
        1 => (0u8..8).prop_map(DraftOp::Append),
        2 => (0u8..10, -3i64..4).prop_map(|(key, amount)| DraftOp::Add(key, amount)),
        1 => (0u8..8, 0u8..8).prop_map(|(lo, hi)| DraftOp::Clear(lo, hi)),
    ]
}

fn draft() -> impl Strategy<Value = Draft> {
    let checks = vec((0u8..8, any::<bool>()), 0..3);
    let fence = prop::option::weighted(0.1, 0u8..8);
    let token = prop::option::weighted(0.2, 0u8..3);
    let fields = (checks, fence, token, vec(op(), 0..4));
    fields.prop_map(|(checks, fence, token, ops)| Draft { checks, fence, token, ops })
}

fn history() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![8 => vec(draft(), 1..5).prop_map(Step::Batch), 1 => Just(Step::Reopen)];
    vec(step, 1..12)
}

/// Makes the commit: stamps in checks are those that the reference holds before the batch.
async fn commit(draft: &Draft, model: &Memory) -> Commit {
    let mut commit = Commit::new();
    for (number, present) in &draft.checks {
        commit = commit.check(match present {
            true => Check::At(key(*number), stamp(model, *number).await),
            false => Check::Absent(key(*number)),
        });
    }
    if let Some(number) = draft.fence {
        commit = commit.fence(key(number), stamp(model, number).await);
    }
    commit.token = draft.token.map(|token| [token; 16]);
    draft.ops.iter().fold(commit, |commit, op| {
        commit.op(match op {
            DraftOp::Put(number, value) => Op::Put(key(*number), vec![*value; usize::from(*value)].into()),
            DraftOp::Delete(number) => Op::Delete(key(*number)),
            DraftOp::Append(number) => {
                Op::Append { prefix: key(*number), tail: "".into(), value: "record".into() }
            }
            DraftOp::Add(number, amount) => Op::Add(key(*number), *amount),
            DraftOp::Clear(lo, hi) => {
                let hi = KeyBuilder::new(key(*lo).space).u64((*hi).into()).done();
                Op::ClearRange(key(*lo), hi)
            }
        })
    })
}

async fn stamp(model: &Memory, number: u8) -> Stamp {
    let row = model.get_now(&key(number)).unwrap().unwrap();
    row.map_or(Stamp::ZERO, |row| row.stamp)
}

async fn all(engine: &impl Engine) -> Vec<Row> {
    let reads: Vec<Read> =
        Space::ALL.iter().map(|space| Read::prefix(&KeyBuilder::new(*space).done(), 10_000)).collect();
    let answers = engine.read(&reads, Consistency::Strong).await.unwrap();
    answers.into_iter().flat_map(|answer| answer.rows).collect()
}

fn open(dir: &Path) -> Embedded {
    Embedded::open(dir, clock(), &SeededRandom::new(1)).unwrap()
}

async fn replay(history: Vec<Step>) {
    let dir = tempfile::tempdir().unwrap();
    let mut real = open(dir.path());
    let model = Memory::new(clock());
    for step in history {
        match step {
            Step::Reopen => {
                real.close();
                drop(real);
                real = open(dir.path());
            }
            Step::Batch(drafts) => {
                let mut batch = Vec::new();
                for draft in &drafts {
                    batch.push(commit(draft, &model).await);
                }
                let expected = model.apply(batch.clone()).await;
                assert_eq!(real.apply(batch.clone()).await, expected, "{batch:?}");
            }
        }
        assert_eq!(all(&real).await, all(&model).await);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_durable_engine_does_what_the_reference_does(history in history()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(replay(history));
    }
}
