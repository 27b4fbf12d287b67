//! Deployment packages, unpacked: nothing appears outside their directory, and no link leads out of it.

use std::fs;
use std::io::{Cursor, Write as _};
use std::path::Path;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::Target;

pub(crate) const TARGET: Target = Target {
    name: "package",
    seeds: || vec![archive(SimpleFileOptions::default()), archive(stored())],
    words: &["../", "/etc/passwd", "PK\x01\x02", "PK\x03\x04", "PK\x05\x06", "package/", "link", "a.py"],
    run: |_, input| Box::pin(async move { read(input) }),
};

fn stored() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored)
}

/// A directory, files, one of them executable, and a link between them.
fn archive(options: SimpleFileOptions) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let written = (|| {
        writer.add_directory("package/", options)?;
        writer.start_file("a.py", options)?;
        writer.write_all(b"def h(e, c): return e")?;
        writer.start_file("package/run", options.unix_permissions(0o755))?;
        writer.write_all(&[0; 4_096])?;
        writer.add_symlink("package/link", "../a.py", options)?;
        writer.finish()
    })();
    written.expect("memory takes what is written").into_inner()
}

fn read(input: &[u8]) -> Result<(), String> {
    let root = tempfile::tempdir().map_err(|error| error.to_string())?;
    let into = root.path().join("task");
    fs::create_dir(&into).map_err(|error| error.to_string())?;
    let unpacked = pagoda_lambda::unpack(input, &into);
    let beside = fs::read_dir(root.path()).map(Iterator::count).unwrap_or_default();
    assert_eq!(beside, 1, "something was written beside the package");
    if unpacked.is_ok() {
        check_links(&into, &into);
    }
    unpacked
}

fn check_links(directory: &Path, root: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let (path, kind) = (entry.path(), entry.file_type());
        match kind {
            Ok(kind) if kind.is_dir() => check_links(&path, root),
            // A link may lead nowhere.
            Ok(kind) if kind.is_symlink() => {
                let end = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
                assert!(end.starts_with(root), "{} leads to {}", path.display(), end.display());
            }
            _ => {}
        }
    }
}
