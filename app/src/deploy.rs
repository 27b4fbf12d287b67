//! From a folder on disk to a stack: package the code, deploy the template, put the site in its bucket.

mod package;
mod site;
mod stack;

use std::path::{Path, PathBuf};

use yaml_serde::Value as Yaml;

use crate::client::Client;
use crate::error::{Doing as _, Error};
use crate::terminal::Progress;

/// The version of CloudFormation's API.
pub(crate) const CLOUDFORMATION: &str = "2010-05-15";

const TEMPLATES: [&str; 3] = ["template.yaml", "template.yml", "template.json"];

/// An application on disk, and the stack it becomes.
pub(crate) struct Application {
    template: PathBuf,
    stack: String,
    parameters: Vec<(String, String)>,
}

impl Application {
    /// Finds the template in a folder, or takes the one that is named.
    pub(crate) fn find(path: &Path, stack: &str, parameters: &[String]) -> Result<Self, Error> {
        let template = if path.is_dir() {
            let found = TEMPLATES.iter().map(|name| path.join(name)).find(|file| file.is_file());
            found.ok_or_else(|| Error::new(format!("{} has no template.yaml", path.display())))?
        } else {
            path.to_owned()
        };
        let template = std::fs::canonicalize(&template).doing(template.display())?;
        let parameters = parameters.iter().map(|text| match text.split_once('=') {
            Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
            None => Err(Error::new(format!("{text} is no parameter: NAME=VALUE is"))),
        });
        Ok(Self { template, stack: stack.to_owned(), parameters: parameters.collect::<Result<_, _>>()? })
    }

    /// The folder that paths in the template start from.
    pub(crate) fn folder(&self) -> &Path {
        self.template.parent().unwrap_or(Path::new("/"))
    }

    fn read(&self) -> Result<Yaml, Error> {
        let text = std::fs::read_to_string(&self.template).doing(self.template.display())?;
        yaml_serde::from_str(&text).doing(self.template.display())
    }
}

/// Deploys, and returns the stack's outputs.
pub(crate) async fn deploy(
    client: &Client,
    application: &Application,
    progress: &Progress,
) -> Result<Vec<(String, String)>, Error> {
    let mut template = application.read()?;
    let sites = site::sites(&template);
    package::package(client, application.folder(), &mut template).await?;
    let text = yaml_serde::to_string(&template).doing("the template")?;
    let outputs = stack::deploy(client, &application.stack, text, &application.parameters, progress).await?;
    for site in sites {
        progress.now(format!("uploading {}", site.source));
        site.upload(client, application.folder(), &application.stack, &outputs).await?;
    }
    Ok(outputs)
}
