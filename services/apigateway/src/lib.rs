//! AWS apigateway.
