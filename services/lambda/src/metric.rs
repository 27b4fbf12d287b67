//! What is measured of functions: for the account, for each function, and for each version and alias by which
//! it is called.
//!
//! Invariants: an invocation looks its meters up once, and then only records; at most [`NAMES_MAX`] names are
//! remembered, whatever callers call.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html>

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use pagoda_base::{AccountId, Region};
use pagoda_protocol::ApiError;
use pagoda_service::ports::{Invoked, Meter, MetricName, RecordMetric};

use crate::load::Loaded;
use crate::name::FunctionId;

const NAMESPACE: &str = "AWS/Lambda";
/// Where AWS's Lambda Insights has what AWS/Lambda has not.
const INSIGHTS: &str = "LambdaInsights";
/// Function names, with their qualifiers, whose meters are kept at hand.
const NAMES_MAX: usize = 10_000;

/// A metric of AWS/Lambda.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Metric {
    Invocations,
    Errors,
    Throttles,
    Duration,
    ConcurrentExecutions,
    UnreservedConcurrentExecutions,
    ProvisionedConcurrencyInvocations,
    ProvisionedConcurrencySpilloverInvocations,
    ProvisionedConcurrencyUtilization,
    ProvisionedConcurrentExecutions,
    AsyncEventsReceived,
    AsyncEventAge,
    AsyncEventsDropped,
    IteratorAge,
    DestinationDeliveryFailures,
}

const METRICS: usize = Metric::DestinationDeliveryFailures as usize + 1;

impl Metric {
    fn unit(self) -> &'static str {
        match self {
            Self::Duration | Self::AsyncEventAge | Self::IteratorAge => "Milliseconds",
            Self::ProvisionedConcurrencyUtilization => "None",
            _ => "Count",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Invocations => "Invocations",
            Self::Errors => "Errors",
            Self::Throttles => "Throttles",
            Self::Duration => "Duration",
            Self::ConcurrentExecutions => "ConcurrentExecutions",
            Self::UnreservedConcurrentExecutions => "UnreservedConcurrentExecutions",
            Self::ProvisionedConcurrencyInvocations => "ProvisionedConcurrencyInvocations",
            Self::ProvisionedConcurrencySpilloverInvocations => "ProvisionedConcurrencySpilloverInvocations",
            Self::ProvisionedConcurrencyUtilization => "ProvisionedConcurrencyUtilization",
            Self::ProvisionedConcurrentExecutions => "ProvisionedConcurrentExecutions",
            Self::AsyncEventsReceived => "AsyncEventsReceived",
            Self::AsyncEventAge => "AsyncEventAge",
            Self::IteratorAge => "IteratorAge",
            Self::AsyncEventsDropped => "AsyncEventsDropped",
            Self::DestinationDeliveryFailures => "DestinationDeliveryFailures",
        }
    }
}

