//! Pages of a listing: the token is the last name of the page before, in base64.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pagoda_protocol::ApiError;

const LIMIT_DEFAULT: i32 = 100;

/// Up to `limit` of `all`, which are in the order of their names, behind the token; and the next token.
pub(crate) fn of<T>(
    all: Vec<T>,
    name: impl Fn(&T) -> &str,
    limit: Option<i32>,
    token: Option<&str>,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let after = token.map(read).transpose()?;
    let limit = limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_DEFAULT) as usize;
    let mut rest = all.into_iter().filter(|one| after.as_deref().is_none_or(|after| name(one) > after));
    let page: Vec<T> = rest.by_ref().take(limit).collect();
    let next = rest.next().and_then(|_| page.last().map(|last| URL_SAFE_NO_PAD.encode(name(last))));
    Ok((page, next))
}

fn read(token: &str) -> Result<String, ApiError> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| ApiError::validation("Parameter NextToken is not valid."))
}
