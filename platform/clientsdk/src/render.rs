//! From a description to sources.

use std::collections::{BTreeMap, HashSet};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, context};
use serde::Serialize;

use crate::api::{Api, Operation, Place};
use crate::kind::Kind;
use crate::schema::{Classes, Type};
use crate::{name, quote, templates};

/// A file of an SDK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where it is in the SDK, with `/` between folders.
    pub path: String,
    /// What it says.
    pub text: String,
}

/// Why there is no SDK.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// A property that the kind requires was not given.
    #[error("Parameter {0} is required for this SDK type")]
    Missing(&'static str),
    /// A property that the kind does not have was given.
    #[error("Parameter {0} is not supported for this SDK type")]
    Unknown(String),
    /// A template failed, which none does with a description.
    #[error(transparent)]
    Template(#[from] minijinja::Error),
}

/// An operation as templates see it.
#[derive(Debug, Serialize)]
struct Method {
    camel: String,
    pascal: String,
    snake: String,
    verb: String,
    path: String,
    /// The path between its variables: texts, and parameters by their places in `parameters`.
    pieces: Vec<Piece>,
    parameters: Vec<Argument>,
    body: Option<Type>,
    result: Type,
    signed: bool,
    key: bool,
    /// Whether sending it twice is as good as sending it once.
    idempotent: bool,
}

#[derive(Debug, Serialize)]
struct Piece {
    text: String,
    variable: Option<usize>,
    /// Whether slashes in the variable stay.
    greedy: bool,
}

#[derive(Debug, Serialize)]
struct Argument {
    wire: String,
    camel: String,
    snake: String,
    place: Place,
    required: bool,
}

/// The sources of an SDK for `api`.
///
/// # Errors
/// Properties that are missing or unknown.
pub fn generate(api: &Api, kind: Kind, properties: &BTreeMap<String, String>) -> Result<Vec<File>, Unfit> {
    let given = checked(kind, properties)?;
    let service = name::pascal(kind.service(&given));
    // Classes that every SDK has.
    let fixed = [&*service, "Signer", "Json", "ApiException", "ApiError", "Response", "Request", "Transport"];
    let taken: HashSet<String> = fixed.iter().map(|name| name.to_ascii_lowercase()).collect();
    let prefix = if matches!(kind, Kind::Swift | Kind::ObjectiveC) { service.as_str() } else { "" };
    let classes = Classes::of(&api.models, taken);
    let methods = methods(api, &classes);
    let package = kind.package().and_then(|property| given.get(property)).map(|text| name::package(text));
    let place = package.as_deref().unwrap_or_default().replace('.', "/");

    let environment = environment(kind);
    let module = name::snake(kind.service(&given));
    let context = context! {
        api => context! {
            name => &api.name, version => &api.version, stage => &api.stage,
            endpoint => &api.endpoint, region => &api.region,
        },
        service => &service, prefix, package, module => &module,
        given => Serde(&given), methods => Serde(&methods), classes => Serde(&classes.classes),
        android => kind == Kind::Android,
    };
    let mut files = Vec::new();
    for (path, template) in templates::of(kind) {
        let text = environment.render_str(template, &context)?;
        let path = path.replace("{package}", &place).replace("{service}", &service);
        files.push(File { path: path.replace("{module}", &module), text });
    }
    Ok(files)
}

/// The properties with defaults where none are given.
fn checked(kind: Kind, given: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Unfit> {
    let known = kind.properties();
    if let Some(name) = given.keys().find(|name| known.iter().all(|property| property.name != **name)) {
        return Err(Unfit::Unknown(name.clone()));
    }
    let mut checked = given.clone();
    for property in known {
        match (given.get(property.name).filter(|value| !value.is_empty()), property.default) {
            (Some(_), _) => {}
            (None, Some(default)) => drop(checked.insert(property.name.to_owned(), default.to_owned())),
            (None, None) => return Err(Unfit::Missing(property.name)),
        }
    }
    Ok(checked)
}

fn methods(api: &Api, classes: &Classes) -> Vec<Method> {
    let (mut camels, mut snakes) = (HashSet::new(), HashSet::new());
    let sendable = api.operations.iter().filter(|operation| operation.verb != "ANY");
    let method = |operation: &Operation| {
        let named =
            operation.name.clone().unwrap_or_else(|| name::of_operation(&operation.path, &operation.verb));
        let camel = name::unique(name::camel(&named), &mut camels);
        let parameters = arguments(operation);
        Method {
            pascal: name::pascal(&camel),
            snake: name::unique(name::snake(&named), &mut snakes),
            pieces: pieces(&operation.path, &parameters),
            verb: operation.verb.clone(),
            path: operation.path.clone(),
            parameters,
            body: takes_body(&operation.verb)
                .then(|| operation.body.as_deref().map_or(Type::Any, |model| classes.model(model))),
            result: operation.result.as_deref().map_or(Type::Any, |model| classes.model(model)),
            signed: operation.is_signed,
            key: operation.needs_key,
            idempotent: !matches!(&*operation.verb, "POST" | "PATCH"),
            camel,
        }
    };
    sendable.map(method).collect()
}

fn takes_body(verb: &str) -> bool {
    matches!(verb, "POST" | "PUT" | "PATCH" | "DELETE")
}

/// Variables of the path in their order, and then what the operation names beside them.
fn arguments(operation: &Operation) -> Vec<Argument> {
    let variables = variables(&operation.path).map(|name| (name.to_owned(), Place::Path, true));
    let others = operation.parameters.iter().filter(|parameter| parameter.place != Place::Path);
    let mut others: Vec<_> =
        others.map(|other| (other.name.clone(), other.place, other.is_required)).collect();
    // What may be left out comes last.
    others.sort_by_key(|(_, _, required)| !required);
    let (mut camels, mut snakes) = (HashSet::from(["body".to_owned()]), HashSet::from(["body".to_owned()]));
    let argument = |(wire, place, required): (String, Place, bool)| Argument {
        camel: name::unique(name::camel(&wire), &mut camels),
        snake: name::unique(name::snake(&wire), &mut snakes),
        wire,
        place,
        required,
    };
    variables.chain(others).map(argument).collect()
}

fn variables(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| name.trim_end_matches('+'))
}

fn pieces(path: &str, parameters: &[Argument]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        let name = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        let wanted = name.map(|name| name.trim_end_matches('+'));
        let variable = parameters.iter().position(|parameter| Some(&*parameter.wire) == wanted);
        let text = if variable.is_some() { "/".to_owned() } else { format!("/{part}") };
        pieces.push(Piece { text, variable, greedy: name.is_some_and(|name| name.ends_with('+')) });
    }
    if pieces.is_empty() {
        pieces.push(Piece { text: "/".into(), variable: None, greedy: false });
    }
    pieces
}

fn environment(kind: Kind) -> Environment<'static> {
    let mut environment = Environment::new();
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true);
    if let Ok(syntax) = syntax.build() {
        environment.set_syntax(syntax);
    }
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.add_filter("quoted", move |text: String| quote::quoted(kind, &text));
    environment.add_filter("remark", |text: String| remark(&text));
    // `id` is a type of Objective-C.
    environment.add_filter("member", |name: String| if name == "id" { "idValue".to_owned() } else { name });
    environment.add_filter("capitalize_first", |text: String| name::pascal(&text));
    environment.add_filter("xml", |text: String| xml(&text));
    environment
}

/// A text within a comment: one line, which cannot end the comment.
fn remark(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || " -_.,:{}()+".contains(c) { c } else { ' ' };
    text.chars().map(|c| if c == '/' { '/' } else { plain(c) }).collect::<String>().replace("/ ", " ")
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
