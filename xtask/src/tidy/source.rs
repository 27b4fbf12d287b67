//! The Rust files of the repository.

use std::fs;
use std::path::Path;

use crate::Outcome;

/// Folders that hold no code of ours.
const FOREIGN: [&str; 5] = ["target", "node_modules", "examples", "models", "docs"];

/// A file written by hand.
pub(crate) struct Source {
    /// Within the repository.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    /// Whether it is nothing but tests.
    pub(crate) fn is_test(&self) -> bool {
        let path = &self.path;
        path.contains("/tests/") || path.starts_with("tests/") || path.ends_with("/tests.rs")
    }
}

/// All files that people write, sorted; generated ones are not among them.
pub(crate) fn all(root: &Path) -> Outcome<Vec<Source>> {
    let mut sources = Vec::new();
    collect(root, "", &mut sources)?;
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(sources)
}

fn collect(folder: &Path, prefix: &str, sources: &mut Vec<Source>) -> Outcome {
    for entry in fs::read_dir(folder)? {
        let (entry, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        let name = name.to_string_lossy();
        let path = format!("{prefix}{name}");
        if entry.is_dir() {
            if !name.starts_with('.') && !FOREIGN.contains(&&*name) {
                collect(&entry, &format!("{path}/"), sources)?;
            }
        } else if name.ends_with(".rs") && name != "generated.rs" {
            sources.push(Source { path, text: fs::read_to_string(entry)? });
        }
    }
    Ok(())
}

/// Each file says first what it is for.
pub(crate) fn check_headers(sources: &[Source]) -> Vec<String> {
    let bare = sources.iter().filter(|source| !source.text.starts_with("//! "));
    bare.map(|source| format!("{}:1: opens without `//!` and what the file is for", source.path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        let source = |text: &str| Source { path: "a.rs".into(), text: text.into() };
        assert_eq!(check_headers(&[source("//! Why.\nmod x;")]).len(), 0);
        assert_eq!(check_headers(&[source("mod x;")]).len(), 1);
        assert_eq!(check_headers(&[source("// Why.\nmod x;")]).len(), 1);
    }

    #[test]
    fn own_files_are_found_and_generated_ones_are_not() {
        let sources = all(crate::root()).unwrap();
        assert!(sources.iter().any(|source| source.path == "xtask/src/tidy/source.rs"));
        assert!(!sources.iter().any(|source| source.path.ends_with("generated.rs")));
    }
}
