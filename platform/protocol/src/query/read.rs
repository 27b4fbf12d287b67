//! Reads values from a form: `Tags.member.1.Key=a`.
//!
//! Source: <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use pagoda_base::Timestamp;

use crate::ApiError;
use crate::check::{Checks, Seen};
use crate::schema::{Member, TimestampFormat};
use crate::shape::{EachElement, EachEntry, EachMember, Reader};
use crate::text::TextReader;

/// How many parameters a form may have. AWS's own limits on lists are far below.
const PARAMETERS_MAX: usize = 20_000;

/// The parameters of a form, sorted by name.
pub(crate) struct Form<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Form<'a> {
    /// The parameters of `text` but those that belong to the protocol itself.
    pub(crate) fn parse(text: &'a str) -> Result<Self, ApiError> {
        let mut parameters = Vec::new();
        for (name, value) in super::pairs(text) {
            if parameters.len() >= PARAMETERS_MAX {
                let message = format!("More than {PARAMETERS_MAX} parameters");
                return Err(ApiError::new("MalformedInput", 400, message));
            }
            if !is_of_protocol(&name) {
                parameters.push((name, value));
            }
        }
        parameters.sort_by(|left, right| left.0.cmp(&right.0));
        Ok(Self(parameters))
    }

    fn value(&self, name: &str) -> Option<&str> {
        let end = self.0.partition_point(|(known, _)| known.as_ref() <= name);
        let (known, value) = self.0.get(end.checked_sub(1)?)?;
        (known == name).then_some(value.as_ref())
    }

    /// The parameters whose names begin with `prefix`, with what follows it.
    fn under<'f>(&'f self, prefix: &'f str) -> impl Iterator<Item = &'f str> {
        let start = self.0.partition_point(|(name, _)| name.as_ref() < prefix);
        self.0[start..].iter().map_while(move |(name, _)| name.strip_prefix(prefix))
    }

    fn has(&self, name: &str) -> bool {
        self.value(name).is_some() || self.under(&format!("{name}.")).next().is_some()
    }
}

fn is_of_protocol(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    matches!(
        name,
        "Action" | "Version" | "AWSAccessKeyId" | "SignatureMethod" | "SignatureVersion" | "Timestamp"
    ) || matches!(name, "Signature" | "SecurityToken" | "Expires")
        || lower.starts_with("x-amz-")
}

/// A reader at the parameters that begin with a name.
pub(crate) struct QueryReader<'a> {
    form: &'a Form<'a>,
    /// Empty at the root.
    name: String,
    place: Member,
    checks: &'a mut Checks,
}

fn malformed(place: &Member, text: &str) -> ApiError {
    let message = format!("'{text}' is not a valid {} for parameter {}", place.target.name, place.name);
    ApiError::new("MalformedInput", 400, message)
}

impl<'a> QueryReader<'a> {
    /// At the root of `form`.
    pub(crate) fn new(form: &'a Form<'a>, place: Member, checks: &'a mut Checks) -> Self {
        Self { form, name: String::new(), place, checks }
    }

    fn below(&self, part: &str) -> String {
        if self.name.is_empty() { part.to_owned() } else { format!("{}.{part}", self.name) }
    }

