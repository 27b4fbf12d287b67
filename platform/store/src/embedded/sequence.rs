//! One row for each batch: its number, a checksum of what it wrote, and a chain over those before.
//!
//! The row is part of its batch and lies in the same tree as everything the batch writes, so it is
//! there exactly if the batch is; that is why all spaces share one tree. On opening, the rows must
//! follow each other without a gap. Rows are needed while their batch may be in a journal, and are
//! removed once far more than all journals can hold has been written after them.

use std::collections::VecDeque;

use bytes::{Buf, BufMut};

use super::row::{COMMITS, prefixed};

/// Journals are at most 128 MiB (see the engine's options) plus the active one; four times that is kept.
const KEPT_BYTES: u64 = 4 * super::JOURNALS_BYTES_MAX;
const MARK_EVERY_BYTES: u64 = 16 << 20;
/// Most old rows that one batch removes, so that no batch gets slow by it.
const REMOVED_MAX: u64 = 256;

const IDENTITY_BYTES: usize = 16;
/// Bytes of a commit row's value.
pub(super) const ROW_BYTES: usize = IDENTITY_BYTES + 8 + 4 + 4 + 4;

/// The record of one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CommitRow {
    /// 1 for a store's first batch.
    pub(super) number: u64,
    /// CRC-32C of the rows written.
    pub(super) content: u32,
    /// CRC-32C of the chain before, number and content.
    pub(super) chain: u32,
}

impl CommitRow {
    /// The record of the batch after this one.
    pub(super) fn next(&self, content: u32) -> Self {
        let mut row = Self { number: self.number + 1, content, chain: 0 };
        row.chain = row.chained_to(self.chain);
        row
    }

    /// Whether this is the record of the batch after `before`.
    pub(super) fn follows(&self, before: &Self) -> bool {
        self.number == before.number + 1 && self.chain == self.chained_to(before.chain)
    }

    /// The row's key.
    pub(super) fn key(number: u64) -> Vec<u8> {
        prefixed(COMMITS, &number.to_be_bytes())
    }

    /// The row's value; `identity` makes it recognisable in a journal.
    pub(super) fn encode(&self, identity: &[u8; IDENTITY_BYTES]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(ROW_BYTES);
        bytes.extend_from_slice(identity);
        bytes.put_u64_le(self.number);
        bytes.put_u32_le(self.content);
        bytes.put_u32_le(self.chain);
        let sum = crc_fast::crc32_iscsi(&bytes);
        bytes.put_u32_le(sum);
        bytes
    }

    /// The record that begins at the start of `bytes`, if there is an undamaged one of this store.
    pub(super) fn decode(identity: &[u8; IDENTITY_BYTES], bytes: &[u8]) -> Option<Self> {
        let (content, mut sum) = bytes.get(..ROW_BYTES)?.split_at(ROW_BYTES - 4);
        let mut rest = content.strip_prefix(identity)?;
        (sum.get_u32_le() == crc_fast::crc32_iscsi(content)).then(|| Self {
            number: rest.get_u64_le(),
            content: rest.get_u32_le(),
            chain: rest.get_u32_le(),
        })
    }

    fn chained_to(&self, before: u32) -> u32 {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&before.to_le_bytes());
        bytes[4..12].copy_from_slice(&self.number.to_le_bytes());
        bytes[12..].copy_from_slice(&self.content.to_le_bytes());
        crc_fast::crc32_iscsi(&bytes)
    }
}

/// The number of the batch before the first.
pub(super) const START: CommitRow = CommitRow { number: 0, content: 0, chain: 0 };

/// Goes through the rows kept, the oldest of which must be `oldest`; returns the last.
pub(super) fn verify(
    oldest: u64,
    rows: impl Iterator<Item = Result<CommitRow, String>>,
) -> Result<CommitRow, String> {
    let mut last: Option<CommitRow> = None;
    for row in rows {
        let row = row?;
        let fits = match &last {
            None if oldest == 1 => row.follows(&START),
            None => row.number == oldest,
            Some(before) => row.follows(before),
        };
        if !fits {
            let wanted = last.map_or(oldest, |before| before.number + 1);
            return Err(format!("batch {wanted} is missing, batch {} is there", row.number));
        }
        last = Some(row);
    }
    Ok(last.unwrap_or(START))
}

