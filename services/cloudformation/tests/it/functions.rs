//! A stand-in for Lambda: it answers what the resource types of Lambda ask, and remembers what it was asked.

use std::sync::Mutex;

use pagoda_protocol::ApiError;
use serde_json::{Value, json};

const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:f";
const LAYER: &str = "arn:aws:lambda:us-east-1:123456789012:layer:l";

/// What there is of one function and one layer.
#[derive(Default)]
pub(crate) struct Functions {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    asked: Vec<(String, Value)>,
    versions: u64,
    layers: Vec<u64>,
    published: u64,
    /// The alias, the URL and the event configuration, by the operation's noun.
    kept: std::collections::BTreeMap<&'static str, Value>,
    /// How often a version still is `Pending` when it is looked at.
    pending: u32,
    fails: bool,
    unchanged: bool,
}

impl Functions {
    /// New versions take a while.
    pub(crate) fn be_slow(&self, looks: u32) {
        self.state.lock().unwrap().pending = looks;
    }

    /// New versions come to nothing.
    pub(crate) fn fail(&self) {
        self.state.lock().unwrap().fails = true;
    }

    /// The function is what its newest version is.
    pub(crate) fn stay(&self) {
        self.state.lock().unwrap().unchanged = true;
    }

    /// The inputs of all calls of an operation.
    pub(crate) fn asked(&self, operation: &str) -> Vec<Value> {
        let state = self.state.lock().unwrap();
        state.asked.iter().filter(|(name, _)| name == operation).map(|(_, input)| input.clone()).collect()
    }

    pub(crate) fn call(&self, operation: &str, input: Value) -> Result<Value, ApiError> {
        let mut state = self.state.lock().unwrap();
        state.asked.push((operation.to_owned(), input.clone()));
        let noun = ["FunctionEventInvokeConfig", "FunctionUrlConfig", "Alias"];
        if let Some(noun) = noun.into_iter().find(|noun| operation.ends_with(noun)) {
            return state.record(operation.trim_end_matches(noun), noun, input);
        }
        let version = |number: u64| json!({ "Version": number.to_string(), "FunctionArn": format!("{FUNCTION}:{number}") });
        let layer = |number: &u64| json!({ "LayerVersionArn": format!("{LAYER}:{number}") });
        Ok(match operation {
            "CreateFunction" => json!({ "FunctionArn": FUNCTION }),
            "ListVersionsByFunction" => {
                let versions = (1..=state.versions).map(version);
                json!({ "Versions": std::iter::once(json!({ "Version": "$LATEST", "FunctionArn": FUNCTION })).chain(versions).collect::<Vec<_>>() })
            }
            "PublishVersion" => {
                state.versions += u64::from(!state.unchanged || state.versions == 0);
                version(state.versions)
            }
            "GetFunctionConfiguration" if state.fails => json!({ "State": "Failed", "StateReason": "no" }),
            "GetFunctionConfiguration" if state.pending > 0 => {
                state.pending -= 1;
                json!({ "State": "Pending" })
            }
            "GetFunctionConfiguration" => json!({ "State": "Active" }),
            "ListLayerVersions" => {
                json!({ "LayerVersions": state.layers.iter().map(layer).collect::<Vec<_>>() })
            }
            "PublishLayerVersion" => {
                state.published += 1;
                let number = state.published;
                state.layers.push(number);
                layer(&number)
            }
            "DeleteLayerVersion" => {
                state.layers.retain(|number| *number != input["VersionNumber"]);
                json!({})
            }
            "ListTags" | "GetPolicy" | "GetLayerVersionPolicy" => return Err(missing()),
            _ => json!({}),
        })
    }
}

impl State {
    fn record(&mut self, verb: &str, noun: &'static str, input: Value) -> Result<Value, ApiError> {
        match verb {
            "Get" | "Delete" if !self.kept.contains_key(noun) => return Err(missing()),
            "Get" => {}
            "Delete" => drop(self.kept.remove(noun)),
            _ => drop(self.kept.insert(noun, input)),
        }
        Ok(json!({
            "AliasArn": format!("{FUNCTION}:live"), "FunctionArn": FUNCTION,
            "FunctionUrl": "https://id.lambda-url.us-east-1.localhost/",
        }))
    }
}

fn missing() -> ApiError {
    ApiError::new("ResourceNotFoundException", 404, "The resource you requested does not exist.")
}
