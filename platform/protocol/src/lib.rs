//! AWS wire formats and SigV4.
