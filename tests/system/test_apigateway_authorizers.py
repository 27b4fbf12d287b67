"""Lambda authorizers by boto3, with a function of their own that decides."""

import json

import pytest

from functions import allow, function, invocation, method_arn
from platform_process import REGION
from test_apigateway import by_host, by_path, proxy

AUTHORIZER = '''
def handler(event, context):
    token = event.get("authorizationToken") or event["headers"].get("x-token")
    if token == "unknown":
        raise Exception("Unauthorized")
    if token == "broken":
        raise ValueError("broken")
    effect = "Allow" if token == "let-me-in" else "Deny"
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": event["methodArn"]}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    return {"principalId": "ada", "policyDocument": policy, "context": {"team": "a", "level": 3}}
'''
TOLD = '''
import json
def handler(event, context):
    told = event["requestContext"]["authorizer"]
    told.pop("integrationLatency")
    return {"statusCode": 200, "body": json.dumps(told)}
'''


@pytest.fixture(scope="module")
def doors(platform):
    """`/token` and `/request`, each behind an authorizer of its type; the id of the API, deployed as `v1`."""
    client, gateway = platform.client, platform.client("apigateway")
    with function(client, "doors-judge", AUTHORIZER) as judge, function(client, "doors-told", TOLD) as told:
        api = gateway.create_rest_api(name="doors")["id"]
        for called, path in [("doors-judge", "authorizers/*"), ("doors-told", "*/*")]:
            client("lambda").add_permission(FunctionName=called, StatementId="api", Action="lambda:InvokeFunction",
                                            Principal="apigateway.amazonaws.com", SourceArn=method_arn(api, path))
        root = gateway.get_resources(restApiId=api)["items"][0]["id"]
        for kind in ["TOKEN", "REQUEST"]:
            made = gateway.create_authorizer(restApiId=api, name=kind, type=kind, authorizerUri=invocation(judge),
                                             identitySource="method.request.header.X-Token")
            resource = gateway.create_resource(restApiId=api, parentId=root, pathPart=kind.lower())["id"]
            proxy(gateway, api, resource, "GET", "NONE", told)
            gateway.update_method(restApiId=api, resourceId=resource, httpMethod="GET", patchOperations=[
                {"op": "replace", "path": "/authorizationType", "value": "CUSTOM"},
                {"op": "replace", "path": "/authorizerId", "value": made["id"]}])
        gateway.create_deployment(restApiId=api, stageName="v1")
        yield api
        gateway.delete_rest_api(restApiId=api)


@pytest.mark.parametrize("address", [by_path, by_host])
@pytest.mark.parametrize("path", ["/token", "/request"])
def test_the_function_decides(platform, doors, address, path):
    def ask(token):
        return platform.send(address(platform, doors, path), headers={"x-token": token} if token else {})

    answer = ask("let-me-in")
    assert (answer.status, answer.json) == (200, {"principalId": "ada", "team": "a", "level": "3"}), answer.text
    denied = {"Message": "User is not authorized to access this resource with an explicit deny"}
    for token, status, body in [(None, 401, {"message": "Unauthorized"}), ("unknown", 401, {"message": "Unauthorized"}),
                                ("no", 403, denied), ("broken", 500, {"message": None})]:
        answer = ask(token)
        assert (answer.status, answer.json) == (status, body), token


def test_an_authorizer_is_tried_without_a_deployment(platform, doors):
    gateway = platform.client("apigateway")
    for authorizer in gateway.get_authorizers(restApiId=doors)["items"]:
        of = {"restApiId": doors, "authorizerId": authorizer["id"]}
        tried = gateway.test_invoke_authorizer(**of, headers={"x-token": "let-me-in"})
        assert (tried["clientStatus"], tried["principalId"]) == (200, "ada"), tried
        statement = json.loads(tried["policy"])["Statement"][0]
        assert statement["Resource"] == f"arn:aws:execute-api:{REGION}:{statement['Resource'].split(':')[4]}:{doors}/ESTestInvoke-stage/GET/"
        assert gateway.test_invoke_authorizer(**of)["clientStatus"] == 401


def test_an_authorizer_of_a_template_guards(platform, client, name):
    """A role that API Gateway may assume invokes, where a template gives one."""
    stack, cloudformation = name("doors"), client("cloudformation")
    with function(client, name("judge"), AUTHORIZER) as judge:
        trust = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
        policy = {"PolicyName": "invoke", "PolicyDocument": json.loads(allow("lambda:InvokeFunction", judge))}
        mock = {"Type": "MOCK", "RequestTemplates": {"application/json": '{"statusCode": 200}'},
                "IntegrationResponses": [{"StatusCode": "200"}]}
        template = {"Resources": {
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": stack}},
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust, "Policies": [policy]}},
            "Judge": {"Type": "AWS::ApiGateway::Authorizer", "Properties": {
                "RestApiId": {"Ref": "Api"}, "Name": "judge", "Type": "TOKEN", "AuthorizerUri": invocation(judge),
                "IdentitySource": "method.request.header.X-Token", "AuthorizerResultTtlInSeconds": 0,
                "AuthorizerCredentials": {"Fn::GetAtt": ["Role", "Arn"]}}},
            "Method": {"Type": "AWS::ApiGateway::Method", "Properties": {
                "RestApiId": {"Ref": "Api"}, "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]}, "HttpMethod": "GET",
                "AuthorizationType": "CUSTOM", "AuthorizerId": {"Ref": "Judge"}, "Integration": mock,
                "MethodResponses": [{"StatusCode": "200"}]}},
            "Deployed": {"Type": "AWS::ApiGateway::Deployment", "DependsOn": "Method",
                         "Properties": {"RestApiId": {"Ref": "Api"}, "StageName": "v1"}},
        }, "Outputs": {"Api": {"Value": {"Ref": "Api"}}}}
        parameters = {"StackName": stack, "Capabilities": ["CAPABILITY_IAM"]}
        cloudformation.create_stack(TemplateBody=json.dumps(template), **parameters)
        cloudformation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
        api = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"][0]["OutputValue"]
        assert platform.send(by_path(platform, api, "/"), headers={"x-token": "let-me-in"}).status == 200
        assert platform.send(by_path(platform, api, "/"), headers={"x-token": "no"}).status == 403
        template["Resources"]["Judge"]["Properties"]["IdentityValidationExpression"] = "[a-z]+"
        cloudformation.update_stack(TemplateBody=json.dumps(template), **parameters)
        cloudformation.get_waiter("stack_update_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
        found = client("apigateway").get_authorizers(restApiId=api)["items"][0]
        assert found["identityValidationExpression"] == "[a-z]+"
        cloudformation.delete_stack(StackName=stack)
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
