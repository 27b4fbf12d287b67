//! The records that CloudFormation keeps, and their keys.

use std::collections::BTreeMap;

use pagoda_base::{AccountId, Region, Timestamp};
use pagoda_policy::Principal;
use pagoda_service::{Caller, Context};
use pagoda_store::{Key, KeyBuilder, Record, Space, StoreError, Table};
use serde::{Deserialize, Serialize};

use crate::template::Object;
use crate::template::parameter::Values;
use crate::token::Token;

/// A stack.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Stack {
    /// Its ARN.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    pub(crate) description: Option<String>,
    /// The text of the template in force, before its transforms.
    pub(crate) template: String,
    pub(crate) parameters: Values,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) capabilities: Vec<String>,
    pub(crate) outputs: Vec<Output>,
    /// `AWS::URLSuffix` when the outputs were made: the platform may have moved since.
    pub(crate) suffix: String,
    pub(crate) disable_rollback: bool,
    pub(crate) delete_on_failure: bool,
    pub(crate) change_set_id: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Option<Timestamp>,
    pub(crate) deleted: Option<Timestamp>,
    /// Who changes it now, for the recovery after a crash.
    pub(crate) acting: Option<Acting>,
    /// Resources that the deletion under way leaves alone. Since version 2.
    #[serde(default)]
    pub(crate) retained: Vec<String>,
    /// The `ClientRequestToken` of the latest change. Since version 2.
    #[serde(default)]
    pub(crate) token: Option<Token>,
}

/// An output's value.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Output {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) description: Option<String>,
    pub(crate) export: Option<String>,
}

/// A resource of a stack.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StackResource {
    pub(crate) logical: String,
    pub(crate) kind: String,
    pub(crate) physical: String,
    pub(crate) reference: String,
    pub(crate) attributes: Object,
    /// As they were resolved.
    pub(crate) properties: Object,
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    pub(crate) retain: bool,
    pub(crate) retain_replaced: bool,
    pub(crate) changed: Timestamp,
    /// Whether it exists is not known: its creation was begun, and `physical` is only the name it was to get.
    /// Since version 2.
    #[serde(default)]
    pub(crate) unsettled: Option<Unsettled>,
}

/// A resource whose creation was begun.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Unsettled {
    /// Physical ids that [`crate::resource::Kind::present`] told before: none of them is this resource.
    pub(crate) others: Vec<String>,
}

/// What a change of a stack has begun with a resource, kept before it is done.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Step {
    /// Its place in the order in which steps were begun.
    pub(crate) number: u64,
    pub(crate) logical: String,
    pub(crate) begun: Begun,
}

/// See [`Step`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Begun {
    /// There was none, and one is made.
    Creation,
    /// Another is made in its place; the old one goes when the change is complete.
    Replacement { old: Box<StackResource> },
    /// It gets these properties.
    Update { old: Box<StackResource>, properties: Object },
}

/// A stack as it was before its update, and to which a rollback returns.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Before(pub(crate) Stack);

/// A change set.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ChangeSet {
    /// Its ARN.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) stack_id: String,
    pub(crate) stack_name: String,
    pub(crate) description: Option<String>,
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    pub(crate) execution: String,
    pub(crate) template: String,
    pub(crate) parameters: Values,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) capabilities: Vec<String>,
    pub(crate) changes: Vec<Change>,
    pub(crate) created: Timestamp,
    /// The `ClientToken` of its creation. Since version 2.
    #[serde(default)]
    pub(crate) token: Option<String>,
}

/// What a change set would do to a resource.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub(crate) struct Change {
    /// `Add`, `Modify` or `Remove`.
    pub(crate) action: String,
    pub(crate) logical: String,
    pub(crate) kind: String,
    pub(crate) physical: Option<String>,
    pub(crate) replacement: bool,
}

/// Something that happened to a stack.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) logical: String,
    pub(crate) physical: String,
    pub(crate) kind: String,
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    pub(crate) at: Timestamp,
    /// The `ClientRequestToken` of the change that it is part of. Since version 2.
    #[serde(default)]
    pub(crate) token: Option<String>,
}

/// The stack that has a name now.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Named {
    pub(crate) id: String,
}

/// A value that a stack exports.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Export {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) stack_id: String,
}

/// Who changes a stack, as far as it can be kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Acting {
    Root { account: AccountId },
    User { account: AccountId, arn: String, id: String },
    Session { account: AccountId, role_arn: String, session_arn: String, id: String },
}

