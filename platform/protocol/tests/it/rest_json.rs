//! restJson1: <https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html>

use pagoda_protocol::ApiError;

use crate::lambda;
use crate::sample::{answer, fault, input, refusal};

#[test]
fn members_come_from_all_over_the_request() {
    let head = "POST /2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af/invocations\
                ?Qualifier=live&other=1\nx-amz-log-type: Tail\nx-amz-invocation-type: RequestResponse";
    let invoke = input::<lambda::Invoke>(&lambda::SERVICE, head, "{\"any\": [1").unwrap();
    assert_eq!(invoke.function_name, "arn:aws:lambda:us-east-1:123456789012:function:f");
    assert_eq!(invoke.qualifier.as_deref(), Some("live"));
    assert_eq!(invoke.log_type, Some(lambda::LogType::Tail));
    assert_eq!(invoke.payload.unwrap(), "{\"any\": [1");

    let head = "POST /2015-03-31/functions";
    let body = r#"{"FunctionName":"f","Role":"arn:aws:iam::123456789012:role/r","Runtime":"python3.12","Handler":"a.b",
                   "Code":{"ZipFile":"UEs="},"Timeout":3,"Environment":{"Variables":{"A_B":"c"}}}"#;
    let create = input::<lambda::CreateFunction>(&lambda::SERVICE, head, body).unwrap();
    assert_eq!(create.runtime, Some(lambda::Runtime::Python312));
    assert_eq!(create.code.zip_file.as_deref(), Some(&b"PK"[..]));
    assert_eq!(create.environment.unwrap().variables.unwrap()["A_B"], "c");

    let head = "DELETE /2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af?tagKeys=a&tagKeys=b%20c";
    let untag = input::<lambda::UntagResource>(&lambda::SERVICE, head, "").unwrap();
    assert_eq!(untag.tag_keys, ["a", "b c"]);

    let list = input::<lambda::ListFunctions>(&lambda::SERVICE, "GET /2015-03-31/functions/?MaxItems=7", "")
        .unwrap();
    assert_eq!(list.max_items, Some(7));
}

#[test]
fn bad_requests_are_refused() {
    let head = "GET /2015-03-31/functions/?MaxItems=";
    let rows =
        [("0", "ValidationException", "Value '0' at 'maxItems'"), ("x", "SerializationException", "'x'")];
    for (value, code, text) in rows {
        let (actual, message) =
            refusal::<lambda::ListFunctions>(&lambda::SERVICE, &format!("{head}{value}"), "");
        assert_eq!(actual, code);
        assert!(message.contains(text), "{message}");
    }
    let head = "POST /2015-03-31/functions";
    let rows = [
        ("{", "SerializationException", "not valid JSON"),
        ("[]", "SerializationException", "Start of list"),
        (r#"{"Colour":1}"#, "NotImplemented", "The parameter Colour of CreateFunction"),
        (r#"{"FunctionName":"f","Code":{},"Role":"r"}"#, "ValidationException", "Value 'r' at 'role'"),
        ("", "ValidationException", "Value null at 'functionName'"),
    ];
    for (body, code, text) in rows {
        let (actual, message) = refusal::<lambda::CreateFunction>(&lambda::SERVICE, head, body);
        assert_eq!(actual, code, "{body}: {message}");
        assert!(message.contains(text), "{body}: {message}");
    }
}

#[test]
fn members_go_all_over_the_answer() {
    let output = lambda::InvocationResponse {
        status_code: Some(202),
        function_error: Some("Unhandled".into()),
        log_result: Some("bG9n".into()),
        executed_version: Some("$LATEST".into()),
        payload: Some("{\"a\":1}".into()),
        ..Default::default()
    };
    assert_eq!(
        answer::<lambda::Invoke>(&lambda::SERVICE, output),
        "202\ncontent-type: application/json\nx-amz-executed-version: $LATEST\nx-amz-function-error: Unhandled\n\
         x-amz-log-result: bG9n\nx-amzn-requestid: R\n\n{\"a\":1}"
    );
    let output = lambda::ListTagsResponse { tags: Some([("k".to_owned(), "v".to_owned())].into()) };
    assert!(answer::<lambda::ListTags>(&lambda::SERVICE, output).ends_with("\n\n{\"Tags\":{\"k\":\"v\"}}"));
    let nothing = answer::<lambda::TagResource>(&lambda::SERVICE, pagoda_protocol::Unit);
    assert_eq!(nothing, "204\nx-amzn-requestid: R\n\n");
}

#[test]
fn errors_carry_their_type_in_a_header() {
    let mut gone = lambda::ResourceNotFoundException::new("Function not found: f");
    gone.r#type = Some("User".into());
    assert_eq!(
        fault(&lambda::SERVICE, &gone.into()),
        "404\ncontent-type: application/json\nx-amzn-errortype: ResourceNotFoundException\nx-amzn-requestid: R\n\n\
         {\"Type\":\"User\",\"Message\":\"Function not found: f\"}"
    );
    assert_eq!(
        fault(&lambda::SERVICE, &ApiError::new("AccessDeniedException", 403, "no")),
        "403\ncontent-type: application/json\nx-amzn-errortype: AccessDeniedException\nx-amzn-requestid: R\n\n\
         {\"message\":\"no\"}"
    );
    let mut busy = lambda::TooManyRequestsException::new("slow down");
    busy.retry_after_seconds = Some("3".into());
    assert!(fault(&lambda::SERVICE, &busy.into()).contains("retry-after: 3\n"));
}
