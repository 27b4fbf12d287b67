//! Contests: the same load on each server in turn, round after round, so that a noisy machine hits all alike.

use std::sync::Arc;
use std::time::Duration;

use crate::Outcome;
use crate::connection::{Prepared, Target};
use crate::load::{self, Load, Sample};
use crate::process::Server;
use crate::results::{Comparison, Figures, Ratio};

/// How often and how long.
#[derive(Clone, Copy)]
pub(crate) struct Rounds {
    pub(crate) count: usize,
    pub(crate) time: Duration,
}

/// A server and what it is asked.
pub(crate) struct Contender<'a> {
    pub(crate) name: &'static str,
    pub(crate) server: &'a Server,
    pub(crate) target: Target,
    pub(crate) requests: Arc<[Prepared]>,
}

/// What is compared.
pub(crate) struct Contest {
    pub(crate) what: String,
    pub(crate) connections: usize,
    /// The least size of a right answer's body, so that an empty success does not count.
    pub(crate) answer_bytes_min: usize,
    /// The least ratio of requests per CPU second that is aimed at.
    pub(crate) target: Option<f64>,
}

impl Contest {
    /// Lets the contenders take turns; the first is compared with each of the others.
    pub(crate) async fn run(self, rounds: Rounds, contenders: &[Contender<'_>]) -> Outcome<Vec<Comparison>> {
        eprintln!("  {}, {} connections", self.what, self.connections);
        for contender in contenders {
            self.round(rounds.time / 2, contender).await?;
        }
        let mut seen: Vec<Vec<Figures>> = contenders.iter().map(|_| Vec::new()).collect();
        for _ in 0..rounds.count {
            for (contender, seen) in contenders.iter().zip(&mut seen) {
                seen.push(self.round(rounds.time, contender).await?);
            }
        }
        let Some((pagoda, others)) = seen.split_first() else { return Ok(Vec::new()) };
        let compare = |(contender, other): (&Contender<'_>, &Vec<Figures>)| Comparison {
            what: self.what.clone(),
            connections: self.connections,
            peer: contender.name,
            pagoda: Figures::median(pagoda),
            other: Figures::median(other),
            throughput: Ratio::of(pagoda, other, |figures| figures.per_second),
            cpu: Ratio::of(pagoda, other, |figures| figures.per_cpu_second),
            target: self.target,
        };
        Ok(contenders.iter().skip(1).zip(others).map(compare).collect())
    }

    fn load(&self, time: Duration) -> Load {
        Load { connections: self.connections, time, answer_bytes_min: self.answer_bytes_min }
    }

    async fn round(&self, time: Duration, contender: &Contender<'_>) -> Outcome<Figures> {
        let before = contender.server.cpu_seconds();
        let sample = load::run(&contender.target, self.load(time), &contender.requests).await;
        let sample = sample.map_err(|error| format!("{} ({}): {error}", self.what, contender.name))?;
        Ok(figures(&sample, contender.server.cpu_seconds() - before))
    }
}

fn figures(sample: &Sample, cpu_seconds: f64) -> Figures {
    Figures {
        per_second: sample.requests as f64 / sample.seconds,
        // A tick is the least that the system counts.
        per_cpu_second: sample.requests as f64 / cpu_seconds.max(0.01),
        p50_ms: sample.quantile_ms(0.50),
        p99_ms: sample.quantile_ms(0.99),
    }
}
