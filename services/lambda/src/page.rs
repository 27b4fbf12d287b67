//! Lists in pages: how many on one, and where the next begins.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pagoda_protocol::ApiError;
use pagoda_store::Key;
use pagoda_store::tuple::{self, Element};

use crate::generated as g;
use crate::name::FunctionId;

/// AWS lists no more on a page, whatever is asked for.
const ITEMS_MAX: i32 = 50;

/// How many items a page has.
pub(crate) fn limit(wanted: Option<i32>) -> u32 {
    wanted.unwrap_or(ITEMS_MAX).clamp(1, ITEMS_MAX).unsigned_abs()
}

/// The marker of the page behind the one that ended with `last`.
pub(crate) fn marker(last: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(last)
}

/// What [`marker`] was made of.
///
/// # Errors
/// `InvalidParameterValueException` for anything else.
pub(crate) fn read(marker: &str) -> Result<String, ApiError> {
    let last = URL_SAFE_NO_PAD.decode(marker).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    last.ok_or_else(invalid)
}

/// The answer to a marker that was never given.
pub(crate) fn invalid() -> ApiError {
    g::InvalidParameterValueException::new("The Marker is invalid.").into()
}

/// The name that ends a key.
pub(crate) fn name_in(key: &Key) -> Result<String, ApiError> {
    match tuple::decode(&key.bytes).map_err(|_| ApiError::internal())?.pop() {
        Some(Element::Text(name)) => Ok(name),
        _ => Err(ApiError::internal()),
    }
}

/// The function whose key this is, or the key of a part of it.
pub(crate) fn function_in(key: &Key) -> Result<FunctionId, ApiError> {
    let elements = tuple::decode(&key.bytes).map_err(|_| ApiError::internal())?;
    match elements.as_slice() {
        [_, Element::Text(account), Element::Text(region), Element::Text(name), ..] => Ok(FunctionId {
            account: account.parse().map_err(|_| ApiError::internal())?,
            region: region.parse().map_err(|_| ApiError::internal())?,
            name: name.clone(),
        }),
        _ => Err(ApiError::internal()),
    }
}

/// The number that ends a key.
pub(crate) fn number_in(key: &Key) -> Result<u64, ApiError> {
    match tuple::decode(&key.bytes).map_err(|_| ApiError::internal())?.pop() {
        Some(Element::U64(number)) => Ok(number),
        _ => Err(ApiError::internal()),
    }
}
