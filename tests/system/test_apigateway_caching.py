"""Caches of stages by boto3, by templates and in front of real functions; plans and keys by templates."""

import json

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from functions import allow, function, invocation, method_arn, user
from test_apigateway import by_path

COUNT = """
import uuid

def handler(event, context):
    return {"statusCode": 200, "body": str(uuid.uuid4())}
"""
CAPABILITIES = ["CAPABILITY_AUTO_EXPAND", "CAPABILITY_IAM"]
MOCK = {
    "type": "mock", "requestTemplates": {"application/json": '{"statusCode": 200}'},
    "responses": {"default": {"statusCode": "200"}},
}


def deploy(gateway, name, paths):
    body = {"swagger": "2.0", "info": {"title": name, "version": "1"}, "paths": paths, "securityDefinitions": {
        "iam": {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"}}}
    api = gateway.import_rest_api(body=json.dumps(body))["id"]
    gateway.create_deployment(restApiId=api, stageName="v1", cacheClusterEnabled=True, cacheClusterSize="0.5")
    return api


def patch(gateway, api, **settings):
    patches = [{"op": "replace", "path": f"/*/*/caching/{name}", "value": value} for name, value in settings.items()]
    return gateway.update_stage(restApiId=api, stageName="v1", patchOperations=patches)


def signed(key, url, headers):
    request = AWSRequest("GET", url, headers=headers)
    credentials = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"]).get_credentials()
    SigV4Auth(credentials, "execute-api", "us-east-1").add_auth(request)
    return dict(request.headers)


def test_a_functions_answers_are_kept_until_someone_may_renew_them(platform, client, name):
    gateway, lambdas = client("apigateway"), client("lambda")
    with function(client, name("count"), COUNT) as arn:
        lambdas.add_permission(FunctionName=arn, StatementId="api", Action="lambda:InvokeFunction",
                               Principal="apigateway.amazonaws.com")
        proxy = {"x-amazon-apigateway-integration": {
            "type": "aws_proxy", "httpMethod": "POST", "uri": invocation(arn),
            "cacheKeyParameters": ["method.request.querystring.page"]},
            "parameters": [{"name": "page", "in": "query", "type": "string"}], "security": [{"iam": []}]}
        api = deploy(gateway, name("cached"), {"/a": {"get": proxy}})
        stage = patch(gateway, api, enabled="true", ttlInSeconds="3600", dataEncrypted="true")
        assert (stage["cacheClusterStatus"], stage["cacheClusterSize"]) == ("AVAILABLE", "0.5")
        assert stage["methodSettings"]["*/*"]["cacheTtlInSeconds"] == 3600

        reader, writer = allow("execute-api:Invoke", method_arn(api)), allow("execute-api:InvalidateCache", method_arn(api))
        with user(client, name("reader"), reader) as plain, user(client, name("writer"), reader, writer) as may:
            def ask(key, query="", **headers):
                url = by_path(platform, api, f"/a{query}")
                return platform.send(url, "GET", None, signed(key, url, headers))

            first = ask(plain)
            assert first.status == 200, first.text
            assert ask(may).text == first.text
            assert ask(plain, "?page=2").text != first.text
            fresh = {"cache-control": "max-age=0"}
            ignored = ask(plain, **fresh)
            assert (ignored.text, ignored.headers["warning"][:4]) == (first.text, "199 ")
            patch(gateway, api, unauthorizedCacheControlHeaderStrategy="FAIL_WITH_403")
            assert ask(plain, **fresh).status == 403
            renewed = ask(may, **fresh)
            assert renewed.text not in (first.text, "") and ask(plain).text == renewed.text
            gateway.flush_stage_cache(restApiId=api, stageName="v1")
            assert ask(plain).text != renewed.text
        gateway.delete_rest_api(restApiId=api)


def test_a_template_has_caches_keys_and_plans(platform, client, name):
    gateway, cloudformation, stack = client("apigateway"), client("cloudformation"), name("plan")
    body = {"swagger": "2.0", "info": {"title": stack, "version": "1"}, "paths": {
        "/a": {"get": {"x-amazon-apigateway-integration": MOCK, "security": [{"key": []}]}}},
        "securityDefinitions": {"key": {"type": "apiKey", "name": "x-api-key", "in": "header"}}}
    stage = {"ApiId": {"Ref": "Api"}, "Stage": {"Ref": "Api.Stage"}}
    template = {"Transform": "AWS::Serverless-2016-10-31", "Resources": {
        "Api": {"Type": "AWS::Serverless::Api", "Properties": {
            "StageName": "v1", "DefinitionBody": body, "CacheClusterEnabled": True, "CacheClusterSize": "0.5",
            "MethodSettings": [{"ResourcePath": "/*", "HttpMethod": "*", "CachingEnabled": True, "CacheTtlInSeconds": 60}]}},
        "Key": {"Type": "AWS::ApiGateway::ApiKey", "Properties": {"Enabled": True, "Value": "v" * 30}},
        "Plan": {"Type": "AWS::ApiGateway::UsagePlan", "Properties": {
            "ApiStages": [stage], "Throttle": {"RateLimit": 0.001, "BurstLimit": 2}, "Quota": {"Limit": 100, "Period": "DAY"}}},
        "Link": {"Type": "AWS::ApiGateway::UsagePlanKey", "Properties": {
            "KeyId": {"Ref": "Key"}, "KeyType": "API_KEY", "UsagePlanId": {"Ref": "Plan"}}},
        "Model": {"Type": "AWS::ApiGateway::Model", "Properties": {
            "RestApiId": {"Ref": "Api"}, "Schema": {"type": "object"}}},
        "Validator": {"Type": "AWS::ApiGateway::RequestValidator", "Properties": {
            "RestApiId": {"Ref": "Api"}, "ValidateRequestBody": True}},
    }, "Outputs": {logical: {"Value": {"Ref": logical}} for logical in ("Api", "Key", "Plan", "Model", "Validator")}}

    def settle(change, waiter):
        change(StackName=stack, TemplateBody=json.dumps(template), Capabilities=CAPABILITIES)
        cloudformation.get_waiter(waiter).wait(StackName=stack, WaiterConfig={"Delay": 1})
        outputs = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
        return {output["OutputKey"]: output["OutputValue"] for output in outputs}

    made = settle(cloudformation.create_stack, "stack_create_complete")
    api, key = made["Api"], {"x-api-key": "v" * 30}
    settings = gateway.get_stage(restApiId=api, stageName="v1")
    assert settings["cacheClusterEnabled"] and settings["methodSettings"]["*/*"]["cacheTtlInSeconds"] == 60
    assert gateway.get_model(restApiId=api, modelName=made["Model"])["schema"] == '{"type":"object"}'
    validator = gateway.get_request_validator(restApiId=api, requestValidatorId=made["Validator"])
    assert (validator["validateRequestBody"], validator["validateRequestParameters"]) == (True, False)
    answers = [platform.send(by_path(platform, api, "/a"), "GET", None, key).status for _ in range(3)]
    assert answers == [200, 200, 429]
    assert platform.send(by_path(platform, api, "/a")).status == 403

    resources = template["Resources"]
    resources["Plan"]["Properties"] = {"ApiStages": [{**stage, "Throttle": {"/a/GET": {"RateLimit": 0, "BurstLimit": 0}}}]}
    resources["Key"]["Properties"]["Description"] = "changed"
    resources["Model"]["Properties"]["Schema"] = {"type": "array"}
    resources["Validator"]["Properties"]["ValidateRequestParameters"] = True
    assert settle(cloudformation.update_stack, "stack_update_complete") == made, "nothing was replaced"
    plan = gateway.get_usage_plan(usagePlanId=made["Plan"])
    assert "throttle" not in plan and "quota" not in plan
    assert plan["apiStages"][0]["throttle"] == {"/a/GET": {"burstLimit": 0, "rateLimit": 0.0}}
    assert gateway.get_api_key(apiKey=made["Key"])["description"] == "changed"
    assert gateway.get_model(restApiId=api, modelName=made["Model"])["schema"] == '{"type":"array"}'
    assert platform.send(by_path(platform, api, "/a"), "GET", None, key).status == 429

    cloudformation.delete_stack(StackName=stack)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    assert made["Plan"] not in [plan["id"] for plan in gateway.get_usage_plans()["items"]]
