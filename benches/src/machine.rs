//! The machine and the versions, for the report.

use std::process::Command;

use pagoda_base::{Clock as _, SystemClock};

use crate::peers;
use crate::process::succeed;

/// Today's date (UTC).
pub(crate) fn today() -> String {
    SystemClock.now().to_string().chars().take(10).collect()
}

/// What the benchmarks ran on, line by line.
pub(crate) fn describe() -> Vec<String> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let model = field("/proc/cpuinfo", "model name");
    let memory = field("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut lines = vec![
        format!("Processor: {cores} cores, {model}"),
        format!("Memory: {:.1} GiB", memory / 1024.0 / 1024.0),
        format!("Kernel: Linux {}", kernel.trim()),
        format!("Pagoda: {}, release build", env!("CARGO_PKG_VERSION")),
        format!(
            "Interpreters in PATH: {}, Node.js {}",
            version("python3", "--version"),
            version("node", "--version")
        ),
        format!("nginx: {}", nginx()),
    ];
    lines.push(format!(
        "Peers from PyPI: {}; from npm: {}",
        peers::PYTHON.join(", "),
        peers::NODE.join(", ")
    ));
    lines
}

fn field(file: &str, name: &str) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_once(':')).map_or_else(String::new, |(_, value)| value.trim().to_owned())
}

fn version(program: &str, option: &str) -> String {
    succeed(Command::new(program).arg(option)).unwrap_or_default().trim().to_owned()
}

/// nginx tells its version on standard error.
fn nginx() -> String {
    let output = Command::new(peers::NGINX).arg("-v").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stderr).into_owned()).unwrap_or_default();
    text.trim().trim_start_matches("nginx version: nginx/").to_owned()
}
