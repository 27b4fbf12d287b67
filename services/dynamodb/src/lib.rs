//! AWS dynamodb.
