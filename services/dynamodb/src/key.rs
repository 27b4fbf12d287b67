//! Primary keys: what they must be like, and where their items are.
//!
//! An item's row is under its table's prefix, then a spread of the partition key (so that the segments of a
//! parallel scan are ranges), the partition key, and the sort key, each encoded to sort as DynamoDB sorts.
//! A partition is therefore one range in the order of its sort keys.

use std::collections::BTreeMap;

use pagoda_protocol::ApiError;
use pagoda_store::{Key, KeyBuilder};

use crate::expression::RangeCondition;
use crate::known::Open;
use crate::record::KeyAttribute;
use crate::value::{AttributeValue, Item, invalid};

/// Longest partition key, in bytes.
const HASH_BYTES_MAX: usize = 2048;
/// Longest sort key, in bytes.
const RANGE_BYTES_MAX: usize = 1024;

/// A range of rows, `[lo, hi)`.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub(crate) lo: Key,
    pub(crate) hi: Key,
}

impl Open {
    /// Where the item is whose key attributes are exactly `key`.
    ///
    /// # Errors
    /// `ValidationException` when they are not the table's.
    pub(crate) fn row_of(&self, key: &Item) -> Result<Key, ApiError> {
        let mismatch = || ApiError::validation("The provided key element does not match the schema");
        let fits = |attribute: &KeyAttribute| {
            key.get(&attribute.name).is_some_and(|value| value.kind() == attribute.kind)
        };
        if key.len() != self.key_attributes().count() || !self.key_attributes().all(fits) {
            return Err(mismatch());
        }
        self.row_in(key)
    }

    /// Where an item belongs that has the key attributes among others.
    ///
    /// # Errors
    /// `ValidationException` when one is missing, of another type, empty or too long.
    pub(crate) fn row_in(&self, item: &Item) -> Result<Key, ApiError> {
        let hash = part(&self.record.hash, item)?;
        check_size(&self.record.hash, hash, HASH_BYTES_MAX)?;
        let partition = self.partition(hash);
        let Some(attribute) = &self.record.range else { return Ok(partition) };
        let range = part(attribute, item)?;
        check_size(attribute, range, RANGE_BYTES_MAX)?;
        Ok(element(KeyBuilder::under(&partition), range).done())
    }

    /// The prefix of a partition; in a table without sort keys, its only row.
    fn partition(&self, hash: &AttributeValue) -> Key {
        let builder = KeyBuilder::under(&self.items).bytes(&self.spread_of(hash).to_be_bytes());
        element(builder, hash).done()
    }

    /// Where a partition key falls among 2^32.
    pub(crate) fn spread_of(&self, hash: &AttributeValue) -> u32 {
        spread(&element(KeyBuilder::new(self.items.space), hash).into_bytes())
    }

    /// The rows of one partition that a query reads.
    ///
    /// # Errors
    /// `ValidationException` for a partition key that no item can have.
    pub(crate) fn span(
        &self,
        hash: &AttributeValue,
        range: Option<RangeCondition<'_>>,
    ) -> Result<Span, ApiError> {
        check_size(&self.record.hash, hash, HASH_BYTES_MAX)?;
        let partition = self.partition(hash);
        if self.record.range.is_none() {
            return Ok(Span { hi: partition.successor(), lo: partition });
        }
        let (first, end) = partition.prefix_range();
        let row = |value: &AttributeValue| element(KeyBuilder::under(&partition), value).done();
        let behind = |value: &AttributeValue| row(value).successor();
        let (lo, hi) = match range {
            None => (first, end),
            Some(RangeCondition::Equal(value)) => (row(value), behind(value)),
            Some(RangeCondition::Less(value)) => (first, row(value)),
            Some(RangeCondition::LessOrEqual(value)) => (first, behind(value)),
            Some(RangeCondition::Greater(value)) => (behind(value), end),
            Some(RangeCondition::GreaterOrEqual(value)) => (row(value), end),
            Some(RangeCondition::Between(low, high)) => (row(low), behind(high)),
            Some(RangeCondition::BeginsWith(value)) => beginning(row(value)),
        };
        Ok(Span { lo, hi })
    }

