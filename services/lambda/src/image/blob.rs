//! Pieces of the archive, each with the digest that it must have.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

use aws_lc_rs::digest::{Context, SHA256};
use flate2::read::MultiGzDecoder;

use super::Error;

/// Where a blob is in the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blob {
    pub(super) digest: String,
    pub(super) offset: u64,
    pub(super) size: u64,
}

/// The layer that a blob is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layer {
    pub(super) blob: Blob,
    pub(super) is_compressed: bool,
}

/// A blob's bytes, which are hashed as they are read.
struct Bytes<'a> {
    file: &'a File,
    at: u64,
    left: u64,
    hash: Context,
}

/// A layer's content.
pub(super) struct Content<'a> {
    bytes: Decoded<'a>,
    digest: &'a str,
}

enum Decoded<'a> {
    Plain(Bytes<'a>),
    Gzip(Box<MultiGzDecoder<Bytes<'a>>>),
}

impl Blob {
    /// All of a small blob.
    pub(super) fn read(&self, file: &File, bytes_max: u64) -> Result<Vec<u8>, Error> {
        if self.size > bytes_max {
            return Err(Error::Invalid(format!("{} has more than {bytes_max} bytes", self.digest)));
        }
        let mut bytes = self.bytes(file);
        let mut content = Vec::new();
        bytes.read_to_end(&mut content)?;
        bytes.verify(&self.digest)?;
        Ok(content)
    }

    fn bytes<'a>(&self, file: &'a File) -> Bytes<'a> {
        Bytes { file, at: self.offset, left: self.size, hash: Context::new(&SHA256) }
    }
}

impl Layer {
    pub(super) fn open<'a>(&'a self, file: &'a File) -> Result<Content<'a>, Error> {
        let bytes = self.blob.bytes(file);
        let bytes = match self.is_compressed {
            true => Decoded::Gzip(Box::new(MultiGzDecoder::new(bytes))),
            false => Decoded::Plain(bytes),
        };
        Ok(Content { bytes, digest: &self.blob.digest })
    }
}

impl Bytes<'_> {
    fn verify(mut self, digest: &str) -> Result<(), Error> {
        io::copy(&mut self, &mut io::sink())?;
        match hex::encode(self.hash.finish()) == digest {
            true => Ok(()),
            false => Err(Error::Invalid(format!("sha256:{digest} is not the digest of its content"))),
        }
    }
}

impl Read for Bytes<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        let read = self.file.read_at(&mut into[..most], self.at)?;
        self.hash.update(&into[..read]);
        self.at += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}

impl Content<'_> {
    /// Checks the digest of all, what was not read included.
    pub(super) fn verify(self) -> Result<(), Error> {
        match self.bytes {
            Decoded::Plain(bytes) => bytes.verify(self.digest),
            Decoded::Gzip(decoder) => decoder.into_inner().verify(self.digest),
        }
    }
}

impl Read for Content<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match &mut self.bytes {
            Decoded::Plain(bytes) => bytes.read(into),
            Decoded::Gzip(decoder) => decoder.read(into),
        }
    }
}
