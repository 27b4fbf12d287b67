//! Packages on disk: `DATA/functions/SHA-256/{package.zip, task/}`.
//!
//! Invariants: a directory under its hash is complete, synced and never changes; it is made beside and
//! renamed; it is removed only while nobody holds it and no record uses it.

mod hold;
mod merge;
mod place;
mod sweep;
mod unpack;

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, process};

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use pagoda_protocol::ApiError;
use rustix::fs::{CWD, Mode, OFlags, openat};

use crate::generated as g;
use crate::image::{self, Image};
use crate::table::Code;

pub(crate) use hold::Hold;
pub(crate) use sweep::sweep;

use hold::Holds;

/// All files of a package together, in bytes.
pub(crate) const UNPACKED_BYTES_MAX: u64 = 262_144_000;

/// Where what is being made has its name; nothing of it is in use.
const UNFINISHED: &str = ".new-";

/// The packages of this platform.
pub(crate) struct Packages {
    directory: PathBuf,
    holds: Arc<Holds>,
}

impl Packages {
    /// Opens the directory, and clears what an earlier process did not finish.
    pub(crate) fn open(directory: &Path) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(Self { directory: directory.to_owned(), holds: Arc::new(Holds::default()) })
    }

    /// Keeps the package from being removed as long as the answer lives.
    pub(crate) fn hold(&self, code: &Code) -> Hold {
        self.holds.hold(code.clone())
    }

    /// The directory that guests see as `/var/task`.
    pub(crate) fn task(&self, code: &Code) -> PathBuf {
        self.directory.join(&code.sha256).join("task")
    }

    /// The file that the package came as.
    pub(crate) fn archive(&self, code: &Code) -> PathBuf {
        self.directory.join(&code.sha256).join("package.zip")
    }

    /// A new file of this directory, which has no name and goes when it is closed.
    pub(crate) fn scratch(&self) -> io::Result<fs::File> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        Ok(openat(CWD, &self.directory, flags, Mode::RUSR | Mode::WUSR)?.into())
    }

    /// Unpacks an image, unless there is one with its digest.
    pub(crate) async fn publish_image(&self, file: fs::File, uri: String) -> Result<(Hold, Image), ApiError> {
        let holds = Arc::clone(&self.holds);
        let directory = self.directory.clone();
        let done = tokio::task::spawn_blocking(move || {
            let archive = image::Archive::open(file)?;
            let hold = holds.hold(Code { sha256: archive.digest().to_owned(), bytes: archive.bytes() });
            let unfinished = directory.join(format!("{UNFINISHED}{}-{}", process::id(), hold.number()));
            make(&directory, &hold, &unfinished, |unfinished| {
                let root = unfinished.join("task");
                fs::create_dir_all(&root)?;
                fs::set_permissions(&root, fs::Permissions::from_mode(0o755))?;
                archive.unpack(&root)
            })?;
            let image = archive.image(uri);
            Ok((hold, image))
        });
        done.await.map_err(|_| ApiError::internal())?.map_err(image_refusal)
    }

    /// Unpacks `archive`, unless a package with its hash is there.
    pub(crate) async fn publish(&self, archive: Bytes) -> Result<Hold, ApiError> {
        let holds = Arc::clone(&self.holds);
        let directory = self.directory.clone();
        let done = tokio::task::spawn_blocking(move || {
            let sha256 = hex::encode(digest(&SHA256, &archive));
            let hold = holds.hold(Code { sha256, bytes: archive.len() as u64 });
            let unfinished = directory.join(format!("{UNFINISHED}{}-{}", process::id(), hold.number()));
            make(&directory, &hold, &unfinished, |unfinished| fill(unfinished, &archive)).map(|()| hold)
        });
        done.await.map_err(|_| ApiError::internal())?.map_err(refusal)
    }
}

/// Makes the package's directory, unless it is there: `fill` puts its files into `unfinished`.
fn make<E: From<io::Error>>(
    directory: &Path,
    hold: &Hold,
    unfinished: &Path,
    fill: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    let place = directory.join(&hold.code().sha256);
    if place.exists() {
        return Ok(());
    }
    let made = begin(unfinished).map_err(E::from).and_then(|()| fill(unfinished)).and_then(|()| {
        // One call for all files: they may be tens of thousands.
        rustix::fs::syncfs(fs::File::open(unfinished)?).map_err(io::Error::from)?;
        match fs::rename(unfinished, &place) {
            // Somebody else was faster with the same bytes.
            Err(_) if place.exists() => fs::remove_dir_all(unfinished)?,
            renamed => renamed?,
        }
        Ok(fs::File::open(directory)?.sync_all()?)
    });
    if made.is_err() {
        // What remains is cleared at the next start.
        let _ = fs::remove_dir_all(unfinished);
    }
    made
}

fn begin(unfinished: &Path) -> io::Result<()> {
    fs::create_dir_all(unfinished)?;
    fs::set_permissions(unfinished, fs::Permissions::from_mode(0o755))
}

fn fill(unfinished: &Path, archive: &[u8]) -> Result<(), unpack::Error> {
    let task = unfinished.join("task");
    fs::create_dir_all(&task)?;
    unpack::unpack(archive, &task)?;
    Ok(fs::write(unfinished.join("package.zip"), archive)?)
}

/// Unpacks a deployment package into the empty directory `into`: nothing is written outside it, links that
/// lead out are refused, and it unpacks to no more than AWS's 250 MB.
///
/// # Errors
/// In words, what is wrong with the archive, or the disk.
pub fn unpack(archive: &[u8], into: &Path) -> Result<(), String> {
    unpack::unpack(archive, into).map_err(|error| error.to_string())
}

/// AWS's words for packages that are too large.
pub(crate) fn too_large() -> String {
    format!("Unzipped size must be smaller than {UNPACKED_BYTES_MAX} bytes")
}

fn image_refusal(error: image::Error) -> ApiError {
    let message = match error {
        image::Error::Io(error) => {
            let cause = Some(error.to_string());
            return ApiError { cause, ..ApiError::internal() };
        }
        image::Error::Unsupported(why) => {
            format!(
                "The image manifest, config or layer media type for the source image is not supported: {why}."
            )
        }
        image::Error::Invalid(why) => format!("The source image is not valid: {why}."),
    };
    g::InvalidParameterValueException::new(message).into()
}

fn refusal(error: unpack::Error) -> ApiError {
    let message = match error {
        unpack::Error::Io(error) => {
            let cause = Some(error.to_string());
            return ApiError { cause, ..ApiError::internal() };
        }
        unpack::Error::TooLarge => too_large(),
        unpack::Error::Empty => "Uploaded file must be a non-empty zip".to_owned(),
        unpack::Error::Unreadable(why) => {
            format!(
                "Could not unzip uploaded file ({why}). Please check your file, then try to upload again."
            )
        }
    };
    g::InvalidParameterValueException::new(message).into()
}
