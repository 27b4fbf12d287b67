//! What the sandbox of a function is made of.

use std::path::PathBuf;

use pagoda_sandbox::{Beside, Bind, Ids, Limits, Source, Spec, Start};

use crate::image::Tree;
use crate::interpreters::{Interpreter, Language, NODEJS_SDK, PYTHON_SDK};
use crate::load::Loaded;
use crate::runtime::Engine;
use crate::table::{Code, Version};
use crate::{Config, Lambda};

use super::java;
use super::variables::{ENDPOINT_PORT, RUNTIME_PORT};

const TASK: &str = "/var/task";
const RUNTIME: &str = "/var/runtime";
const OPT: &str = "/opt";

/// The megabytes that AWS gives a whole core.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>
const MB_A_CORE: u32 = 1_769;
/// While its init code runs, an instance may use all that AWS's largest has.
const INIT_CPU_MILLIS: u32 = 6_000;
const MIB: u64 = 1 << 20;
/// What V8 would do once time has passed, clones of an image would do in their first milliseconds: collect garbage
/// for the smaller heap of an idle process, and forget what it has compiled. The collector can be called, as in
/// AWS's own runtime.
const NODE_OPTIONS: [&str; 3] = ["--expose-gc", "--no-memory-reducer", "--no-flush-bytecode"];

/// Processor time of a running instance, in thousandths of a core.
pub(super) fn cpu_millis(memory_mb: u32, min: u32) -> u32 {
    (memory_mb.saturating_mul(1_000) / MB_A_CORE).max(min)
}

/// The sandbox of a function.
pub(super) fn spec(
    lambda: &Lambda,
    loaded: &Loaded,
    engine: &Engine,
    ids: Ids,
    mut environment: Vec<(String, String)>,
) -> Spec {
    let settings = &loaded.version.settings;
    let start = match start(lambda, loaded, engine, &environment) {
        plain if matches!(engine, Engine::Interpreter { .. }) => wrapped(plain, &environment),
        plain => plain,
    };
    let root =
        loaded.version.image.as_ref().map(|_| Source::Path(lambda.packages.task(&loaded.version.code)));
    let directory = match &loaded.version.image {
        Some(image) => settings.image.directory.as_ref().unwrap_or(&image.directory).into(),
        None => PathBuf::from(TASK),
    };
    if matches!(engine, Engine::Interpreter { interpreter, .. } if interpreter.language == Language::Java) {
        java::add_defaults(&mut environment, settings.memory_mb);
    }
    Spec {
        start,
        environment,
        beside: Beside::default(),
        resume: None,
        directory,
        root,
        binds: binds(lambda, loaded, engine),
        ids,
        listen: vec![RUNTIME_PORT, ENDPOINT_PORT],
        limits: Limits {
            memory_bytes: u64::from(settings.memory_mb) * MIB,
            cpu_millis: INIT_CPU_MILLIS,
            tmp_bytes: u64::from(settings.storage_mb) * MIB,
            ..Limits::default()
        },
    }
}

fn start(lambda: &Lambda, loaded: &Loaded, engine: &Engine, environment: &[(String, String)]) -> Start {
    let (program, arguments) = match engine {
        Engine::Interpreter { interpreter, .. } => {
            command(interpreter, loaded.version.settings.memory_mb, java::has_own(environment))
        }
        Engine::Provided => (bootstrap(lambda, &loaded.version), Vec::new()),
        Engine::Image => entry_point(lambda, &loaded.version, environment),
    };
    Start::Exec { program, arguments }
}

/// What an image says is to be executed, or what the function says instead: with another entry point, the image's
/// own command means nothing.
fn entry_point(
    lambda: &Lambda,
    version: &Version,
    environment: &[(String, String)],
) -> (PathBuf, Vec<String>) {
    let own = &version.settings.image;
    let (mut words, command, directory) = match &version.image {
        Some(image) => (image.entry_point.clone(), image.command.clone(), image.directory.as_str()),
        None => (Vec::new(), Vec::new(), "/"),
    };
    let command = match (&own.entry_point, &own.command) {
        (Some(entry_point), command) => {
            words.clone_from(entry_point);
            command.clone().unwrap_or_default()
        }
        (None, Some(command)) => command.clone(),
        (None, None) => command,
    };
    words.extend(command);
    let path = environment.iter().find(|(name, _)| name == "PATH").map_or("", |(_, path)| path);
    let directory = own.directory.as_deref().unwrap_or(directory);
    let mut words = words.into_iter();
    let name = words.next().unwrap_or_default();
    let tree = Tree::open(&lambda.packages.task(&version.code)).ok();
    // What isn't found is an error when it is executed.
    let program = tree.and_then(|tree| tree.program(&name, directory, path));
    (program.unwrap_or_else(|| PathBuf::from("/").join(name)), words.collect())
}

