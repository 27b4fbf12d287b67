//! `pagoda env`: `eval $(pagoda env)` makes any AWS tool use the platform.

use std::process::ExitCode;

use crate::cli::Env;
use crate::config::data_folder;
use crate::data::Data;
use crate::error::Error;
use crate::terminal;

pub(crate) fn run(arguments: &Env) -> Result<ExitCode, Error> {
    let data = Data::open(&data_folder(arguments.target.data.clone())?)?;
    let (running, credentials) = (data.running()?, data.kept_credentials()?);
    let region = arguments.target.region.as_ref().map_or(&*running.region, |region| region.as_str());
    let certificate = data.certificate().display().to_string();
    let variables = [
        ("AWS_ENDPOINT_URL", &*running.endpoint),
        ("AWS_ACCESS_KEY_ID", &*credentials.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", &**credentials.secret_access_key),
        ("AWS_REGION", region),
        ("AWS_DEFAULT_REGION", region),
        ("AWS_CA_BUNDLE", &*certificate),
        ("NODE_EXTRA_CA_CERTS", &*certificate),
    ];
    for (name, value) in variables {
        terminal::say(format!("export {name}={}", quoted(value)));
    }
    terminal::say("unset AWS_SESSION_TOKEN AWS_PROFILE");
    Ok(ExitCode::SUCCESS)
}

/// For a POSIX shell, whatever the value contains.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn quotes_cannot_be_left() {
        assert_eq!(super::quoted("a'; rm -rf '"), r"'a'\''; rm -rf '\'''");
    }
}
