//! `AWS::IAM::Role`, `User`, `Policy`, `ManagedPolicy` and `AccessKey`.

mod access_key;
mod identity;
mod managed_policy;
mod policy;

pub(crate) use access_key::AccessKey;
pub(crate) use identity::{Role, User};
pub(crate) use managed_policy::ManagedPolicy;
pub(crate) use policy::Policy;
