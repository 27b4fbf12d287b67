//! `AWS::Serverless::SimpleTable` becomes a table with one key.

use serde_json::{Value, json};

use super::globals::Globals;
use super::{Sam, check_properties};
use crate::template::Checked;

const PROPERTIES: [&str; 5] =
    ["PrimaryKey", "ProvisionedThroughput", "TableName", "Tags", "SSESpecification"];

impl Sam {
    pub(crate) fn simple_table(&mut self, name: &str, resource: &Value) -> Checked<()> {
        let properties = Globals::under(self.globals.simple_table(), resource)?;
        check_properties(name, &properties, &PROPERTIES)?;
        let key =
            |field: &str| properties.get("PrimaryKey").and_then(|key| key.get(field)).and_then(Value::as_str);
        let kind = match key("Type").unwrap_or("String") {
            "Number" => "N",
            "Binary" => "B",
            _ => "S",
        };
        let key = key("Name").unwrap_or("id");
        let mut table = json!({
            "AttributeDefinitions": [{ "AttributeName": key, "AttributeType": kind }],
            "KeySchema": [{ "AttributeName": key, "KeyType": "HASH" }],
        });
        match properties.get("ProvisionedThroughput") {
            Some(throughput) => table["ProvisionedThroughput"] = throughput.clone(),
            None => table["BillingMode"] = json!("PAY_PER_REQUEST"),
        }
        for field in ["TableName", "SSESpecification"] {
            if let Some(value) = properties.get(field) {
                table[field] = value.clone();
            }
        }
        if let Some(Value::Object(tags)) = properties.get("Tags") {
            table["Tags"] = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
        }
        self.add(name, "AWS::DynamoDB::Table", table, resource);
        Ok(())
    }
}
