//! The actions of a transaction: read from the request, authorized, and decided on what there is.

use std::sync::Arc;

use bytes::Bytes;
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_store::Key;

use crate::access::Ask;
use crate::expression::{Condition, Expected, Scope, Update};
use crate::generated as g;
use crate::known::Open;
use crate::update_item::keeps_key;
use crate::value::Item;
use crate::write::Next;
use crate::{DynamoDb, codec, item, key};

const PUT_TOO_LARGE: &str = "Item size has exceeded the maximum allowed size";
const UPDATE_TOO_LARGE: &str = "Item size to update has exceeded the maximum allowed size";

/// One action.
pub(crate) struct Action<'a> {
    pub(crate) table: Arc<Open>,
    pub(crate) row: Result<Key, ApiError>,
    pub(crate) on_failure: Option<g::ReturnValuesOnConditionCheckFailure>,
    condition: Option<Condition<'a>>,
    change: Change<'a>,
}

/// What becomes of the item.
enum Change<'a> {
    Check,
    Put(Bytes),
    Delete,
    Update(&'a Item, Option<Update<'a>>),
}

/// What all kinds of actions have.
struct Common<'a> {
    action: &'static str,
    table: &'a str,
    /// The item or key that is named.
    named: &'a Item,
    condition: Option<&'a str>,
    update: Option<&'a str>,
    names: Option<&'a std::collections::BTreeMap<String, String>>,
    values: Option<&'a Item>,
    on_failure: Option<g::ReturnValuesOnConditionCheckFailure>,
}

macro_rules! common {
    ($action:literal, $of:expr, $named:expr, $condition:expr, $update:expr) => {
        Common {
            action: $action,
            table: &$of.table_name,
            named: $named,
            condition: $condition,
            update: $update,
            names: $of.expression_attribute_names.as_ref(),
            values: $of.expression_attribute_values.as_ref(),
            on_failure: $of.return_values_on_condition_check_failure,
        }
    };
}

impl<'a> Action<'a> {
    /// Reads and authorizes an action.
    ///
    /// # Errors
    /// For what is wrong whatever the item is; a wrong key is in [`Action::row`].
    pub(crate) async fn prepare(
        dynamodb: &DynamoDb,
        cx: &Context,
        wanted: &'a g::TransactWriteItem,
    ) -> Result<Self, ApiError> {
        let condition = |text: &'a Option<String>| text.as_deref();
        match (&wanted.condition_check, &wanted.put, &wanted.delete, &wanted.update) {
            (Some(check), None, None, None) => {
                let text = Some(check.condition_expression.as_str());
                let common = common!("dynamodb:ConditionCheckItem", check, &check.key, text, None);
                common.admit(dynamodb, cx, |_| Change::Check).await
            }
            (None, Some(put), None, None) => {
                let text = condition(&put.condition_expression);
                let common = common!("dynamodb:PutItem", put, &put.item, text, None);
                let mut action =
                    common.admit(dynamodb, cx, |_| Change::Put(codec::encode(&put.item))).await?;
                let checked = item::check(&put.item, PUT_TOO_LARGE);
                action.row = checked.and_then(|_| action.table.row_in(&put.item));
                Ok(action)
            }
            (None, None, Some(delete), None) => {
                let text = condition(&delete.condition_expression);
                let common = common!("dynamodb:DeleteItem", delete, &delete.key, text, None);
                common.admit(dynamodb, cx, |_| Change::Delete).await
            }
            (None, None, None, Some(update)) => {
                let text = condition(&update.condition_expression);
                let expression = Some(update.update_expression.as_str());
                let common = common!("dynamodb:UpdateItem", update, &update.key, text, expression);
                common.admit(dynamodb, cx, |parsed| Change::Update(&update.key, parsed)).await
            }
            _ => Err(ApiError::validation(
                "TransactItems can only contain one of Check, Put, Update or Delete",
            )),
        }
    }

    /// What becomes of the item, and how it is afterwards.
    ///
    /// # Errors
    /// The reason for which the transaction is cancelled.
    pub(crate) fn decide(&self, old: Option<&Item>) -> Result<Next, ApiError> {
        item::require(self.condition.as_ref(), old, None)?;
        Ok(match &self.change {
            Change::Check => Next::Keep,
            Change::Put(bytes) => Next::Put(bytes.clone()),
            Change::Delete if old.is_some() => Next::Delete,
            Change::Delete => Next::Keep,
            Change::Update(key, update) => {
                let base = old.unwrap_or(key);
                let new = update.as_ref().map_or_else(|| Ok((*base).clone()), |update| update.apply(base))?;
                item::check(&new, UPDATE_TOO_LARGE)?;
                Next::Put(codec::encode(&new))
            }
        })
    }
}

impl<'a> Common<'a> {
    async fn admit(
        self,
        dynamodb: &DynamoDb,
        cx: &Context,
        change: impl FnOnce(Option<Update<'a>>) -> Change<'a>,
    ) -> Result<Action<'a>, ApiError> {
        let any = self.condition.is_some() || self.update.is_some();
        let expected = Expected { any, with_values: any, missing: "ConditionExpression is null" };
        let mut scope = Scope::new(self.names, self.values, &expected)?;
        let update = Update::parse(self.update, &mut scope)?;
        let condition = Condition::parse("ConditionExpression", self.condition, &mut scope)?;
        let mut attributes = scope.finish()?;
        attributes.extend(self.named.keys().map(String::as_str));
        let ask = Ask {
            action: self.action,
            attributes: attributes.into_iter().collect(),
            enclosing: Some("TransactWriteItems"),
            ..Ask::default()
        };
        let table = dynamodb.admit(cx, self.table, &ask, |table| key::leading(table, [self.named])).await?;
        let row = keeps_key(update.as_ref(), &table).and_then(|()| table.row_of(self.named));
        Ok(Action { table, row, on_failure: self.on_failure, condition, change: change(update) })
    }
}
