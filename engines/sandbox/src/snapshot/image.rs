//! The file that a snapshot is kept in, and what makes it unusable.
//!
//! ```text
//! header (one page) | pages of memory | plan | description (JSON)
//! ```
//!
//! An image is written under another name until it is whole. The pages are never changed, as processes that were
//! restored from it have them mapped; another plan and description may be written behind the old ones. It holds a process's memory, secrets included, and is for its owner alone.
//! It is good for the boot of the machine in which it was taken, because clocks, the kernel's own pages and
//! the files that it refers to are those.

use std::fs::{self, File, OpenOptions};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::area::PAGE;
use super::descriptor::Descriptor;
use super::file;
use super::memory::Advice;
use super::plan::{self, Plan};
use crate::Error;
use crate::message::{At, Fault};

const MAGIC: &[u8; 8] = b"PAGODAIM";
/// Raised whenever the file or the restorer changes.
const VERSION: u64 = 2;
/// Largest description.
const DESCRIPTION_BYTES_MAX: u64 = 4 << 20;
const READ_BYTES: usize = 1 << 20;

/// What a restoring process has to know before it starts the restorer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Description {
    /// The boot of the machine in which it was taken.
    pub(crate) boot: String,
    pub(crate) hole: u64,
    /// Address of the list's first entry.
    pub(crate) list: u64,
    /// How many entries of the list make the memory.
    pub(crate) memory: usize,
    /// The number that the process had.
    pub(crate) number: i32,
    /// The lowest descriptor number that is free to use while restoring.
    pub(crate) free: i32,
    /// The kernel's pieces: name, start and length.
    pub(crate) pieces: Vec<(String, u64, u64)>,
    pub(crate) files: Vec<file::File>,
    pub(crate) descriptors: Vec<Descriptor>,
}

/// Where in the file things are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) plan_offset: u64,
    pub(crate) plan_bytes: u64,
    description_offset: u64,
    description_bytes: u64,
    digest: u64,
}

/// A snapshot that instances can be restored from ([`crate::Start::Restore`]).
#[derive(Debug)]
pub struct Image {
    key: u64,
    file: File,
    bytes: u64,
}

impl Image {
    /// Opens the image at `path` and reads all of it once.
    ///
    /// Refused with [`Error::Image`] if it is damaged, of another version of this crate, or of another boot of
    /// the machine: such an image has to be taken again.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let refuse = |fault: Fault| Error::Image(format!("{}: {fault}", path.display()));
        let file = File::open(path).map_err(|error| Error::Image(format!("{}: {error}", path.display())))?;
        let layout = Layout::read(&file).map_err(refuse)?;
        let bytes = layout.description_offset + layout.description_bytes;
        if file.metadata().map(|found| found.len()).unwrap_or(0) != bytes {
            return Err(Error::Image(format!("{} is not whole", path.display())));
        }
        if digest(&file, bytes).at("reading").map_err(refuse)? != layout.digest {
            return Err(Error::Image(format!("{} is damaged", path.display())));
        }
        let description = describe(&file, layout).map_err(refuse)?;
        if description.boot != boot().map_err(refuse)? {
            return Err(Error::Image(format!("{} was taken before the machine was started", path.display())));
        }
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Ok(Self { key: NEXT.fetch_add(1, Ordering::Relaxed), file, bytes })
    }

    /// Size of the image, most of it pages of memory.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// A number that no other image of this process has.
    pub(crate) fn key(&self) -> u64 {
        self.key
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Layout {
    pub(crate) fn read(file: &File) -> Result<Self, Fault> {
        let mut header = [0; 64];
        file.read_exact_at(&mut header, 0).at("reading an image")?;
        let word = |index: usize| {
            let bytes = header.get(index * 8..index * 8 + 8).and_then(|bytes| bytes.try_into().ok());
            u64::from_le_bytes(bytes.unwrap_or_default())
        };
        if header.get(..8) != Some(MAGIC) || word(1) != VERSION {
            return Err(Fault::new("no image of this version", libc::EINVAL));
        }
        let layout = Self {
            plan_offset: word(2),
            plan_bytes: word(3),
            description_offset: word(4),
            description_bytes: word(5),
            digest: word(6),
        };
        let ordered = layout.plan_offset.is_multiple_of(PAGE)
            && layout.plan_bytes < super::plan::HOLE_BYTES
            && layout.description_bytes <= DESCRIPTION_BYTES_MAX
            && layout.plan_offset.checked_add(layout.plan_bytes) == Some(layout.description_offset);
        if ordered { Ok(layout) } else { Err(Fault::new("a damaged image", libc::EINVAL)) }
    }

    fn write(self, file: &File) -> Result<(), Fault> {
        let words = [
            VERSION,
            self.plan_offset,
            self.plan_bytes,
            self.description_offset,
            self.description_bytes,
            self.digest,
        ];
        let mut header = MAGIC.to_vec();
        words.iter().for_each(|word: &u64| header.extend(word.to_le_bytes()));
        file.write_all_at(&header, 0).at("writing the image")
    }
}

pub(crate) fn describe(file: &File, layout: Layout) -> Result<Description, Fault> {
    let mut bytes = vec![0; layout.description_bytes as usize];
    file.read_exact_at(&mut bytes, layout.description_offset).at("reading an image")?;
    serde_json::from_slice(&bytes).map_err(|_| Fault::new("reading an image's description", libc::EINVAL))
}

/// An image being written; removed again unless it is finished.
pub(crate) struct Draft<'a> {
    pub(crate) file: File,
    path: &'a Path,
    partial: std::path::PathBuf,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(path: &'a Path) -> Result<Self, Fault> {
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = std::path::PathBuf::from(partial);
        // What another attempt has left is not written into: somebody may have it open.
        let _ = fs::remove_file(&partial);
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&partial);
        Ok(Self { file: file.at(format!("making {}", partial.display()))?, path, partial })
    }

    /// Adds plan and description behind the pages, which end at `plan_offset`, and gives the image its name.
    pub(crate) fn finish(
        self,
        plan_offset: u64,
        plan: &[u8],
        description: &Description,
    ) -> Result<(), Fault> {
        let step = "writing the image";
        append(&self.file, plan_offset, plan, description)?.write(&self.file)?;
        self.file.sync_all().at(step)?;
        fs::rename(&self.partial, self.path).at(format!("naming {}", self.path.display()))
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        // After the renaming there is nothing to be removed.
        let _ = fs::remove_file(&self.partial);
    }
}

