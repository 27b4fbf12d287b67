//! The scenarios, one file each.

mod cold;
mod dynamodb;
mod footprint;
mod functions;
mod mock;
mod s3;
pub(crate) mod sign;

use clap::ValueEnum;
use http::Request;

use crate::Outcome;
use crate::connection::Prepared;
use crate::contest::Rounds;
use crate::place::Place;
use crate::results::Results;

/// What can be measured.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Scenario {
    /// A MOCK method beside nginx
    Mock,
    /// Warm functions beside functions-framework
    Functions,
    /// PutItem and GetItem beside dynalite
    Dynamodb,
    /// PutObject and GetObject beside s3rver
    S3,
    /// Cold starts beside bare interpreters
    Cold,
    /// Start-up time, idle memory, size
    Footprint,
}

/// One, or all.
pub(crate) fn wanted(one: Option<Scenario>) -> Vec<Scenario> {
    one.map_or_else(|| Scenario::value_variants().to_vec(), |one| vec![one])
}

impl Scenario {
    pub(crate) async fn run(self, place: &Place, rounds: Rounds, results: &mut Results) -> Outcome {
        match self {
            Self::Mock => mock::run(place, rounds, results).await,
            Self::Functions => functions::run(place, rounds, results).await,
            Self::Dynamodb => dynamodb::run(place, rounds, results).await,
            Self::S3 => s3::run(place, rounds, results).await,
            Self::Cold => cold::run(place, rounds, results).await,
            Self::Footprint => footprint::run(place, rounds, results),
        }
    }
}

/// An unsigned `GET`.
fn get(host: &str, path: &str) -> Outcome<Prepared> {
    Ok(Request::get(path).header("host", host).body(Default::default())?)
}
