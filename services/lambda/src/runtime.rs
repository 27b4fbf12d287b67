//! Lambda's runtimes: which are known, which are still supported, and what each one runs on here.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html>

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use pagoda_protocol::ApiError;
use pagoda_sandbox::Isolation;

use crate::config::RuntimeFallback;
use crate::execution::Mold;
use crate::generated as g;
use crate::interpreters::{Interpreter, Interpreters, Language};
use crate::table::Version;
use crate::{Config, Lambda};

/// The clients of the Runtime API that come with Pagoda: directory, file, content.
const CLIENTS: [(&str, &str, &[u8]); 6] = [
    ("python", "bootstrap.py", include_bytes!("../runtimes/python/bootstrap.py")),
    ("python", "snapshot_restore_py.py", include_bytes!("../runtimes/python/snapshot_restore_py.py")),
    ("python", "compile_all.py", include_bytes!("../runtimes/python/compile_all.py")),
    ("nodejs", "bootstrap.cjs", include_bytes!("../runtimes/nodejs/bootstrap.cjs")),
    ("java", "pagoda-runtime.jar", include_bytes!("../runtimes/java/pagoda-runtime.jar")),
    ("ruby", "bootstrap.rb", include_bytes!("../runtimes/ruby/bootstrap.rb")),
];
/// The earliest Java that our client runs on; for earlier runtimes the operator has to name what they run on.
const JAVA_MIN: u32 = 11;

/// The runtime of functions that are images: they have none.
pub(crate) const IMAGE: &str = "";

/// What a runtime's name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Our client runs the function's module.
    Managed(Language, (u32, u32)),
    /// The package's own `bootstrap` runs.
    Provided,
}

impl Kind {
    /// Whether it is a version of `language`.
    pub(crate) fn is_of(self, language: Language) -> bool {
        matches!(self, Self::Managed(own, _) if own == language)
    }
}

/// What a function really runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Engine {
    /// An interpreter of this host; whether it is another version than the runtime's.
    Interpreter { interpreter: Interpreter, instead: bool },
    /// The package itself.
    Provided,
    /// The package, which is a file system.
    Image,
}

/// A language's client.
pub(crate) fn client(language: Language) -> &'static [u8] {
    let directory = language.to_string();
    CLIENTS.iter().find(|(name, ..)| *name == directory).map_or(&[], |(.., content)| content)
}

/// Writes the runtimes' clients where sandboxes can have them bound.
pub(crate) fn install(directory: &Path) -> io::Result<()> {
    for (language, file, content) in CLIENTS {
        let place = directory.join(language);
        fs::create_dir_all(&place)?;
        fs::set_permissions(&place, fs::Permissions::from_mode(0o755))?;
        fs::write(place.join(file), content)?;
        fs::set_permissions(place.join(file), fs::Permissions::from_mode(0o644))?;
    }
    Ok(())
}

/// The kind of `runtime`; `None` for those that AWS no longer supports, or that Pagoda hasn't got.
pub(crate) fn kind(runtime: &str) -> Option<Kind> {
    if matches!(runtime, "provided.al2" | "provided.al2023") {
        return Some(Kind::Provided);
    }
    if let Some(minor) = runtime.strip_prefix("python3.") {
        let minor = minor.parse().ok().filter(|minor| (8..=14).contains(minor))?;
        return Some(Kind::Managed(Language::Python, (3, minor)));
    }
    if let Some(minor) = runtime.strip_prefix("ruby3.") {
        let minor = minor.parse().ok().filter(|minor| (2..=4).contains(minor))?;
        return Some(Kind::Managed(Language::Ruby, (3, minor)));
    }
    if let Some(major) = runtime.strip_prefix("java") {
        let major = match major {
            "8.al2" => 8,
            other => other.parse().ok().filter(|major| matches!(major, 11 | 17 | 21 | 25))?,
        };
        return Some(Kind::Managed(Language::Java, (major, 0)));
    }
    let major = runtime.strip_prefix("nodejs")?.strip_suffix(".x")?.parse().ok()?;
    matches!(major, 18 | 20 | 22 | 24).then_some(Kind::Managed(Language::Nodejs, (major, 0)))
}

/// What a function of `runtime` runs on.
///
/// # Errors
/// `InvalidParameterValueException` when nothing fit is installed, saying what would be.
pub(crate) fn engine(config: &Config, runtime: &str) -> Result<Engine, ApiError> {
    if runtime == IMAGE {
        return Ok(Engine::Image);
    }
    let kind = kind(runtime).ok_or_else(|| unsupported(runtime))?;
    let Kind::Managed(language, version) = kind else { return Ok(Engine::Provided) };
    choose(&config.interpreters, config.fallback, runtime, language, version)
}

