//! `cargo xtask codegen`: AWS's interface models become each service's `generated.rs`.
//!
//! Invariants: the same models and tables give the same text, byte for byte; nothing is fetched without
//! `--fetch`.

mod api;
mod emit;
mod fetch;
mod model;
mod names;
mod plan;
mod routes;
mod schemas;
mod shapes;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

pub(crate) use api::Api;
#[cfg(test)]
pub(crate) use emit::formatted;
pub(crate) use model::Model;

use crate::Outcome;

/// The services that have models, by botocore's names, which are our folders' too.
pub(crate) const SERVICES: [&str; 11] = [
    "apigateway",
    "cloudformation",
    "cloudwatch",
    "dynamodb",
    "dynamodbstreams",
    "events",
    "iam",
    "lambda",
    "logs",
    "s3",
    "sts",
];

/// How to generate.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Fetch the pinned botocore from PyPI first, and reduce its models into models/.
    #[arg(long)]
    fetch: bool,
    /// Only this service.
    #[arg(long)]
    service: Option<String>,
}

/// Runs the subcommand in the repository `root`.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> Outcome {
    if arguments.fetch {
        fetch::models(root, &SERVICES)?;
    }
    let wanted = |service: &&str| arguments.service.as_deref().is_none_or(|only| only == *service);
    for service in SERVICES.into_iter().filter(wanted) {
        let text = generated(root, service).map_err(|error| format!("{service}: {error}"))?;
        fs::write(generated_path(root, service), text)?;
    }
    Ok(())
}

/// The text that `service`'s generated.rs must have.
fn generated(root: &Path, service: &str) -> Outcome<String> {
    let mut model = model::Model::load(&root.join(format!("models/{service}.json")))?;
    let api = api::Api::load(&root.join("services").join(service))?;
    model.open(&api.open)?;
    let plan = plan::Plan::new(&model, &api)?;
    emit::formatted(root, &emit::service(service, &plan)?)
}

fn generated_path(root: &Path, service: &str) -> PathBuf {
    root.join("services").join(service).join("src/generated.rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_code_is_fresh() {
        for service in SERVICES {
            let path = generated_path(crate::root(), service);
            let kept = fs::read_to_string(&path).unwrap();
            let fresh = generated(crate::root(), service).unwrap();
            assert!(kept == fresh, "{} is stale: run cargo xtask codegen", path.display());
        }
    }
}
