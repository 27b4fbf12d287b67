//! A function's settings, from a request: checked, with AWS's defaults.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html>

use pagoda_protocol::ApiError;

use crate::Lambda;
use crate::generated as g;
use crate::image::Override;
use crate::interpreters::Language;
use crate::logging::{self, Logging};
use crate::name::FunctionId;
use crate::runtime;
use crate::table::Settings;
use crate::variables;

const TIMEOUT_SECONDS_DEFAULT: i32 = 3;
const MEMORY_MB_DEFAULT: i32 = 128;
const STORAGE_MB_DEFAULT: i32 = 512;

/// What a request sets; what it leaves out stays.
#[derive(Default)]
pub(crate) struct Change {
    pub(crate) runtime: Option<g::Runtime>,
    pub(crate) role: Option<String>,
    pub(crate) handler: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) timeout: Option<i32>,
    pub(crate) memory_size: Option<i32>,
    pub(crate) ephemeral_storage: Option<g::EphemeralStorage>,
    pub(crate) environment: Option<g::Environment>,
    pub(crate) logging_config: Option<g::LoggingConfig>,
    pub(crate) snap_start: Option<g::SnapStart>,
    pub(crate) tracing_config: Option<g::TracingConfig>,
    pub(crate) image_config: Option<g::ImageConfig>,
}

/// Settings and how they are to change, checked.
pub(crate) struct Checked {
    change: Change,
    sealed_variables: Option<Vec<u8>>,
    logging: Option<Logging>,
}

impl Change {
    /// Checks all that is set.
    pub(crate) fn check(self, lambda: &Lambda, id: &FunctionId) -> Result<Checked, ApiError> {
        if let Some(runtime) = &self.runtime {
            runtime::engine(&lambda.config, runtime.as_str())?;
        }
        within("timeout", self.timeout, 1, 900)?;
        within("memorySize", self.memory_size, 128, 10_240)?;
        within("ephemeralStorage.size", self.ephemeral_storage.as_ref().map(|one| one.size), 512, 10_240)?;
        let logging = self.logging_config.as_ref().map(logging::read).transpose()?;
        let variables = self.environment.as_ref().and_then(|one| one.variables.clone()).unwrap_or_default();
        variables::check(&variables)?;
        let sealed_variables = variables::seal(&lambda.ports.sealer, id, &variables);
        Ok(Checked { change: self, sealed_variables, logging })
    }
}

impl Checked {
    /// The settings of a new function.
    ///
    /// # Errors
    /// `InvalidParameterValueException` when runtime, handler or role are missing.
    pub(crate) fn create(self, package: g::PackageType) -> Result<Settings, ApiError> {
        let Change { runtime, handler, role, .. } = &self.change;
        let runtime = runtime.as_ref().map(|runtime| runtime.as_str());
        let (runtime, handler) = match (package, runtime, handler) {
            (g::PackageType::Image, None, None) => (runtime::IMAGE, ""),
            (g::PackageType::Zip, Some(runtime), Some(handler)) => (runtime, handler.as_str()),
            (g::PackageType::Image, ..) => return Err(only_for(g::PackageType::Image)),
            (g::PackageType::Zip, ..) => {
                let message = "Runtime and Handler are mandatory parameters for functions created with deployment packages.";
                return Err(g::InvalidParameterValueException::new(message).into());
            }
        };
        let mut settings = Settings {
            runtime: runtime.to_owned(),
            role: role.clone().ok_or_else(ApiError::internal)?,
            handler: handler.to_owned(),
            description: String::new(),
            timeout_seconds: TIMEOUT_SECONDS_DEFAULT.unsigned_abs(),
            memory_mb: MEMORY_MB_DEFAULT.unsigned_abs(),
            storage_mb: STORAGE_MB_DEFAULT.unsigned_abs(),
            sealed_variables: None,
            snap_start: false,
            tracing: false,
            log_group: None,
            logging: Logging::default(),
            image: Override::default(),
        };
        self.fits(package)?;
        self.apply(&mut settings);
        Ok(settings)
    }

    /// Refuses what functions of this package type don't have.
    ///
    /// # Errors
    /// `InvalidParameterValueException`.
    pub(crate) fn fits(&self, package: g::PackageType) -> Result<(), ApiError> {
        let Change { runtime, handler, image_config, .. } = &self.change;
        let fits = match package {
            g::PackageType::Image => runtime.is_none() && handler.is_none(),
            g::PackageType::Zip => image_config.is_none(),
        };
        if fits { Ok(()) } else { Err(only_for(package)) }
    }

