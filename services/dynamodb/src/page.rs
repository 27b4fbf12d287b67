//! Reads a range of items up to a limit: what Query and Scan have in common.
//!
//! Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html>

use pagoda_protocol::ApiError;
use pagoda_store::{Consistency, Read};

use crate::expression::{Condition, Projection};
use crate::generated as g;
use crate::key::Span;
use crate::known::Open;
use crate::value::{Item, invalid};
use crate::{DynamoDb, codec};

/// Most bytes of items that one request reads, before its filter.
const BYTES_MAX: usize = 1024 * 1024;
/// Rows that are read from the store at once.
const ROWS_AT_ONCE: u32 = 1_000;

/// What is read, and what is answered of it.
pub(crate) struct Reading<'a> {
    pub(crate) span: Span,
    pub(crate) reverse: bool,
    pub(crate) consistent: bool,
    pub(crate) limit: Option<usize>,
    pub(crate) filter: Option<Condition<'a>>,
    pub(crate) projection: Option<Projection<'a>>,
    /// Only the number is wanted.
    pub(crate) count_only: bool,
}

/// What was read.
#[derive(Default)]
pub(crate) struct Page {
    pub(crate) items: Vec<Item>,
    /// Items that passed the filter.
    pub(crate) count: usize,
    /// Items before the filter.
    pub(crate) scanned: usize,
    /// Bytes before the filter.
    pub(crate) bytes: usize,
    /// The key to go on behind, if there may be more.
    pub(crate) last_key: Option<Item>,
}

impl DynamoDb {
    /// Reads until the range, the limit or 1 MB is used up.
    pub(crate) async fn read(&self, table: &Open, reading: &Reading<'_>) -> Result<Page, ApiError> {
        let consistency = if reading.consistent { Consistency::Strong } else { Consistency::Eventual };
        let Span { mut lo, mut hi } = reading.span.clone();
        let mut page = Page::default();
        loop {
            let left = reading.limit.map_or(ROWS_AT_ONCE as usize, |limit| limit - page.scanned);
            let limit = ROWS_AT_ONCE.min(u32::try_from(left).unwrap_or(u32::MAX));
            // One row more than fits may be needed to see that it does not.
            let bytes = (BYTES_MAX - page.bytes + 1) as u32;
            let read = Read::Range { lo: lo.clone(), hi: hi.clone(), limit, bytes, reverse: reading.reverse };
            let mut answers = self.store().read(&[read], consistency).await?;
            let found = answers.pop().ok_or_else(ApiError::internal)?;
            let last_row = found.rows.last().map(|row| row.key.clone());
            for row in found.rows {
                let size = codec::size(&row.value)?;
                if page.scanned > 0 && page.bytes + size > BYTES_MAX {
                    return Ok(page);
                }
                page.bytes += size;
                page.take(table, reading, codec::decode(&row.value)?);
                if reading.limit == Some(page.scanned) {
                    return Ok(page);
                }
            }
            match last_row {
                Some(key) if found.more && page.bytes < BYTES_MAX => {
                    if reading.reverse {
                        hi = key
                    } else {
                        lo = key.successor()
                    }
                }
                Some(_) if found.more => return Ok(page),
                _ => {
                    page.last_key = None;
                    return Ok(page);
                }
            }
        }
    }
}

impl Page {
    fn take(&mut self, table: &Open, reading: &Reading<'_>, item: Item) {
        self.scanned += 1;
        self.last_key = Some(table.key_of(&item));
        if reading.filter.as_ref().is_some_and(|filter| !filter.holds(&item)) {
            return;
        }
        self.count += 1;
        if !reading.count_only {
            self.items.push(match &reading.projection {
                Some(projection) => projection.pick(&item),
                None => item,
            });
        }
    }
}

/// What `Select` makes of the answer: whether only the number is wanted.
///
/// # Errors
/// `ValidationException` when it contradicts the projection.
pub(crate) fn counts_only(select: Option<g::Select>, is_projected: bool) -> Result<bool, ApiError> {
    match select {
        Some(g::Select::SpecificAttributes) if !is_projected => Err(invalid(
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
        )),
        Some(g::Select::AllProjectedAttributes) => {
            Err(invalid("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"))
        }
        Some(select @ (g::Select::AllAttributes | g::Select::Count)) if is_projected => {
            Err(ApiError::validation(format!(
                "Cannot specify the ProjectionExpression when choosing to get {select}"
            )))
        }
        select => Ok(select == Some(g::Select::Count)),
    }
}
