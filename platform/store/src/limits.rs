//! How much one key, value, commit or read may hold.
//!
//! They stay inside FoundationDB's limits (10 kB keys, 100 kB values, 10 MB transactions), so that an
//! engine over it needs no change above. A DynamoDB item is up to 400 KB, though, and a stream record
//! holds two of them. Splitting is therefore the business of an engine whose own values are smaller:
//! it stores a value over consecutive chunk rows inside its one transaction, where nobody above sees
//! it (as nobody sees the checksum). The engines here store a value whole. What the caller must keep
//! to is the commit's total, which no splitting can lift. Larger things are blobs.

/// Longest key, in bytes. FoundationDB allows 10,000; 64 are left to the engine for space and chunk number.
pub const KEY_BYTES_MAX: usize = 10_000 - 64;
/// Longest value, in bytes: 1 MiB.
pub const VALUE_BYTES_MAX: usize = 1 << 20;
/// Most bytes of keys and values in one commit: 8 MB.
pub const COMMIT_BYTES_MAX: usize = 8_000_000;
/// Most operations, and most checks, in one commit.
pub const COMMIT_OPS_MAX: usize = 10_000;
/// Most rows that the `ClearRange`s of one commit may delete; wider ranges are cleared in steps.
pub const CLEAR_ROWS_MAX: usize = 10_000;
/// Most hints on one commit.
pub const COMMIT_HINTS_MAX: usize = 64;
/// Most reads in one call.
pub const READS_MAX: usize = 1_000;
/// Most rows that one range read answers.
pub const RANGE_ROWS_MAX: u32 = 10_000;
/// Most bytes of keys and values that one range read answers (one row more is answered if it is the first).
pub const RANGE_BYTES_MAX: u32 = 8_000_000;
/// Values up to this many bytes are better kept in the store than as a blob: they share the commit's fsync.
pub const INLINE_BYTES_MAX: usize = 64 * 1024;