/// Gives the image at `path` a plan that follows `advices`. Until its header is written, which is done last, the
/// image is as it was.
pub(crate) fn amend(path: &Path, advices: &[Advice]) -> Result<(), Fault> {
    let step = "amending an image";
    let file = OpenOptions::new().read(true).write(true).open(path).at(step)?;
    let layout = Layout::read(&file)?;
    let description = describe(&file, layout)?;
    let mut bytes = vec![0; layout.plan_bytes as usize];
    file.read_exact_at(&mut bytes, layout.plan_offset).at(step)?;
    let old = Plan { bytes, list: description.list, memory: description.memory };
    let plan = plan::amend(old, description.hole, advices)?;
    let plan_offset = (layout.description_offset + layout.description_bytes).next_multiple_of(PAGE);
    let description = Description { list: plan.list, ..description };
    let layout = append(&file, plan_offset, &plan.bytes, &description)?;
    file.sync_all().at(step)?;
    layout.write(&file)?;
    file.sync_all().at(step)
}

/// Writes plan and description from `plan_offset` on, and answers the header that makes them the image's.
fn append(file: &File, plan_offset: u64, plan: &[u8], description: &Description) -> Result<Layout, Fault> {
    let step = "writing the image";
    let text = serde_json::to_vec(description).map_err(|_| Fault::new(step, libc::EINVAL))?;
    let (plan_bytes, description_bytes) = (plan.len() as u64, text.len() as u64);
    let description_offset = plan_offset + plan_bytes;
    file.write_all_at(plan, plan_offset).at(step)?;
    file.write_all_at(&text, description_offset).at(step)?;
    let digest = digest(file, description_offset + description_bytes).at(step)?;
    Ok(Layout { plan_offset, plan_bytes, description_offset, description_bytes, digest })
}

/// The boot of this machine.
pub(crate) fn boot() -> Result<String, Fault> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").at("reading the boot's id")?;
    Ok(text.trim().to_owned())
}

/// Tells damage, not malice, in all that follows the header: four lanes of FNV-1a over words.
fn digest(file: &File, end: u64) -> std::io::Result<u64> {
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let mut lanes = [0xcbf2_9ce4_8422_2325_u64, 1, 2, 3];
    let mut bytes = vec![0; READ_BYTES];
    let mut at = PAGE;
    while at < end {
        let length = READ_BYTES.min((end - at) as usize);
        let part = bytes.get_mut(..length.next_multiple_of(32)).unwrap_or_default();
        let (read, rest) = part.split_at_mut(length);
        rest.fill(0);
        file.read_exact_at(read, at)?;
        for chunk in part.chunks_exact(32) {
            for (lane, word) in lanes.iter_mut().zip(chunk.chunks_exact(8)) {
                let word = u64::from_le_bytes(word.try_into().unwrap_or_default());
                *lane = (*lane ^ word).wrapping_mul(PRIME).rotate_left(29);
            }
        }
        at += length as u64;
    }
    Ok(lanes.iter().fold(end, |digest, lane| (digest ^ lane).wrapping_mul(PRIME)))
}
