//! Tags that begin with `aws:`: the platform's own. CloudFormation marks with them what it makes for a stack.
//!
//! Source: <https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html>

use crate::Context;

/// The one service that sets them, on behalf of its callers.
const SETTER: &str = "cloudformation.amazonaws.com";

/// Whether users can neither set nor remove tags with this key. They count to no limit.
pub fn is_reserved_tag(key: &str) -> bool {
    key.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("aws:"))
}

impl Context {
    /// Whether the request may set or remove a tag with this key.
    pub fn may_tag(&self, key: &str) -> bool {
        !is_reserved_tag(key) || self.origin.via == Some(SETTER)
    }
}
