//! Functions: cold starts, warm invocations (in process too), a step of load, and idle instances.

mod application;
mod cold;
mod direct;
mod idle;
mod sdk;
mod step;
mod warm;

use crate::Outcome;
use crate::contest::Rounds;
use crate::place::Place;
use crate::results::Results;

use application::Application;

pub(crate) async fn run(place: &Place, rounds: Rounds, results: &mut Results) -> Outcome {
    direct::run(place, results)?;
    let application = Application::start(place)?;
    cold::run(&application, rounds, results).await?;
    sdk::run(&application, rounds, results).await?;
    warm::run(place, &application, rounds, results).await?;
    step::run(&application, rounds, results).await?;
    idle::run(&application, results).await
}
