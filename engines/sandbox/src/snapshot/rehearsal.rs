//! Which pages a process needs first: what a clone used in a rehearsal, later clones are given at once.
//!
//! A page that a clone writes, or reads for the first time, costs it a fault, and a start takes a thousand of
//! them. Had all at once before the process goes on, the same pages cost a fraction. Nothing but speed hangs on
//! the list: a page too many costs memory, one too few its fault.

use std::fs;

use super::area::{self, Area, is_kernel_piece};
use super::memory::Advice;
use super::page_map::{PageMap, Runs};
use crate::message::{At, Fault};

/// Pages between two that were written, and are copied too, for one call less.
const WRITTEN_GAP_PAGES: usize = 1;
/// Pages between two that were read, and are mapped too.
const READ_GAP_PAGES: usize = 16;
/// More advice than any program has needed.
const ADVICES_MAX: usize = 4096;

/// What makes a clone have the pages that process `pid` has by now.
pub(crate) fn advices(pid: i32) -> Result<Vec<Advice>, Fault> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps")).at("reading the areas")?;
    let map = PageMap::open(pid)?;
    let mut advices = Vec::new();
    for area in area::parse(&text)?.iter().filter(|area| is_given(area)) {
        let (mut written, mut read) = (Runs::with_gap(WRITTEN_GAP_PAGES), Runs::with_gap(READ_GAP_PAGES));
        let is_writable = area.protection & libc::PROT_WRITE != 0;
        map.each(area, |page| {
            if page.is_own() && is_writable {
                written.add(page.start);
            } else if page.is_of_file() {
                read.add(page.start);
            }
            Ok(())
        })?;
        // Copies replace what was mapped, and come first.
        for (runs, advice) in [(written, libc::MADV_POPULATE_WRITE), (read, libc::MADV_POPULATE_READ)] {
            let advice = |(start, end)| Advice { start, bytes: end - start, advice };
            advices.extend(runs.found.into_iter().map(advice));
        }
    }
    advices.truncate(ADVICES_MAX);
    Ok(advices)
}

/// Whether the plan makes this area, for one process alone.
fn is_given(area: &Area) -> bool {
    !area.shared
        && area.protection & libc::PROT_READ != 0
        && !is_kernel_piece(area)
        && area.name != "[vsyscall]"
}
