//! Container images: an OCI image layout in an archive becomes the file system of a function.
//!
//! ```text
//! s3://bucket/key ──► layout: index ─ manifest ─ configuration ─ layers ──► layer ──► tree (DATA/functions/DIGEST/task)
//! ```
//!
//! Invariants: nothing is written outside the tree, whatever links are in it; what does not have the digest that
//! it was named by is thrown away; bytes and entries are counted as they are written.
//!
//! Source: <https://github.com/opencontainers/image-spec/blob/main/image-layout.md>

mod blob;
mod layer;
mod layout;
mod tree;

use std::fs::File;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub(crate) use tree::Tree;

use layout::Layout;

/// All files of an image together, and its archive, in bytes.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub(crate) const IMAGE_BYTES_MAX: u64 = 10 << 30;

/// An image as a version of a function uses it: where it came from, and how it says that it is run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Image {
    /// As the request named it.
    pub(crate) uri: String,
    pub(crate) entry_point: Vec<String>,
    pub(crate) command: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) directory: String,
}

/// What a function changes of that.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Override {
    pub(crate) entry_point: Option<Vec<String>>,
    pub(crate) command: Option<Vec<String>>,
    pub(crate) directory: Option<String>,
}

/// Why an image is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Of a kind that is not run here.
    #[error("{0}")]
    Unsupported(String),
    /// Malformed, or not what its digests say.
    #[error("{0}")]
    Invalid(String),
    /// The disk.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// An archive that was read so far that its digest and its size are known.
pub(crate) struct Archive(Layout);

impl Archive {
    /// Reads what the archive says of itself.
    pub(crate) fn open(file: File) -> Result<Self, Error> {
        Ok(Self(Layout::read(file)?))
    }

    /// The digest of the image's manifest: 64 hexadecimal digits.
    pub(crate) fn digest(&self) -> &str {
        &self.0.digest
    }

    /// How the image is run.
    pub(crate) fn image(&self, uri: String) -> Image {
        self.0.configuration.image(uri)
    }

    /// The layers' sizes together, as they are in the archive.
    pub(crate) fn bytes(&self) -> u64 {
        self.0.layers.iter().map(|layer| layer.blob.size).sum()
    }

    /// Lays the layers over each other in the empty directory `into`.
    pub(crate) fn unpack(&self, into: &Path) -> Result<(), Error> {
        let tree = Tree::open(into)?;
        let mut budget = layer::Budget::new();
        for layer in &self.0.layers {
            let mut reader = layer.open(&self.0.file)?;
            layer::apply(&tree, &mut reader, &mut budget)?;
            reader.verify()?;
        }
        tree.finish()
    }
}
