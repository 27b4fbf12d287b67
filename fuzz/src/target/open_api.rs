//! OpenAPI definitions, imported by API Gateway.

use super::{Target, texts};
use crate::world::request;

pub(crate) const TARGET: Target = Target {
    name: "open-api",
    seeds: || {
        texts(&[
            "{\"openapi\": \"3.0.1\", \"info\": {\"title\": \"t\", \"version\": \"1\"}, \"paths\": {\"/a/{id}\": \
                 {\"get\": {\"responses\": {\"200\": {\"description\": \"ok\"}}, \
                 \"x-amazon-apigateway-integration\": {\"type\": \"mock\", \"requestTemplates\": \
                 {\"application/json\": \"{\\\"statusCode\\\": 200}\"}, \"responses\": {\"default\": \
                 {\"statusCode\": \"200\"}}}}}}}",
            "{\"swagger\": \"2.0\", \"info\": {\"title\": \"t\"}, \"paths\": {\"/{proxy+}\": {\"x-amazon-apigateway-any-method\": {\"x-amazon-apigateway-integration\": {\"type\": \"aws_proxy\", \
                 \"httpMethod\": \"POST\", \"uri\": \"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/\
                 functions/arn:aws:lambda:us-east-1:123456789012:function:f/invocations\"}}}}}",
        ])
    },
    words: &[
        "\"/\"",
        "/{",
        "}",
        "\"$ref\": \"#/",
        "\"paths\"",
        "\"type\": \"mock\"",
        "{\"a\": ",
        "+}",
        "\"get\": {",
    ],
    run: |world, input| {
        Box::pin(async move {
            let (parts, _) =
                request(b"POST /restapis?mode=import\ncontent-type: application/json\n\n").ok_or("none")?;
            world.ask("apigateway", parts, input).await
        })
    },
};
