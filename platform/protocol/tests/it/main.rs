//! Tests of the wire formats against the public protocol facts.
mod sample;
