//! Code on disk becomes packages in S3, and the template names them: what `sam package` does.

use std::io::{Cursor, Write as _};
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use http::{Method, StatusCode};
use walkdir::WalkDir;
use yaml_serde::Value as Yaml;
use zip::write::SimpleFileOptions;

use crate::client::Client;
use crate::error::{Doing as _, Error};

/// Files of one package.
const FILES_MAX: usize = 50_000;

/// Uploads all local code that the template names, and names the uploads instead.
pub(crate) async fn package(client: &Client, folder: &Path, template: &mut Yaml) -> Result<(), Error> {
    name_the_folder(template);
    let places = local_code(template);
    let mut bucket = None;
    for place in places {
        let Some(path) = place.as_str().filter(|uri| !uri.starts_with("s3://")).map(str::to_owned) else {
            continue;
        };
        let bytes = zipped(&folder.join(&path))?;
        let bucket = match &bucket {
            Some(bucket) => bucket,
            None => bucket.insert(artifacts(client).await?),
        };
        // A package is named as one; a definition keeps the name's end that tells how it is written.
        let end = Path::new(&path).extension().and_then(|end| end.to_str()).unwrap_or("zip");
        let key = format!("{}.{end}", hex::encode(digest(&SHA256, &bytes)));
        upload(client, bucket, &key, bytes, "application/octet-stream").await?;
        *place = Yaml::String(format!("s3://{bucket}/{key}"));
    }
    rename_plain_code(template);
    Ok(())
}

/// A serverless function that names no code has it beside the template, as `sam build` takes it.
fn name_the_folder(template: &mut Yaml) {
    let all = template.get("Globals").and_then(|globals| globals.get("Function"));
    if all.is_some_and(|all| all.get("CodeUri").is_some()) {
        return;
    }
    for (_, resource) in template.get_mut("Resources").and_then(Yaml::as_mapping_mut).into_iter().flatten() {
        let is_function = resource.get("Type").and_then(Yaml::as_str) == Some("AWS::Serverless::Function");
        let Some(properties) = resource.get_mut("Properties").and_then(Yaml::as_mapping_mut) else {
            continue;
        };
        if is_function
            && ["CodeUri", "InlineCode", "ImageUri"].iter().all(|name| !properties.contains_key(*name))
        {
            properties.insert("CodeUri".into(), ".".into());
        }
    }
}

/// The property that may name something on disk, by the resource's type.
const LOCAL: [(&str, &str); 5] = [
    ("AWS::Serverless::Function", "CodeUri"),
    ("AWS::Serverless::LayerVersion", "ContentUri"),
    ("AWS::Serverless::Api", "DefinitionUri"),
    ("AWS::Lambda::Function", "Code"),
    ("AWS::Lambda::LayerVersion", "Content"),
];

/// The places that may name something on disk: of all resources, and of Globals.
fn local_code(template: &mut Yaml) -> Vec<&mut Yaml> {
    let mut places = Vec::new();
    for (section, content) in template.as_mapping_mut().into_iter().flatten() {
        match section.as_str() {
            Some("Globals") => {
                places.extend(content.get_mut("Function").and_then(|function| function.get_mut("CodeUri")))
            }
            Some("Resources") => {
                for (_, resource) in content.as_mapping_mut().into_iter().flatten() {
                    let kind = resource.get("Type").and_then(Yaml::as_str).unwrap_or_default();
                    let Some((_, field)) = LOCAL.iter().find(|(name, _)| *name == kind) else { continue };
                    places.extend(
                        resource.get_mut("Properties").and_then(|properties| properties.get_mut(*field)),
                    );
                }
            }
            _ => {}
        }
    }
    places
}

