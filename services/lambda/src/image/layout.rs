//! What an archive says of itself: the index, the manifest for this machine, the configuration.
//!
//! Source: <https://github.com/opencontainers/image-spec/blob/main/manifest.md>

use std::collections::HashMap;
use std::fs::File;
use std::io::Seek as _;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::blob::{Blob, Layer};
use super::{Error, Image};

/// Entries of the archive; an image has one for each layer, and few others.
const ENTRIES_MAX: usize = 10_000;
const LAYERS_MAX: usize = 127;
/// The largest of the JSON documents, in bytes.
const DOCUMENT_BYTES_MAX: u64 = 4 << 20;
/// How deep indexes may lie in each other.
const INDEXES_MAX: usize = 4;

const INDEXES: [&str; 2] =
    ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"];
/// Media types of layers, and whether they are compressed.
const LAYERS: [(&str, bool); 4] = [
    ("application/vnd.oci.image.layer.v1.tar", false),
    ("application/vnd.oci.image.layer.v1.tar+gzip", true),
    ("application/vnd.docker.image.rootfs.diff.tar", false),
    ("application/vnd.docker.image.rootfs.diff.tar.gzip", true),
];
/// This machine, as images name it.
const ARCHITECTURE: &str = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };

/// An archive that holds one image for this machine.
pub(super) struct Layout {
    pub(super) file: File,
    /// Of the manifest.
    pub(super) digest: String,
    pub(super) configuration: Configuration,
    pub(super) layers: Vec<Layer>,
}

#[derive(Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Manifest {
    config: Descriptor,
    layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default)]
    media_type: String,
    digest: String,
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Platform {
    architecture: String,
    os: String,
}

/// How the image is run.
#[derive(Deserialize)]
pub(super) struct Configuration {
    architecture: String,
    os: String,
    #[serde(default)]
    config: Option<Run>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Run {
    env: Option<Vec<String>>,
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    working_dir: Option<String>,
}

/// Where each file of the archive begins, and how long it is.
type Entries = HashMap<String, (u64, u64)>;

impl Layout {
    pub(super) fn read(file: File) -> Result<Self, Error> {
        let entries = entries(&file)?;
        let missing = || Error::Invalid("it has no index.json: it is no OCI image layout".to_owned());
        let (offset, size) = *entries.get("index.json").ok_or_else(missing)?;
        // Nothing has said which digest the index must have.
        let mut index = vec![0; usize::try_from(size.min(DOCUMENT_BYTES_MAX)).unwrap_or_default()];
        std::os::unix::fs::FileExt::read_exact_at(&file, &mut index, offset)?;
        let mut index: Index = parse(&index)?;
        let mut digest = None;
        for _ in 0..INDEXES_MAX {
            let chosen = choose(&index)?;
            let blob = blob(&entries, chosen)?;
            if !INDEXES.contains(&chosen.media_type.as_str()) {
                digest = Some(blob);
                break;
            }
            index = parse(&blob.read(&file, DOCUMENT_BYTES_MAX)?)?;
        }
        let manifest_blob = digest.ok_or_else(|| Error::Invalid("its indexes lie too deep".to_owned()))?;
        let manifest: Manifest = parse(&manifest_blob.read(&file, DOCUMENT_BYTES_MAX)?)?;
        let configuration = blob(&entries, &manifest.config)?.read(&file, DOCUMENT_BYTES_MAX)?;
        let configuration: Configuration = parse(&configuration)?;
        configuration.check()?;
        if manifest.layers.len() > LAYERS_MAX {
            return Err(Error::Invalid(format!("it has more than {LAYERS_MAX} layers")));
        }
        let layers =
            manifest.layers.iter().map(|layer| self::layer(&entries, layer)).collect::<Result<_, _>>()?;
        Ok(Self { file, digest: manifest_blob.digest, configuration, layers })
    }
}

impl Configuration {
    fn check(&self) -> Result<(), Error> {
        match (self.os.as_str(), self.architecture.as_str()) {
            ("linux", ARCHITECTURE) => Ok(()),
            (os, other) => {
                Err(Error::Unsupported(format!("it is for {os}/{other}, not for linux/{ARCHITECTURE}")))
            }
        }
    }

    pub(super) fn image(&self, uri: String) -> Image {
        let none = Run::default();
        let run = self.config.as_ref().unwrap_or(&none);
        let variable =
            |text: &String| text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        let directory = run.working_dir.clone().filter(|directory| !directory.is_empty());
        Image {
            uri,
            entry_point: run.entrypoint.clone().unwrap_or_default(),
            command: run.cmd.clone().unwrap_or_default(),
            environment: run.env.iter().flatten().filter_map(variable).collect(),
            directory: directory.unwrap_or_else(|| "/".to_owned()),
        }
    }
}

fn entries(file: &File) -> Result<Entries, Error> {
    let invalid = |error: std::io::Error| Error::Invalid(format!("it is no tar archive: {error}"));
    let mut start = file;
    start.rewind()?;
    let mut archive = tar::Archive::new(start);
    let mut found = Entries::new();
    for entry in archive.entries_with_seek().map_err(invalid)? {
        let entry = entry.map_err(invalid)?;
        if found.len() >= ENTRIES_MAX {
            return Err(Error::Invalid(format!("it has more than {ENTRIES_MAX} entries")));
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).trim_start_matches("./").to_owned();
        found.insert(name, (entry.raw_file_position(), entry.size()));
    }
    Ok(found)
}

/// The manifest for this machine, or the only one.
fn choose(index: &Index) -> Result<&Descriptor, Error> {
    let fits = |one: &&Descriptor| {
        one.platform.as_ref().is_some_and(|place| place.os == "linux" && place.architecture == ARCHITECTURE)
    };
    let only = || index.manifests.first().filter(|one| index.manifests.len() == 1 && one.platform.is_none());
    let none = || Error::Unsupported(format!("it has no manifest for linux/{ARCHITECTURE}"));
    index.manifests.iter().find(fits).or_else(only).ok_or_else(none)
}

fn blob(entries: &Entries, of: &Descriptor) -> Result<Blob, Error> {
    let digest = of.digest.strip_prefix("sha256:").unwrap_or_default();
    if digest.len() != 64
        || !digest.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    {
        return Err(Error::Invalid(format!("'{}' is no SHA-256 digest", of.digest)));
    }
    let missing = || Error::Invalid(format!("it lacks sha256:{digest}"));
    let (offset, size) = *entries.get(&format!("blobs/sha256/{digest}")).ok_or_else(missing)?;
    Ok(Blob { digest: digest.to_owned(), offset, size })
}

fn layer(entries: &Entries, of: &Descriptor) -> Result<Layer, Error> {
    let unsupported =
        || Error::Unsupported(format!("its layer media type {} is not supported", of.media_type));
    let (_, is_compressed) =
        LAYERS.iter().find(|(kind, _)| *kind == of.media_type).ok_or_else(unsupported)?;
    Ok(Layer { blob: blob(entries, of)?, is_compressed: *is_compressed })
}

fn parse<T: DeserializeOwned>(document: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(document).map_err(|error| Error::Invalid(error.to_string()))
}
