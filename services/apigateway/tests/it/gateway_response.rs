//! Gateway responses: their control plane, and what refused requests are told.

use http::Request;
use pagoda_testkit::World;
use serde_json::{Value, json};

use crate::world::{Gateway, mock};

#[tokio::test]
async fn refusals_are_told_in_the_apis_own_words() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let mut signed = mock("200", "1");
    signed["security"] = json!([{ "iam": [] }]);
    let origin = json!({ "gatewayresponse.header.Access-Control-Allow-Origin": "'*'" });
    let responses = json!({
        "DEFAULT_4XX": { "responseParameters": origin },
        "INVALID_SIGNATURE": {
            "statusCode": 418,
            "responseParameters": {
                "gatewayresponse.header.X-Asked": "method.request.header.X-A",
                "gatewayresponse.header.X-Id": "method.request.path.id",
                "gatewayresponse.header.X-None": "method.request.querystring.q",
            },
            "responseTemplates": {
                "application/json": "{\"m\":$context.error.messageString,\"t\":\"$context.error.responseType\",\"s\":\"$context.stage\"}",
                "text/plain": "no",
            },
        },
    });
    let more = json!({ "x-amazon-apigateway-gateway-responses": responses });
    let api = gateway.deploy_with(json!({ "/p/{id}": { "get": signed } }), more).await;
    let ask = |uri: &str| Request::get(uri).header("host", "a.execute-api.us-east-1.localhost:4566");

    // By its class, with its own status and body.
    let (status, headers, body) = gateway.request(&api, ask("/s/none"), "").await;
    assert_eq!((status, body.as_str()), (403, r#"{"message":"Missing Authentication Token"}"#));
    assert_eq!(headers["access-control-allow-origin"], "*");
    // By its type.
    let forged = || ask("/s/p/7").header("authorization", "forged").header("x-a", "v");
    let (status, headers, body) = gateway.request(&api, forged(), "").await;
    let told: Value = serde_json::from_str(&body).unwrap();
    let expected = json!({ "m": "The signature does not match.", "t": "INVALID_SIGNATURE", "s": "s" });
    assert_eq!((status, told), (418, expected));
    assert_eq!((&headers["x-asked"], &headers["x-id"]), (&"v".parse().unwrap(), &"7".parse().unwrap()));
    assert_eq!((headers.get("x-none"), headers.get("access-control-allow-origin")), (None, None));
    let (_, headers, body) = gateway.request(&api, forged().header("accept", "text/plain, */*"), "").await;
    assert_eq!((body.as_str(), &headers["content-type"]), ("no", &"text/plain".parse().unwrap()));
    // What is answered is no refusal.
    let (status, headers, _) = gateway.request(&api, ask("/s/p/7").header("authorization", "root"), "").await;
    assert_eq!((status, headers.get("access-control-allow-origin")), (200, None));
}

#[tokio::test]
async fn gateway_responses_are_put_changed_and_removed() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = gateway.deploy(json!({ "/": { "get": mock("200", "1") } })).await;
    let place = json!({ "restApiId": api, "responseType": "THROTTLED" });
    let with = |more: Value| {
        let mut input = place.clone();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let default = gateway.must("GetGatewayResponse", place.clone()).await;
    assert_eq!((&default["statusCode"], &default["defaultResponse"]), (&json!("429"), &json!(true)));
    assert_eq!(
        gateway.client.refused("apigateway", "DeleteGatewayResponse", place.clone()).await,
        "NotFoundException"
    );
    for wrong in [
        json!({ "responseParameters": { "X": "'1'" } }),
        json!({ "responseParameters": { "gatewayresponse.header.X": "1" } }),
    ] {
        let refused = gateway.client.refused("apigateway", "PutGatewayResponse", with(wrong.clone())).await;
        assert_eq!(refused, "BadRequestException", "{wrong}");
    }
    for (path, value) in
        [("/statusCode", "99"), ("/statusCode", "x"), ("/none", "1"), ("/responseParameters/X", "'1'")]
    {
        let patch = json!({ "op": "replace", "path": path, "value": value });
        let input = with(json!({ "patchOperations": [patch] }));
        let refused = gateway.client.refused("apigateway", "UpdateGatewayResponse", input).await;
        assert_eq!(refused, "BadRequestException", "{path} {value}");
    }
    let wanted = with(json!({ "statusCode": "503", "responseTemplates": { "text/plain": "later" } }));
    let put = gateway.must("PutGatewayResponse", wanted).await;
    assert_eq!((&put["statusCode"], &put["defaultResponse"]), (&json!("503"), &json!(false)));
    let patches = json!([
        { "op": "replace", "path": "/statusCode", "value": "420" },
        { "op": "add", "path": "/responseParameters/gatewayresponse.header.Retry-After", "value": "'1'" },
        { "op": "remove", "path": "/responseTemplates/text~1plain" },
    ]);
    let changed = gateway.must("UpdateGatewayResponse", with(json!({ "patchOperations": patches }))).await;
    assert_eq!(changed["statusCode"], "420");
    assert_eq!(changed["responseParameters"], json!({ "gatewayresponse.header.Retry-After": "'1'" }));
    assert_eq!(changed["responseTemplates"], json!({}));
    let listed = gateway.must("GetGatewayResponses", json!({ "restApiId": api, "limit": 500 })).await;
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.len(), 21);
    assert!(
        items.contains(&changed) && items.iter().filter(|one| one["defaultResponse"] == true).count() == 20
    );

    // It answers once it is deployed.
    let patch = json!({ "op": "replace", "path": "/*/*/throttling/rateLimit", "value": "0" });
    gateway
        .must("UpdateStage", json!({ "restApiId": api, "stageName": "s", "patchOperations": [patch] }))
        .await;
    assert_eq!(gateway.get(&api, "/s").await.0, 429);
    gateway.must("CreateDeployment", json!({ "restApiId": api, "stageName": "s" })).await;
    assert_eq!(gateway.get(&api, "/s").await, (420, r#"{"message":"Too Many Requests"}"#.to_owned()));
    gateway.must("DeleteGatewayResponse", place.clone()).await;
    assert_eq!(gateway.must("GetGatewayResponse", place).await, default);
}
