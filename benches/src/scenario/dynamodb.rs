//! `PutItem` and `GetItem` of items of about 400 bytes, signed, beside dynalite in memory and on disk.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use super::sign::Signer;
use crate::Outcome;
use crate::connection::{Prepared, Target, once};
use crate::contest::{Contender, Contest, Rounds};
use crate::pagoda::Deployed;
use crate::peers::Peer;
use crate::place::Place;
use crate::results::Results;

const CONNECTIONS: [usize; 2] = [1, 32];
const ITEMS: usize = 512;
const TEXT_BYTES: usize = 380;

pub(crate) async fn run(place: &Place, rounds: Rounds, results: &mut Results) -> Outcome {
    let deployed = Deployed::start(place, &place.file("benches/applications/data"))?;
    let table = deployed.output("Table")?;
    let any_key = Signer::new("AKIAEXAMPLE", "secret");
    let peers = [
        ("dynalite (in memory)", Peer::dynalite(place, false)?),
        ("dynalite (on disk)", Peer::dynalite(place, true)?),
    ];
    for (_, peer) in &peers {
        create(&any_key, &Target::plain(peer.address), table).await?;
    }
    for (operation, answer_bytes_min) in [("PutItem", 0), ("GetItem", TEXT_BYTES)] {
        for connections in CONNECTIONS {
            let mut contenders = vec![Contender {
                name: "Pagoda",
                server: &deployed.pagoda.server,
                target: deployed.plain(),
                requests: requests(&deployed.signer, operation, table)?,
            }];
            for (name, peer) in &peers {
                let requests = requests(&any_key, operation, table)?;
                let target = Target::plain(peer.address);
                contenders.push(Contender { name, server: &peer.server, target, requests });
            }
            let contest = Contest { what: operation.to_owned(), connections, answer_bytes_min, target: None };
            results.comparisons.extend(contest.run(rounds, &contenders).await?);
        }
    }
    Ok(())
}

fn requests(signer: &Signer, operation: &str, table: &str) -> Outcome<Arc<[Prepared]>> {
    let input = |index: usize| {
        let id = json!({ "S": format!("item-{index}") });
        match operation {
            "PutItem" => json!({ "TableName": table, "Item": {
                "id": id, "text": { "S": "x".repeat(TEXT_BYTES) }, "count": { "N": index.to_string() },
            } }),
            _ => json!({ "TableName": table, "Key": { "id": id } }),
        }
    };
    (0..ITEMS).map(|index| call(signer, operation, &input(index))).collect()
}

fn call(signer: &Signer, operation: &str, input: &Value) -> Outcome<Prepared> {
    let target = format!("DynamoDB_20120810.{operation}");
    let headers =
        [("host", "localhost"), ("content-type", "application/x-amz-json-1.0"), ("x-amz-target", &*target)];
    signer.request("dynamodb", (Method::POST, "/"), &headers, &Bytes::from(input.to_string()))
}

/// Makes the peer's table and waits until it is active.
async fn create(signer: &Signer, target: &Target, table: &str) -> Outcome {
    let input = json!({
        "TableName": table,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
    });
    once(target, call(signer, "CreateTable", &input)?).await?;
    for _ in 0..500 {
        let answer = once(target, call(signer, "DescribeTable", &json!({ "TableName": table }))?).await?;
        if serde_json::from_slice::<Value>(&answer)?["Table"]["TableStatus"] == "ACTIVE" {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    Err("the peer's table did not become active".into())
}
