//! The file beside the engine that says how far the commits had come at least.
//!
//! fjall takes a damaged middle of its journal for a torn tail and cuts off everything behind it
//! (fjall-rs/fjall issue 311). This file is the witness that it can't cut: it is raised before fjall
//! looks at the journal (see [`super::journal`]), so a store that has lost acknowledged commits is
//! refused now and at every later attempt. Invariant: `commits` never decreases.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use bytes::{Buf, BufMut};

const FORMAT: &[u8; 8] = b"pagoda-1";
const FILE_BYTES: usize = 8 + 16 + 8 + 1 + 4;

/// What is known about a store without opening its engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tip {
    /// Random bytes that mark this store's commit rows. Nobody outside knows them, so no value that a
    /// user stores can pass for one.
    pub(super) identity: [u8; 16],
    /// At least this many batches are durable; exactly, if `clean`.
    pub(super) commits: u64,
    /// The store was closed in order.
    pub(super) clean: bool,
}

impl Tip {
    /// Reads the file; `None` if there is none.
    pub(super) fn load(dir: &Path) -> io::Result<Option<Self>> {
        match std::fs::read(dir.join("tip")) {
            Ok(bytes) => Self::decode(&bytes).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces the file, durably and atomically.
    pub(super) fn save(&self, dir: &Path) -> io::Result<()> {
        let fresh = dir.join("tip.new");
        let mut file = File::create(&fresh)?;
        file.write_all(&self.encode())?;
        file.sync_all()?;
        std::fs::rename(&fresh, dir.join("tip"))?;
        File::open(dir)?.sync_all()
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FILE_BYTES);
        bytes.extend_from_slice(FORMAT);
        bytes.extend_from_slice(&self.identity);
        bytes.put_u64_le(self.commits);
        bytes.put_u8(u8::from(self.clean));
        let sum = crc_fast::crc32_iscsi(&bytes);
        bytes.put_u32_le(sum);
        bytes
    }

    fn decode(bytes: &[u8]) -> io::Result<Self> {
        let damaged = || io::Error::new(ErrorKind::InvalidData, "the file 'tip' is damaged");
        if bytes.len() != FILE_BYTES || !bytes.starts_with(FORMAT) {
            return Err(damaged());
        }
        let (content, mut sum) = bytes.split_at(FILE_BYTES - 4);
        if sum.get_u32_le() != crc_fast::crc32_iscsi(content) {
            return Err(damaged());
        }
        let mut rest = &content[FORMAT.len()..];
        let mut identity = [0; 16];
        rest.copy_to_slice(&mut identity);
        Ok(Self { identity, commits: rest.get_u64_le(), clean: rest.get_u8() == 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tip_survives_and_damage_is_found() {
        let tip = Tip { identity: [7; 16], commits: 1 << 40, clean: true };
        let good = tip.encode();
        assert_eq!(Tip::decode(&good).unwrap(), tip);
        for place in 0..good.len() {
            let mut bad = good.clone();
            bad[place] ^= 1;
            assert!(Tip::decode(&bad).is_err(), "byte {place}");
            assert!(Tip::decode(&good[..place]).is_err(), "cut off at {place}");
        }
    }
}
