//! Where a row is.

use std::fmt;

use bytes::Bytes;

/// The parts of the key space; an engine may keep each in its own way, and orders keys within each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Space {
    /// Descriptions of resources: few, read often.
    Meta = 0,
    /// Users' data: table items, object metadata.
    Data = 1,
    /// Secondary orders over `Meta` and `Data`.
    Index = 2,
    /// Append-only records: streams, log events.
    Log = 3,
    /// Entries that come and go: queues, timers.
    Queue = 4,
    /// Who owns what at the moment; fence keys.
    Lease = 5,
}

impl Space {
    /// Every space, in its order.
    pub const ALL: [Self; 6] = [Self::Meta, Self::Data, Self::Index, Self::Log, Self::Queue, Self::Lease];

    /// The space's name, as an engine's table is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Data => "data",
            Self::Index => "index",
            Self::Log => "log",
            Self::Queue => "queue",
            Self::Lease => "lease",
        }
    }
}

/// A row's place: a space, and bytes that sort as the tuple they encode (see [`crate::tuple`]).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The part of the key space.
    pub space: Space,
    /// The order-preserving encoding, at most [`crate::limits::KEY_BYTES_MAX`] bytes.
    pub bytes: Bytes,
}

impl Key {
    /// The key with exactly these bytes. Keys made of parts are built by [`crate::tuple::KeyBuilder`].
    pub fn raw(space: Space, bytes: impl Into<Bytes>) -> Self {
        Self { space, bytes: bytes.into() }
    }

    /// The bounds `[lo, hi)` of all keys that have this one as a proper prefix *in whole tuple elements*.
    pub fn prefix_range(&self) -> (Key, Key) {
        // Element tags lie strictly between 0x00 and 0xff, so these two enclose exactly the children.
        (self.with_suffix(0x00), self.with_suffix(0xff))
    }

    /// The first key after this one: the lower bound for "go on behind this row".
    pub fn successor(&self) -> Key {
        self.with_suffix(0x00)
    }

    fn with_suffix(&self, byte: u8) -> Key {
        let mut bytes = Vec::with_capacity(self.bytes.len() + 1);
        bytes.extend_from_slice(&self.bytes);
        bytes.push(byte);
        Key { space: self.space, bytes: bytes.into() }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.space.name(), self.bytes.escape_ascii())
    }
}
