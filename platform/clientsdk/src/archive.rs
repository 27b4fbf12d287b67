//! The sources as one file.

use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;

use crate::File;

/// A zip archive of the files. Its entries have no time of their own, so that equal files give equal bytes.
///
/// # Errors
/// The archive cannot be written, as when it is too large.
pub fn zip(files: &[File]) -> Result<Vec<u8>, ZipError> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().last_modified_time(zip::DateTime::default());
    for file in files {
        archive.start_file(file.path.as_str(), options)?;
        archive.write_all(file.text.as_bytes())?;
    }
    Ok(archive.finish()?.into_inner())
}
