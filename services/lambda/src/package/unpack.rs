//! An archive becomes files, and nothing else, inside one directory.
//!
//! Invariants: files and directories first, links last, so that nothing is ever written through a link;
//! nothing is written twice; bytes are counted as they are written, whatever the archive says of its sizes.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Cursor, Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use zip::ZipArchive;
use zip::read::ZipFile;
use zip::result::ZipError;

use super::{UNPACKED_BYTES_MAX, place};

const ENTRIES_MAX: usize = 100_000;
const CHUNK_BYTES: usize = 64 * 1024;

/// Bits of a file's mode.
const TYPE: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const DIRECTORY: u32 = 0o040_000;
const LINK: u32 = 0o120_000;
const EXECUTABLE: u32 = 0o111;

/// Why an archive was not unpacked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("it has no entries")]
    Empty,
    #[error("it unpacks to too much")]
    TooLarge,
    /// Malformed, or with entries that a package must not have.
    #[error("{0}")]
    Unreadable(String),
    /// The disk.
    #[error(transparent)]
    Io(#[from] io::Error),
}

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;
type Entry<'a, 'b> = ZipFile<'a, Cursor<&'b [u8]>>;

/// Unpacks `archive` into the empty directory `into`.
pub(crate) fn unpack(archive: &[u8], into: &Path) -> Result<(), Error> {
    let mut archive: Archive<'_> = ZipArchive::new(Cursor::new(archive)).map_err(unreadable)?;
    match archive.len() {
        0 => return Err(Error::Empty),
        entries if entries > ENTRIES_MAX => {
            return Err(Error::Unreadable(format!("{entries} entries, at most {ENTRIES_MAX}")));
        }
        _ => {}
    }
    let mut budget = UNPACKED_BYTES_MAX;
    let mut links = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(unreadable)?;
        let name = entry.name_raw().to_vec();
        let parts = place::parts(&name).map_err(Error::Unreadable)?;
        let path = into.join(parts.iter().collect::<PathBuf>());
        match entry.unix_mode().unwrap_or(0) & TYPE {
            LINK => {
                make_directories(into, &parts[..parts.len() - 1])?;
                links.push((path, link_target(&mut entry, &parts)?));
            }
            0 | REGULAR | DIRECTORY if name.ends_with(b"/") => make_directories(into, &parts)?,
            DIRECTORY => make_directories(into, &parts)?,
            0 | REGULAR => {
                make_directories(into, &parts[..parts.len() - 1])?;
                write(&mut entry, &path, &mut budget)?;
            }
            _ => return Err(Error::Unreadable(format!("'{}' is no file", entry.name()))),
        }
    }
    for (path, target) in links {
        symlink(target, &path).map_err(|error| taken(error, &path))?;
    }
    open_all(into)
}

/// Makes directories that other users can read. None of the parts is a link: there are none yet.
fn make_directories(into: &Path, parts: &[&str]) -> Result<(), Error> {
    let path = into.join(parts.iter().collect::<PathBuf>());
    fs::create_dir_all(&path).map_err(|error| taken(error, &path))
}

/// Directories were made with the process's mask; guests are other users.
fn open_all(directory: &Path) -> Result<(), Error> {
    fs::set_permissions(directory, Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open_all(&entry.path())?;
        }
    }
    Ok(())
}

fn write(entry: &mut Entry<'_, '_>, path: &Path, budget: &mut u64) -> Result<(), Error> {
    let executable = entry.unix_mode().unwrap_or(0) & EXECUTABLE != 0;
    let created = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = created.map_err(|error| taken(error, path))?;
    copy(entry, &mut file, budget)?;
    let mode = if executable { 0o755 } else { 0o644 };
    Ok(file.set_permissions(Permissions::from_mode(mode))?)
}

fn copy(entry: &mut Entry<'_, '_>, file: &mut File, budget: &mut u64) -> Result<(), Error> {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = entry.read(&mut chunk).map_err(|error| Error::Unreadable(error.to_string()))?;
        let Some(bytes) = chunk.get(..read).filter(|bytes| !bytes.is_empty()) else { return Ok(()) };
        *budget = budget.checked_sub(read as u64).ok_or(Error::TooLarge)?;
        file.write_all(bytes)?;
    }
}

fn link_target(entry: &mut Entry<'_, '_>, parts: &[&str]) -> Result<String, Error> {
    let mut target = String::new();
    let refused = || Error::Unreadable(format!("the link '{}' leaves the package", parts.join("/")));
    entry.take(4_097).read_to_string(&mut target).map_err(|_| refused())?;
    if place::link_stays_inside(parts, &target) { Ok(target) } else { Err(refused()) }
}

fn unreadable(error: ZipError) -> Error {
    Error::Unreadable(error.to_string())
}

/// Two entries of one name, or a file where a directory is needed, are the archive's fault.
fn taken(error: io::Error, path: &Path) -> Error {
    match error.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            Error::Unreadable(format!("'{name}' is there twice"))
        }
        _ => Error::Io(error),
    }
}
