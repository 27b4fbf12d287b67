//! The load generator: a number of connections, each sending its next request when the last is answered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;

use crate::Outcome;
use crate::connection::{Connection, Prepared, Target};

/// What a round of load saw.
pub(crate) struct Sample {
    /// Answers.
    pub(crate) requests: u64,
    /// How long it took.
    pub(crate) seconds: f64,
    /// Microseconds of each answer, sorted.
    pub(crate) micros: Vec<u32>,
}

impl Sample {
    /// The latency that `share` of the answers did not exceed, in milliseconds.
    pub(crate) fn quantile_ms(&self, share: f64) -> f64 {
        let at = ((self.micros.len() as f64 * share) as usize).min(self.micros.len().saturating_sub(1));
        self.micros.get(at).map_or(0.0, |micros| f64::from(*micros) / 1000.0)
    }
}

/// How much load.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub(crate) connections: usize,
    pub(crate) time: Duration,
    /// A smaller body is no right answer.
    pub(crate) answer_bytes_min: usize,
}

/// Sends `requests` over and over. The first answer that is no success ends everything.
pub(crate) async fn run(target: &Target, load: Load, requests: &Arc<[Prepared]>) -> Outcome<Sample> {
    let open = try_join_all((0..load.connections).map(|_| Connection::open(target))).await?;
    let started = Instant::now();
    let workers = open.into_iter().enumerate().map(|(index, connection)| {
        let worker = Worker {
            target: target.clone(),
            requests: Arc::clone(requests),
            first: index * requests.len() / load.connections,
            answer_bytes_min: load.answer_bytes_min,
        };
        tokio::spawn(worker.run(connection, started + load.time))
    });
    let mut micros = Vec::new();
    for latencies in try_join_all(workers).await? {
        micros.extend(latencies?);
    }
    micros.sort_unstable();
    Ok(Sample { requests: micros.len() as u64, seconds: started.elapsed().as_secs_f64(), micros })
}

struct Worker {
    target: Target,
    requests: Arc<[Prepared]>,
    first: usize,
    answer_bytes_min: usize,
}

impl Worker {
    async fn run(self, mut connection: Connection, end: Instant) -> Outcome<Vec<u32>> {
        let mut micros = Vec::with_capacity(1 << 16);
        for request in self.requests.iter().cycle().skip(self.first) {
            if Instant::now() >= end {
                break;
            }
            let request = request.clone();
            let mut sent = Instant::now();
            if self.target.is_fresh || !connection.is_open().await {
                connection = Connection::open(&self.target).await?;
            }
            if !self.target.is_fresh {
                sent = Instant::now();
            }
            let body = connection.exchange(request).await?;
            if body.len() < self.answer_bytes_min {
                return Err(format!("an answer of only {} bytes", body.len()).into());
            }
            micros.push(sent.elapsed().as_micros() as u32);
        }
        Ok(micros)
    }
}