    /// Puts what is set over what was there.
    pub(crate) fn apply(&self, settings: &mut Settings) {
        let change = &self.change;
        put(&mut settings.runtime, change.runtime.map(|one| one.as_str().to_owned()));
        put(&mut settings.role, change.role.clone());
        put(&mut settings.handler, change.handler.clone());
        put(&mut settings.description, change.description.clone());
        put(&mut settings.timeout_seconds, change.timeout.map(i32::unsigned_abs));
        put(&mut settings.memory_mb, change.memory_size.map(i32::unsigned_abs));
        put(&mut settings.storage_mb, change.ephemeral_storage.as_ref().map(|one| one.size.unsigned_abs()));
        let snap_start = change.snap_start.as_ref().and_then(|one| one.apply_on.as_ref());
        put(&mut settings.snap_start, snap_start.map(|on| *on == g::SnapStartApplyOn::PublishedVersions));
        let tracing = change.tracing_config.as_ref().and_then(|one| one.mode.as_ref());
        put(&mut settings.tracing, tracing.map(|mode| *mode == g::TracingMode::Active));
        if change.environment.is_some() {
            settings.sealed_variables = self.sealed_variables.clone();
        }
        if let Some(logging) = &change.logging_config {
            settings.log_group = logging.log_group.clone();
        }
        put(&mut settings.logging, self.logging);
        if let Some(g::ImageConfig { entry_point, command, working_directory }) = &change.image_config {
            // An empty list is none: the image's own.
            let list = |list: &Option<Vec<String>>| list.clone().filter(|list| !list.is_empty());
            let directory = working_directory.clone().filter(|directory| !directory.is_empty());
            settings.image = Override { entry_point: list(entry_point), command: list(command), directory };
        }
    }
}

/// What functions of the other package type have was given for one of `package`.
pub(crate) fn only_for(package: g::PackageType) -> ApiError {
    let message = match package {
        g::PackageType::Image => {
            "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image"
        }
        g::PackageType::Zip => "ImageConfig is not supported for functions with packageType Zip",
    };
    g::InvalidParameterValueException::new(message).into()
}

fn put<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn within(name: &str, value: Option<i32>, min: i32, max: i32) -> Result<(), ApiError> {
    let constraint = match value {
        Some(value) if value < min => format!("greater than or equal to {min}"),
        Some(value) if value > max => format!("less than or equal to {max}"),
        _ => return Ok(()),
    };
    let value = value.unwrap_or_default();
    let message = format!(
        "1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: Member must \
         have value {constraint}"
    );
    Err(ApiError::validation(message))
}

/// Refuses architectures that this host has not.
pub(crate) fn check_architectures(architectures: Option<&[g::Architecture]>) -> Result<(), ApiError> {
    match architectures {
        None => Ok(()),
        Some([g::Architecture::X8664]) if cfg!(target_arch = "x86_64") => Ok(()),
        Some([g::Architecture::Arm64]) if cfg!(target_arch = "aarch64") => Ok(()),
        Some([other]) => {
            let message = format!("The architecture {} is not available on this host", other.as_str());
            Err(ApiError::new("NotImplemented", 501, message))
        }
        Some(_) => {
            let message = "A function has exactly one architecture.";
            Err(g::InvalidParameterValueException::new(message).into())
        }
    }
}

/// Refuses SnapStart where it cannot be: it needs a managed runtime, and the least temporary storage.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html#snapstart-supported-runtimes>
pub(crate) fn check_snap_start(settings: &Settings) -> Result<(), ApiError> {
    if !settings.snap_start {
        return Ok(());
    }
    let message = match runtime::kind(&settings.runtime).filter(|kind| !kind.is_of(Language::Ruby)) {
        Some(runtime::Kind::Managed(..)) if settings.storage_mb <= STORAGE_MB_DEFAULT.unsigned_abs() => {
            return Ok(());
        }
        Some(runtime::Kind::Managed(..)) => {
            "SnapStart is not supported for functions with ephemeral storage greater than 512 MB.".to_owned()
        }
        _ => format!("{} is not supported for SnapStart enabled functions.", settings.runtime),
    };
    Err(g::InvalidParameterValueException::new(message).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_bounds() {
        for (value, fits) in
            [(None, true), (Some(0), false), (Some(1), true), (Some(900), true), (Some(901), false)]
        {
            assert_eq!(within("timeout", value, 1, 900).is_ok(), fits, "{value:?}");
        }
    }
}
