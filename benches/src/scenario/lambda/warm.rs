//! Warm functions, through an API and by `Invoke`, beside servers that run the same function.

use std::sync::Arc;

use super::application::Application;
use crate::Outcome;
use crate::connection::{Prepared, Target};
use crate::contest::{Contender, Contest, Rounds};
use crate::peers::Peer;
use crate::place::Place;
use crate::results::Results;
use crate::scenario::get;

/// Of the functions' body.
const BODY_BYTES: usize = 18;
const CONNECTIONS: [usize; 2] = [1, 8];

/// A server that runs a function of the language, and the function's path.
struct Other {
    name: &'static str,
    peer: Peer,
    path: &'static str,
}

pub(crate) async fn run(
    place: &Place,
    application: &Application,
    rounds: Rounds,
    results: &mut Results,
) -> Outcome {
    let other = |name, peer, path| Other { name, peer, path };
    let python = [
        other("functions-framework (Python)", Peer::python(place)?, "/"),
        other("serverless-offline (Python)", Peer::serverless_offline(place)?, "/python"),
    ];
    compare(application, rounds, results, ("Python", "python"), &python).await?;
    drop(python);
    let node = [
        other("functions-framework (Node.js)", Peer::node(place)?, "/"),
        other("serverless-offline (Node.js)", Peer::serverless_offline(place)?, "/node"),
        other("workerd", Peer::workerd(place)?, "/"),
    ];
    compare(application, rounds, results, ("Node.js", "node"), &node).await
}

async fn compare(
    application: &Application,
    rounds: Rounds,
    results: &mut Results,
    (language, name): (&str, &str),
    others: &[Other],
) -> Outcome {
    let deployed = &application.deployed;
    let encrypted = || Target::encrypted(deployed.pagoda.address, &deployed.authority());
    let function = if name == "python" { "Python" } else { "Node" };
    let (open, signed) = (format!("/Prod/{name}"), format!("/Prod/signed/{name}"));
    let invoke = application.invoke(&application.caller, function, "$LATEST")?;
    let ways: [(&str, Target, Prepared); 3] = [
        ("AWS_PROXY", deployed.plain(), application.method(&open)?),
        ("AWS_PROXY, HTTPS, SigV4, policy", encrypted()?, application.signed_method(&signed)?),
        ("Invoke, SigV4, policy", deployed.plain(), invoke),
    ];
    for (way, target, request) in &ways {
        for connections in CONNECTIONS {
            let mut contenders = vec![Contender {
                name: "Pagoda",
                server: &deployed.pagoda.server,
                target: target.clone(),
                requests: Arc::from([request.clone()]),
            }];
            for other in others {
                contenders.push(Contender {
                    name: other.name,
                    server: &other.peer.server,
                    target: Target::plain(other.peer.address),
                    requests: Arc::from([get("localhost", other.path)?]),
                });
            }
            let what = format!("{way}, {language}");
            let contest = Contest { what, connections, answer_bytes_min: BODY_BYTES, target: None };
            results.comparisons.extend(contest.run(rounds, &contenders).await?);
        }
    }
    Ok(())
}
