//! The sources of every kind are those of its language, whatever the API is called and says: they are
//! compiled, or at least read, by the toolchains that are there.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use pagoda_clientsdk::{Api, Kind, Operation, Parameter, Place, generate, zip};
use serde_json::json;

const HOSTILE: &str = "\"'`\\ ${x} #{x} \\(x) */ // <x> \u{22} \n\r\t 😀 ü %s";

fn api(words: &str) -> Api {
    let parameter = |name: &str, place, is_required| Parameter { name: name.into(), place, is_required };
    let operation = |name: &str, verb: &str, path: &str| Operation {
        name: (!name.is_empty()).then(|| name.to_owned()),
        verb: verb.into(),
        path: path.into(),
        parameters: vec![
            parameter("limit", Place::Query, false),
            parameter("class", Place::Query, true),
            parameter("X-Trace", Place::Header, false),
            parameter(&format!("p{words}"), Place::Query, false),
        ],
        body: Some("Pet".into()),
        result: Some("Pets".into()),
        is_signed: true,
        needs_key: true,
    };
    Api {
        name: format!("Pets {words}"),
        version: words.into(),
        stage: "prod".into(),
        endpoint: "https://a.execute-api.eu-west-1.localhost:4566/prod".into(),
        region: "eu-west-1".into(),
        operations: vec![
            operation("", "GET", "/"),
            operation("", "POST", "/pets"),
            operation("listPets", "GET", "/pets"),
            operation("", "PUT", "/pets/{petId}"),
            operation("", "GET", "/files/{proxy+}"),
            operation("", "ANY", "/any"),
            operation(words, "PATCH", "/x"),
            operation("class", "DELETE", "/{class}"),
        ],
        models: BTreeMap::from([
            (
                "Pet".to_owned(),
                json!({ "type": "object", "properties": {
                "id": { "type": "integer" }, "name": { "type": "string" }, "price": { "type": "number" },
                "isNew": { "type": "boolean" }, "tags": { "type": "array", "items": { "type": "string" } },
                "owner": { "type": "object", "properties": { "name": { "type": "string" } } },
                "class": { "type": "string" }, "2nd": {}, words: { "type": "string" },
                "friends": { "type": "array", "items": { "$ref": "https://x/restapis/a/models/Pet" } },
            } }),
            ),
            ("Pets".to_owned(), json!({ "type": "array", "items": { "$ref": "#/definitions/Pet" } })),
            (format!("M{words}"), json!({ "type": "object", "properties": { "a": {} } })),
        ]),
    }
}

fn properties(kind: Kind) -> BTreeMap<String, String> {
    let value = |name: &str| match name {
        "java.package-name" | "invokerPackage" | "kotlin.package-name" => "com.example.pets",
        "classPrefix" => "PET",
        "artifactVersion" => "1.0.0",
        _ => "PetStore",
    };
    let required = kind.properties().iter().filter(|property| property.is_required);
    required.map(|property| (property.name.to_owned(), value(property.name).to_owned())).collect()
}

/// Writes the SDK into a folder.
fn write(kind: Kind, words: &str, folder: &Path) -> Vec<String> {
    let files = generate(&api(words), kind, &properties(kind)).expect("all that is required is given");
    for file in &files {
        let path = folder.join(&file.path);
        fs::create_dir_all(path.parent().expect("it is in the folder")).expect("a folder of the test's own");
        fs::write(path, &file.text).expect("a folder of the test's own");
    }
    files.into_iter().map(|file| file.path).collect()
}

/// Runs a program in the folder, if it is there.
#[track_caller]
fn accepts(folder: &Path, program: &str, arguments: &[&str]) {
    let Ok(output) = Command::new(program).args(arguments).current_dir(folder).output() else {
        eprintln!("{program} is not installed: skipped");
        return;
    };
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
}

#[track_caller]
fn check(kind: Kind, program: &str, leading: &[&str], ending: &str) {
    for words in ["plain", HOSTILE] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let files = write(kind, words, folder.path());
        let sources = files.iter().map(String::as_str).filter(|path| path.ends_with(ending));
        let arguments: Vec<&str> = leading.iter().copied().chain(sources).collect();
        assert!(arguments.len() > leading.len());
        accepts(folder.path(), program, &arguments);
    }
}

#[test]
fn javascript_is_read() {
    check(Kind::JavaScript, "node", &["--check"], ".js");
}

#[test]
fn python_is_compiled() {
    check(Kind::Python, "python3", &["-m", "py_compile"], ".py");
}

#[test]
fn ruby_is_read() {
    check(Kind::Ruby, "ruby", &["-c", "-W"], ".rb");
}

#[test]
fn java_is_compiled() {
    for kind in [Kind::Java, Kind::Android] {
        check(
            kind,
            "javac",
            &["--release", "8", "-Xlint:all,-options,-rawtypes,-serial", "-Werror", "-d", "out"],
            ".java",
        );
    }
}

#[test]
fn equal_descriptions_give_equal_archives() {
    for kind in Kind::ALL {
        let archive = || zip(&generate(&api("x"), kind, &properties(kind)).unwrap()).unwrap();
        assert_eq!(archive(), archive(), "{kind:?}");
    }
}

#[test]
fn no_words_of_an_api_stand_in_sources_as_they_are() {
    for kind in Kind::ALL {
        for file in generate(&api("zqx\"zqx"), kind, &properties(kind)).unwrap() {
            assert!(!file.text.contains("zqx\"zqx"), "{kind:?} {}", file.path);
        }
    }
}

#[test]
fn properties_are_required_and_known() {
    for kind in Kind::ALL {
        for property in kind.properties().iter().filter(|property| property.is_required) {
            let mut given = properties(kind);
            given.remove(property.name);
            let refused = generate(&api("x"), kind, &given).unwrap_err().to_string();
            assert_eq!(refused, format!("Parameter {} is required for this SDK type", property.name));
        }
        let given = BTreeMap::from([("nonsense".to_owned(), "x".to_owned())]);
        assert!(generate(&api("x"), kind, &given).is_err());
    }
}
