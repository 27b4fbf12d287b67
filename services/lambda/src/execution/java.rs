//! How a Java virtual machine is started for a function.
//!
//! Invariant: a heap that is full is an `OutOfMemoryError` that the function can tell of, not the end of its
//! process: heap and machine together fit into the function's memory.

use super::variables::LIBRARIES;

const OPTIONS: &str = "JAVA_TOOL_OPTIONS";
/// What the machine needs beside the heap, at least: code, classes, stacks.
const MACHINE_MB: u32 = 56;

/// The heap's limit, in megabytes: 85 % of the memory, as with AWS, or what the machine leaves of a small one.
fn heap_mb(memory_mb: u32) -> u32 {
    (memory_mb / 100 * 85 + memory_mb % 100 * 85 / 100).min(memory_mb.saturating_sub(MACHINE_MB))
}

/// What AWS's runtimes start with, and a function may want otherwise.
fn defaults(memory_mb: u32) -> Vec<String> {
    let heap = format!("-Xmx{}m", heap_mb(memory_mb));
    [&heap, "-Xms8m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"].map(str::to_owned).to_vec()
}

/// The arguments that run our client's `jar`. A function's own options win over the defaults, which then travel
/// in the same variable: see [`add_defaults`].
pub(super) fn arguments(memory_mb: u32, has_own: bool, jar: &str) -> Vec<String> {
    let mut arguments = if has_own { Vec::new() } else { defaults(memory_mb) };
    let fixed = [
        // Its file would be a mapping in /tmp, which no image can have.
        "-XX:-UsePerfData",
        "-Xshare:auto",
        "-Dfile.encoding=UTF-8",
        "-Dsun.jnu.encoding=UTF-8",
        "-Duser.dir=/var/task",
    ];
    arguments.extend(fixed.map(str::to_owned));
    arguments.push(format!("-Djava.library.path={LIBRARIES}"));
    arguments.extend(["-jar", jar].map(str::to_owned));
    arguments
}

/// Whether a function's environment says itself how its machine is to be started.
pub(super) fn has_own(environment: &[(String, String)]) -> bool {
    environment.iter().any(|(name, _)| name == OPTIONS)
}

/// Puts the defaults before a function's own options: of two that contradict each other the later one counts.
pub(super) fn add_defaults(environment: &mut [(String, String)], memory_mb: u32) {
    let Some((_, own)) = environment.iter_mut().find(|(name, _)| name == OPTIONS) else { return };
    let mut all = defaults(memory_mb);
    // Two collectors are an error.
    all.retain(|option| !(option.ends_with("GC") && own.contains("GC")));
    all.push(std::mem::take(own));
    *own = all.join(" ");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heap_and_machine_fit_into_the_memory() {
        for (memory, expected) in [(128, 72), (256, 200), (512, 435), (1024, 870), (10_240, 8_704)] {
            assert_eq!(heap_mb(memory), expected, "{memory}");
        }
    }

    #[test]
    fn own_options_come_behind_the_defaults() {
        let all = |own: &str| {
            let mut environment =
                vec![("A".to_owned(), "b".to_owned()), (OPTIONS.to_owned(), own.to_owned())];
            assert!(has_own(&environment));
            add_defaults(&mut environment, 128);
            environment.pop().map(|(_, value)| value)
        };
        let expected = "-Xmx72m -Xms8m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx50m";
        assert_eq!(all("-Xmx50m").as_deref(), Some(expected));
        let expected = "-Xmx72m -Xms8m -XX:TieredStopAtLevel=1 -XX:+UseG1GC";
        assert_eq!(all("-XX:+UseG1GC").as_deref(), Some(expected));
        assert!(arguments(128, true, "x.jar").iter().all(|one| !one.starts_with("-Xm")));
    }
}
