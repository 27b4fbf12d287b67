//! Templates, and what Velocity 1.7 makes of them (`oracle/Oracle.java`).

use pagoda_velocity::{Heap, Host, Limits, RenderError, Template, Value};
use serde_json::{Value as Json, json};

/// What the templates find by name.
struct Given(Json);

impl Host for Given {
    fn call(&self, heap: &mut Heap, name: &str, arguments: &[Value]) -> Result<Value, RenderError> {
        assert!(arguments.is_empty());
        heap.from_json(self.0.get(name).unwrap_or(&Json::Null))
    }
}

const NAMES: &str = "#set($s=$given.s())#set($n=$given.n())#set($d=$given.d())#set($b=$given.b())#set($f=$given.f())#set($l=$given.l())#set($m=$given.m())";

fn render(template: &str) -> Option<String> {
    let given = Given(json!({
        "s": "str", "n": 7, "d": 1.5, "b": true, "f": false,
        "l": ["a", "b", 3], "m": { "k": "v", "x": 1, "in": { "y": "z" } },
    }));
    let template = Template::parse(&format!("{NAMES}{template}")).ok()?;
    template.render(&[("given", &given)], Limits::default()).ok()
}

#[test]
fn templates_mean_what_they_mean_to_velocity() {
    let mut wrong = Vec::new();
    for line in include_str!("velocity-1.7.jsonl").lines() {
        let row: Json = serde_json::from_str(line).unwrap();
        let template = row["template"].as_str().unwrap();
        let expected = row["output"].as_str();
        let found = render(template);
        if found.as_deref() != expected {
            wrong.push(format!("{template:?}\n  expected {expected:?}\n  found    {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
