//! `cargo xtask coverage`: which operations of AWS's models are built, written into each service's README
//! and into docs/coverage.md.
//!
//! Invariant: only what stands between the markers of a README is written by the tool.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::codegen::{Api, Model, SERVICES};

const BEGIN: &str = "<!-- operations -->";
const END: &str = "<!-- /operations -->";

/// Runs the subcommand in the repository `root`.
pub(crate) fn run(root: &Path) -> Outcome {
    for (path, text) in files(root)? {
        fs::create_dir_all(path.parent().unwrap_or(root))?;
        fs::write(path, text)?;
    }
    Ok(())
}

/// Every file that the tool writes, and what must be in it.
fn files(root: &Path) -> Outcome<Vec<(PathBuf, String)>> {
    let services = SERVICES.into_iter().map(|name| Coverage::of(root, name)).collect::<Outcome<Vec<_>>>()?;
    let mut files = vec![(root.join("docs/coverage.md"), page(&services))];
    for service in &services {
        let folder = root.join("services").join(service.name);
        let readme = folder.join("README.md");
        let known = match fs::read_to_string(&readme) {
            Ok(known) => known,
            Err(_) => begun(&fs::read_to_string(folder.join("src/lib.rs"))?),
        };
        files.push((readme, with_table(&known, &service.table())));
    }
    Ok(files)
}

/// What is built of a service.
struct Coverage {
    name: &'static str,
    built: BTreeSet<String>,
    missing: BTreeSet<String>,
}

impl Coverage {
    fn of(root: &Path, name: &'static str) -> Outcome<Self> {
        let model = Model::load(&root.join(format!("models/{name}.json")))?;
        let built = Api::load(&root.join("services").join(name))?.operations;
        let missing =
            model.operations.0.into_iter().map(|(name, _)| name).filter(|name| !built.contains(name));
        Ok(Self { name, missing: missing.collect(), built })
    }

    fn share(&self) -> String {
        format!("{} of {}", self.built.len(), self.built.len() + self.missing.len())
    }

    fn table(&self) -> String {
        let share = self.share();
        format!(
            "Of AWS's operations {share} are built; the others answer that they are not.\n\n\
             | built | not built |\n|---|---|\n| {} | {} |",
            list(&self.built, "<br>"),
            list(&self.missing, "<br>"),
        )
    }
}

fn list(names: &BTreeSet<String>, between: &str) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(between)
}

fn page(services: &[Coverage]) -> String {
    let mut page =
        "# What is built\n\nWritten by `cargo xtask coverage` from the services' tables of operations \
                    and AWS's models.\n\n| service | operations | built |\n|---|---|---|\n"
            .to_owned();
    for service in services {
        let row = (service.name, service.share(), list(&service.built, " "));
        writeln!(page, "| {} | {} | {} |", row.0, row.1, row.2).ok();
    }
    page
}

/// A README from the sentence and the invariants that open a service's lib.rs.
fn begun(library: &str) -> String {
    let header = library.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim_start);
    let header: Vec<&str> = header.collect();
    let name = header.first().and_then(|line| line.split(':').next()).unwrap_or_default();
    format!("# {name}\n\n{}\n", header.join("\n"))
}

fn with_table(readme: &str, table: &str) -> String {
    let table = format!("{BEGIN}\n{table}\n{END}");
    match (readme.find(BEGIN), readme.find(END)) {
        (Some(begin), Some(end)) if begin < end => {
            format!("{}{table}{}", &readme[..begin], &readme[end + END.len()..])
        }
        _ => format!("{}\n\n{table}\n", readme.trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_is_fresh() {
        for (path, text) in files(crate::root()).unwrap() {
            let known = fs::read_to_string(&path).unwrap_or_default();
            assert!(known == text, "{} is stale: run cargo xtask coverage", path.display());
        }
    }

    #[test]
    fn only_the_table_is_replaced() {
        let first = with_table("# S3\n\nObjects.\n", "one");
        assert_eq!(first, "# S3\n\nObjects.\n\n<!-- operations -->\none\n<!-- /operations -->\n");
        assert_eq!(with_table(&first, "one"), first);
        let more = format!("{first}\n## More\n");
        assert_eq!(with_table(&more, "two"), more.replace("one", "two"));
    }

    #[test]
    fn a_readme_begins_with_the_header_of_the_library() {
        let begun = begun("//! AWS STS: who a caller is.\n//!\n//! Invariants: one.\n\nmod x;\n");
        assert_eq!(begun, "# AWS STS\n\nAWS STS: who a caller is.\n\nInvariants: one.\n");
    }
}
