"""What stands behind APIs: servers, tables, buckets and events, each with templates between."""

import datetime
import http.server
import json
import ssl
import threading
from contextlib import contextmanager

import pytest
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from functions import allow, role, user
from platform_process import ACCOUNT, REGION, Key


TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}]}


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers what it was asked."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        said = json.dumps({"verb": self.command, "path": self.path, "headers": dict(self.headers), "body": body}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST = do_PUT = answer

    def log_message(self, *_):
        pass


@contextmanager
def serving(certificate=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture
def made(client, name):
    """`made(path, verb, integration, responses)` puts a method; `made.deploy()` deploys all of them as `v1`."""
    gateway = client("apigateway")
    api = gateway.create_rest_api(name=name("api"))

    def put(path, verb, integration, responses=None, parameters=None):
        parent = api["rootResourceId"]
        for part in [part for part in path.split("/") if part]:
            known = [one for one in gateway.get_resources(restApiId=api["id"], limit=500)["items"]
                     if one.get("parentId") == parent and one.get("pathPart") == part]
            parent = known[0]["id"] if known else gateway.create_resource(
                restApiId=api["id"], parentId=parent, pathPart=part)["id"]
        of = {"restApiId": api["id"], "resourceId": parent, "httpMethod": verb}
        gateway.put_method(**of, authorizationType="NONE", requestParameters=parameters or {})
        gateway.put_integration(**of, **integration)
        for status, response in (responses or {}).items():
            mapped = response.get("responseParameters", {})
            gateway.put_method_response(**of, statusCode=status, responseParameters=dict.fromkeys(mapped, False))
            gateway.put_integration_response(**of, statusCode=status, **response)

    put.id = api["id"]
    put.deploy = lambda: gateway.create_deployment(restApiId=api["id"], stageName="v1")
    yield put
    gateway.delete_rest_api(restApiId=api["id"])


def call(platform, api, path, verb="GET", body=None, headers=None):
    return platform.send(f"{platform.endpoint}/_aws/execute-api/{api}/v1{path}", verb, body, headers)


def test_a_server_is_proxied_to(platform, made):
    with serving() as port:
        made("/{proxy+}", "ANY", {
            "type": "HTTP_PROXY", "integrationHttpMethod": "ANY", "uri": f"http://127.0.0.1:{port}/base/{{proxy}}",
            "requestParameters": {"integration.request.path.proxy": "method.request.path.proxy"},
        }, parameters={"method.request.path.proxy": True})
        made.deploy()
        answer = call(platform, made.id, "/a/b?x=1", "POST", "text", {"x-own": "v"})
        asked = answer.json
        assert (answer.status, asked["verb"], asked["path"], asked["body"]) == (200, "POST", "/base/a/b?x=1", "text")
        assert asked["headers"]["x-own"] == "v"


def self_signed(folder):
    """A certificate that nobody trusts, and its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.timezone.utc)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + datetime.timedelta(days=2))
    (folder / "cert.pem").write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return folder / "cert.pem", folder / "key.pem"


def test_a_servers_certificate_is_verified_unless_told_otherwise(platform, made, tmp_path):
    certificate = self_signed(tmp_path)
    with serving(certificate) as port:
        for path, tls in (("/verified", {}), ("/any", {"tlsConfig": {"insecureSkipVerification": True}})):
            made(path, "GET", {"type": "HTTP_PROXY", "integrationHttpMethod": "GET", "uri": f"https://127.0.0.1:{port}/", **tls})
        made.deploy()
        assert call(platform, made.id, "/verified").status == 504
        assert call(platform, made.id, "/any").status == 200


def test_a_table_is_behind_an_api_without_a_function(platform, client, made, name):
    table, reader = name("table"), name("role")
    client("dynamodb").create_table(TableName=table, BillingMode="PAY_PER_REQUEST",
                                    AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                                    KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}])
    arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}"
    with role(client, reader, [allow(["dynamodb:PutItem", "dynamodb:GetItem"], arn)], TRUST) as allowed:
        table_behind_an_api(platform, client, made, table, allowed)


def table_behind_an_api(platform, client, made, table, allowed):
    target = {"type": "AWS", "integrationHttpMethod": "POST", "credentials": allowed}
    made("/items/{id}", "PUT", {
        **target, "uri": f"arn:aws:apigateway:{REGION}:dynamodb:action/PutItem",
        "requestTemplates": {"application/json": '{"TableName": "%s", "Item": {"id": {"S": "$input.params(\'id\')"}, "text": {"S": $input.json(\'$.text\')}}}' % table},
    }, {"201": {}, "400": {"selectionPattern": "4.."}})
    made("/items/{id}", "GET", {
        **target, "uri": f"arn:aws:apigateway:{REGION}:dynamodb:action/GetItem",
        "requestTemplates": {"application/json": '{"TableName": "%s", "Key": {"id": {"S": "$input.params(\'id\')"}}}' % table},
    }, {"200": {"responseTemplates": {"application/json":
        '#set($item = $input.path("$.Item"))#if($item)\n{"text": "$item.text.S"}#else\n#set($context.responseOverride.status = 404)\n{}#end'}}})
    made("/denied", "POST", {**target, "uri": f"arn:aws:apigateway:{REGION}:dynamodb:action/DeleteTable",
                             "requestTemplates": {"application/json": '{"TableName": "%s"}' % table}},
         {"200": {}, "403": {"selectionPattern": "400", "responseTemplates": {"application/json": "$input.json('$.__type')"}}})
    made.deploy()
    assert call(platform, made.id, "/items/7", "PUT", '{"text": "it\'s"}').status == 201
    answer = call(platform, made.id, "/items/7")
    assert (answer.status, answer.json) == (200, {"text": "it's"})
    assert call(platform, made.id, "/items/8").status == 404
    denied = call(platform, made.id, "/denied", "POST", "{}")
    assert denied.status == 403 and "AccessDeniedException" in denied.text
    assert client("dynamodb").describe_table(TableName=table)["Table"]["ItemCount"] is not None


def test_a_bucket_is_behind_an_api(platform, client, made, name):
    bucket, reader = name("bucket"), name("role")
    client("s3").create_bucket(Bucket=bucket)
    objects = [allow(["s3:GetObject", "s3:PutObject"], f"arn:aws:s3:::{bucket}/*")]
    with role(client, reader, objects, TRUST) as allowed:
        bucket_behind_an_api(platform, client, made, bucket, allowed)


def bucket_behind_an_api(platform, client, made, bucket, allowed):
    for verb in ("PUT", "GET"):
        made("/files/{key}", verb, {
            "type": "AWS", "integrationHttpMethod": verb, "credentials": allowed,
            "uri": f"arn:aws:apigateway:{REGION}:s3:path/{bucket}/{{key}}",
            "requestParameters": {"integration.request.path.key": "method.request.path.key"},
        }, {"200": {"responseParameters": {"method.response.header.ETag": "integration.response.header.ETag"}},
            "404": {"selectionPattern": "4.."}}, {"method.request.path.key": True})
    made.deploy()
    put = call(platform, made.id, "/files/a%2Fb.txt", "PUT", "words", {"content-type": "text/plain"})
    assert put.status == 200, put.text
    assert client("s3").get_object(Bucket=bucket, Key="a/b.txt")["Body"].read() == b"words"
    got = call(platform, made.id, "/files/a%2Fb.txt")
    assert (got.status, got.text, got.headers["etag"]) == (200, "words", put.headers["etag"])
    assert call(platform, made.id, "/files/none").status == 404


def test_a_role_is_passed_by_those_who_may(client, made, name):
    with user(client, name("user"), allow("apigateway:*")) as key:
        refused_without_pass_role(client("apigateway", Key.of(key)), made)


def refused_without_pass_role(restricted, made):
    parent = restricted.get_resources(restApiId=made.id)["items"][0]["id"]
    of = {"restApiId": made.id, "resourceId": parent, "httpMethod": "POST"}
    restricted.put_method(**of, authorizationType="NONE")
    with pytest.raises(ClientError) as refused:
        restricted.put_integration(**of, type="AWS", integrationHttpMethod="POST", credentials=f"arn:aws:iam::{ACCOUNT}:role/any",
                                   uri=f"arn:aws:apigateway:{REGION}:dynamodb:action/PutItem")
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
