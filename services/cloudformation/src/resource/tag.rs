//! Tags of a stack's resources: the template's, the stack's, and three that say what made the resource.
//!
//! The three are what makes a crash harmless: they come to be with the resource, in the same commit, and
//! nobody but CloudFormation can set them.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html>

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Calls, Done, Failure, Kind, items};
use crate::template::Object;

/// What the resource belongs to: the stack, and its own name there.
pub(crate) struct Origin<'a> {
    pub(crate) stack_name: &'a str,
    pub(crate) stack_id: &'a str,
    pub(crate) logical: &'a str,
    /// Tags of the stack, which its resources share.
    pub(crate) stack_tags: &'a BTreeMap<String, String>,
}

/// Tags by key.
type Tags = BTreeMap<String, Value>;

fn of(properties: &Object) -> Tags {
    let tag = |tag: &Value| {
        Some((tag.get("Key")?.as_str()?.to_owned(), tag.get("Value").cloned().unwrap_or_else(|| json!(""))))
    };
    items(properties, "Tags").iter().filter_map(tag).collect()
}

impl Origin<'_> {
    /// Puts the tags into the properties of a resource of this kind, if it can have any.
    pub(crate) fn mark(&self, kind: &dyn Kind, properties: &mut Object) -> Done<()> {
        let Some(prefix) = kind.mark() else { return Ok(()) };
        let shown = kind.properties().contains(&"Tags");
        // What is no list of tags is the operation's to refuse.
        if properties.get("Tags").is_some_and(|tags| !shown || !tags.is_array()) {
            return Ok(());
        }
        let given = of(properties);
        if given.keys().any(|key| key.to_ascii_lowercase().starts_with("aws:")) {
            return Err(Failure("aws: prefixed tag key names are not allowed for external use.".into()));
        }
        let mut tags: Tags = match shown {
            true => self.stack_tags.iter().map(|(key, value)| (key.clone(), json!(value))).collect(),
            false => Tags::new(),
        };
        tags.extend(given);
        for (name, value) in self.marks() {
            tags.insert(format!("{prefix}{name}"), json!(value));
        }
        let tags = tags.into_iter().map(|(key, value)| json!({ "Key": key, "Value": value }));
        properties.insert("Tags".into(), tags.collect());
        Ok(())
    }

    fn marks(&self) -> [(&str, &str); 3] {
        [("stack-name", self.stack_name), ("stack-id", self.stack_id), ("logical-id", self.logical)]
    }
}

/// Whether something that bears `tags` was made as the resource with these properties: the same stack's, by
/// the same name there. Tags come as a list or as a map.
pub(crate) fn is_marked(kind: &dyn Kind, properties: &Object, tags: &Value) -> bool {
    let Some(prefix) = kind.mark() else { return false };
    let wanted = of(properties);
    let has = |key: &str, value: &Value| match tags {
        Value::Object(tags) => tags.get(key) == Some(value),
        Value::Array(tags) => tags.iter().any(|tag| tag["Key"] == key && tag["Value"] == *value),
        _ => false,
    };
    ["stack-id", "logical-id"].iter().all(|name| {
        let key = format!("{prefix}{name}");
        wanted.get(&key).is_some_and(|value| has(&key, value))
    })
}

/// The tags as the map that some operations take.
pub(crate) fn map(properties: &Object) -> Value {
    let tags = of(properties);
    if tags.is_empty() { Value::Null } else { tags.into_iter().collect() }
}

/// How a service is told of other tags.
pub(crate) struct Retag<'a> {
    pub(crate) service: &'a str,
    /// The operation that sets tags, and the one that removes them.
    pub(crate) operations: [&'a str; 2],
    /// The members that name what bears the tags.
    pub(crate) of: Value,
    /// The members that take tags, and keys.
    pub(crate) members: [&'a str; 2],
    /// Whether tags are a map.
    pub(crate) as_map: bool,
}

impl Retag<'_> {
    /// Moves tags from `old` properties to `new` ones.
    pub(crate) async fn run(&self, calls: &Calls<'_>, old: &Object, new: &Object) -> Done<()> {
        let (before, after) = (of(old), of(new));
        let removed: Vec<&String> = before.keys().filter(|key| !after.contains_key(*key)).collect();
        if !removed.is_empty() {
            self.call(calls, 1, json!(removed)).await?;
        }
        if !after.is_empty() && before != after {
            let tags = if self.as_map { map(new) } else { json!(items(new, "Tags")) };
            self.call(calls, 0, tags).await?;
        }
        Ok(())
    }

    async fn call(&self, calls: &Calls<'_>, which: usize, value: Value) -> Done<()> {
        let mut input = self.of.clone();
        input[self.members[which]] = value;
        calls.call(self.service, self.operations[which], input).await?;
        Ok(())
    }
}
