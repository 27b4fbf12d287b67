//! Page tokens: a position, in base64, that nobody has to understand.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pagoda_protocol::ApiError;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::generated as g;

/// Writes a position.
pub(crate) fn write(position: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(position).expect("positions are plain values"))
}

/// Reads a position back.
///
/// # Errors
/// `InvalidParameterException` for a token that is none of ours.
pub(crate) fn read<T: DeserializeOwned>(token: &str) -> Result<T, ApiError> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    let position = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    position.ok_or_else(|| g::InvalidParameterException::new("The specified nextToken is invalid.").into())
}
