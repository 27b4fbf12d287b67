//! AWS lambda.