fn choose(
    interpreters: &Interpreters,
    fallback: RuntimeFallback,
    runtime: &str,
    language: Language,
    version: (u32, u32),
) -> Result<Engine, ApiError> {
    let found = interpreters.nearest(runtime, language, version);
    let fits = |one: &&Interpreter| {
        let runs_here = language != Language::Java || version.0 >= JAVA_MIN && one.version.0 >= JAVA_MIN;
        let is_near = fallback == RuntimeFallback::Nearest && runs_here;
        is_near || one.version == version && runs_here || interpreters.is_set(runtime)
    };
    let interpreter = found.filter(fits).ok_or_else(|| not_installed(interpreters, runtime, language))?;
    let instead = interpreter.version != version;
    Ok(Engine::Interpreter { interpreter: interpreter.clone(), instead })
}

fn not_installed(interpreters: &Interpreters, runtime: &str, language: Language) -> ApiError {
    let installed: Vec<String> =
        interpreters.all().filter(|one| one.language == language).map(ToString::to_string).collect();
    let installed = if installed.is_empty() { "none".to_owned() } else { installed.join(", ") };
    let message = format!(
        "The runtime {runtime} is not installed on this host (installed: {installed}). Install it, name its \
         program in the configuration under [runtimes], or allow runtime_fallback = \"nearest\"."
    );
    g::InvalidParameterValueException::new(message).into()
}

fn unsupported(runtime: &str) -> ApiError {
    let ended = ["python2", "python3.6", "python3.7", "nodejs", "go1", "provided", "ruby2"];
    if runtime == "java8" || ended.iter().any(|ended| runtime.starts_with(ended)) {
        let message = format!(
            "The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda \
             functions. We recommend you use a supported runtime while creating or updating functions."
        );
        return g::InvalidParameterValueException::new(message).into();
    }
    ApiError::new("NotImplemented", 501, format!("The runtime {runtime} is not available in Pagoda"))
}

impl Lambda {
    /// Prepares for instances of a version.
    pub(crate) fn expect(&self, version: &Version) {
        if let Ok(Engine::Interpreter { interpreter, .. }) = engine(&self.config, &version.settings.runtime) {
            self.want_template(&Mold::of(&interpreter, version.settings.memory_mb));
            self.want_compiled(version, &interpreter);
        }
    }

    /// Refuses functions where nothing confines them.
    pub(crate) fn check_isolation(&self) -> Result<&pagoda_sandbox::Spawner, ApiError> {
        let refused = |why: &str| {
            let message = format!("Functions cannot run on this host: {why}");
            Err(ApiError::new("ServiceException", 500, message))
        };
        match &self.ports.spawner {
            None => refused("there is no sandbox"),
            Some(spawner) if spawner.isolation() == Isolation::None && !spawner.allows_unsafe() => {
                refused(&spawner.missing().join("; "))
            }
            Some(spawner) => Ok(spawner),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runtimes_are_known_by_name() {
        for (runtime, expected) in [
            ("python3.8", Some(Kind::Managed(Language::Python, (3, 8)))),
            ("python3.14", Some(Kind::Managed(Language::Python, (3, 14)))),
            ("python3.7", None),
            ("python3.15", None),
            ("nodejs22.x", Some(Kind::Managed(Language::Nodejs, (22, 0)))),
            ("nodejs16.x", None),
            ("nodejs", None),
            ("provided.al2023", Some(Kind::Provided)),
            ("provided", None),
            ("java21", Some(Kind::Managed(Language::Java, (21, 0)))),
            ("java8.al2", Some(Kind::Managed(Language::Java, (8, 0)))),
            ("java8", None),
            ("java18", None),
            ("ruby3.2", Some(Kind::Managed(Language::Ruby, (3, 2)))),
            ("ruby3.4", Some(Kind::Managed(Language::Ruby, (3, 4)))),
            ("ruby3.1", None),
            ("ruby2.7", None),
        ] {
            assert_eq!(kind(runtime), expected, "{runtime}");
        }
    }

    #[test]
    fn a_missing_version_is_refused_or_replaced() {
        let none = Interpreters::default();
        for fallback in [RuntimeFallback::Exact, RuntimeFallback::Nearest] {
            let refused = choose(&none, fallback, "python3.12", Language::Python, (3, 12)).unwrap_err();
            assert!(refused.message.contains("installed: none"), "{refused}");
        }
    }
}
