//! Which pages an image must hold, and how the memory is put together again.
//!
//! Pages that are still a file's come from that file, and pages that were never written are zero: neither is
//! in the image. What is in it is mapped privately from it, so that a restored process reads and copies only
//! the pages that it uses. Runs of pages that lie close together are saved as one, for fewer mappings.

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::area::{Area, PAGE, is_kernel_piece};
use super::file::Files;
use super::page_map::{PageMap, Runs};
use crate::message::{At, Fault};

/// Pages between two runs that are saved with them, for one mapping less.
const GAP_PAGES: usize = 32;
/// Pages copied at a time.
const COPY_PAGES: usize = 256;

/// One mapping to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mapping {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) protection: i32,
    /// `MAP_*`, without `MAP_FIXED`.
    pub(crate) flags: i32,
    pub(crate) source: Source,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Nothing,
    File { index: usize, offset: u64 },
    Image { offset: u64 },
}

/// Pages that are read into a mapping that can't be one of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Copy {
    pub(crate) start: u64,
    pub(crate) bytes: u64,
    pub(crate) offset: u64,
}

/// A setting of an area, by `madvise`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Advice {
    pub(crate) start: u64,
    pub(crate) bytes: u64,
    pub(crate) advice: i32,
}

/// How the whole memory is made.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) mappings: Vec<Mapping>,
    pub(crate) copies: Vec<Copy>,
    pub(crate) advices: Vec<Advice>,
}

/// Writes the pages into an image, one behind the other.
pub(crate) struct Pages<'a> {
    map: PageMap,
    memory: File,
    image: &'a File,
    /// Where the next page goes.
    pub(crate) next: u64,
}

impl<'a> Pages<'a> {
    pub(crate) fn new(pid: i32, image: &'a File, next: u64) -> Result<Self, Fault> {
        let memory = File::open(format!("/proc/{pid}/mem")).at("opening /proc/PID/mem")?;
        Ok(Self { map: PageMap::open(pid)?, memory, image, next })
    }

    /// Saves what must be saved of `areas`.
    pub(crate) fn save(&mut self, areas: &[Area], files: &mut Files) -> Result<Memory, Fault> {
        let mut memory = Memory::default();
        for area in areas.iter().filter(|area| !is_kernel_piece(area) && area.name != "[vsyscall]") {
            self.save_area(area, files, &mut memory)?;
        }
        Ok(memory)
    }

    fn save_area(&mut self, area: &Area, files: &mut Files, memory: &mut Memory) -> Result<(), Fault> {
        let special = ["pf", "io", "ht"].iter().any(|word| area.has(word)) || area.name == "[aio]";
        if special || (area.shared && area.has("mw")) {
            let name = if area.name.is_empty() { "[anonymous]" } else { &area.name };
            return Err(Fault::new(
                format!("the shared mapping of {name} cannot be in an image"),
                libc::ENOTSUP,
            ));
        }
        let file = if area.inode == 0 { None } else { files.of(area) };
        if area.shared && file.is_none() {
            return Err(Fault::new(
                format!("the mapping of {} cannot be in an image", area.name),
                libc::ENOTSUP,
            ));
        }
        let runs = self.runs(area, file.is_some())?;
        // A stack that grows, and what a fork wipes, can't be a file's.
        let copied = area.has("gd") || area.has("wf");
        let whole = matches!(runs.as_slice(), [(start, end)] if (*start, *end) == (area.start, area.end));
        if !whole || copied {
            memory.map(base(area, file));
        }
        for (start, end) in runs {
            let offset = self.copy(start, end)?;
            if copied {
                memory.copies.push(Copy { start, bytes: end - start, offset });
            } else {
                let flags = libc::MAP_PRIVATE | noreserve(area);
                let source = Source::Image { offset };
                memory.map(Mapping { start, end, protection: area.protection, flags, source });
            }
        }
        memory.advise(area);
        Ok(())
    }

