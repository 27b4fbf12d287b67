//! Servers behind `HTTP` and `HTTP_PROXY` integrations.

use http::Request;
use pagoda_testkit::World;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::world::Gateway;

const HOST: &str = "a.execute-api.us-east-1.localhost:4566";

/// Answers every connection's first request with the same bytes; what it was asked.
async fn server(answer: &'static [u8]) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port of the system's choice");
    let address = listener.local_addr().expect("it is bound").to_string();
    let (asked, receiver) = mpsc::channel(16);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 8_192];
            let read = stream.read(&mut request).await.unwrap_or_default();
            let _ = asked.send(String::from_utf8_lossy(&request[..read]).into_owned()).await;
            let _ = stream.write_all(answer).await;
        }
    });
    (address, receiver)
}

fn http(kind: &str, uri: &str, more: Value) -> Value {
    let mut integration = json!({ "type": kind, "httpMethod": "ANY", "uri": uri });
    integration.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "x-amazon-apigateway-integration": integration })
}

#[tokio::test]
async fn a_proxied_server_gets_the_request_as_it_is() {
    let answer = b"HTTP/1.1 201 Created\r\nX-A: 1\r\nX-A: 2\r\nServer: s\r\nConnection: close, x-hop\r\nX-Hop: h\r\nContent-Length: 2\r\n\r\nhi";
    let (address, mut asked) = server(answer).await;
    let world = World::new();
    let gateway = Gateway::new(&world);
    let mut method = http(
        "http_proxy",
        &format!("http://{address}/base/{{proxy}}?fixed=1"),
        json!({ "requestParameters": {
            "integration.request.path.proxy": "method.request.path.proxy",
            "integration.request.header.X-Stage": "context.stage",
        } }),
    );
    method["parameters"] = json!([{ "name": "proxy", "in": "path", "required": true, "type": "string" }]);
    let api = gateway.deploy(json!({ "/{proxy+}": { "x-amazon-apigateway-any-method": method } })).await;
    let request = Request::post("/s/a%20b/c?q=1&q=%32")
        .header("host", HOST)
        .header("x-own", "v")
        .header("connection", "x-gone")
        .header("x-gone", "g");
    let (status, headers, body) = gateway.request(&api, request, "text").await;
    assert_eq!((status, body.as_str()), (201, "hi"));
    assert_eq!(headers.get_all("x-a").iter().count(), 2);
    assert_eq!(headers["x-amzn-remapped-server"], "s");
    assert!(!headers.contains_key("x-hop") && !headers.contains_key("connection"));
    let asked = asked.recv().await.unwrap().to_ascii_lowercase();
    assert!(asked.starts_with("post /base/a%20b/c?fixed=1&q=1&q=%32 http/1.1\r\n"), "{asked}");
    for line in [
        "x-own: v",
        "x-stage: s",
        "x-forwarded-for: 127.0.0.1",
        "content-length: 4",
        &format!("host: {address}"),
    ] {
        assert!(asked.contains(&format!("\r\n{line}\r\n")), "{line}: {asked}");
    }
    assert!(asked.ends_with("\r\n\r\ntext") && !asked.contains("x-gone"));
}

#[tokio::test]
async fn a_mapped_server_gets_what_is_mapped() {
    let (address, mut asked) = server(b"HTTP/1.1 404 Not Found\r\nX-Why: w\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"gone\":\"x\"}").await;
    let world = World::new();
    let gateway = Gateway::new(&world);
    let mut method = http(
        "http",
        &format!("http://{address}/{{id}}"),
        json!({
            "requestParameters": {
                "integration.request.path.id": "method.request.path.id",
                "integration.request.querystring.b": "method.request.body.b",
                "integration.request.header.X-Q": "method.request.querystring.q",
            },
            "requestTemplates": { "application/json": "{\"v\": $input.json('$.v')}#set($context.requestOverride.header.X-Set = 'set')" },
            "responses": {
                "default": { "statusCode": "200" },
                "404": { "statusCode": "410", "responseTemplates": { "application/json": "gone: $input.path('$.gone')" },
                    "responseParameters": { "method.response.header.X-Why": "integration.response.header.X-Why" } },
            },
        }),
    );
    method["parameters"] = json!([{ "name": "q", "in": "query", "type": "string" }]);
    let api = gateway.deploy(json!({ "/p/{id}": { "post": method } })).await;
    let request = Request::post("/s/p/1%2F2?q=z&r=1").header("host", HOST).header("x-own", "v");
    let (status, headers, body) = gateway.request(&api, request, "{\"v\":[1],\"b\":true}").await;
    assert_eq!((status, body.as_str(), headers["x-why"].to_str().unwrap()), (410, "gone: x", "w"));
    let asked = asked.recv().await.unwrap();
    assert!(asked.starts_with("POST /1%2F2?b=true HTTP/1.1\r\n"), "{asked}");
    for line in ["x-q: z", "x-set: set", "content-type: application/json"] {
        assert!(asked.to_ascii_lowercase().contains(&format!("\r\n{line}\r\n")), "{line}: {asked}");
    }
    assert!(asked.ends_with("{\"v\": [1]}") && !asked.contains("x-own"), "{asked}");
}

#[tokio::test]
async fn what_servers_do_wrong_is_answered_for_them() {
    let garbage: &'static [u8] = b"this is no answer\r\n\r\n";
    let huge: &'static [u8] = &[b'h'; 200_000];
    let early: &'static [u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n";
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port of the system's choice");
    let silent = (silent.local_addr().expect("it is bound").to_string(), silent);
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port of the system's choice");
        listener.local_addr().expect("it is bound").to_string()
    };
    for (what, address, status, message) in [
        ("garbage", server(garbage).await.0, 504, "Network error communicating with endpoint"),
        ("a huge head", server(huge).await.0, 504, "Network error communicating with endpoint"),
        ("nothing", server(b"").await.0, 504, "Network error communicating with endpoint"),
        ("a huge body", server(early).await.0, 502, "Internal server error"),
        ("no connection", closed, 504, "Network error communicating with endpoint"),
        ("silence", silent.0.clone(), 504, "Endpoint request timed out"),
    ] {
        let world = World::new();
        let gateway = Gateway::new(&world);
        let uri = format!("http://{address}/");
        let mapped = json!({ "timeoutInMillis": 500, "responses": { "default": { "statusCode": "200" } } });
        let api = gateway
            .deploy(json!({ "/p": { "get": http("http_proxy", &uri, json!({ "timeoutInMillis": 500 })) },
                "/m": { "get": http("http", &uri, mapped) } }))
            .await;
        for path in ["/s/p", "/s/m"] {
            let expected = (status, json!({ "message": message }).to_string());
            assert_eq!(gateway.get(&api, path).await, expected, "{what} {path}");
        }
    }
}
