//! How long the tokens of past commits are remembered.

/// Tokens are forgotten after ten minutes: longer than any caller keeps repeating one request.
pub(crate) const TOKEN_MILLISECONDS: i64 = 10 * 60 * 1000;
/// Most tokens remembered; the oldest are forgotten first.
pub(crate) const TOKENS_MAX: usize = 100_000;