/// The function's wrapper script, given what it is to execute, where there is one.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html#runtime-wrapper>
fn wrapped(start: Start, environment: &[(String, String)]) -> Start {
    let wrapper = environment.iter().find(|(name, _)| name == "AWS_LAMBDA_EXEC_WRAPPER");
    match (start, wrapper) {
        (Start::Exec { program, mut arguments }, Some((_, wrapper))) => {
            arguments.insert(0, program.to_string_lossy().into_owned());
            Start::Exec { program: PathBuf::from(wrapper), arguments }
        }
        (start, _) => start,
    }
}

/// The interpreter with Pagoda's client: program and arguments. `has_options`: a function has Java's in its
/// environment.
pub(super) fn command(
    interpreter: &Interpreter,
    memory_mb: u32,
    has_options: bool,
) -> (PathBuf, Vec<String>) {
    let arguments = match interpreter.language {
        // Unbuffered, and without the site-packages of the host.
        Language::Python => vec!["-u".to_owned(), "-S".to_owned(), format!("{RUNTIME}/bootstrap.py")],
        Language::Nodejs => {
            let options = NODE_OPTIONS.iter().map(|option| (*option).to_owned());
            options.chain([format!("{RUNTIME}/bootstrap.cjs")]).collect()
        }
        Language::Ruby => vec![format!("{RUNTIME}/bootstrap.rb")],
        Language::Java => java::arguments(memory_mb, has_options, &format!("{RUNTIME}/pagoda-runtime.jar")),
    };
    (interpreter.guest.clone(), arguments)
}

/// The function's own runtime: the package's, or else that of a layer.
fn bootstrap(lambda: &Lambda, version: &Version) -> PathBuf {
    let in_layer = |opt: &Code| lambda.packages.task(opt).join("bootstrap").exists();
    let in_package = lambda.packages.task(&version.code).join("bootstrap").exists();
    let directory = if !in_package && version.opt.as_ref().is_some_and(in_layer) { OPT } else { TASK };
    PathBuf::from(directory).join("bootstrap")
}

fn binds(lambda: &Lambda, loaded: &Loaded, engine: &Engine) -> Vec<Bind> {
    if *engine == Engine::Image {
        return Vec::new();
    }
    let mut binds = vec![bind(lambda.packages.task(&loaded.version.code), TASK)];
    binds.extend(loaded.version.opt.as_ref().map(|opt| bind(lambda.packages.task(opt), OPT)));
    if let Engine::Interpreter { interpreter, .. } = engine {
        binds.extend(client_binds(&lambda.config, interpreter));
    }
    binds
}

/// Pagoda's client and the AWS SDK.
pub(super) fn client_binds(config: &Config, interpreter: &Interpreter) -> Vec<Bind> {
    let sdk = match interpreter.language {
        Language::Python => config.sdk.python.clone().map(|host| bind(host, PYTHON_SDK)),
        Language::Nodejs => config.sdk.nodejs.clone().map(|host| bind(host, NODEJS_SDK)),
        // Functions in these bring their own.
        Language::Java | Language::Ruby => None,
    };
    let client = bind(config.runtimes().join(interpreter.language.to_string()), RUNTIME);
    std::iter::once(client).chain(sdk).collect()
}

fn bind(host: PathBuf, guest: &str) -> Bind {
    Bind { source: Source::Path(host), guest: PathBuf::from(guest) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_grows_with_memory() {
        for (memory, min, expected) in
            [(128, 0, 72), (128, 500, 500), (1_769, 500, 1_000), (10_240, 500, 5_788)]
        {
            assert_eq!(cpu_millis(memory, min), expected, "{memory}");
        }
    }
}