type Dimensions = Vec<(&'static str, String)>;

/// The metrics of one set of dimensions, or of several together.
struct Gauges {
    record: Arc<dyn RecordMetric>,
    account: AccountId,
    region: Region,
    dimensions: Vec<Dimensions>,
    meters: [OnceLock<Arc<dyn Meter>>; METRICS],
    running: AtomicUsize,
    running_unreserved: AtomicUsize,
    running_provisioned: AtomicUsize,
}

impl Gauges {
    fn record(&self, metric: Metric, value: f64) {
        let meter = self.meters[metric as usize]
            .get_or_init(|| self.meter(NAMESPACE, metric.name(), metric.unit(), self.dimensions.clone()));
        meter.record(value);
    }

    fn meter(
        &self,
        namespace: &'static str,
        name: &'static str,
        unit: &'static str,
        dimensions: Vec<Dimensions>,
    ) -> Arc<dyn Meter> {
        let (account, region) = (self.account, self.region.clone());
        self.record.meter(MetricName { account, region, namespace, name, dimensions, unit })
    }
}

/// All that is measured of invocations by one name of one version.
pub(crate) struct Watched {
    /// All sets together.
    all: Gauges,
    /// The account's first, then the function's, then those of its name and of the version behind an alias.
    sets: Vec<Arc<Gauges>>,
    init_duration: OnceLock<Arc<dyn Meter>>,
}

/// The account's set, and the function's.
const ACCOUNT: usize = 0;
const FUNCTION: usize = 1;

impl Watched {
    /// Notes it for every set.
    pub(crate) fn record(&self, metric: Metric, value: f64) {
        self.all.record(metric, value);
    }

    /// An invocation begins, and runs until what is returned is dropped.
    pub(crate) fn begin(self: &Arc<Self>, loaded: &Loaded) -> Running {
        for set in &self.sets {
            let running = set.running.fetch_add(1, Ordering::Relaxed) + 1;
            set.record(Metric::ConcurrentExecutions, running as f64);
        }
        let is_shared = loaded.function.record.reserved.is_none();
        if is_shared {
            let account = &self.sets[ACCOUNT];
            let running = account.running_unreserved.fetch_add(1, Ordering::Relaxed) + 1;
            account.record(Metric::UnreservedConcurrentExecutions, running as f64);
        }
        Running { watched: Arc::clone(self), is_shared }
    }

    /// What came of an invocation.
    pub(crate) fn ended(&self, outcome: Result<&Invoked, &ApiError>) {
        match outcome {
            Ok(invoked) => {
                self.record(Metric::Invocations, 1.0);
                self.record(Metric::Errors, if invoked.function_error.is_some() { 1.0 } else { 0.0 });
                self.record(Metric::Throttles, 0.0);
            }
            Err(error) if error.code == "TooManyRequestsException" => self.record(Metric::Throttles, 1.0),
            // The platform's fault is no invocation.
            Err(_) => {}
        }
    }

    /// How long the function ran, and how long its instance took to begin, if it had to.
    pub(crate) fn took(&self, took: Duration, init: Option<Duration>) {
        self.record(Metric::Duration, took.as_secs_f64() * 1_000.0);
        if let Some(init) = init {
            let meter = self.init_duration.get_or_init(|| {
                let of_function = self.sets[FUNCTION].dimensions.iter().flatten().next();
                let name = of_function.map(|(_, name)| name.clone()).unwrap_or_default();
                let dimensions = vec![vec![("function_name", name)]];
                self.all.meter(INSIGHTS, "init_duration", "Milliseconds", dimensions)
            });
            meter.record(init.as_secs_f64() * 1_000.0);
        }
    }

    /// For versions that keep instances: whether the invocation has one of them, and how many there are.
    pub(crate) fn provisioned(self: &Arc<Self>, kept: Option<(bool, usize)>) -> Option<Provisioned> {
        let (is_kept, all) = kept?;
        let sets = &self.sets[FUNCTION..];
        if !is_kept {
            sets.iter().for_each(|set| set.record(Metric::ProvisionedConcurrencySpilloverInvocations, 1.0));
            return None;
        }
        for set in sets {
            let running = set.running_provisioned.fetch_add(1, Ordering::Relaxed) + 1;
            set.record(Metric::ProvisionedConcurrencyInvocations, 1.0);
            set.record(Metric::ProvisionedConcurrentExecutions, running as f64);
            set.record(Metric::ProvisionedConcurrencyUtilization, running as f64 / all.max(1) as f64);
        }
        Some(Provisioned(Arc::clone(self)))
    }
}

/// An invocation under way.
pub(crate) struct Running {
    watched: Arc<Watched>,
    is_shared: bool,
}

impl Drop for Running {
    fn drop(&mut self) {
        for set in &self.watched.sets {
            set.running.fetch_sub(1, Ordering::Relaxed);
        }
        if self.is_shared {
            self.watched.sets[ACCOUNT].running_unreserved.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// An invocation under way on an instance that is kept.
pub(crate) struct Provisioned(Arc<Watched>);

impl Drop for Provisioned {
    fn drop(&mut self) {
        for set in &self.0.sets[FUNCTION..] {
            set.running_provisioned.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// All meters of Lambda.
pub(crate) struct Metrics {
    record: Arc<dyn RecordMetric>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// By the ARN as it was called, and the version.
    watched: HashMap<String, HashMap<String, Arc<Watched>>>,
    sets: HashMap<(AccountId, Region, Dimensions), Arc<Gauges>>,
}

impl Metrics {
    pub(crate) fn new(record: Arc<dyn RecordMetric>) -> Self {
        Self { record, known: Mutex::default() }
    }

    /// The meters of invocations of `loaded` by `function_arn`.
    pub(crate) fn of(&self, loaded: &Loaded, function_arn: &str) -> Arc<Watched> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watched) = known.watched.get(function_arn).and_then(|by| by.get(&loaded.number)) {
            return Arc::clone(watched);
        }
        if known.watched.len() >= NAMES_MAX {
            *known = Known::default();
        }
        let dimensions = dimensions(&loaded.id, function_arn, &loaded.number);
        let all = self.gauges(&loaded.id, dimensions.clone());
        let sets = dimensions.into_iter().map(|one| self.set(&mut known, &loaded.id, one)).collect();
        let watched = Arc::new(Watched { all, sets, init_duration: OnceLock::new() });
        let by = known.watched.entry(function_arn.to_owned()).or_default();
        by.insert(loaded.number.clone(), Arc::clone(&watched));
        watched
    }

    /// What runs now, of each function.
    pub(crate) fn running(&self) -> HashMap<FunctionId, usize> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let functions = known.sets.iter().filter_map(|((account, region, dimensions), set)| {
            let [(_, name)] = dimensions.as_slice() else { return None };
            let id = FunctionId { account: *account, region: region.clone(), name: name.clone() };
            Some((id, set.running.load(Ordering::Relaxed)))
        });
        functions.collect()
    }

    fn set(&self, known: &mut Known, id: &FunctionId, dimensions: Dimensions) -> Arc<Gauges> {
        let key = (id.account, id.region.clone(), dimensions.clone());
        let set = known.sets.entry(key).or_insert_with(|| Arc::new(self.gauges(id, vec![dimensions])));
        Arc::clone(set)
    }

    fn gauges(&self, id: &FunctionId, dimensions: Vec<Dimensions>) -> Gauges {
        Gauges {
            record: Arc::clone(&self.record),
            account: id.account,
            region: id.region.clone(),
            dimensions,
            meters: [const { OnceLock::new() }; METRICS],
            running: AtomicUsize::new(0),
            running_unreserved: AtomicUsize::new(0),
            running_provisioned: AtomicUsize::new(0),
        }
    }
}

/// The sets of dimensions: none, the function, the name it is called by, and the version behind an alias.
fn dimensions(id: &FunctionId, function_arn: &str, number: &str) -> Vec<Dimensions> {
    let function = ("FunctionName", id.name.clone());
    let qualifier = function_arn.splitn(8, ':').nth(7);
    let resource = match qualifier {
        Some(qualifier) => format!("{}:{qualifier}", id.name),
        None => id.name.clone(),
    };
    let resource = vec![function.clone(), ("Resource", resource)];
    let mut sets = vec![Vec::new(), vec![function], resource.clone()];
    if qualifier.is_some_and(|qualifier| qualifier != number) {
        sets.push(resource.into_iter().chain([("ExecutedVersion", number.to_owned())]).collect());
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_of_a_function_has_dimensions() {
        let id = FunctionId {
            account: "123456789012".parse().unwrap(),
            region: "us-east-1".parse().unwrap(),
            name: "f".into(),
        };
        let check = |qualifier: &str, number: &str, expected: &[&str]| {
            let sets = dimensions(&id, &format!("{}{qualifier}", id.arn()), number);
            let shown = sets.iter().map(|set| {
                let values: Vec<_> = set.iter().map(|(_, value)| value.as_str()).collect();
                values.join(" ")
            });
            assert_eq!(shown.collect::<Vec<_>>(), expected);
        };
        check("", "$LATEST", &["", "f", "f f"]);
        check(":2", "2", &["", "f", "f f:2"]);
        check(":live", "2", &["", "f", "f f:live", "f f:live 2"]);
    }
}