    /// The runs of pages of `area` that must be saved. `from_file`: the rest comes from a file.
    fn runs(&self, area: &Area, from_file: bool) -> Result<Vec<(u64, u64)>, Fault> {
        // Without its file, the area's pages of that file must be saved too.
        let all = area.inode != 0 && !from_file;
        let mut runs = Runs::with_gap(GAP_PAGES);
        if area.shared || !(area.touched || all) {
            return Ok(runs.found);
        }
        self.map.each(area, |page| {
            if (page.is_own() || all) && (from_file || !self.is_zero(page.start)?) {
                runs.add(page.start);
            }
            Ok(())
        })?;
        Ok(runs.found)
    }

    fn is_zero(&self, at: u64) -> Result<bool, Fault> {
        let mut page = [0_u8; PAGE as usize];
        match self.memory.read_exact_at(&mut page, at) {
            Ok(()) => Ok(page.iter().all(|byte| *byte == 0)),
            // Past the end of a file there is nothing to be read.
            Err(_) => Ok(true),
        }
    }

    fn copy(&mut self, start: u64, end: u64) -> Result<u64, Fault> {
        let offset = self.next;
        let mut bytes = vec![0; COPY_PAGES * PAGE as usize];
        let mut at = start;
        while at < end {
            let length = bytes.len().min((end - at) as usize);
            let bytes = bytes.get_mut(..length).unwrap_or_default();
            self.memory.read_exact_at(bytes, at).at("reading memory")?;
            self.image.write_all_at(bytes, self.next).at("writing the image")?;
            self.next += length as u64;
            at += length as u64;
        }
        Ok(offset)
    }
}

impl Memory {
    fn map(&mut self, mapping: Mapping) {
        if let Some(last) = self.mappings.last_mut()
            && (last.end, last.protection, last.flags) == (mapping.start, mapping.protection, mapping.flags)
            && let (Source::Image { offset }, Source::Image { offset: next }) = (last.source, mapping.source)
            && offset + (last.end - last.start) == next
        {
            last.end = mapping.end;
        } else {
            self.mappings.push(mapping);
        }
    }

    fn advise(&mut self, area: &Area) {
        for (word, advice) in [
            ("dc", libc::MADV_DONTFORK),
            ("wf", libc::MADV_WIPEONFORK),
            ("hg", libc::MADV_HUGEPAGE),
            ("nh", libc::MADV_NOHUGEPAGE),
            ("dd", libc::MADV_DONTDUMP),
        ] {
            if area.has(word) {
                self.advices.push(Advice { start: area.start, bytes: area.bytes(), advice });
            }
        }
    }
}

/// What an area is where no page of its own is.
fn base(area: &Area, file: Option<usize>) -> Mapping {
    let sharing = if area.shared { libc::MAP_SHARED } else { libc::MAP_PRIVATE };
    let stack = if area.has("gd") { libc::MAP_GROWSDOWN | libc::MAP_STACK } else { 0 };
    let (flags, source) = match file {
        Some(index) => (sharing, Source::File { index, offset: area.offset }),
        None => (sharing | libc::MAP_ANONYMOUS | stack, Source::Nothing),
    };
    let (start, end, protection) = (area.start, area.end, area.protection);
    Mapping { start, end, protection, flags: flags | noreserve(area), source }
}

fn noreserve(area: &Area) -> i32 {
    if area.has("nr") { libc::MAP_NORESERVE } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_of_one_kind_are_mapped_at_once() {
        let mapping = |start, end, protection, offset| Mapping {
            start,
            end,
            protection,
            flags: libc::MAP_PRIVATE,
            source: Source::Image { offset },
        };
        let mut memory = Memory::default();
        memory.map(mapping(0, 2, 1, 10));
        memory.map(mapping(2, 3, 1, 12));
        memory.map(mapping(3, 4, 3, 13));
        memory.map(mapping(4, 5, 3, 20));
        memory.map(mapping(6, 7, 3, 21));
        let expected =
            [mapping(0, 3, 1, 10), mapping(3, 4, 3, 13), mapping(4, 5, 3, 20), mapping(6, 7, 3, 21)];
        assert_eq!(memory.mappings, expected);
    }
}
