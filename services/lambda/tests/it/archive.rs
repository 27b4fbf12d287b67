//! Zip archives for the tests.

use std::io::{Cursor, Write};

use bytes::Bytes;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// An archive that is being made.
pub(crate) struct Archive(ZipWriter<Cursor<Vec<u8>>>);

impl Archive {
    pub(crate) fn new() -> Self {
        Self(ZipWriter::new(Cursor::new(Vec::new())))
    }

    pub(crate) fn file(self, name: &str, content: &str) -> Self {
        self.with_mode(name, content, 0o600)
    }

    pub(crate) fn with_mode(mut self, name: &str, content: &str, mode: u32) -> Self {
        self.0.start_file(name, SimpleFileOptions::default().unix_permissions(mode)).unwrap();
        self.0.write_all(content.as_bytes()).unwrap();
        self
    }

    pub(crate) fn bytes(mut self, name: &str, content: &[u8]) -> Self {
        self.0.start_file(name, SimpleFileOptions::default()).unwrap();
        self.0.write_all(content).unwrap();
        self
    }

    pub(crate) fn link(mut self, name: &str, target: &str) -> Self {
        self.0.add_symlink(name, target, SimpleFileOptions::default()).unwrap();
        self
    }

    pub(crate) fn directory(mut self, name: &str) -> Self {
        self.0.add_directory(name, SimpleFileOptions::default()).unwrap();
        self
    }

    /// A file of so many zeros.
    pub(crate) fn zeros(mut self, name: &str, mib: usize) -> Self {
        self.0.start_file(name, SimpleFileOptions::default()).unwrap();
        let chunk = vec![0; 1 << 20];
        for _ in 0..mib {
            self.0.write_all(&chunk).unwrap();
        }
        self
    }

    pub(crate) fn done(self) -> Bytes {
        self.0.finish().unwrap().into_inner().into()
    }
}

/// A package of one module.
pub(crate) fn python(source: &str) -> Bytes {
    Archive::new().file("app.py", source).done()
}
