//! The command line. Names and options are a contract: scripts rely on them.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use pagoda_base::{AccountId, Region};
use serde::Deserialize;

/// Whole serverless three-tier applications on machines that you own.
#[derive(Parser)]
#[command(name = "pagoda", version, about)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the platform in the foreground
    Serve(Serve),
    /// Serve, deploy an application, and deploy it again when it changes
    Up(Up),
    /// Deploy an application to a running platform
    Deploy(Deploy),
    /// Print export lines that make any AWS tool use the platform
    Env(Env),
    /// Show what functions wrote
    Logs(Logs),
    /// Invoke a function
    Invoke(Invoke),
    /// List stacks, functions, APIs, tables and buckets
    List(List),
    /// Write a client SDK of an API into a folder
    Sdk(Sdk),
    /// Tell what this host can do: kernel features, runtimes
    Doctor(Doctor),
}

/// Where and how the platform runs. Each may stand in the configuration file too, under the same name.
#[derive(Args, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Options {
    /// Folder of all data [default: ~/.local/share/pagoda]
    #[arg(long, env = "PAGODA_DATA", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Address to listen on; without one, port 4566 of 127.0.0.1 and ::1
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    /// Collector that is sent spans, by OTLP over HTTP
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    pub(crate) otlp_endpoint: Option<String>,
    /// Region of requests that name none [default: us-east-1]
    #[arg(long)]
    pub(crate) region: Option<Region>,
    /// The account [default: 123456789012]
    #[arg(long)]
    pub(crate) account: Option<AccountId>,
    /// Domain below which APIs, buckets and sites are addressed [default: localhost]
    #[arg(long)]
    pub(crate) domain: Option<String>,
    /// The account's root access key, in place of the one made on the first start
    #[arg(long, requires = "root_secret_key", value_name = "KEY")]
    pub(crate) root_access_key: Option<String>,
    /// The secret of the root access key
    #[arg(long, requires = "root_access_key", value_name = "SECRET")]
    pub(crate) root_secret_key: Option<String>,
    /// Whether a runtime that is not installed may be replaced by the nearest version of its language
    #[arg(long, value_enum)]
    pub(crate) runtime_fallback: Option<RuntimeFallback>,
    /// Run functions as plain processes where the host offers no sandbox
    #[arg(long)]
    pub(crate) unsafe_no_sandbox: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RuntimeFallback {
    /// The nearest installed version of the same language runs the function
    Nearest,
    /// The function is refused
    Exact,
}

#[derive(Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) options: Options,
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Up {
    /// Folder with a template.yaml, or a template
    #[arg(default_value = ".", value_name = "DIR|TEMPLATE")]
    pub(crate) application: PathBuf,
    /// The stack's name [default: the folder's name]
    #[arg(long)]
    pub(crate) stack: Option<String>,
    /// A parameter of the template; may be repeated
    #[arg(long = "parameter", value_name = "K=V")]
    pub(crate) parameters: Vec<String>,
    /// Deploy once, and not again on changes
    #[arg(long)]
    pub(crate) no_watch: bool,
    #[command(flatten)]
    pub(crate) serve: Serve,
}

/// Which platform a client command talks to.
#[derive(Args, Clone)]
pub(crate) struct Target {
    /// URL of the platform [default: the one that runs on the data folder]
    #[arg(long, env = "AWS_ENDPOINT_URL", value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// Folder of all data [default: ~/.local/share/pagoda]
    #[arg(long, env = "PAGODA_DATA", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Region [default: the platform's]
    #[arg(long, env = "AWS_REGION")]
    pub(crate) region: Option<Region>,
}

#[derive(Args)]
pub(crate) struct Deploy {
    /// Folder with a template.yaml, or a template
    #[arg(default_value = ".", value_name = "DIR|TEMPLATE")]
    pub(crate) application: PathBuf,
    /// The stack's name
    #[arg(long)]
    pub(crate) stack: String,
    /// A parameter of the template; may be repeated
    #[arg(long = "parameter", value_name = "K=V")]
    pub(crate) parameters: Vec<String>,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Args)]
pub(crate) struct Env {
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Args)]
pub(crate) struct Logs {
    /// The function's name; without one, all functions
    pub(crate) function: Option<String>,
    /// Go on showing what is written
    #[arg(long)]
    pub(crate) follow: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Args)]
pub(crate) struct Invoke {
    /// The function's name
    pub(crate) function: String,
    /// The event: JSON, or @FILE
    #[arg(long, default_value = "{}", value_name = "JSON|@FILE")]
    pub(crate) payload: String,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Args)]
pub(crate) struct Sdk {
    /// The API's id
    pub(crate) api: String,
    /// The stage that the SDK calls
    pub(crate) stage: String,
    /// javascript, typescript, java, android, swift, objectivec, ruby, python or kotlin
    #[arg(long = "type", value_name = "KIND")]
    pub(crate) kind: String,
    /// Something that the kind is told, such as service.name=Pets; may be repeated
    #[arg(long = "parameter", value_name = "NAME=VALUE")]
    pub(crate) parameters: Vec<String>,
    /// Where to write it [default: API-KIND]
    #[arg(long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Args)]
pub(crate) struct List {
    /// Machine-readable
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Args)]
pub(crate) struct Doctor {
    /// Machine-readable
    #[arg(long)]
    pub(crate) json: bool,
}
