//! Warm functions behind an API (`AWS_PROXY`), beside the functions-framework packages.

use std::sync::Arc;

use super::get;
use crate::Outcome;
use crate::connection::Target;
use crate::contest::{Contender, Contest, Rounds};
use crate::pagoda::Deployed;
use crate::peers::Peer;
use crate::place::Place;
use crate::results::Results;

/// Of the functions' body.
const BODY_BYTES: usize = 18;
const CONNECTIONS: [usize; 2] = [1, 8];

pub(crate) async fn run(place: &Place, rounds: Rounds, results: &mut Results) -> Outcome {
    let deployed = Deployed::start(place)?;
    let languages = [
        ("Python", "/Prod/python", "functions-framework (Python)", Peer::python(place)?),
        ("Node.js", "/Prod/node", "functions-framework (Node.js)", Peer::node(place)?),
    ];
    for (language, path, name, peer) in &languages {
        for connections in CONNECTIONS {
            let contenders = [
                Contender {
                    name: "Pagoda",
                    server: &deployed.pagoda.server,
                    target: deployed.plain(),
                    requests: Arc::from([get(&deployed.api_host("Functions")?, path)?]),
                },
                Contender {
                    name,
                    server: &peer.server,
                    target: Target::plain(peer.address),
                    requests: Arc::from([get("localhost", "/")?]),
                },
            ];
            let contest = Contest {
                what: format!("AWS_PROXY, {language}"),
                connections,
                answer_bytes_min: BODY_BYTES,
                target: None,
            };
            results.comparisons.extend(contest.run(rounds, &contenders).await?);
        }
    }
    Ok(())
}