    fn nested(&mut self, name: String, place: Member) -> QueryReader<'_> {
        QueryReader { form: self.form, name, place, checks: self.checks }
    }

    fn refuse_unknown(&self) -> Result<(), ApiError> {
        let prefix = if self.name.is_empty() { String::new() } else { format!("{}.", self.name) };
        for rest in self.form.under(&prefix) {
            let part = rest.split('.').next().unwrap_or(rest);
            if !self.place.target.members.iter().any(|member| member.wire == part) {
                return Err(self.checks.not_implemented(part));
            }
        }
        Ok(())
    }

    /// The names of a list's elements or a map's entries, in the order of their numbers.
    fn numbered(&self, part: &str) -> Result<Vec<String>, ApiError> {
        let base = if self.place.is_flattened() { self.name.clone() } else { self.below(part) };
        let prefix = format!("{base}.");
        let mut numbers = BTreeMap::new();
        for rest in self.form.under(&prefix) {
            let part = rest.split('.').next().unwrap_or(rest);
            let number: u32 = part.parse().map_err(|_| malformed(&self.place, &format!("{prefix}{rest}")))?;
            numbers.insert(number, format!("{prefix}{part}"));
        }
        // Anything else below the list's name would be read by nobody.
        let strays = self.form.under(&self.name).filter(|rest| rest.starts_with('.'));
        let inside = &prefix[self.name.len()..];
        match strays.into_iter().find(|rest| !rest.starts_with(inside)) {
            Some(stray) => Err(malformed(&self.place, &format!("{}{stray}", self.name))),
            None => Ok(numbers.into_values().collect()),
        }
    }

    fn as_text<T>(
        &mut self,
        read: impl FnOnce(&mut TextReader<'_>) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let Some(text) = self.form.value(&self.name) else {
            return Err(malformed(&self.place, &self.name));
        };
        let texts = [text];
        read(&mut TextReader::new(&texts, self.place, TimestampFormat::DateTime, self.checks, malformed))
    }
}

impl Reader for QueryReader<'_> {
    fn structure(&mut self, each: EachMember<'_>) -> Result<(), ApiError> {
        self.refuse_unknown()?;
        let schema = self.place.target;
        let mut seen = Seen::default();
        for (index, member) in schema.members.iter().enumerate() {
            let name = self.below(member.wire);
            if self.form.has(&name) {
                seen.note(index);
                self.checks.enter_member(member)?;
                each(index, &mut self.nested(name, *member))?;
                self.checks.leave();
            }
        }
        self.checks.required(schema, &seen, |_| true);
        Ok(())
    }

    fn list(&mut self, each: EachElement<'_>) -> Result<(), ApiError> {
        let place = self.place;
        let element = *place.target.element.ok_or_else(ApiError::internal)?;
        let names = self.numbered(element.wire)?;
        let count = names.len();
        for (index, name) in names.into_iter().enumerate() {
            self.checks.enter_element(index)?;
            each(&mut self.nested(name, element))?;
            self.checks.leave();
        }
        self.checks.length(&place, count, "[]");
        Ok(())
    }

    fn map(&mut self, each: EachEntry<'_>) -> Result<(), ApiError> {
        let place = self.place;
        let (Some(key), Some(value)) = (place.target.key, place.target.element) else {
            return Err(ApiError::internal());
        };
        let names = self.numbered("entry")?;
        let count = names.len();
        for name in names {
            let key =
                self.form.value(&format!("{name}.{}", key.wire)).ok_or_else(|| malformed(&place, &name))?;
            let key = key.to_owned();
            self.checks.key(place.target, &key);
            self.checks.enter_entry(&key)?;
            each(key, &mut self.nested(format!("{name}.{}", value.wire), *value))?;
            self.checks.leave();
        }
        self.checks.length(&place, count, "{}");
        Ok(())
    }

    fn string(&mut self) -> Result<String, ApiError> {
        self.as_text(|reader| reader.string())
    }

    fn integer(&mut self) -> Result<i64, ApiError> {
        self.as_text(|reader| reader.integer())
    }

    fn float(&mut self) -> Result<f64, ApiError> {
        self.as_text(|reader| reader.float())
    }

    fn boolean(&mut self) -> Result<bool, ApiError> {
        self.as_text(|reader| reader.boolean())
    }

    fn blob(&mut self) -> Result<Bytes, ApiError> {
        self.as_text(|reader| reader.blob())
    }

    fn timestamp(&mut self) -> Result<Timestamp, ApiError> {
        self.as_text(|reader| reader.timestamp())
    }

    fn violate(&mut self, value: Option<&str>, constraint: &str) {
        self.checks.violate(value, constraint);
    }
}
