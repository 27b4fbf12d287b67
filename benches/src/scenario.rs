//! The scenarios, one file each.

mod dynamodb;
mod footprint;
mod gateway;
mod lambda;
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
    /// MOCK methods, cache hits and proxying beside nginx
    Gateway,
    /// Cold starts beside bare interpreters; warm functions beside functions-framework, serverless-offline and workerd
    Lambda,
    /// PutItem and GetItem beside dynalite
    Dynamodb,
    /// PutObject and GetObject beside s3rver
    S3,
    /// Start-up time, idle memory, size
    Footprint,
}

/// One, or all.
pub(crate) fn wanted(one: Option<Scenario>) -> Vec<Scenario> {
    one.map_or_else(|| Scenario::value_variants().to_vec(), |one| vec![one])
}

impl Scenario {
    /// As the command line and the report name it.
    pub(crate) fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    /// What a reader must know before believing a ratio.
    pub(crate) fn unfair(self) -> &'static str {
        match self {
            Self::Gateway => include_str!("scenario/gateway.md"),
            Self::Lambda => include_str!("scenario/lambda.md"),
            Self::Dynamodb => include_str!("scenario/dynamodb.md"),
            Self::S3 => include_str!("scenario/s3.md"),
            Self::Footprint => include_str!("scenario/footprint.md"),
        }
    }

    pub(crate) async fn run(self, place: &Place, rounds: Rounds, results: &mut Results) -> Outcome {
        match self {
            Self::Gateway => gateway::run(place, rounds, results).await,
            Self::Lambda => lambda::run(place, rounds, results).await,
            Self::Dynamodb => dynamodb::run(place, rounds, results).await,
            Self::S3 => s3::run(place, rounds, results).await,
            Self::Footprint => footprint::run(place, rounds, results),
        }
    }
}

/// An unsigned `GET`.
fn get(host: &str, path: &str) -> Outcome<Prepared> {
    Ok(Request::get(path).header("host", host).body(Default::default())?)
}
