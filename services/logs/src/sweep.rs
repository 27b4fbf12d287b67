//! Gives back the space of what is past its retention or was deleted. Idempotent; takes no input.

use pagoda_base::SignedDuration;
use pagoda_protocol::ApiError;
use pagoda_store::{Commit, Key, StoreError};

use crate::Logs;
use crate::table::{self, GARBAGE, GROUPS, Group};

impl Logs {
    pub(crate) async fn clear_away(&self) {
        // What fails now is done by the next run; requests never depend on it.
        let _ = self.clear_garbage().await;
        let _ = self.clear_expired().await;
    }

    async fn clear_garbage(&self) -> Result<(), ApiError> {
        loop {
            let page = GARBAGE.scan(self.store(), &GARBAGE.key().done(), None, 100).await?;
            for stored in &page.items {
                let (lo, hi) = table::events(&stored.record.incarnation).prefix_range();
                self.store().clear_in_steps(lo, hi, &Commit::new()).await?;
                self.store().commit(GARBAGE.remove(Commit::new(), stored)).await?.done()?;
            }
            if page.next.is_none() {
                return Ok(());
            }
        }
    }

    async fn clear_expired(&self) -> Result<(), ApiError> {
        let mut after: Option<Key> = None;
        loop {
            let page = GROUPS.scan(self.store(), &GROUPS.key().done(), after.as_ref(), 100).await?;
            for stored in &page.items {
                if let Some(days) = stored.record.retention_days {
                    self.expire(&stored.key, &stored.record, days).await?;
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }

    async fn expire(&self, key: &Key, group: &Group, days: i32) -> Result<(), ApiError> {
        let horizon = (self.clock.now() - SignedDuration::from_hours(24 * i64::from(days))).as_millisecond();
        let Some(scope) = scope_of(key)? else { return Ok(()) };
        for stream in crate::stream::all(self, &scope, &group.name).await? {
            if stream.first_event_millis.is_some_and(|first| first < horizon) {
                let (lo, _) = table::events(&stream.incarnation).prefix_range();
                let hi = table::events_at(&stream.incarnation, horizon);
                self.store().clear_in_steps(lo, hi, &Commit::new()).await?;
            }
        }
        Ok(())
    }
}

/// Account and region, out of a group's key.
fn scope_of(key: &Key) -> Result<Option<crate::Scope>, StoreError> {
    use pagoda_store::tuple::{Element, decode};
    let elements = decode(&key.bytes).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let [_, Element::Text(account), Element::Text(region), ..] = elements.as_slice() else { return Ok(None) };
    Ok(account
        .parse()
        .ok()
        .zip(region.parse().ok())
        .map(|(account, region)| crate::Scope { account, region }))
}
