"""Large OpenAPI documents in and out, canaries and compressed answers, by boto3."""

import gzip
import json

from test_apigateway import by_path

MOCK = {"type": "mock", "requestTemplates": {"application/json": '{"statusCode": 200}'}}


def answering(text):
    response = {"statusCode": "200", "responseTemplates": {"application/json": text}}
    return {"x-amazon-apigateway-integration": {**MOCK, "responses": {"default": response}}}


def large():
    """A document of several hundred kilobytes: three hundred operations whose models refer to each other."""
    paths, schemas = {}, {}
    for number in range(300):
        name, other = f"Thing{number}", f"Thing{(number + 1) % 300}"
        fields = {f"field{index}": {"type": "string", "description": "what it says " * 4} for index in range(8)}
        schemas[name] = {"type": "object", "properties": {**fields, "next": {"$ref": f"#/components/schemas/{other}"}}}
        content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
        paths[f"/things/{number}/{{id}}"] = {"post": {
            **answering(str(number)), "operationId": f"put{name}", "requestBody": {"content": content},
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "responses": {"200": {"description": "it", "content": content}}}}
    return {"openapi": "3.0.1", "info": {"title": "large", "version": "1"}, "paths": paths, "components": {"schemas": schemas}}


def test_a_large_document_imports_answers_and_exports_the_same(platform, client):
    gateway = client("apigateway")
    document = json.dumps(large())
    assert len(document) > 300_000

    def served(body):
        api = gateway.import_rest_api(body=body)["id"]
        gateway.create_deployment(restApiId=api, stageName="v1")
        return api

    def exported(api, kind, accepts):
        parameters = {"extensions": "apigateway"}
        export = gateway.get_export(restApiId=api, stageName="v1", exportType=kind, parameters=parameters, accepts=accepts)
        return export["body"].read().decode()

    first = served(document)
    assert platform.send(by_path(platform, first, "/things/299/x"), "POST", "{}").text == "299"
    for kind, accepts in [("oas30", "application/json"), ("swagger", "application/yaml")]:
        text = exported(first, kind, accepts)
        second = served(text)
        assert exported(second, kind, accepts).replace(second, first) == text
        assert platform.send(by_path(platform, second, "/things/7/x"), "POST", "{}").text == "7"
        gateway.delete_rest_api(restApiId=second)
    gateway.delete_rest_api(restApiId=first)


def test_a_canary_is_tried_and_promoted(platform, client, name):
    gateway = client("apigateway")
    document = {"swagger": "2.0", "info": {"title": name("canary"), "version": "1"}, "paths": {"/a": {"get": answering("old")}}}
    api = gateway.import_rest_api(body=json.dumps(document))["id"]
    gateway.create_deployment(restApiId=api, stageName="v1")
    document["paths"]["/a"]["get"] = answering("new")
    gateway.put_rest_api(restApiId=api, mode="overwrite", body=json.dumps(document))
    canary = gateway.create_deployment(restApiId=api, stageName="v1", canarySettings={"percentTraffic": 50.0})["id"]
    seen = {platform.send(by_path(platform, api, "/a")).text for _ in range(64)}
    assert seen == {"old", "new"}
    patches = [{"op": "replace", "path": "/canarySettings/percentTraffic", "value": "0.0"},
               {"op": "copy", "from": "/canarySettings/deploymentId", "path": "/deploymentId"}]
    assert gateway.update_stage(restApiId=api, stageName="v1", patchOperations=patches)["deploymentId"] == canary
    assert {platform.send(by_path(platform, api, "/a")).text for _ in range(16)} == {"new"}
    gateway.delete_rest_api(restApiId=api)


def test_answers_are_compressed(platform, client, name):
    gateway, text = client("apigateway"), "x" * 5_000
    document = {"swagger": "2.0", "info": {"title": name("packed"), "version": "1"}, "paths": {"/a": {"get": answering(text)}}}
    api = gateway.import_rest_api(body=json.dumps(document))["id"]
    gateway.create_deployment(restApiId=api, stageName="v1")
    patches = [{"op": "replace", "path": "/minimumCompressionSize", "value": "1000"}]
    assert gateway.update_rest_api(restApiId=api, patchOperations=patches)["minimumCompressionSize"] == 1000
    answer = platform.send(by_path(platform, api, "/a"), "GET", None, {"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.body) < 500 and gzip.decompress(answer.body).decode() == text
    assert platform.send(by_path(platform, api, "/a")).text == text
    gateway.delete_rest_api(restApiId=api)
