//! `PutObject` and `GetObject` of small and large objects, signed, beside s3rver.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;

use super::sign::Signer;
use crate::Outcome;
use crate::connection::{Prepared, Target};
use crate::contest::{Contender, Contest, Rounds};
use crate::pagoda::Deployed;
use crate::peers::{Peer, S3RVER_KEY};
use crate::place::Place;
use crate::results::Results;

/// An object's size, how many there are, and how many connections ask for them.
struct Load {
    name: &'static str,
    bytes: usize,
    objects: usize,
    connections: usize,
}

const LOADS: [Load; 2] = [
    Load { name: "1 KB", bytes: 1_000, objects: 256, connections: 16 },
    Load { name: "10 MB", bytes: 10_000_000, objects: 8, connections: 4 },
];

pub(crate) async fn run(place: &Place, rounds: Rounds, results: &mut Results) -> Outcome {
    let deployed = Deployed::start(place, &place.file("benches/applications/data"))?;
    let bucket = deployed.output("Bucket")?;
    let peer = Peer::s3rver(place, bucket)?;
    let peers_key = Signer::new(S3RVER_KEY, S3RVER_KEY);
    for load in LOADS {
        for method in [Method::PUT, Method::GET] {
            let contenders = [
                Contender {
                    name: "Pagoda",
                    server: &deployed.pagoda.server,
                    target: deployed.plain(),
                    requests: requests(&deployed.signer, &method, bucket, &load)?,
                },
                Contender {
                    name: "s3rver",
                    server: &peer.server,
                    target: Target::plain(peer.address),
                    requests: requests(&peers_key, &method, bucket, &load)?,
                },
            ];
            let operation = if method == Method::PUT { "PutObject" } else { "GetObject" };
            let answer_bytes_min = if method == Method::GET { load.bytes } else { 0 };
            let what = format!("{operation}, {}", load.name);
            let contest = Contest { what, connections: load.connections, answer_bytes_min, target: None };
            results.comparisons.extend(contest.run(rounds, &contenders).await?);
        }
    }
    Ok(())
}

fn requests(signer: &Signer, method: &Method, bucket: &str, load: &Load) -> Outcome<Arc<[Prepared]>> {
    let size = if *method == Method::PUT { load.bytes } else { 0 };
    let body = Bytes::from(vec![b'x'; size]);
    let one = |index: usize| {
        let path = format!("/{bucket}/{}-{index}", load.bytes);
        signer.request("s3", (method.clone(), &path), &[("host", "localhost")], &body)
    };
    (0..load.objects).map(one).collect()
}