impl Acting {
    /// The caller of a request. A session that was narrowed by policies cannot be kept.
    pub(crate) fn of(cx: &Context) -> Option<Self> {
        let id = cx.caller.user_id.clone();
        match cx.caller.principal.clone() {
            Principal::Root(account) => Some(Self::Root { account }),
            Principal::User { account, arn } => Some(Self::User { account, arn, id }),
            Principal::Session { account, role_arn, session_arn }
                if cx.caller.session_policies.is_empty() =>
            {
                Some(Self::Session { account, role_arn, session_arn, id })
            }
            _ => None,
        }
    }

    /// The same caller again.
    pub(crate) fn caller(&self) -> Caller {
        match self.clone() {
            Self::Root { account } => Caller::root(account, None),
            Self::User { account, arn, id } => Caller::new(Principal::User { account, arn }, id, None),
            Self::Session { account, role_arn, session_arn, id } => {
                Caller::new(Principal::Session { account, role_arn, session_arn }, id, None)
            }
        }
    }
}

pub(crate) const STACKS: Table<Stack> = Table::new(Space::Meta);
pub(crate) const NAMED: Table<Named> = Table::new(Space::Index);
pub(crate) const RESOURCES: Table<StackResource> = Table::new(Space::Meta);
pub(crate) const CHANGE_SETS: Table<ChangeSet> = Table::new(Space::Meta);
pub(crate) const EVENTS: Table<Event> = Table::new(Space::Log);
pub(crate) const EXPORTS: Table<Export> = Table::new(Space::Index);
pub(crate) const STEPS: Table<Step> = Table::new(Space::Meta);
pub(crate) const BEFORE: Table<Before> = Table::new(Space::Meta);

macro_rules! records {
    ($($record:ty: $kind:literal $version:literal),* $(,)?) => {$(
        impl Record for $record {
            const KIND: &str = $kind;
            const VERSION: u8 = $version;

            /// Second versions are the first ones and fields that may be missing.
            fn migrate(version: u8, body: &[u8]) -> Result<Self, StoreError> {
                match version < Self::VERSION {
                    true => Self::read(Self::VERSION, body),
                    false => Err(StoreError::Corrupt(format!("{} of version {version}", Self::KIND))),
                }
            }
        }
    )*};
}

records!(
    Stack: "cloudformation.stack" 2,
    Named: "cloudformation.stack.named" 1,
    StackResource: "cloudformation.resource" 2,
    ChangeSet: "cloudformation.change-set" 2,
    Event: "cloudformation.event" 2,
    Export: "cloudformation.export" 1,
    Step: "cloudformation.step" 1,
    Before: "cloudformation.before" 1,
);

/// Whose stacks are meant.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) account: AccountId,
    pub(crate) region: Region,
}

impl Place {
    pub(crate) fn of(cx: &Context) -> Self {
        Self { account: cx.account, region: cx.region.clone() }
    }

    fn prefix<R: Record>(&self, table: &Table<R>) -> Key {
        table.key().text(self.account.as_str()).text(self.region.as_str()).done()
    }

    pub(crate) fn stacks(&self) -> Key {
        self.prefix(&STACKS)
    }

    pub(crate) fn stack(&self, id: &str) -> Key {
        KeyBuilder::under(&self.stacks()).text(id).done()
    }

    pub(crate) fn name(&self, name: &str) -> Key {
        KeyBuilder::under(&self.prefix(&NAMED)).text(name).done()
    }

    pub(crate) fn exports(&self) -> Key {
        self.prefix(&EXPORTS)
    }

    pub(crate) fn export(&self, name: &str) -> Key {
        KeyBuilder::under(&self.exports()).text(name).done()
    }
}

/// Something that belongs to a stack: the prefix of all, or one of them.
pub(crate) fn of_stack<R: Record>(table: &Table<R>, stack: &str) -> Key {
    table.key().text(stack).done()
}

pub(crate) fn in_stack<R: Record>(table: &Table<R>, stack: &str, name: &str) -> Key {
    KeyBuilder::under(&of_stack(table, stack)).text(name).done()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_of_the_first_version_is_settled() {
        let stored =
            br#"{"logical":"G","kind":"AWS::Logs::LogGroup","physical":"g","reference":"g","attributes":{},
            "properties":{},"status":"CREATE_COMPLETE","reason":null,"retain":false,"retain_replaced":false,
            "changed":"2026-11-22T00:00:00Z"}"#;
        let resource = StackResource::decode(&[&[1][..], stored].concat()).unwrap();
        assert_eq!((resource.physical.as_str(), resource.unsettled.is_some()), ("g", false));
        assert!(StackResource::decode(&[&[3][..], stored].concat()).is_err());
    }
}
