//! Where a table is: its account, region and name, from a name or an ARN.

use pagoda_base::{AccountId, Arn, Region};
use pagoda_protocol::ApiError;
use pagoda_service::Context;

/// A table's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    pub(crate) name: String,
}

impl Place {
    /// The place that `table` names: a name of the caller's account and region, or an ARN.
    ///
    /// # Errors
    /// `ValidationException` when it is neither.
    pub(crate) fn of(cx: &Context, table: &str) -> Result<Self, ApiError> {
        if !table.starts_with("arn:") {
            check(table)?;
            return Ok(Self { account: cx.account, region: cx.region.clone(), name: table.to_owned() });
        }
        let invalid = || {
            ApiError::validation(format!("Invalid TableArn: Invalid ResourceArn provided as input {table}"))
        };
        let arn: Arn = table.parse().map_err(|_| invalid())?;
        let name =
            arn.resource.strip_prefix("table/").filter(|_| arn.service == "dynamodb").ok_or_else(invalid)?;
        check(name)?;
        let account = arn.account_id().ok_or_else(invalid)?;
        let region = arn.region.parse().map_err(|_| invalid())?;
        Ok(Self { account, region, name: name.to_owned() })
    }

    /// The table's ARN.
    pub(crate) fn arn(&self) -> String {
        Arn::regional("dynamodb", &self.region, self.account, format!("table/{}", self.name)).to_string()
    }
}

/// The account that an ARN names, or the caller's.
pub(crate) fn owner(cx: &Context, resource: &str) -> AccountId {
    resource.parse::<Arn>().ok().and_then(|arn| arn.account_id()).unwrap_or(cx.account)
}

/// The rules for names; the model has them only for the answers.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>
fn check(name: &str) -> Result<(), ApiError> {
    let lawful = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if !(3..=255).contains(&name.len()) {
        let message = "TableName must be at least 3 characters long and at most 255 characters long";
        return Err(ApiError::validation(message));
    }
    if !name.bytes().all(lawful) {
        return Err(ApiError::validation(format!(
            "1 validation error detected: Value '{name}' at 'tableName' failed to satisfy constraint: Member must \
             satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
        )));
    }
    Ok(())
}
