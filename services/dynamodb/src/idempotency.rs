//! `ClientRequestToken`: a transaction that is sent again within ten minutes happens once.
//!
//! Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>

use aws_lc_rs::digest::{SHA256, digest};
use pagoda_base::{SignedDuration, Timestamp};
use pagoda_protocol::{ApiError, Shape, to_json};
use pagoda_service::Context;
use pagoda_store::{Commit, Key, Record, Space, Stored, Table};
use serde::{Deserialize, Serialize};

use crate::DynamoDb;
use crate::generated as g;

/// How long a token is remembered.
const VALID: SignedDuration = SignedDuration::from_mins(10);
const TOKENS_AT_ONCE: u32 = 1_000;

/// A token that was used.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Token {
    /// Of the request without the token.
    hash: String,
    used: Timestamp,
}

const TOKENS: Table<Token> = Table::new(Space::Queue);

impl Record for Token {
    const KIND: &str = "dynamodb.transaction-token";
    const VERSION: u8 = 1;
}

/// The token of a request.
pub(crate) struct Presented {
    key: Key,
    hash: String,
    /// What is left of an earlier use, too old to count.
    old: Option<Stored<Token>>,
}

impl Presented {
    /// Reads what is known of a token; nothing when its request has been carried out already.
    ///
    /// # Errors
    /// `IdempotentParameterMismatchException` when it came with another request.
    pub(crate) async fn read<I: Shape>(
        dynamodb: &DynamoDb,
        cx: &Context,
        token: &str,
        request: &I,
    ) -> Result<Option<Self>, ApiError> {
        let key = TOKENS.key().text(cx.account.as_str()).text(cx.region.as_str()).text(token).done();
        let hash = hex::encode(digest(&SHA256, to_json(request).to_string().as_bytes()));
        let found = TOKENS.get(dynamodb.store(), &key).await?;
        match &found {
            Some(stored) if cx.now.duration_since(stored.record.used) < VALID => {
                if stored.record.hash == hash {
                    return Ok(None);
                }
                let message = "Request rejected because it uses a ClientRequestToken of another request with other \
                               parameters";
                Err(g::IdempotentParameterMismatchException { message: Some(message.into()) }.into())
            }
            _ => Ok(Some(Self { key, hash, old: found })),
        }
    }

    /// Adds the use of the token to the commit of its transaction. Its check is the commit's last.
    pub(crate) fn used(&self, commit: Commit, now: Timestamp) -> Result<Commit, ApiError> {
        let token = Token { hash: self.hash.clone(), used: now };
        Ok(match &self.old {
            Some(old) => TOKENS.replace(commit, &self.key, old.stamp, &token)?,
            None => TOKENS.create(commit, &self.key, &token)?,
        })
    }
}

impl DynamoDb {
    /// Removes the tokens that no longer count.
    pub(crate) async fn forget_tokens(&self) -> Result<(), ApiError> {
        let mut after: Option<Key> = None;
        loop {
            let page =
                TOKENS.scan(self.store(), &TOKENS.key().done(), after.as_ref(), TOKENS_AT_ONCE).await?;
            for stored in &page.items {
                if self.clock.now().duration_since(stored.record.used) >= VALID {
                    // One that was used again stays: its check fails.
                    let _ = self.store().commit(TOKENS.remove(Commit::new(), stored)).await?;
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }
}
