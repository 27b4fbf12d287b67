//! Types that are stored: a version byte, then JSON.
//!
//! Invariant: every version that was ever released still decodes. A type that changes its shape keeps
//! the old shape as a type of its own, implements [`Record`] for it as before, raises its own
//! `VERSION` by one, and names the old one in [`Record::migrate`]:
//!
//! ```
//! use pagoda_store::{Record, StoreError};
//! # use serde::{Deserialize, Serialize};
//! #[derive(Serialize, Deserialize)]
//! struct UserV1 { name: String }
//! impl Record for UserV1 {
//!     const KIND: &str = "user";
//!     const VERSION: u8 = 1;
//! }
//! #[derive(Serialize, Deserialize)]
//! struct User { name: String, path: String }
//! impl Record for User {
//!     const KIND: &str = "user";
//!     const VERSION: u8 = 2;
//!     fn migrate(version: u8, body: &[u8]) -> Result<Self, StoreError> {
//!         UserV1::read(version, body).map(|old| User { name: old.name, path: "/".into() })
//!     }
//! }
//! # let old = UserV1 { name: "ada".into() }.encode().unwrap();
//! # assert_eq!(User::decode(&old).unwrap().path, "/");
//! ```

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::StoreError;

/// A type that is stored.
pub trait Record: Serialize + DeserializeOwned + Send + Sync + Sized {
    /// The record's name: the first element of its keys. Never changed.
    const KIND: &str;
    /// The version that `encode` writes.
    const VERSION: u8;

    /// Reads the body of an earlier version through the neighbour's type; the first version has none.
    fn migrate(version: u8, _body: &[u8]) -> Result<Self, StoreError> {
        Err(StoreError::Corrupt(format!("{} of version {version}, which nothing here can read", Self::KIND)))
    }

    /// Reads a body that was written by `version`.
    fn read(version: u8, body: &[u8]) -> Result<Self, StoreError> {
        if version != Self::VERSION {
            return Self::migrate(version, body);
        }
        serde_json::from_slice(body).map_err(|error| StoreError::Corrupt(format!("{}: {error}", Self::KIND)))
    }

    /// The bytes to store.
    fn encode(&self) -> Result<Bytes, StoreError> {
        let mut bytes = vec![Self::VERSION];
        serde_json::to_writer(&mut bytes, self)
            .map_err(|error| StoreError::Invalid(format!("{} can't be written: {error}", Self::KIND)))?;
        Ok(bytes.into())
    }

    /// The record in stored bytes.
    fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        let (version, body) = bytes
            .split_first()
            .ok_or_else(|| StoreError::Corrupt(format!("{} without a version", Self::KIND)))?;
        Self::read(*version, body)
    }
}
