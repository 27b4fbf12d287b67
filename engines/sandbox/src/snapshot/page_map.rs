//! Where the pages of a process come from, as the kernel tells in `/proc/PID/pagemap`.
//!
//! Source: <https://docs.kernel.org/admin-guide/mm/pagemap.html>

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::area::{Area, PAGE};
use crate::message::{At, Fault};

/// Entries read at a time.
const CHUNK_PAGES: usize = 1 << 16;
const PRESENT: u64 = 1 << 63;
const SWAPPED: u64 = 1 << 62;
const OF_FILE: u64 = 1 << 61;

/// What is known of one page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    pub(crate) start: u64,
    entry: u64,
}

impl Page {
    /// It was written, or made where no file is.
    pub(crate) fn is_own(self) -> bool {
        self.entry & (PRESENT | SWAPPED) != 0 && self.entry & OF_FILE == 0
    }

    /// It is a file's, and mapped.
    pub(crate) fn is_of_file(self) -> bool {
        self.entry & PRESENT != 0 && self.entry & OF_FILE != 0
    }
}

/// The page map of one process.
pub(crate) struct PageMap(File);

impl PageMap {
    pub(crate) fn open(pid: i32) -> Result<Self, Fault> {
        File::open(format!("/proc/{pid}/pagemap")).at("opening /proc/PID/pagemap").map(Self)
    }

    /// Shows every page of `area`, in order.
    pub(crate) fn each(
        &self,
        area: &Area,
        mut show: impl FnMut(Page) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut entries = vec![0; CHUNK_PAGES * 8];
        let mut at = area.start;
        while at < area.end {
            let count = CHUNK_PAGES.min(((area.end - at) / PAGE) as usize);
            let entries = entries.get_mut(..count * 8).unwrap_or_default();
            self.0.read_exact_at(entries, at / PAGE * 8).at("reading the page map")?;
            for entry in entries.chunks_exact(8) {
                let entry = u64::from_le_bytes(entry.try_into().unwrap_or_default());
                show(Page { start: at, entry })?;
                at += PAGE;
            }
        }
        Ok(())
    }
}

/// Runs of pages, those close together joined.
#[derive(Debug)]
pub(crate) struct Runs {
    gap: u64,
    pub(crate) found: Vec<(u64, u64)>,
}

impl Runs {
    /// Up to `gap` pages between two runs are theirs too.
    pub(crate) fn with_gap(gap: usize) -> Self {
        Self { gap: gap as u64 * PAGE, found: Vec::new() }
    }

    /// Adds a page behind those that were added before.
    pub(crate) fn add(&mut self, page: u64) {
        match self.found.last_mut() {
            Some((_, end)) if page - *end <= self.gap => *end = page + PAGE,
            _ => self.found.push((page, page + PAGE)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_close_together_are_one() {
        let mut runs = Runs::with_gap(2);
        for page in [0, 1, 4, 8, 9] {
            runs.add(page * PAGE);
        }
        assert_eq!(runs.found, [(0, 5 * PAGE), (8 * PAGE, 10 * PAGE)]);
    }
}
