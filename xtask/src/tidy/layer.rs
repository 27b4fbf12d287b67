//! Which crate may depend on which: downwards only, and a service never on another.

use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use crate::Outcome;

/// What a folder may depend on within the repository, dependencies of its tests left aside: the last
/// line that fits counts. Crates that are not named are free.
const ALLOWED: [(&str, &[&str]); 13] = [
    ("platform/base", &[]),
    ("platform/protocol", &["platform/base"]),
    ("platform/store", &["platform/base"]),
    ("platform/policy", &["platform/base"]),
    ("platform/pattern", &[]),
    ("platform/velocity", &[]),
    ("platform/jsonpath", &[]),
    ("platform/clientsdk", &[]),
    ("platform/service", KIT),
    ("platform/gateway", ABOVE),
    ("services/", ABOVE),
    ("console", ABOVE),
    ("engines/", &["platform/base"]),
];

const KIT: &[&str] = &["platform/base", "platform/protocol", "platform/store", "platform/policy"];
const ABOVE: &[&str] = &[
    "platform/base",
    "platform/protocol",
    "platform/store",
    "platform/policy",
    "platform/pattern",
    "platform/velocity",
    "platform/jsonpath",
    "platform/clientsdk",
    "platform/service",
    "engines/",
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: String,
}

#[derive(Deserialize)]
struct Package {
    manifest_path: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    kind: Option<String>,
    path: Option<String>,
}

/// Names the dependencies that point the wrong way.
pub(crate) fn check(root: &Path) -> Outcome<Vec<String>> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root).args(["metadata", "--no-deps", "--offline", "--format-version", "1"]);
    let metadata: Metadata = serde_json::from_slice(&cargo.output()?.stdout)?;
    let mut wrong = Vec::new();
    for package in &metadata.packages {
        let folder = package.manifest_path.trim_end_matches("/Cargo.toml");
        let from = within(&metadata.workspace_root, folder);
        let used = package.dependencies.iter().filter(|used| used.kind.as_deref() != Some("dev"));
        for to in used.filter_map(|used| used.path.as_deref()) {
            let to = within(&metadata.workspace_root, to);
            if !is_allowed(from, to) {
                wrong.push(format!("{from}/Cargo.toml: depends on {to}, which is not below it"));
            }
        }
    }
    Ok(wrong)
}

fn within<'p>(root: &str, path: &'p str) -> &'p str {
    path.strip_prefix(root).map_or(path, |path| path.trim_start_matches('/'))
}

fn is_allowed(from: &str, to: &str) -> bool {
    let fits =
        |path: &str, pattern: &str| path == pattern || pattern.ends_with('/') && path.starts_with(pattern);
    let rule = ALLOWED.iter().rev().find(|(pattern, _)| fits(from, pattern));
    rule.is_none_or(|(_, below)| below.iter().any(|pattern| fits(to, pattern)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_below() {
        let check = |from, to, expected| assert_eq!(is_allowed(from, to), expected, "{from} on {to}");
        check("platform/store", "platform/base", true);
        check("platform/store", "platform/policy", false);
        check("platform/base", "platform/store", false);
        check("platform/service", "platform/store", true);
        check("platform/service", "platform/gateway", false);
        check("services/s3", "platform/service", true);
        check("services/s3", "services/iam", false);
        check("services/lambda", "engines/sandbox", true);
        check("engines/sandbox", "platform/store", false);
        check("app", "services/s3", true);
    }
}
