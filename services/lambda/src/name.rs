//! How requests name functions: by name, by partial ARN, by ARN, each with or without a qualifier.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html>

use pagoda_base::{AccountId, Arn, Region};
use pagoda_protocol::ApiError;
use pagoda_service::Context;

use crate::generated as g;

/// The version that is the function's own.
pub(crate) const LATEST: &str = "$LATEST";

/// A function's identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct FunctionId {
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    pub(crate) name: String,
}

/// A version's identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct VersionId {
    pub(crate) function: FunctionId,
    /// `$LATEST`, or a number.
    pub(crate) number: String,
}

/// What a qualifier names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Qualifier<'a> {
    Latest,
    Number(u64),
    Alias(&'a str),
}

/// A function as a request names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) function: FunctionId,
    pub(crate) qualifier: Option<String>,
}

impl FunctionId {
    /// The ARN without a qualifier.
    pub(crate) fn arn(&self) -> String {
        Arn::regional("lambda", &self.region, self.account, format!("function:{}", self.name)).to_string()
    }

    /// The ARN of a version or alias.
    pub(crate) fn qualified_arn(&self, qualifier: &str) -> String {
        format!("{}:{qualifier}", self.arn())
    }
}

impl Named {
    /// The ARN, with the qualifier that was given.
    pub(crate) fn arn(&self) -> String {
        match &self.qualifier {
            Some(qualifier) => format!("{}:{qualifier}", self.function.arn()),
            None => self.function.arn(),
        }
    }

    /// The same with the qualifier that came beside the name.
    pub(crate) fn qualified(mut self, qualifier: Option<&str>) -> Result<Self, ApiError> {
        match (&self.qualifier, qualifier) {
            (Some(present), Some(given)) if present != given => {
                let message =
                    "The derived qualifier from the function name does not match the specified qualifier.";
                Err(g::InvalidParameterValueException::new(message).into())
            }
            (None, Some(given)) => {
                self.qualifier = Some(given.to_owned());
                Ok(self)
            }
            _ => Ok(self),
        }
    }

    /// What the qualifier means.
    pub(crate) fn qualifier(&self) -> Qualifier<'_> {
        match self.qualifier.as_deref() {
            None | Some(LATEST) => Qualifier::Latest,
            Some(text) => text.parse().map_or(Qualifier::Alias(text), Qualifier::Number),
        }
    }
}

/// `ResourceNotFoundException` for the function or version with this ARN.
pub(crate) fn missing(arn: &str) -> ApiError {
    g::ResourceNotFoundException::new(format!("Function not found: {arn}")).into()
}

/// The function that an ARN names, with or without a qualifier.
pub(crate) fn function_of(arn: &str) -> Option<FunctionId> {
    let parsed: Arn = arn.parse().ok()?;
    read(arn, parsed.account_id()?, &parsed.region.parse().ok()?).map(|named| named.function)
}

/// Reads a `FunctionName`: `f`, `f:q`, `123456789012:f`, `123456789012:function:f:q`, or an ARN.
pub(crate) fn parse(cx: &Context, text: &str) -> Result<Named, ApiError> {
    read(text, cx.account, &cx.region).ok_or_else(|| {
        let message = format!("The function name '{text}' is neither a name nor a partial or full ARN.");
        g::InvalidParameterValueException::new(message).into()
    })
}

/// [`parse`], with the qualifier that came beside it.
pub(crate) fn parse_qualified(cx: &Context, text: &str, qualifier: Option<&str>) -> Result<Named, ApiError> {
    parse(cx, text)?.qualified(qualifier)
}

fn read(text: &str, account: AccountId, region: &Region) -> Option<Named> {
    if text.starts_with("arn:") {
        let arn: Arn = text.parse().ok()?;
        let account = arn.account_id()?;
        let region: Region = arn.region.parse().ok()?;
        let rest = arn.resource.strip_prefix("function:").filter(|_| arn.service == "lambda")?;
        return of_parts(&rest.split(':').collect::<Vec<_>>(), account, region);
    }
    let parts: Vec<&str> = text.split(':').collect();
    match parts.as_slice() {
        [number, "function", rest @ ..] => of_parts(rest, number.parse().ok()?, region.clone()),
        ["function", rest @ ..] if !rest.is_empty() => of_parts(rest, account, region.clone()),
        [number, rest @ ..] if !rest.is_empty() && number.parse::<AccountId>().is_ok() => {
            of_parts(rest, number.parse().ok()?, region.clone())
        }
        _ => of_parts(&parts, account, region.clone()),
    }
}

fn of_parts(parts: &[&str], account: AccountId, region: Region) -> Option<Named> {
    let (name, qualifier) = match parts {
        [name] => (name, None),
        [name, qualifier] if is_qualifier(qualifier) => (name, Some((*qualifier).to_owned())),
        _ => return None,
    };
    let lawful = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let valid = (1..=64).contains(&name.len()) && name.bytes().all(lawful);
    valid.then(|| Named { function: FunctionId { account, region, name: (*name).to_owned() }, qualifier })
}

fn is_qualifier(text: &str) -> bool {
    let lawful = |b: u8| b.is_ascii_alphanumeric() || b"$-_".contains(&b);
    (1..=128).contains(&text.len()) && text.bytes().all(lawful)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        let account = "123456789012".parse().unwrap();
        let found = read(text, account, &"us-east-1".parse().unwrap());
        assert_eq!(found.map(|named| named.arn()).as_deref(), expected, "{text}");
    }

    #[test]
    fn functions_are_named_in_each_form() {
        let plain = "arn:aws:lambda:us-east-1:123456789012:function:f";
        check("f", Some(plain));
        check("function", Some("arn:aws:lambda:us-east-1:123456789012:function:function"));
        check("f:$LATEST", Some("arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST"));
        check("123456789012:f", Some(plain));
        check("123456789012:function:f", Some(plain));
        check("function:f", Some(plain));
        check(plain, Some(plain));
        check(
            "arn:aws:lambda:eu-west-1:210987654321:function:g:7",
            Some("arn:aws:lambda:eu-west-1:210987654321:function:g:7"),
        );
    }

    #[test]
    fn what_names_no_function_is_refused() {
        for text in
            ["", "a b", "f:", ":f", "f:1:2", "*", "arn:aws:s3:::b", "arn:aws:lambda:us-east-1::function:f"]
        {
            check(text, None);
        }
        check(&"f".repeat(65), None);
    }
}
