//! The environment of an instance.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>

use pagoda_service::ports::SessionCredentials;

use crate::configuration;
use crate::interpreters::Language;
use crate::load::Loaded;
use crate::runtime::Engine;
use crate::variables::Variables;

/// Where the Runtime API is, inside the instance.
pub(crate) const RUNTIME_PORT: u16 = 9001;
/// Where the Runtime API tells credentials.
pub(crate) const CREDENTIALS_PATH: &str = "/2021-04-23/credentials";
/// Where the platform is, inside the instance.
pub(crate) const ENDPOINT_PORT: u16 = 4566;

const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/opt/bin";
pub(super) const LIBRARIES: &str =
    "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib";

/// Variables that an image may set otherwise than Lambda does.
const OF_THE_IMAGE: [&str; 3] = ["PATH", "LANG", "TZ"];

/// All variables: Lambda's, then the function's own, which may replace those that aren't reserved.
pub(super) fn of(
    loaded: &Loaded,
    engine: &Engine,
    stream: &str,
    credentials: &SessionCredentials,
    own: Variables,
) -> Vec<(String, String)> {
    let settings = &loaded.version.settings;
    let region = loaded.id.region.as_str();
    let image = loaded.version.image.as_ref();
    let mut all = Variables::new();
    let mut set = |name: &str, value: &str| all.insert(name.to_owned(), value.to_owned());
    set("AWS_LAMBDA_FUNCTION_NAME", &loaded.id.name);
    set("AWS_LAMBDA_FUNCTION_VERSION", &loaded.number);
    set("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &settings.memory_mb.to_string());
    set("AWS_LAMBDA_INITIALIZATION_TYPE", if loaded.has_snapshot() { "snap-start" } else { "on-demand" });
    set("AWS_LAMBDA_LOG_GROUP_NAME", &configuration::log_group(&loaded.id, &loaded.version));
    set("AWS_LAMBDA_LOG_STREAM_NAME", stream);
    let (format, level) = settings.logging.variables();
    set("AWS_LAMBDA_LOG_FORMAT", format);
    level.map(|level| set("AWS_LAMBDA_LOG_LEVEL", level));
    set("AWS_LAMBDA_RUNTIME_API", &format!("127.0.0.1:{RUNTIME_PORT}"));
    set("AWS_ENDPOINT_URL", &format!("http://127.0.0.1:{ENDPOINT_PORT}"));
    set("AWS_REGION", region);
    set("AWS_DEFAULT_REGION", region);
    if loaded.has_snapshot() {
        // What a snapshot holds outlives its credentials: the SDKs ask for them, and ask again.
        set(
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            &format!("http://127.0.0.1:{RUNTIME_PORT}{CREDENTIALS_PATH}"),
        );
    } else {
        set("AWS_ACCESS_KEY_ID", &credentials.access_key_id);
        set("AWS_SECRET_ACCESS_KEY", &credentials.secret_access_key);
        set("AWS_SESSION_TOKEN", &credentials.session_token);
    }
    set("_HANDLER", &settings.handler);
    set("LAMBDA_TASK_ROOT", "/var/task");
    set("LAMBDA_RUNTIME_DIR", "/var/runtime");
    set("LANG", "en_US.UTF-8");
    set("TZ", ":UTC");
    set("LD_LIBRARY_PATH", LIBRARIES);
    set("PATH", &path(engine));
    match engine {
        Engine::Interpreter { interpreter, .. } => {
            set("AWS_EXECUTION_ENV", &format!("AWS_Lambda_{}", settings.runtime));
            for (name, value) in of_the_language(interpreter.language, &settings.runtime) {
                set(name, &value);
            }
        }
        Engine::Provided => {}
        // What the image says of its own file system counts, and nothing of the shared one.
        Engine::Image => {
            for name in ["_HANDLER", "LD_LIBRARY_PATH", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"] {
                all.remove(name);
            }
            for (name, value) in image.iter().flat_map(|image| &image.environment) {
                if OF_THE_IMAGE.contains(&name.as_str()) || !all.contains_key(name) {
                    all.insert(name.clone(), value.clone());
                }
            }
        }
    }
    all.extend(own);
    all.into_iter().collect()
}

/// Where a language looks for libraries. Gems of the package and of layers are laid out for the runtime's version,
/// whatever version it runs on.
fn of_the_language(language: Language, runtime: &str) -> Vec<(&'static str, String)> {
    match language {
        Language::Python => vec![("PYTHONPATH", "/var/runtime".to_owned())],
        Language::Nodejs => vec![("NODE_PATH", "/opt/nodejs/node_modules:/var/runtime:/var/task".to_owned())],
        Language::Java => Vec::new(),
        Language::Ruby => {
            let version = runtime.trim_start_matches("ruby");
            let gems = format!("/var/task/vendor/bundle/ruby/{version}.0:/opt/ruby/gems/{version}.0");
            vec![("GEM_PATH", gems), ("RUBYLIB", "/var/task:/var/runtime/lib:/opt/ruby/lib".to_owned())]
        }
    }
}

/// The interpreter is found by scripts of the function too.
fn path(engine: &Engine) -> String {
    match engine {
        Engine::Interpreter { interpreter, .. } => {
            let directory = interpreter.guest.parent().map(|path| path.display().to_string());
            format!("{PATH}:{}", directory.unwrap_or_default())
        }
        Engine::Provided | Engine::Image => PATH.to_owned(),
    }
}
