//! A `MOCK` method over kept connections, beside nginx returning the same body.

use std::sync::Arc;

use super::get;
use crate::Outcome;
use crate::connection::Target;
use crate::contest::{Contender, Contest, Rounds};
use crate::pagoda::Deployed;
use crate::peers::Peer;
use crate::place::Place;
use crate::results::Results;

const BODY: &str = r#"{"hello": "world"}"#;
const CONNECTIONS: usize = 16;

pub(crate) async fn run(place: &Place, rounds: Rounds, results: &mut Results) -> Outcome {
    let deployed = Deployed::start(place, &place.file("benches/applications/gateway"))?;
    let (nginx, encrypted, certificate) = Peer::nginx(place, BODY)?;
    let ways = [
        ("MOCK, HTTP", 1.0, deployed.plain(), Target::plain(nginx.address)),
        (
            "MOCK, HTTPS",
            1.3,
            Target::encrypted(deployed.pagoda.address, &deployed.authority())?,
            Target::encrypted(encrypted, &certificate)?,
        ),
    ];
    for (what, target, pagoda, peer) in ways {
        let requests = Arc::from([get(&deployed.api_host("Mock")?, "/bench/mock")?]);
        let contenders = [
            Contender { name: "Pagoda", server: &deployed.pagoda.server, target: pagoda, requests },
            Contender {
                name: "nginx",
                server: &nginx.server,
                target: peer,
                requests: Arc::from([get("localhost", "/bench/mock")?]),
            },
        ];
        let contest = Contest {
            what: what.to_owned(),
            connections: CONNECTIONS,
            answer_bytes_min: BODY.len(),
            target: Some(target),
        };
        results.comparisons.extend(contest.run(rounds, &contenders).await?);
    }
    Ok(())
}
