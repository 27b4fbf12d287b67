//! The root key of an account: given at start, never stored by IAM.

use std::fmt;

use pagoda_base::AccountId;
use zeroize::Zeroizing;

/// The access key of an account's root user.
#[derive(Clone)]
pub struct RootKey {
    /// The account.
    pub account: AccountId,
    /// The key's id.
    pub access_key_id: String,
    /// The secret to sign with.
    pub secret_access_key: Zeroizing<String>,
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RootKey({}, {}, ***)", self.account, self.access_key_id)
    }
}
