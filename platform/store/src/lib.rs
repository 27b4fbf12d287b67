//! Durable ordered tables and transactions; blobs.
