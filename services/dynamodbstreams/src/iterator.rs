//! GetShardIterator, and what an iterator is: `STREAM|1|…`, all that it stands for in base64 at the end.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pagoda_base::{SignedDuration, Timestamp};
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_service::ports::Position;
use serde::{Deserialize, Serialize};

use crate::generated::{self as g, ShardIteratorType as Type};
use crate::stream::load;
use crate::{DynamoDbStreams, record};

/// How long an iterator can be used.
const VALID: SignedDuration = SignedDuration::from_mins(15);

/// A place in a shard.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Iterator {
    pub(crate) stream: String,
    pub(crate) shard: String,
    pub(crate) position: Position,
    pub(crate) made: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Token {
    shard: String,
    at: Option<String>,
    after: Option<String>,
    made: Timestamp,
}

pub(crate) async fn get(
    streams: &DynamoDbStreams,
    cx: &Context,
    input: g::GetShardIteratorInput,
) -> Result<g::GetShardIteratorOutput, ApiError> {
    let stream = load(streams, &input.stream_arn).await?;
    if !stream.shards.iter().any(|shard| shard.id == input.shard_id) {
        let message = format!("Requested resource not found: Shard does not exist: {}", input.shard_id);
        return Err(g::ResourceNotFoundException::new(message).into());
    }
    let position = position(streams, &input).await?;
    let iterator = Iterator { stream: input.stream_arn, shard: input.shard_id, position, made: cx.now };
    if matches!(input.shard_iterator_type, Type::AtSequenceNumber | Type::AfterSequenceNumber) {
        // Whether the record is still kept is told now.
        record::read(streams, &iterator, 1).await?;
    }
    Ok(g::GetShardIteratorOutput { shard_iterator: Some(iterator.text()) })
}

async fn position(streams: &DynamoDbStreams, input: &g::GetShardIteratorInput) -> Result<Position, ApiError> {
    let (kind, sequence) = (input.shard_iterator_type, input.sequence_number.clone());
    let numbered = matches!(kind, Type::AtSequenceNumber | Type::AfterSequenceNumber);
    if numbered != sequence.is_some() {
        let what = if numbered { "must be" } else { "must not be" };
        let message = format!("SequenceNumber {what} specified for ShardIteratorType {}", kind.as_str());
        return Err(ApiError::validation(message));
    }
    if (kind == Type::AtTimestamp) != input.timestamp.is_some() {
        let message = "Timestamp is specified with ShardIteratorType AT_TIMESTAMP, and only with it";
        return Err(ApiError::validation(message));
    }
    let sequence = sequence.unwrap_or_default();
    Ok(match kind {
        Type::TrimHorizon => Position::Oldest,
        Type::AtSequenceNumber => Position::At(sequence),
        Type::AfterSequenceNumber => Position::After(sequence),
        Type::Latest => Position::After(streams.streams.latest().await?),
        Type::AtTimestamp => {
            let latest = streams.streams.latest().await?;
            let time = input.timestamp.unwrap_or_default();
            let found = streams.streams.at_time(&input.stream_arn, &input.shard_id, time).await?;
            found.map_or(Position::After(latest), Position::At)
        }
    })
}

impl Iterator {
    pub(crate) fn text(&self) -> String {
        let (at, after) = match &self.position {
            Position::Oldest => (None, None),
            Position::At(sequence) => (Some(sequence.clone()), None),
            Position::After(sequence) => (None, Some(sequence.clone())),
        };
        let token = Token { shard: self.shard.clone(), at, after, made: self.made };
        let token = serde_json::to_vec(&token).unwrap_or_default();
        format!("{}|1|{}", self.stream, STANDARD.encode(token))
    }

    /// # Errors
    /// `ValidationException` for what was never handed out.
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        read(text).ok_or_else(|| ApiError::validation("Invalid ShardIterator"))
    }

    /// # Errors
    /// `ExpiredIteratorException`.
    pub(crate) fn check_age(&self, now: Timestamp) -> Result<(), ApiError> {
        if now.duration_since(self.made) <= VALID {
            return Ok(());
        }
        let message = "Iterator expired. The provided iterator exceeds the maximum age allowed.";
        Err(g::ExpiredIteratorException::new(message).into())
    }
}

fn read(text: &str) -> Option<Iterator> {
    let (stream, token) = text.split_once("|1|")?;
    let token: Token = serde_json::from_slice(&STANDARD.decode(token).ok()?).ok()?;
    let position = match (token.at, token.after) {
        (None, None) => Position::Oldest,
        (Some(sequence), None) => Position::At(sequence),
        (None, Some(sequence)) => Position::After(sequence),
        _ => return None,
    };
    Some(Iterator { stream: stream.to_owned(), shard: token.shard, position, made: token.made })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iterators_are_read_back() {
        let stream = "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/2026-01-01T00:00:00.000";
        for position in [Position::Oldest, Position::At("1".into()), Position::After("2".into())] {
            let made = Timestamp::UNIX_EPOCH;
            let iterator = Iterator { stream: stream.into(), shard: "s".into(), position, made };
            assert_eq!(Iterator::parse(&iterator.text()).unwrap(), iterator);
        }
        for bad in ["", "a|1|", "a|1|e30=", "a|2|e30="] {
            assert!(Iterator::parse(bad).is_err(), "{bad}");
        }
    }
}
