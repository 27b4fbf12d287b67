//! Static sites: a bucket's metadata names the folder that is its content.
//!
//! ```yaml
//! SiteBucket:
//!   Type: AWS::S3::Bucket
//!   Metadata:
//!     Pagoda:
//!       Website: { Source: site, Outputs: config.json }   # the stack's outputs, for the pages to read
//! ```
//!
//! CloudFormation carries metadata along and ignores it, so that the template stays one for AWS.

use std::path::Path;

use bytes::Bytes;
use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};
use walkdir::WalkDir;
use yaml_serde::Value as Yaml;

use super::CLOUDFORMATION;
use crate::client::Client;
use crate::error::{Doing as _, Error};

/// What stays as it is in a path.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// A site of the template.
pub(crate) struct Site {
    /// The bucket's logical id.
    bucket: String,
    /// The folder, from the template's.
    pub(crate) source: String,
    /// The key under which the stack's outputs are put.
    outputs: Option<String>,
}

/// All sites of a template.
pub(crate) fn sites(template: &Yaml) -> Vec<Site> {
    let resources = template.get("Resources").and_then(Yaml::as_mapping);
    let site = |(name, resource): (&Yaml, &Yaml)| {
        let website = resource.get("Metadata")?.get("Pagoda")?.get("Website")?;
        Some(Site {
            bucket: name.as_str()?.to_owned(),
            source: website.get("Source")?.as_str()?.to_owned(),
            outputs: website.get("Outputs").and_then(Yaml::as_str).map(str::to_owned),
        })
    };
    resources.into_iter().flatten().filter_map(site).collect()
}

impl Site {
    /// Uploads the folder and the outputs.
    pub(crate) async fn upload(
        &self,
        client: &Client,
        folder: &Path,
        stack: &str,
        outputs: &[(String, String)],
    ) -> Result<(), Error> {
        let parameters = [("StackName", stack), ("LogicalResourceId", &self.bucket)];
        let answer =
            client.query("cloudformation", CLOUDFORMATION, "DescribeStackResource", &parameters).await?;
        let bucket =
            answer.find("PhysicalResourceId").map(|element| element.text.clone()).unwrap_or_default();
        let source = folder.join(&self.source);
        for entry in WalkDir::new(&source).sort_by_file_name() {
            let entry = entry.doing(source.display())?;
            if entry.file_type().is_file() {
                let key = entry
                    .path()
                    .strip_prefix(&source)
                    .doing(source.display())?
                    .to_string_lossy()
                    .into_owned();
                let bytes = std::fs::read(entry.path()).doing(entry.path().display())?;
                put(client, &bucket, &key, bytes.into()).await?;
            }
        }
        if let Some(key) = &self.outputs {
            let outputs: Map<String, Value> =
                outputs.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
            put(client, &bucket, key, Value::Object(outputs).to_string().into()).await?;
        }
        Ok(())
    }
}

async fn put(client: &Client, bucket: &str, key: &str, body: Bytes) -> Result<(), Error> {
    let path = format!("/{bucket}/{}", utf8_percent_encode(key, ENCODED));
    let kind = mime_guess::from_path(key).first_or_octet_stream();
    let kind = match kind.type_() == mime_guess::mime::TEXT {
        true => format!("{kind}; charset=utf-8"),
        false => kind.to_string(),
    };
    let headers = [("content-type", kind.as_str()), ("cache-control", "no-cache")];
    let answer = client.send("s3", Method::PUT, &path, &headers, body).await?;
    if answer.status.is_success() { Ok(()) } else { Err(answer.refused(&path)) }
}
