//! `$input`: the payload, and the parameters of the method's request.

use std::cell::OnceCell;

use pagoda_jsonpath::Path;
use pagoda_velocity::{Heap, Host, RenderError, Value};
use percent_encoding::percent_decode_str;
use serde_json::Value as Json;

use super::Scene;
use crate::serve::event::title_case;

pub(super) struct Input<'a> {
    scene: &'a Scene<'a>,
    document: OnceCell<Option<Json>>,
}

impl<'a> Input<'a> {
    pub(super) fn new(scene: &'a Scene<'a>) -> Self {
        Self { scene, document: OnceCell::new() }
    }

    /// The payload as JSON; nothing where it is none.
    fn document(&self) -> Option<&Json> {
        self.document.get_or_init(|| serde_json::from_slice(self.scene.body).ok()).as_ref()
    }

    /// What a path leads to in the payload.
    fn at(&self, method: &str, path: &Value) -> Result<Option<Json>, RenderError> {
        let failed = |reason: String| RenderError::Method { method: method.to_owned(), reason };
        let text = path.as_text().ok_or_else(|| failed("a path is a text".into()))?;
        let path = Path::parse(text).map_err(|error| failed(error.to_string()))?;
        let Some(document) = self.document() else {
            // What is no JSON is a text, of which `$` is the whole.
            let text = String::from_utf8_lossy(self.scene.body);
            let whole = !text.is_empty() && path.find(&Json::Null).is_ok_and(|found| found.is_some());
            return Ok(whole.then(|| Json::String(text.into_owned())));
        };
        let found = path.find(document).map_err(|error| failed(error.to_string()))?;
        Ok(found.map(std::borrow::Cow::into_owned))
    }

    fn path(&self) -> Vec<(String, String)> {
        self.scene.path.to_vec()
    }

    /// The last values of the query string's parameters.
    fn query(&self) -> Vec<(String, String)> {
        let decoded =
            |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        let pairs = self.scene.query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
    }

    fn headers(&self) -> Vec<(String, String)> {
        let headers = self.scene.headers.iter();
        let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            Some((title_case(name.as_str()), value.to_str().ok()?.to_owned()))
        };
        headers.filter_map(text).collect()
    }

    /// The parameter of that name: of the path, the query string or the headers, in this order.
    fn parameter(&self, name: &str) -> Option<String> {
        let named = |list: Vec<(String, String)>| list.into_iter().rfind(|(own, _)| own == name);
        let found = named(self.path()).or_else(|| named(self.query())).map(|(_, value)| value);
        let header = || Some(self.scene.headers.get(name)?.to_str().ok()?.to_owned());
        found.or_else(header)
    }

    fn parameters(&self, heap: &mut Heap) -> Result<Value, RenderError> {
        let mut all = Vec::new();
        for (name, list) in [("path", self.path()), ("querystring", self.query()), ("header", self.headers())]
        {
            let mut entries = Vec::with_capacity(list.len());
            for (name, value) in list {
                entries.push((name, heap.text(value)?));
            }
            all.push((name, heap.map(entries)?));
        }
        heap.map(all)
    }
}

impl Host for Input<'_> {
    fn property(&self, heap: &mut Heap, name: &str) -> Result<Value, RenderError> {
        match name {
            "body" => heap.text(String::from_utf8_lossy(self.scene.body)),
            _ => Ok(Value::Null),
        }
    }

    fn call(&self, heap: &mut Heap, name: &str, arguments: &[Value]) -> Result<Value, RenderError> {
        match (name, arguments) {
            ("json", [path]) => {
                let found = self.at(name, path)?;
                heap.text(found.map_or_else(|| "\"\"".to_owned(), |found| found.to_string()))
            }
            ("path", [path]) => match self.at(name, path)? {
                Some(found) => heap.from_json(&found),
                None => Ok(Value::Null),
            },
            ("params", []) => self.parameters(heap),
            ("params", [wanted]) => {
                let wanted = wanted.as_text().unwrap_or_default();
                heap.text(self.parameter(wanted).unwrap_or_default())
            }
            ("getBody", []) => self.property(heap, "body"),
            _ => Ok(Value::Null),
        }
    }
}
