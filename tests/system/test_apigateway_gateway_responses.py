"""Gateway responses by boto3 and by a template: what a browser reads of a refusal."""

import json

from test_apigateway import by_path, mock


def test_a_refusal_has_the_apis_own_words(platform, client, name):
    gateway = client("apigateway")
    api = gateway.create_rest_api(name=name("api"))["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    mock(gateway, api, root, "GET", {}, "{}")
    put = gateway.put_gateway_response(
        restApiId=api, responseType="MISSING_AUTHENTICATION_TOKEN", statusCode="404",
        responseParameters={"gatewayresponse.header.X-Request": "context.requestId"},
        responseTemplates={"application/json": '{"error": $context.error.messageString, "path": "$context.path"}'})
    assert put["defaultResponse"] is False
    gateway.create_deployment(restApiId=api, stageName="v1")
    answer = platform.send(by_path(platform, api, "/none"))
    assert (answer.status, answer.json) == (404, {"error": "Missing Authentication Token", "path": "/v1/none"})
    assert answer.headers["x-request"] == answer.headers["x-amzn-requestid"]
    gateway.delete_rest_api(restApiId=api)


def test_a_template_lets_browsers_read_refusals(platform, client, name):
    stack, cloudformation = name("worded"), client("cloudformation")
    answer = {"x-amazon-apigateway-integration": {
        "type": "mock", "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {"default": {"statusCode": "200"}}}}
    body = {"swagger": "2.0", "info": {"title": stack, "version": "1"}, "paths": {"/a": {"get": answer}}}
    headers = {"Access-Control-Allow-Origin": "'https://site.example'"}
    plain = {"Type": "AWS::ApiGateway::GatewayResponse", "Properties": {
        "RestApiId": {"Ref": "Plain"}, "ResponseType": "DEFAULT_4XX", "StatusCode": "418"}}
    template = {"Transform": "AWS::Serverless-2016-10-31", "Resources": {
        "Api": {"Type": "AWS::Serverless::Api", "Properties": {
            "StageName": "v1", "DefinitionBody": body, "GatewayResponses": {"DEFAULT_4XX": {"ResponseParameters": {"Headers": headers}}}}},
        "Plain": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Body": body}},
        "Worded": plain,
        "Deployed": {"Type": "AWS::ApiGateway::Deployment", "DependsOn": "Worded",
                     "Properties": {"RestApiId": {"Ref": "Plain"}, "StageName": "v1"}},
    }, "Outputs": {"Api": {"Value": {"Ref": "Api"}}, "Plain": {"Value": {"Ref": "Plain"}}}}
    capabilities = ["CAPABILITY_AUTO_EXPAND", "CAPABILITY_IAM"]
    cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(template), Capabilities=capabilities)
    cloudformation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    made = {one["OutputKey"]: one["OutputValue"] for one in cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]}
    refused = platform.send(by_path(platform, made["Api"], "/none"))
    assert (refused.status, refused.headers["access-control-allow-origin"]) == (403, "https://site.example")
    assert platform.send(by_path(platform, made["Plain"], "/none")).status == 418
    cloudformation.delete_stack(StackName=stack)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
