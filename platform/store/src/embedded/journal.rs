//! Looks through fjall's journal files for this store's commit rows, before fjall may cut them.
//!
//! Batch `n` is written only after batch `n - 1` was synced. So a commit row of batch `n` anywhere in a
//! journal, even behind damage, proves that `n - 1` was durable, and a store that recovers to less has
//! lost acknowledged commits. What this can't see is damage to the very last batch: that looks like the
//! torn tail that a crash leaves. The search is by the store's identity and needs no knowledge of
//! fjall's format.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use memchr::memmem::Finder;

use super::sequence::{CommitRow, ROW_BYTES};

const WINDOW_BYTES: usize = 1 << 20;

/// The highest number of a batch that the journals in `dir` know of; 0 if none. All before it were durable.
pub(super) fn highest(dir: &Path, identity: &[u8; 16]) -> io::Result<u64> {
    let entries = match std::fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut highest = 0;
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "jnl") {
            highest = highest.max(highest_in(File::open(path)?, identity)?);
        }
    }
    Ok(highest)
}

fn highest_in(mut file: impl Read, identity: &[u8; 16]) -> io::Result<u64> {
    let finder = Finder::new(identity);
    let mut window = Vec::with_capacity(WINDOW_BYTES + ROW_BYTES);
    let mut highest = 0;
    loop {
        let read = file.by_ref().take(WINDOW_BYTES as u64).read_to_end(&mut window)?;
        let found = finder.find_iter(&window);
        let rows = found.filter_map(|place| CommitRow::decode(identity, &window[place..]));
        highest = rows.fold(highest, |highest, row| highest.max(row.number));
        if read == 0 {
            return Ok(highest);
        }
        // A row may lie across two windows: its first bytes are looked at again with what follows.
        let keep_from = window.len().saturating_sub(ROW_BYTES - 1);
        window.drain(..keep_from);
    }
}

#[cfg(test)]
mod tests {
    use super::super::sequence::START;
    use super::*;

    #[test]
    fn rows_are_found_across_windows_and_behind_damage() {
        let identity = *b"sixteen bytes id";
        let row = CommitRow { number: 42, ..START }.encode(&identity);
        for place in
            [0, 5, WINDOW_BYTES - 1, WINDOW_BYTES - ROW_BYTES, WINDOW_BYTES - 20, 3 * WINDOW_BYTES - 7]
        {
            let mut bytes = vec![0xab; place];
            bytes.extend_from_slice(&row);
            assert_eq!(highest_in(&bytes[..], &identity).unwrap(), 42, "at {place}");
            bytes.extend_from_slice(&[1; 100]);
            assert_eq!(highest_in(&bytes[..], &identity).unwrap(), 42, "at {place}, more behind");
            bytes.truncate(place + ROW_BYTES - 1);
            assert_eq!(highest_in(&bytes[..], &identity).unwrap(), 0, "cut off at {place}");
        }
    }
}
