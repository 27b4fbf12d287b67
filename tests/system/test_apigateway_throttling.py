"""Throttling of stages by boto3 and by a template."""

import json

from test_apigateway import by_path, mock


def test_a_stage_takes_its_burst_and_no_more(platform, client, name):
    gateway = client("apigateway")
    api = gateway.create_rest_api(name=name("api"))["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    mock(gateway, api, root, "GET", {}, "{}")
    gateway.create_deployment(restApiId=api, stageName="v1")
    patches = [{"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "0.001"},
               {"op": "replace", "path": "/*/*/throttling/burstLimit", "value": "3"}]
    stage = gateway.update_stage(restApiId=api, stageName="v1", patchOperations=patches)
    assert stage["methodSettings"]["*/*"]["throttlingBurstLimit"] == 3
    answers = [platform.send(by_path(platform, api, "/")) for _ in range(5)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[4].json == {"message": "Too Many Requests"}
    assert answers[4].headers["x-amzn-errortype"] == "TooManyRequestsException"
    gateway.delete_rest_api(restApiId=api)


def test_a_template_throttles_a_method(platform, client, name):
    stack, cloudformation = name("slow"), client("cloudformation")
    answer = {"x-amazon-apigateway-integration": {
        "type": "mock", "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {"default": {"statusCode": "200"}}}}
    setting = {"ResourcePath": "/~1a", "HttpMethod": "GET", "ThrottlingRateLimit": 0, "ThrottlingBurstLimit": 0}
    body = {"swagger": "2.0", "info": {"title": stack, "version": "1"}, "paths": {"/a": {"get": answer}, "/b": {"get": answer}}}
    template = {"Transform": "AWS::Serverless-2016-10-31", "Resources": {"Api": {"Type": "AWS::Serverless::Api", "Properties": {
        "StageName": "v1", "DefinitionBody": body, "MethodSettings": [setting]}}}, "Outputs": {"Api": {"Value": {"Ref": "Api"}}}}
    capabilities = ["CAPABILITY_AUTO_EXPAND", "CAPABILITY_IAM"]
    cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(template), Capabilities=capabilities)
    cloudformation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    api = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"][0]["OutputValue"]
    assert [platform.send(by_path(platform, api, path)).status for path in ["/a", "/b"]] == [429, 200]
    del template["Resources"]["Api"]["Properties"]["MethodSettings"]
    cloudformation.update_stack(StackName=stack, TemplateBody=json.dumps(template), Capabilities=capabilities)
    cloudformation.get_waiter("stack_update_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    assert platform.send(by_path(platform, api, "/a")).status == 200
    cloudformation.delete_stack(StackName=stack)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
