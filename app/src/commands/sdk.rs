//! `pagoda sdk`: a client SDK of an API, written into a folder.

use std::io::Cursor;
use std::process::ExitCode;

use bytes::Bytes;
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use zip::ZipArchive;

use super::serve::runtime;
use crate::cli::Sdk;
use crate::client::Client;
use crate::error::{Doing as _, Error};
use crate::terminal;

pub(crate) fn run(arguments: &Sdk) -> Result<ExitCode, Error> {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let (api, stage, kind) = (&arguments.api, &arguments.stage, &arguments.kind);
    let mut path = format!("/restapis/{}/stages/{}/sdks/{}", encoded(api), encoded(stage), encoded(kind));
    for (at, parameter) in arguments.parameters.iter().enumerate() {
        let (name, value) = parameter
            .split_once('=')
            .ok_or_else(|| Error::new(format!("{parameter}: a parameter has the form NAME=VALUE")))?;
        path.push(if at == 0 { '?' } else { '&' });
        path.push_str(&format!("{}={}", encoded(name), encoded(value)));
    }
    let client = Client::of(&arguments.target)?;
    let answer = runtime()?.block_on(client.send("apigateway", Method::GET, &path, &[], Bytes::new()))?;
    if !answer.status.is_success() {
        answer.into_json("GetSdk")?;
        return Ok(ExitCode::FAILURE);
    }
    let mut archive = ZipArchive::new(Cursor::new(answer.body)).doing("the SDK")?;
    let folder = arguments.output.clone().unwrap_or_else(|| format!("{api}-{kind}").into());
    archive.extract(&folder).doing(folder.display().to_string())?;
    let mut files: Vec<&str> = archive.file_names().collect();
    files.sort_unstable();
    for file in files {
        terminal::say(folder.join(file).display().to_string());
    }
    Ok(ExitCode::SUCCESS)
}