/// Plain resources have a place as a map where serverless ones have a URL.
fn rename_plain_code(template: &mut Yaml) {
    let Some(resources) = template.get_mut("Resources").and_then(Yaml::as_mapping_mut) else { return };
    for (_, resource) in resources {
        let field = match resource.get("Type").and_then(Yaml::as_str) {
            Some("AWS::Lambda::Function") => "Code",
            Some("AWS::Lambda::LayerVersion") => "Content",
            _ => continue,
        };
        let Some(code) = resource.get_mut("Properties").and_then(|properties| properties.get_mut(field))
        else {
            continue;
        };
        let place =
            code.as_str().and_then(|uri| uri.strip_prefix("s3://")).and_then(|rest| rest.split_once('/'));
        if let Some((bucket, key)) = place.map(|(bucket, key)| (bucket.to_owned(), key.to_owned())) {
            let entries = [("S3Bucket", bucket), ("S3Key", key)];
            *code =
                Yaml::Mapping(entries.into_iter().map(|(name, value)| (name.into(), value.into())).collect());
        }
    }
}

/// The bucket for packages, made when it does not exist.
pub(crate) async fn artifacts(client: &Client) -> Result<String, Error> {
    let account = client.query("sts", "2011-06-15", "GetCallerIdentity", &[]).await?;
    let account = account.find("Account").map(|element| element.text.clone()).unwrap_or_default();
    let bucket = format!("pagoda-artifacts-{account}-{}", client.region);
    let head = client.send("s3", Method::HEAD, &format!("/{bucket}"), &[], Bytes::new()).await?;
    if head.status == StatusCode::NOT_FOUND {
        let location = match client.region.as_str() {
            "us-east-1" => String::new(),
            region => format!(
                "<CreateBucketConfiguration><LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
            ),
        };
        let made = client.send("s3", Method::PUT, &format!("/{bucket}"), &[], location.into()).await?;
        if !made.status.is_success() {
            return Err(made.refused(&bucket));
        }
    }
    Ok(bucket)
}

/// Puts an object, unless content that names itself is there already.
pub(crate) async fn upload(
    client: &Client,
    bucket: &str,
    key: &str,
    body: Bytes,
    kind: &str,
) -> Result<(), Error> {
    let path = format!("/{bucket}/{key}");
    if client.send("s3", Method::HEAD, &path, &[], Bytes::new()).await?.status == StatusCode::OK {
        return Ok(());
    }
    let put = client.send("s3", Method::PUT, &path, &[("content-type", kind)], body).await?;
    if put.status.is_success() { Ok(()) } else { Err(put.refused(&path)) }
}

/// A folder as a package: the same files always give the same bytes. A package stays as it is.
fn zipped(path: &Path) -> Result<Bytes, Error> {
    if path.is_file() {
        return std::fs::read(path).map(Bytes::from).doing(path.display());
    }
    if !path.is_dir() {
        return Err(Error::new(format!("{} does not exist", path.display())));
    }
    let mut package = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (count, entry) in WalkDir::new(path).sort_by_file_name().into_iter().enumerate() {
        let entry = entry.doing(path.display())?;
        if count > FILES_MAX {
            return Err(Error::new(format!("{} has more than {FILES_MAX} files", path.display())));
        }
        if !entry.file_type().is_file() {
            continue;
        }
        let name = entry.path().strip_prefix(path).doing(path.display())?.to_string_lossy().into_owned();
        package.start_file(name, options(&entry)?).doing(entry.path().display())?;
        let bytes = std::fs::read(entry.path()).doing(entry.path().display())?;
        package.write_all(&bytes).doing(entry.path().display())?;
    }
    Ok(package.finish().doing(path.display())?.into_inner().into())
}

fn options(entry: &walkdir::DirEntry) -> Result<SimpleFileOptions, Error> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = entry.metadata().doing(entry.path().display())?.permissions().mode();
    let executable = if mode & 0o111 == 0 { 0o644 } else { 0o755 };
    Ok(SimpleFileOptions::default().unix_permissions(executable).last_modified_time(zip::DateTime::default()))
}
