//! What an operator decides about functions.

use std::path::PathBuf;
use std::time::Duration;

use crate::execution::Host;
use crate::interpreters::Interpreters;

/// What happens to a function whose runtime's exact version is not installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RuntimeFallback {
    /// It runs on the nearest installed version of the language, and its log and state say so.
    #[default]
    Nearest,
    /// It is refused.
    Exact,
}

/// The settings of the service.
#[derive(Debug, Clone)]
pub struct Config {
    /// The platform's data directory; `functions/` and `runtimes/` below it are Lambda's.
    pub data: PathBuf,
    /// What functions can run on.
    pub interpreters: Interpreters,
    /// What happens when a version is missing.
    pub fallback: RuntimeFallback,
    /// How much may run at once, and for how long.
    pub limits: Limits,
    /// Whether instances are restored from images of started interpreters. An image takes some 20 MB of disk.
    pub templates: bool,
    /// What follows the region in function URLs: `{domain}:{port}`.
    pub url_suffix: String,
    /// The AWS SDKs that functions find without bringing them.
    pub sdk: Sdk,
}

/// Directories of the host with the AWS SDKs, last on the functions' module paths. Other users must be
/// able to read them.
#[derive(Debug, Clone, Default)]
pub struct Sdk {
    /// Holds the package `boto3` and what it needs.
    pub python: Option<PathBuf>,
    /// A `node_modules` directory with `@aws-sdk`.
    pub nodejs: Option<PathBuf>,
}

/// How much may run at once, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Invocations that run at the same time, all functions together (AWS's default: 1,000).
    pub concurrency: usize,
    /// Instances that a function may get in ten seconds beside those that it keeps (AWS's: 1,000).
    pub scaling: u32,
    /// What all instances may use together, in MB, idle ones included. [`Config::new`] takes three quarters of
    /// what the host has.
    pub memory_mb: u32,
    /// Whether an instance counts for what its function is known to use, with a margin, instead of for its size.
    pub overcommit: bool,
    /// Instances that start at the same time on each processor.
    pub starts_per_processor: usize,
    /// How long an invocation waits for either before it is throttled.
    pub wait: Duration,
    /// After how long an idle instance ends.
    pub idle: Duration,
    /// After how long an idle instance is frozen. Not zero, so that an instance under steady load isn't
    /// frozen and thawed for each event.
    pub freeze_after: Duration,
    /// The least share of a processor that an instance has, in thousandths of a core. AWS gives
    /// 1/1769 for each MB, which makes 72 for the smallest functions.
    pub cpu_millis_min: u32,
    /// Instances of each interpreter in use that wait for a function. Each takes some 2 MB.
    pub ready: usize,
    /// How long a failed event waits before it is tried again the first and the second time.
    pub retry_delays: [Duration; 2],
    /// The first user id of the functions' own; each function gets the next one.
    pub first_uid: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrency: 1_000,
            scaling: 1_000,
            memory_mb: 16_384,
            overcommit: true,
            starts_per_processor: 8,
            wait: Duration::from_secs(20),
            idle: Duration::from_secs(600),
            freeze_after: Duration::from_millis(20),
            cpu_millis_min: 500,
            ready: 2,
            retry_delays: [Duration::from_secs(60), Duration::from_secs(120)],
            first_uid: 200_000,
        }
    }
}

impl Limits {
    /// Instances that start at the same time.
    pub(crate) fn starts(&self) -> usize {
        std::thread::available_parallelism().map_or(1, usize::from) * self.starts_per_processor
    }

    /// The defaults, with as much memory as this host can give.
    fn of_host() -> Self {
        let default = Self::default();
        let memory_mb = Host::read().map_or(default.memory_mb, |host| host.total_mb / 4 * 3);
        Self { memory_mb, ..default }
    }
}

impl Config {
    /// The settings with all defaults.
    pub fn new(data: PathBuf, interpreters: Interpreters) -> Self {
        Self {
            data,
            interpreters,
            fallback: RuntimeFallback::default(),
            limits: Limits::of_host(),
            templates: true,
            url_suffix: "localhost".to_owned(),
            sdk: Sdk::default(),
        }
    }

    /// Where the runtimes' own files are.
    pub(crate) fn runtimes(&self) -> PathBuf {
        self.data.join("runtimes")
    }
}
