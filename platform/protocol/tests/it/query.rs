//! awsQuery: <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>

use pagoda_protocol::{ApiError, Operation, Protocol, encode};

use crate::iam;
use crate::sample::{FOREST, Plant, TRACE, Tree, answer, fault, input, refusal, text};

const HEAD: &str = "POST /\ncontent-type: application/x-www-form-urlencoded";

#[test]
fn forms_become_inputs() {
    let named = || Tree { name: "oak".into(), ..Tree::default() };
    let rows = [
        ("Name=oak", named()),
        ("Name=oak&Colors=", Tree { colors: Some(vec![]), ..named() }),
        (
            "Name=oak&Colors.member.2=BLUE&Colors.member.1=RED",
            Tree { colors: Some(vec!["RED".into(), "BLUE".into()]), ..named() },
        ),
        (
            "Name=oak&Count=3&Flag=true&Share=0.5",
            Tree { count: Some(3), flag: Some(true), share: Some(0.5), ..named() },
        ),
        ("Name=oak&Data=aGVsbG8%3D", Tree { data: Some("hello".into()), ..named() }),
        (
            "Name=oak&At=2015-01-21T19%3A02%3A32Z",
            Tree { at: Some("2015-01-21T19:02:32Z".parse().unwrap()), ..named() },
        ),
        ("Name=oak&Children.member.1.Name=oak", Tree { children: Some(vec![named()]), ..named() }),
        (
            "Name=oak&ByName.entry.1.key=oak&ByName.entry.1.value.Name=oak",
            Tree { by_name: Some([("oak".to_owned(), named())].into()), ..named() },
        ),
    ];
    for (form, expected) in rows {
        let body = format!("Action=Plant&Version=2012-08-10&{form}");
        assert_eq!(input::<Plant>(&FOREST, HEAD, &body).unwrap(), expected, "{form}");
    }
    let presigned = "GET /?Action=Plant&Version=2012-08-10&Name=oak&X-Amz-Date=1&X-Amz-Signature=x";
    assert_eq!(input::<Plant>(&FOREST, presigned, "").unwrap(), named());
}

#[test]
fn bad_forms_are_refused() {
    let rows = [
        ("Action=Plant", "ValidationException", "Value null at 'name'"),
        ("Action=Plant&Name=oak&Count=x", "MalformedInput", "'x' is not a valid Count for parameter Count"),
        ("Action=Plant&Name=oak&Colors.member.x=RED", "MalformedInput", "Colors.member.x"),
        ("Action=Plant&Name=oak&Colors.foo.1=RED", "MalformedInput", "Colors.foo.1"),
        ("Action=Plant&Name=oak&Leaves=1", "NotImplemented", "The parameter Leaves of Plant"),
        ("Action=Plant&Name=oak&Children.member.1.Leaves=1", "NotImplemented", "Children.1.member.Leaves"),
        ("Action=Fell", "InvalidAction", "Could not find operation Fell for version 2012-08-10"),
        ("Action=Plant&Version=1999", "InvalidAction", "Could not find operation Plant for version 1999"),
        ("Name=oak", "MissingAction", "Missing Action"),
    ];
    for (body, code, text) in rows {
        let (actual, message) = refusal::<Plant>(&FOREST, HEAD, body);
        assert_eq!(actual, code, "{body}: {message}");
        assert!(message.contains(text), "{body}: {message}");
    }
}

#[test]
fn outputs_become_xml() {
    let output = Tree {
        name: "<&>".into(),
        colors: Some(vec!["RED".into()]),
        by_name: Some([("k".to_owned(), Tree::default())].into()),
        at: Some("2015-01-21T19:02:32Z".parse().unwrap()),
        ..Tree::default()
    };
    let actual = text(encode(&FOREST, Protocol::AwsQuery, Plant::SPEC, output, &TRACE));
    let expected = "200\ncontent-type: text/xml\nx-amzn-requestid: R\n\n<PlantResponse xmlns=\"https://forest/\"><PlantResult>\
                    <Name>&lt;&amp;&gt;</Name><Colors><member>RED</member></Colors><ByName><entry><key>k</key><value><Name>\
                    </Name></value></entry></ByName><At>2015-01-21T19:02:32Z</At></PlantResult><ResponseMetadata><RequestId>R\
                    </RequestId></ResponseMetadata></PlantResponse>";
    assert_eq!(actual, expected);
    let nothing = answer::<iam::DeleteUser>(&iam::SERVICE, pagoda_protocol::Unit);
    assert!(nothing.ends_with(
        "<DeleteUserResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><ResponseMetadata><RequestId>R</RequestId>\
         </ResponseMetadata></DeleteUserResponse>"
    ));
}

#[test]
fn errors_are_error_responses() {
    let expected = "404\ncontent-type: text/xml\nx-amzn-requestid: R\n\n<ErrorResponse \
                    xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type><Code>NoSuchEntity</Code>\
                    <Message>no user &lt;x&gt;</Message></Error><RequestId>R</RequestId></ErrorResponse>";
    assert_eq!(fault(&iam::SERVICE, &iam::NoSuchEntityException::new("no user <x>").into()), expected);
    assert!(
        fault(&iam::SERVICE, &ApiError::internal())
            .contains("<Type>Receiver</Type><Code>InternalFailure</Code>")
    );
}

#[test]
fn a_real_service_reads_its_requests() {
    let body = "Action=CreateUser&Version=2010-05-08&UserName=jo&Tags.member.1.Key=a&Tags.member.1.Value=b+c";
    let input = input::<iam::CreateUser>(&iam::SERVICE, HEAD, body).unwrap();
    assert_eq!(input.user_name, "jo");
    assert_eq!(input.tags.unwrap()[0].value, "b c");
    let (code, message) = refusal::<iam::CreateUser>(&iam::SERVICE, HEAD, "Action=CreateUser&UserName=a/b");
    assert_eq!(code, "ValidationError");
    assert_eq!(
        message,
        "1 validation error detected: Value 'a/b' at 'userName' failed to satisfy constraint: Member must satisfy regular \
         expression pattern: [\\w+=,.@-]+"
    );
}
