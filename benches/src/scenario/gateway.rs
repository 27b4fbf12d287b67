//! What a stage answers by itself, from its cache, and for a server behind it, beside nginx doing the same.

use std::sync::Arc;

use super::get;
use crate::Outcome;
use crate::connection::Target;
use crate::contest::{Contender, Contest, Rounds};
use crate::pagoda::Deployed;
use crate::peers::Peer;
use crate::place::Place;
use crate::process::free_address;
use crate::results::Results;

const BODY: &str = r#"{"hello": "world"}"#;
const CONNECTIONS: usize = 16;

/// What is asked for.
struct Asked {
    what: &'static str,
    path: &'static str,
    /// Aims in plain HTTP and in TLS.
    targets: [Option<f64>; 2],
    /// Each request has a connection of its own.
    is_fresh: bool,
}

const ALL: [Asked; 4] = [
    Asked { what: "MOCK", path: "/bench/mock", targets: [Some(1.0), Some(1.3)], is_fresh: false },
    Asked { what: "MOCK, new connections", path: "/bench/mock", targets: [None, Some(2.0)], is_fresh: true },
    Asked { what: "cache hit", path: "/bench/cached", targets: [Some(1.0), Some(1.3)], is_fresh: false },
    Asked { what: "HTTP_PROXY", path: "/bench/proxied", targets: [Some(0.9), Some(0.9)], is_fresh: false },
];

pub(crate) async fn run(place: &Place, rounds: Rounds, results: &mut Results) -> Outcome {
    // What stands behind both proxies costs neither.
    let (behind, ..) = Peer::nginx(place, BODY, free_address()?)?;
    let (nginx, encrypted, certificate) = Peer::nginx(place, BODY, behind.address)?;
    let upstream = format!("http://{}/", behind.address);
    let application = place.file("benches/applications/gateway");
    let deployed = Deployed::start_with(place, &application, &[("Upstream", &upstream)])?;
    let ways = [
        ("HTTP", deployed.plain(), Target::plain(nginx.address)),
        (
            "HTTPS",
            Target::encrypted(deployed.pagoda.address, &deployed.authority())?,
            Target::encrypted(encrypted, &certificate)?,
        ),
    ];
    for asked in &ALL {
        for ((protocol, pagoda, peer), target) in ways.iter().zip(asked.targets) {
            let of = |target: &Target| if asked.is_fresh { target.clone().fresh() } else { target.clone() };
            let contenders = [
                Contender {
                    name: "Pagoda",
                    server: &deployed.pagoda.server,
                    target: of(pagoda),
                    requests: Arc::from([get(&deployed.api_host("Mock")?, asked.path)?]),
                },
                Contender {
                    name: "nginx",
                    server: &nginx.server,
                    target: of(peer),
                    requests: Arc::from([get("localhost", asked.path)?]),
                },
            ];
            let contest = Contest {
                what: format!("{}, {protocol}", asked.what),
                connections: CONNECTIONS,
                answer_bytes_min: BODY.len(),
                target,
            };
            results.comparisons.extend(contest.run(rounds, &contenders).await?);
        }
    }
    Ok(())
}
