//! Requests and answers in short, and a service of our own with what the real ones don't show.

use http::request::Parts;
use pagoda_protocol::schema::{self, Pattern};
use pagoda_protocol::{
    ApiError, Body, Decode, Encode, Kind, Member, Operation, OperationSpec, Protocol, Reader, Schema,
    ServiceSpec, Shape, Target, Trace, Unit, Writer, decode, encode, encode_error, route,
};

/// The parts of a request from lines as HTTP has them: `METHOD target`, then headers.
pub fn parts(head: &str) -> Parts {
    let mut lines = head.lines();
    let (method, target) = lines.next().unwrap().split_once(' ').unwrap();
    let mut builder = http::Request::builder().method(method).uri(target);
    for line in lines {
        let (name, value) = line.split_once(':').unwrap();
        builder = builder.header(name.trim(), value.trim());
    }
    builder.body(()).unwrap().into_parts().0
}

/// Routes a request, which must lead to `O`, and decodes its input.
pub fn input<O: Operation>(
    service: &'static ServiceSpec,
    head: &str,
    body: &str,
) -> Result<O::Input, ApiError> {
    let parts = parts(head);
    let routed = route(service, &parts, body.as_bytes())?;
    let Target::Operation(spec) = routed.target else { panic!("{:?} is not built", routed.target) };
    assert_eq!(spec.name, O::SPEC.name);
    decode(spec, &routed, &parts, Body::from(body.to_owned()))
}

/// Code and message of what refuses a request.
pub fn refusal<O: Operation>(service: &'static ServiceSpec, head: &str, body: &str) -> (String, String)
where
    O::Input: std::fmt::Debug,
{
    let error = input::<O>(service, head, body).unwrap_err();
    (error.code.into_owned(), error.message)
}

/// What an answer's trace is in all tests.
pub const TRACE: Trace<'static> = Trace { request_id: "R", host_id: "H", resource: "/b/k", head: false };

/// An answer as text: status, sorted headers, body.
pub fn text(response: http::Response<Body>) -> String {
    let (parts, body) = response.into_parts();
    let mut headers: Vec<String> =
        parts.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    headers.sort();
    let body = body.bytes().map_or("(stream)".into(), |bytes| String::from_utf8_lossy(bytes).into_owned());
    format!("{}\n{}\n\n{body}", parts.status.as_u16(), headers.join("\n"))
}

/// The answer to `O` with `output`.
pub fn answer<O: Operation>(service: &ServiceSpec, output: O::Output) -> String {
    text(encode(service, service.protocols[0], O::SPEC, output, &TRACE))
}

/// The answer that tells `error`.
pub fn fault(service: &ServiceSpec, error: &ApiError) -> String {
    text(encode_error(service, service.protocols[0], error, &TRACE))
}

static NAME_PATTERN: Pattern = Pattern::new("[a-z]+");
static NAME: Schema = Schema::new("Name", Kind::String).min(3).max(8).pattern(&NAME_PATTERN);
static COLOR: Schema = Schema::new("Color", Kind::String).values(&["RED", "BLUE"]);
static COLORS: Schema = Schema::list("Colors", &Member::new("member", &COLOR)).max(2);
static COUNT: Schema = Schema::new("Count", Kind::Integer).min(1).max(10);
static SECRET: Schema = Schema::new("Secret", Kind::String).min(8).sensitive();
static TREES: Schema = Schema::list("Trees", &Member::new("member", &TREE));
static TREE_MAP: Schema = Schema::map("TreeMap", &Member::new("key", &NAME), &Member::new("value", &TREE));
static TREE: Schema = Schema::structure(
    "Tree",
    &[
        Member::new("Name", &NAME).required(),
        Member::new("Colors", &COLORS),
        Member::new("Count", &COUNT),
        Member::new("Secret", &SECRET),
        Member::new("Children", &TREES),
        Member::new("ByName", &TREE_MAP),
        Member::new("Data", &schema::BLOB),
        Member::new("At", &schema::TIMESTAMP),
        Member::new("Share", &schema::DOUBLE),
        Member::new("Flag", &schema::BOOLEAN),
        Member::new("Any", &schema::DOCUMENT),
    ],
);

/// A shape that holds one of each kind of value.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tree {
    pub name: String,
    pub colors: Option<Vec<String>>,
    pub count: Option<i32>,
    pub secret: Option<String>,
    pub children: Option<Vec<Tree>>,
    pub by_name: Option<std::collections::BTreeMap<String, Tree>>,
    pub data: Option<bytes::Bytes>,
    pub at: Option<pagoda_base::Timestamp>,
    pub share: Option<f64>,
    pub flag: Option<bool>,
    pub any: Option<serde_json::Value>,
}

impl Encode for Tree {
    fn write(&self, writer: &mut dyn Writer) {
        let Self { name, colors, count, secret, children, by_name, data, at, share, flag, any } = self;
        writer.structure(&[name, colors, count, secret, children, by_name, data, at, share, flag, any]);
    }
}

impl Decode for Tree {
    fn read(reader: &mut dyn Reader) -> Result<Self, ApiError> {
        let mut value = Self::default();
        reader.structure(&mut |member, reader| {
            match member {
                0 => value.name = Decode::read(reader)?,
                1 => value.colors = Decode::read(reader)?,
                2 => value.count = Decode::read(reader)?,
                3 => value.secret = Decode::read(reader)?,
                4 => value.children = Decode::read(reader)?,
                5 => value.by_name = Decode::read(reader)?,
                6 => value.data = Decode::read(reader)?,
                7 => value.at = Decode::read(reader)?,
                8 => value.share = Decode::read(reader)?,
                9 => value.flag = Decode::read(reader)?,
                _ => value.any = Decode::read(reader)?,
            }
            Ok(())
        })?;
        Ok(value)
    }
}

impl Shape for Tree {
    fn schema() -> &'static Schema {
        &TREE
    }
}

/// Takes and gives a tree.
pub struct Plant;

impl Operation for Plant {
    type Input = Tree;
    type Output = Tree;
    const SPEC: &'static OperationSpec = &OperationSpec {
        name: "Plant",
        method: "POST",
        uri: "/",
        status: 200,
        input: &TREE,
        output: &TREE,
        output_root: "PlantResult",
        streams_input: false,
    };
}

/// Takes and gives nothing.
pub struct Rest;

impl Operation for Rest {
    type Input = Unit;
    type Output = Unit;
    const SPEC: &'static OperationSpec = &OperationSpec {
        name: "Rest",
        method: "POST",
        uri: "/",
        status: 200,
        input: &schema::UNIT,
        output: &schema::UNIT,
        output_root: "",
        streams_input: false,
    };
}

/// A service with names like DynamoDB's.
pub static FOREST: ServiceSpec = ServiceSpec {
    name: "forest",
    api_version: "2012-08-10",
    target_prefix: Some("Forest_20120810"),
    protocols: &[Protocol::AwsJson10, Protocol::AwsQuery],
    xml_namespace: "https://forest/",
    error_namespace: "com.amazonaws.forest.v20120810",
    validation_code: "ValidationException",
    operations: &[Plant::SPEC, Rest::SPEC],
    unavailable: &["Burn"],
    routes: &[],
};
