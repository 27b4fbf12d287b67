//! What a service's own files say about its generated code: which operations, what is refused, what is
//! written by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use regex::Regex;
use serde::Deserialize;

use crate::Outcome;

/// `services/<x>/api.toml`, and the table of operations in its `src/lib.rs`.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Api {
    /// The operations, until `src/lib.rs` has its table, which then counts alone.
    pub(crate) operations: BTreeSet<String>,
    /// By operation or by shape: members that are answered with 501 by name.
    pub(crate) refused: BTreeMap<String, Vec<String>>,
    /// By shape: the path of the hand-written type that takes its place.
    pub(crate) custom: BTreeMap<String, String>,
    /// Enumerations that are any text here, because the service knows more values than the model, or
    /// answers unknown ones in its own way.
    pub(crate) open: BTreeSet<String>,
    /// By operation: the root element of the answer, where it is not the shape's name (restXml).
    pub(crate) output_roots: BTreeMap<String, String>,
    /// The code of requests that break a constraint, where it is not the protocol's usual one.
    pub(crate) validation_code: Option<String>,
    /// The namespace of answers, where the model leaves it out.
    pub(crate) xml_namespace: Option<String>,
    /// What precedes `#` in `__type`.
    pub(crate) error_namespace: String,
}

impl Api {
    /// Reads the files of the service in `folder`.
    pub(crate) fn load(folder: &Path) -> Outcome<Self> {
        let path = folder.join("api.toml");
        let mut api =
            if path.exists() { toml::from_str(&fs::read_to_string(path)?)? } else { Self::default() };
        let table = listed(&fs::read_to_string(folder.join("src/lib.rs"))?);
        if !table.is_empty() {
            api.operations = table;
        }
        Ok(api)
    }
}

/// The names in the `operations!(…)` table of `source`.
fn listed(source: &str) -> BTreeSet<String> {
    let line = Regex::new(r"^\s*([A-Z][A-Za-z0-9]*)\s*=>").expect("a constant pattern");
    let table = source.lines().skip_while(|line| !line.trim_start().starts_with("operations!"));
    let rows = table.take_while(|line| !line.starts_with('}') && !line.starts_with(')'));
    rows.filter_map(|row| Some(line.captures(row)?[1].to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_operations_is_read_from_the_source() {
        let source = "struct S;\noperations!(Sqs {\n    CreateQueue => queue::create, on queue::named;\n    \
                      // Other => no\n    ListQueues   => queue::list, on all;\n});\nmatch x { Foo => 1 }";
        assert_eq!(listed(source), BTreeSet::from(["CreateQueue".into(), "ListQueues".into()]));
        assert!(listed("match x {\n Foo => 1 }").is_empty());
    }
}
