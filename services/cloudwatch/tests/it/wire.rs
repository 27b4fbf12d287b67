//! The protocols that SDKs speak: CBOR today, JSON and forms before.

use http::Request;
use pagoda_cloudwatch::CloudWatch;
use pagoda_protocol::{Body, Protocol, Target, Trace, encode_error, route};
use pagoda_service::{Api, Operations as _};

use crate::world::MetricsWorld;

fn routed(request: Request<()>, form: &str) -> (Protocol, &'static str) {
    let (parts, ()) = request.into_parts();
    let routed = route(CloudWatch::spec(), &parts, form.as_bytes()).unwrap();
    match routed.target {
        Target::Operation(operation) => (routed.protocol, operation.name),
        Target::Unavailable(name) => (routed.protocol, name),
    }
}

#[test]
fn three_protocols_lead_to_the_same_operation() {
    let cbor = Request::post("/service/GraniteServiceVersion20100801/operation/ListMetrics")
        .header("smithy-protocol", "rpc-v2-cbor");
    assert_eq!(routed(cbor.body(()).unwrap(), ""), (Protocol::RpcV2Cbor, "ListMetrics"));
    let json = Request::post("/").header("x-amz-target", "GraniteServiceVersion20100801.ListMetrics");
    assert_eq!(routed(json.body(()).unwrap(), ""), (Protocol::AwsJson10, "ListMetrics"));
    let form = "Action=ListMetrics&Version=2010-08-01";
    assert_eq!(routed(Request::post("/").body(()).unwrap(), form), (Protocol::AwsQuery, "ListMetrics"));
}

#[tokio::test]
async fn cbor_is_read_and_written() {
    let world = MetricsWorld::new();
    let api = Api::of(&world.metrics);
    let request = Request::post("/service/GraniteServiceVersion20100801/operation/PutMetricData")
        .header("smithy-protocol", "rpc-v2-cbor");
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let routed = route(CloudWatch::spec(), &parts, &[]).unwrap();
    // {"Namespace": "N", "MetricData": [{"MetricName": "M", "Value": 2.5}]}
    let mut body = b"\xa2\x69Namespace\x61N\x6aMetricData\x81\xa2\x6aMetricName\x61M\x65Value\xfb".to_vec();
    body.extend_from_slice(&2.5f64.to_be_bytes());
    let operation = api.operation("PutMetricData").unwrap();
    let input = operation.decode(&routed, &parts, Body::from(body)).unwrap();
    let cx = world.world.context(world.world.root());
    let output = operation.call(&cx, input).await.unwrap();
    let response =
        output.encode(CloudWatch::spec(), Protocol::RpcV2Cbor, operation.spec(), &Trace::default());
    assert_eq!(response.headers()["smithy-protocol"], "rpc-v2-cbor");
    assert_eq!(world.values("Sum", 60, world.now(), world.now() + 60).await, [(world.now(), 2.5)]);
}

#[test]
fn errors_have_the_shape_s_name_and_the_older_code() {
    let error = pagoda_cloudwatch::generated::InvalidParameterValueException::new("no").into();
    let response = encode_error(CloudWatch::spec(), Protocol::RpcV2Cbor, &error, &Trace::default());
    assert_eq!(response.headers()["x-amzn-query-error"], "InvalidParameterValue;Sender");
    let bytes = response.into_body().bytes().unwrap().clone();
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("com.amazonaws.cloudwatch#InvalidParameterValueException"), "{text}");
}
