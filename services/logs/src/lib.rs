//! AWS logs.
