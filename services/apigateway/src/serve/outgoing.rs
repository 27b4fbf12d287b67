//! An integration's request: its parameters, and the address that they make.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::expression::{Expression, Origin, encoded};
use super::proxy::with_variables;
use super::template::{self, Overrides};
use crate::table::{Integration, Texts};

/// Where the parameters of an integration's request have their values from.
#[derive(Default)]
pub(crate) struct Parameters(Vec<(Place, String, Expression)>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Header,
    Query,
    Path,
}

/// What an integration is sent, before it is known how.
#[derive(Default)]
pub(crate) struct Outgoing {
    pub(crate) headers: HeaderMap,
    pub(crate) query: Vec<(String, String)>,
    /// Variables of the address, percent-encoded.
    pub(crate) path: BTreeMap<String, String>,
    pub(crate) body: Bytes,
}

impl Parameters {
    /// What was kept was checked.
    pub(crate) fn new(integration: &Integration) -> Self {
        let read = |(name, value): (&String, &String)| {
            let (place, name) = name.strip_prefix("integration.request.")?.split_once('.')?;
            let place = match place {
                "header" => Place::Header,
                "querystring" => Place::Query,
                _ => Place::Path,
            };
            Some((place, name.to_owned(), Expression::of_request(value)?))
        };
        Self(integration.request_parameters.iter().filter_map(read).collect())
    }

    /// Puts the values on a request, in the place of those that are there. What has no value is left out.
    pub(crate) fn put_on(&self, outgoing: &mut Outgoing, origin: &Origin<'_>) {
        for (place, name, expression) in &self.0 {
            let values = expression.all(origin);
            match place {
                Place::Header => set_header(&mut outgoing.headers, name, &values),
                Place::Path => {
                    let is_greedy =
                        matches!(expression, Expression::Path(from) if Some(from.as_str()) == origin.greedy);
                    let value = values.first().map(|value| encoded(value, is_greedy).into_owned());
                    outgoing.path.extend(value.map(|value| (name.clone(), value)));
                }
                Place::Query => {
                    outgoing.query.retain(|(own, _)| own != name);
                    outgoing.query.extend(values.into_iter().map(|value| (name.clone(), value)));
                }
            }
        }
    }
}

fn set_header(headers: &mut HeaderMap, name: &str, values: &[String]) {
    let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { return };
    if !values.is_empty() {
        headers.remove(&name);
    }
    for value in values.iter().filter_map(|value| HeaderValue::from_str(value).ok()) {
        headers.append(&name, value);
    }
}

impl Outgoing {
    /// What a template has set counts more than what is mapped.
    pub(crate) fn override_by(&mut self, overrides: &Overrides) {
        template::put_on(&overrides.headers, &mut self.headers);
        for (name, value) in &overrides.query {
            self.query.retain(|(own, _)| own != name);
            self.query.push((name.clone(), value.clone()));
        }
        let path = overrides.path.iter();
        self.path.extend(path.map(|(name, value)| (name.clone(), encoded(value, false).into_owned())));
    }

    /// An address with the stage's variables, and the path's, in their places, and the query string behind it.
    pub(crate) fn address(&self, uri: &str, variables: &Texts) -> String {
        let mut address = with_variables(uri, variables);
        for (name, value) in &self.path {
            address = address.replace(&format!("{{{name}}}"), value);
        }
        let query = self.query();
        if !query.is_empty() {
            address.push(if address.contains('?') { '&' } else { '?' });
            address.push_str(&query);
        }
        address
    }

    /// The query string.
    pub(crate) fn query(&self) -> String {
        let pair =
            |(name, value): &(String, String)| format!("{}={}", encoded(name, false), encoded(value, false));
        self.query.iter().map(pair).collect::<Vec<_>>().join("&")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_all_its_variables() {
        let outgoing = Outgoing {
            query: vec![("a b".into(), "1&2".into())],
            path: BTreeMap::from([("id".into(), "x%2F..%2Fy".into()), ("q".into(), "a/b".into())]),
            ..Outgoing::default()
        };
        let variables = Texts::from([("host".to_owned(), "h".to_owned())]);
        let address = outgoing.address("http://${stageVariables.host}/{id}/{q}?z=1", &variables);
        assert_eq!(address, "http://h/x%2F..%2Fy/a/b?z=1&a%20b=1%262");
    }
}
