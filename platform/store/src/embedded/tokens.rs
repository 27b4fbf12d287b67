//! The tokens of the commits of the last ten minutes.
//!
//! They are rows of the commits' own batches, so a token is known exactly if its commit is durable;
//! all are held in memory too (at most 100,000, some 8 MB), so that asking costs no read.

use std::collections::{HashMap, HashSet, VecDeque};

use super::row::{TOKENS, decode, encode, prefixed};
use super::view::View;
use crate::retention::{TOKEN_MILLISECONDS, TOKENS_MAX};
use crate::{Stamp, StoreError};

type Token = [u8; 16];

/// Tokens by age, oldest first.
#[derive(Default)]
pub(super) struct Tokens {
    stamps: HashMap<Token, Stamp>,
    ages: VecDeque<(i64, Token)>,
    /// Forgotten, but still rows: removed with the next batch that is written at all.
    gone: HashSet<Token>,
}

impl Tokens {
    /// Reads what earlier processes remembered.
    pub(super) fn load(view: &View) -> Result<Self, StoreError> {
        let mut found = Vec::new();
        for row in view.own(TOKENS) {
            let (key, value) = row?;
            let (since, stamp) = decode(&key, &value)?;
            let (Ok(token), Ok(since)) = (Token::try_from(&key[1..]), <[u8; 8]>::try_from(&since[..])) else {
                return Err(StoreError::Corrupt("a token's row has the wrong length".into()));
            };
            found.push((stamp, i64::from_le_bytes(since), token));
        }
        found.sort_unstable();
        Ok(Self {
            stamps: found.iter().map(|(stamp, _, token)| (*token, *stamp)).collect(),
            ages: found.into_iter().map(|(_, since, token)| (since, token)).collect(),
            gone: HashSet::new(),
        })
    }

    /// The stamp of the commit that had this token.
    pub(super) fn stamp(&self, token: &Token) -> Option<Stamp> {
        self.stamps.get(token).copied()
    }

    /// Remembers a commit; the row to write with it.
    pub(super) fn remember(&mut self, token: Token, stamp: Stamp, now: i64) -> (Vec<u8>, Vec<u8>) {
        self.gone.remove(&token);
        self.stamps.insert(token, stamp);
        self.ages.push_back((now, token));
        let key = prefixed(TOKENS, &token);
        let value = encode(&key, stamp, &now.to_le_bytes());
        (key, value)
    }

    /// Forgets what is too old or too much.
    pub(super) fn forget(&mut self, now: i64) {
        while let Some((since, token)) = self.ages.front().copied() {
            if now - since < TOKEN_MILLISECONDS && self.ages.len() <= TOKENS_MAX {
                break;
            }
            self.ages.pop_front();
            self.stamps.remove(&token);
            self.gone.insert(token);
        }
    }

    /// The keys of the rows that the batch being written is to remove.
    pub(super) fn take_gone(&mut self) -> impl Iterator<Item = Vec<u8>> {
        self.gone.drain().map(|token| prefixed(TOKENS, &token))
    }
}
