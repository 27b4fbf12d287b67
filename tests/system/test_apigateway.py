"""API Gateway by boto3, called as browsers and signing clients call it."""

import json

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from functions import allow, function, invocation, method_arn, user
from platform_process import REGION, Key


@pytest.fixture
def api(client, name):
    """`/items/{id}` to a function, `/open` mocked with CORS, `/signed` for AWS_IAM only; deployed as `v1`."""
    gateway, called = client("apigateway"), name("f")
    with function(client, called) as arn:
        made = gateway.create_rest_api(name=name("api"))["id"]
        client("lambda").add_permission(FunctionName=called, StatementId="api", Action="lambda:InvokeFunction",
                                        Principal="apigateway.amazonaws.com", SourceArn=method_arn(made, "*/*"))
        root = gateway.get_resources(restApiId=made)["items"][0]["id"]
        items = gateway.create_resource(restApiId=made, parentId=root, pathPart="items")["id"]
        item = gateway.create_resource(restApiId=made, parentId=items, pathPart="{id}")["id"]
        signed = gateway.create_resource(restApiId=made, parentId=root, pathPart="signed")["id"]
        opened = gateway.create_resource(restApiId=made, parentId=root, pathPart="open")["id"]
        proxy(gateway, made, item, "ANY", "NONE", arn)
        proxy(gateway, made, signed, "GET", "AWS_IAM", arn)
        mock(gateway, made, opened, "GET", {}, '{"mocked": true}')
        cross_origin = {"Allow-Methods": "'GET,OPTIONS'", "Allow-Headers": "'Content-Type'", "Allow-Origin": "'*'"}
        mock(gateway, made, opened, "OPTIONS", cross_origin, "")
        gateway.create_deployment(restApiId=made, stageName="v1")
        yield made
        gateway.delete_stage(restApiId=made, stageName="v1")
        gateway.delete_rest_api(restApiId=made)


def proxy(gateway, api, resource, method, authorization, function_arn):
    of = {"restApiId": api, "resourceId": resource, "httpMethod": method}
    gateway.put_method(**of, authorizationType=authorization)
    gateway.put_integration(**of, type="AWS_PROXY", integrationHttpMethod="POST", uri=invocation(function_arn))


def mock(gateway, api, resource, method, headers, body):
    of = {"restApiId": api, "resourceId": resource, "httpMethod": method}
    gateway.put_method(**of, authorizationType="NONE")
    gateway.put_integration(**of, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    names = {f"method.response.header.Access-Control-{name}": value for name, value in headers.items()}
    gateway.put_method_response(**of, statusCode="200", responseParameters=dict.fromkeys(names, True))
    gateway.put_integration_response(**of, statusCode="200", responseParameters=names, responseTemplates={"application/json": body})


def by_path(platform, api, path):
    return f"{platform.endpoint}/_aws/execute-api/{api}/v1{path}"


def by_host(platform, api, path):
    return f"https://{api}.execute-api.{REGION}.localhost:{platform.port}/v1{path}"


@pytest.mark.parametrize("address", [by_path, by_host])
def test_a_call_is_the_functions_event(platform, api, address):
    answer = platform.send(address(platform, api, "/items/7?a=1&a=2&b=%20"), "POST", '{"x": 1}', {"content-type": "application/json"})
    assert (answer.status, answer.headers["x-made-by"]) == (201, "echo"), answer.text
    assert answer.json == {
        "httpMethod": "POST", "path": "/items/7", "resource": "/items/{id}", "body": '{"x": 1}', "stage": "v1",
        "queryStringParameters": {"a": "2", "b": " "}, "multiValueQueryStringParameters": {"a": ["1", "2"], "b": [" "]},
        "pathParameters": {"id": "7"}, "isBase64Encoded": False, "caller": None,
    }


@pytest.mark.parametrize("address", [by_path, by_host])
def test_a_mock_answers_and_a_preflight_is_allowed(platform, api, address):
    url = address(platform, api, "/open")
    assert platform.send(url).json == {"mocked": True}
    asks = {"origin": "https://site.example", "access-control-request-method": "GET"}
    preflight = platform.send(url, "OPTIONS", headers=asks)
    assert preflight.status == 200, preflight.text
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert preflight.headers["access-control-allow-methods"] == "GET,OPTIONS"


@pytest.mark.parametrize(("path", "method"), [("/nothing", "GET"), ("/open", "DELETE"), ("/items", "GET")])
def test_what_has_no_method_is_refused(platform, api, path, method):
    answer = platform.send(by_path(platform, api, path), method)
    assert (answer.status, answer.json) == (403, {"message": "Missing Authentication Token"})


def signed(platform, url, key, service="execute-api"):
    request = AWSRequest("GET", url)
    SigV4Auth(Credentials(key.access_key_id, key.secret_access_key, key.session_token), service, REGION).add_auth(request)
    return platform.send(url, headers=dict(request.headers))


@pytest.mark.parametrize("address", [by_path, by_host])
def test_a_signed_method_is_for_those_with_the_permission(platform, client, api, name, address):
    url = address(platform, api, "/signed")
    assert signed(platform, url, platform.root).status == 201
    with user(client, name("user"), allow("execute-api:Invoke", method_arn(api, "v1/GET/signed"))) as made:
        answer = signed(platform, url, Key.of(made))
        assert answer.status == 201, answer.text
        assert answer.json["caller"].endswith(f":user/{made['UserName']}")
    with user(client, name("user"), allow("execute-api:Invoke", method_arn(api, "v1/GET/other"))) as made:
        answer = signed(platform, url, Key.of(made))
        assert answer.status == 403
        assert "is not authorized to perform: execute-api:Invoke on resource" in json.dumps(answer.json), answer.text
        assert answer.headers["x-amzn-errortype"] == "AccessDeniedException"
    unsigned = platform.send(url)
    assert (unsigned.status, unsigned.json) == (403, {"message": "Missing Authentication Token"})
    assert unsigned.headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"


def test_without_the_functions_permission_an_api_cannot_call_it(platform, client, api, name):
    listed = client("lambda").list_functions()["Functions"]
    gateway = client("apigateway")
    item = next(one["id"] for one in gateway.get_resources(restApiId=api)["items"] if one["path"] == "/items/{id}")
    uri = gateway.get_integration(restApiId=api, resourceId=item, httpMethod="ANY")["uri"]
    called = next(one["FunctionName"] for one in listed if one["FunctionArn"] in uri)
    client("lambda").remove_permission(FunctionName=called, StatementId="api")
    answer = platform.send(by_path(platform, api, "/items/1"))
    assert (answer.status, answer.json) == (500, {"message": "Internal server error"})
