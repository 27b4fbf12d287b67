//! `cargo xtask new-service NAME`: the files that a service begins with.
//!
//! Invariant: nothing that exists is changed.

use std::fs;
use std::path::Path;

use clap::Args;

use crate::{Outcome, say};

/// What the new service is called.
#[derive(Args)]
pub(crate) struct Arguments {
    /// botocore's name of the service without dashes: sqs, events, stepfunctions.
    name: String,
}

/// The files, by their paths in the service's folder.
const FILES: [(&str, &str); 7] = [
    ("Cargo.toml", include_str!("new_service/Cargo.toml.in")),
    ("README.md", include_str!("new_service/README.md.in")),
    ("api.toml", include_str!("new_service/api.toml.in")),
    ("src/lib.rs", include_str!("new_service/lib.rs.in")),
    ("src/access.rs", include_str!("new_service/access.rs.in")),
    ("tests/it/main.rs", include_str!("new_service/main.rs.in")),
    ("tests/it/table.rs", include_str!("new_service/table.rs.in")),
];

const NAME_LENGTH_MAX: usize = 32;

/// Runs the subcommand in the repository `root`.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> Outcome {
    let name = &arguments.name;
    write(root, name)?;
    say(&format!(
        "services/{name} is there. Next:
  1. Cargo.toml: pagoda-{name} = {{ path = \"services/{name}\" }} under [workspace.dependencies]
  2. xtask/src/codegen.rs: \"{name}\" in SERVICES; then cargo xtask codegen --fetch --service {name}
  3. services/{name}/src/lib.rs: the first line of the operations! table, its handler, its test
  4. app/Cargo.toml and app/src/platform.rs: one line each to build it, one to list it: Api::of(&{name})
  5. cargo xtask codegen --service {name} && cargo xtask coverage && cargo xtask test"
    ));
    Ok(())
}

fn write(root: &Path, name: &str) -> Outcome {
    check(name)?;
    let folder = root.join("services").join(name);
    if folder.exists() {
        return Err(format!("services/{name} exists already").into());
    }
    for (path, template) in FILES {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap_or(&folder))?;
        fs::write(path, template.replace("@name@", name).replace("@Name@", &type_name(name)))?;
    }
    Ok(())
}

fn check(name: &str) -> Outcome {
    let fits = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name.len() <= NAME_LENGTH_MAX;
    if fits {
        return Ok(());
    }
    Err(format!(
        "{name:?} is no name: a letter, then letters and digits, all small, {NAME_LENGTH_MAX} at most"
    )
    .into())
}

fn type_name(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    first.to_uppercase() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_begun_once() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "sqs").unwrap();
        let read = |path: &str| fs::read_to_string(root.path().join("services/sqs").join(path)).unwrap();
        for (path, _) in FILES {
            assert!(!read(path).contains('@'), "{path} has an unfilled place");
        }
        assert!(read("Cargo.toml").contains("name = \"pagoda-sqs\""));
        assert!(read("src/lib.rs").contains("operations!(Sqs {"));
        fs::write(root.path().join("services/sqs/README.md"), "mine").unwrap();
        assert!(write(root.path(), "sqs").unwrap_err().to_string().contains("exists"));
        assert_eq!(read("README.md"), "mine");
    }

    #[test]
    fn what_is_begun_is_well_formed() {
        for (path, template) in FILES {
            let text = template.replace("@name@", "sqs").replace("@Name@", "Sqs");
            if path.ends_with(".toml") {
                text.parse::<toml::Table>().unwrap();
            }
            if path.ends_with(".rs") {
                assert!(text.starts_with("//! "), "{path} has no header");
                assert_eq!(
                    crate::codegen::formatted(crate::root(), &text).unwrap(),
                    text,
                    "{path} is not formatted"
                );
            }
        }
    }

    #[test]
    fn names_are_checked() {
        let root = tempfile::tempdir().unwrap();
        for name in ["", "S3", "../s3", "a-b", "3s", "a b", &"a".repeat(33)] {
            assert!(write(root.path(), name).is_err(), "{name}");
        }
        assert!(!root.path().join("services").exists());
    }
}