    /// The rows of one of `total` equal parts of the table.
    pub(crate) fn segment(&self, segment: u32, total: u32) -> Span {
        let bound = |index: u32| (u64::from(index) << 32).div_ceil(u64::from(total.max(1)));
        let (first, end) = self.items.prefix_range();
        let at = |bound: u64| {
            u32::try_from(bound)
                .ok()
                .map(|bound| KeyBuilder::under(&self.items).bytes(&bound.to_be_bytes()).done())
        };
        let lo = if segment == 0 { first } else { at(bound(segment)).unwrap_or_else(|| end.clone()) };
        let hi = at(bound(segment + 1)).filter(|_| segment + 1 < total).unwrap_or(end);
        Span { lo, hi }
    }

    /// The key attributes of an item.
    pub(crate) fn key_of(&self, item: &Item) -> Item {
        let entry =
            |attribute: &KeyAttribute| Some((attribute.name.clone(), item.get(&attribute.name)?.clone()));
        self.key_attributes().filter_map(entry).collect::<BTreeMap<_, _>>()
    }
}

/// All rows whose last element begins as that of `row` does.
fn beginning(row: Key) -> (Key, Key) {
    // Without the zero that ends it, the element's encoding is a prefix of the longer ones'.
    let lo = Key::raw(row.space, row.bytes.slice(..row.bytes.len() - 1));
    let mut end = lo.bytes.to_vec();
    while end.last() == Some(&u8::MAX) {
        end.pop();
    }
    // The element's tag is never 255, so there is a byte to raise.
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    (lo, Key::raw(row.space, end))
}

fn part<'i>(attribute: &KeyAttribute, item: &'i Item) -> Result<&'i AttributeValue, ApiError> {
    let name = &attribute.name;
    let value = item.get(name).ok_or_else(|| invalid(&format!("Missing the key {name} in the item")))?;
    if value.kind() != attribute.kind {
        let (expected, actual) = (attribute.kind.as_str(), value.kind().as_str());
        let what = format!("Type mismatch for key {name} expected: {expected} actual: {actual}");
        return Err(invalid(&what));
    }
    Ok(value)
}

fn check_size(attribute: &KeyAttribute, value: &AttributeValue, bytes_max: usize) -> Result<(), ApiError> {
    let (bytes, kind) = match value {
        AttributeValue::S(text) => (text.len(), "string"),
        AttributeValue::B(bytes) => (bytes.len(), "binary"),
        _ => return Ok(()),
    };
    if bytes == 0 {
        return Err(ApiError::validation(format!(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an \
             empty {kind} value. Key: {}",
            attribute.name
        )));
    }
    if bytes > bytes_max {
        let what = if bytes_max == HASH_BYTES_MAX {
            format!("Size of hashkey has exceeded the maximum size limit of{HASH_BYTES_MAX} bytes")
        } else {
            format!(
                "Aggregated size of all range keys has exceeded the size limit of {RANGE_BYTES_MAX} bytes"
            )
        };
        return Err(invalid(&what));
    }
    Ok(())
}

fn element(builder: KeyBuilder, value: &AttributeValue) -> KeyBuilder {
    match value {
        AttributeValue::S(text) => builder.text(text),
        AttributeValue::B(bytes) => builder.bytes(bytes),
        AttributeValue::N(number) => {
            let mut bytes = Vec::with_capacity(24);
            number.encode(&mut bytes);
            builder.bytes(&bytes)
        }
        // Keys of other types are refused before they get here.
        _ => builder,
    }
}

/// Spreads partition keys evenly over 32 bits; part of the stored keys, so never changed.
///
/// FNV-1a (<http://www.isthe.com/chongo/tech/comp/fnv/>) with MurmurHash3's finalizer.
pub(crate) fn spread(bytes: &[u8]) -> u32 {
    let mut hash =
        bytes.iter().fold(0x811c_9dc5u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    hash ^= hash >> 16;
    hash = hash.wrapping_mul(0x85eb_ca6b);
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

/// The partition keys of items or keys, as policies compare them.
pub(crate) fn leading<'i>(table: &Open, items: impl IntoIterator<Item = &'i Item>) -> Vec<String> {
    let hash = &table.record.hash.name;
    items.into_iter().filter_map(|item| item.get(hash).and_then(as_text)).collect()
}

/// As IAM compares partition keys: text, canonical number, base64.
pub(crate) fn as_text(value: &AttributeValue) -> Option<String> {
    match value {
        AttributeValue::S(text) => Some(text.clone()),
        AttributeValue::N(number) => Some(number.to_string()),
        AttributeValue::B(bytes) => Some(crate::value::base64(bytes)),
        _ => None,
    }
}