/// Decides which commit rows are not needed any more.
#[derive(Debug)]
pub(super) struct Trim {
    oldest: u64,
    written_bytes: u64,
    kept_bytes: u64,
    mark_every_bytes: u64,
    marks: VecDeque<(u64, u64)>,
}

impl Trim {
    /// Rows from `oldest` on are there.
    pub(super) fn new(oldest: u64) -> Self {
        Self::with(oldest, KEPT_BYTES, MARK_EVERY_BYTES)
    }

    fn with(oldest: u64, kept_bytes: u64, mark_every_bytes: u64) -> Self {
        Self { oldest, written_bytes: 0, kept_bytes, mark_every_bytes, marks: VecDeque::new() }
    }

    /// Batch `number` writes `bytes`: the rows to remove with it, which may be none.
    pub(super) fn step(&mut self, number: u64, bytes: u64) -> std::ops::Range<u64> {
        self.written_bytes += bytes;
        if self.marks.back().is_none_or(|(_, at)| self.written_bytes - at >= self.mark_every_bytes) {
            self.marks.push_back((number, self.written_bytes));
        }
        let from = self.oldest;
        while let Some((number, at)) = self.marks.front() {
            if self.written_bytes - at < self.kept_bytes || self.oldest >= from + REMOVED_MAX {
                break;
            }
            self.oldest = (*number).min(from + REMOVED_MAX);
            if self.oldest == *number {
                self.marks.pop_front();
            }
        }
        from..self.oldest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: u32) -> Vec<CommitRow> {
        let grow = |last: &mut CommitRow, content| {
            *last = last.next(content);
            Some(*last)
        };
        (0..count).scan(START, grow).collect()
    }

    fn check(oldest: u64, rows: &[CommitRow], expected: Result<u64, &str>) {
        let verified = verify(oldest, rows.iter().copied().map(Ok)).map(|last| last.number);
        assert_eq!(verified, expected.map_err(str::to_owned));
    }

    #[test]
    fn only_an_unbroken_chain_is_accepted() {
        let good = rows(5);
        check(1, &[], Ok(0));
        check(1, &good, Ok(5));
        check(3, &good[2..], Ok(5));
        check(1, &good[1..], Err("batch 1 is missing, batch 2 is there"));
        check(1, &[&good[..2], &good[3..]].concat(), Err("batch 3 is missing, batch 4 is there"));
        let mut swapped = good.clone();
        swapped[2].content ^= 1;
        check(1, &swapped, Err("batch 3 is missing, batch 3 is there"));
    }

    #[test]
    fn rows_of_another_store_or_damaged_ones_are_none() {
        let (identity, row) = ([9; 16], START.next(5));
        let good = row.encode(&identity);
        assert_eq!(CommitRow::decode(&identity, &good), Some(row));
        assert_eq!(CommitRow::decode(&[8; 16], &good), None);
        for place in 0..good.len() {
            let mut bad = good.clone();
            bad[place] ^= 0x10;
            assert_eq!(CommitRow::decode(&identity, &bad), None, "byte {place}");
        }
    }

    #[test]
    fn rows_go_only_after_the_journals_must_have_gone() {
        let mut trim = Trim::with(1, 1000, 100);
        let mut removed_up_to = 1;
        for number in 1..=100 {
            let removed = trim.step(number, 50);
            assert_eq!(removed.start, removed_up_to);
            removed_up_to = removed.end;
            assert!(removed_up_to <= number.saturating_sub(1000 / 50).max(1), "too early at {number}");
        }
        assert!(removed_up_to > 70, "removed only up to {removed_up_to}");
    }
}
