//! `pagoda doctor`: what this host can do.

use std::collections::BTreeMap;
use std::process::ExitCode;

use pagoda_lambda::Interpreters;
use pagoda_sandbox::{Isolation, Spawner};
use serde_json::json;

use crate::cli::Doctor;
use crate::error::{Doing as _, Error};
use crate::terminal;

pub(crate) fn run(arguments: &Doctor) -> Result<ExitCode, Error> {
    let interpreters = Interpreters::probe(&BTreeMap::new()).doing("runtimes")?;
    let spawner = Spawner::start(interpreters.sandbox()).doing("the sandbox")?;
    let isolation = match spawner.isolation() {
        Isolation::Full => "full",
        Isolation::Partial => "partial",
        Isolation::None => "none",
    };
    let found: Vec<(String, String)> =
        interpreters.all().map(|one| (one.to_string(), one.path.display().to_string())).collect();
    if arguments.json {
        let runtimes: BTreeMap<&String, &String> = found.iter().map(|(name, path)| (name, path)).collect();
        let report = json!({ "isolation": isolation, "missing": spawner.missing(), "runtimes": runtimes });
        terminal::say(report.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    let mut rows = vec![vec!["isolation of functions".to_owned(), isolation.to_owned()]];
    rows.extend(spawner.missing().iter().map(|what| vec!["missing".to_owned(), what.clone()]));
    rows.extend(found.into_iter().map(|(name, path)| vec![format!("runtime {name}"), path]));
    if interpreters.all().next().is_none() {
        let hint = "none: install python3, nodejs, ruby or a JDK for functions in these languages; `provided` works without";
        rows.push(vec!["runtimes".into(), hint.into()]);
    }
    terminal::rows(&["", ""], &rows);
    Ok(ExitCode::SUCCESS)
}
