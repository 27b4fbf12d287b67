//! The policy language against rows written from AWS's documentation.

mod conditions;
mod decisions;
mod documents;
mod properties;
mod scene;
