"""Bad input over the wire: AWS's error, nothing changed, the platform alive."""

import io
import json
import stat
import zipfile

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from functions import role
from platform_process import REGION


def send(platform, service, method, path, body=b"", headers=None):
    """Signed as it stands, however bad it is."""
    request = AWSRequest(method, platform.endpoint + path, dict(headers or {}), body)
    credentials = Credentials(platform.root.access_key_id, platform.root.secret_access_key)
    (S3SigV4Auth if service == "s3" else SigV4Auth)(credentials, service, REGION).add_auth(request)
    return platform.send(path, method, body, dict(request.headers))


def dynamodb(operation):
    return {"content-type": "application/x-amz-json-1.0", "x-amz-target": f"DynamoDB_20120810.{operation}"}


FORM = {"content-type": "application/x-www-form-urlencoded"}
ROWS = [
    ("dynamodb", "POST", "/", b"{", dynamodb("PutItem"), 400, "SerializationException"),
    ("dynamodb", "POST", "/", b"[]", dynamodb("PutItem"), 400, "SerializationException"),
    ("dynamodb", "POST", "/", b'{"TableName": 5}', dynamodb("DescribeTable"), 400, "SerializationException"),
    ("dynamodb", "POST", "/", b"[" * 100_000, dynamodb("PutItem"), 400, "SerializationException"),
    ("dynamodb", "POST", "/", b"{}", dynamodb("DescribeTable"), 400, "ValidationException"),
    ("dynamodb", "POST", "/", b"{}", dynamodb("NoSuchThing"), 400, "UnknownOperationException"),
    ("dynamodb", "POST", "/", b"{}", dynamodb("CreateGlobalTable"), 501, "CreateGlobalTable"),
    ("iam", "POST", "/", b"Action=NoSuchThing&Version=2010-05-08", FORM, 400, "InvalidAction"),
    ("iam", "POST", "/", b"Action=CreateUser&Version=2010-05-08", FORM, 400, "ValidationError"),
    ("iam", "POST", "/", b"Action=CreateUser&Version=2010-05-08&UserName=a%20b", FORM, 400, "ValidationError"),
    ("lambda", "POST", "/2015-03-31/functions", b"{", {}, 400, "SerializationException"),
    ("s3", "PUT", "/bad-input?website", b"<no", {}, 400, "MalformedXML"),
    ("s3", "PUT", "/bad-input?website", b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><WebsiteConfiguration>&e;</WebsiteConfiguration>', {}, 400, "MalformedXML"),
    ("s3", "PUT", "/Bad_Name", b"", {}, 400, "InvalidBucketName"),
]


@pytest.mark.parametrize(("service", "method", "path", "body", "headers", "status", "code"), ROWS)
def test_what_cannot_be_read_is_refused(platform, client, service, method, path, body, headers, status, code):
    if "bad-input" in path:
        client("s3").create_bucket(Bucket="bad-input")
    answer = send(platform, service, method, path, body, headers)
    assert answer.status == status, answer
    assert code in answer.text + answer.headers.get("x-amzn-errortype", ""), answer
    assert "/etc/" not in answer.text and "root:" not in answer.text
    if "bad-input" in path:
        client("s3").delete_bucket(Bucket="bad-input")
    assert platform.send("/_pagoda/health").status == 200


def test_what_is_too_large_is_refused(platform):
    answer = send(platform, "dynamodb", "POST", "/", b"x" * 20_000_000, dynamodb("PutItem"))
    assert answer.status in (400, 413), answer.status
    assert platform.send("/_pagoda/health").status == 200


def package(*entries):
    """A zip of `(path, content, mode)`."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for path, content, mode in entries:
            entry = zipfile.ZipInfo(path)
            entry.external_attr = mode << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            made.writestr(entry, content)
    return out.getvalue()


FILE, LINK = stat.S_IFREG | 0o644, stat.S_IFLNK | 0o777


@pytest.mark.parametrize("code", [
    b"no zip", b"", package(("../../outside.py", "x", FILE)), package(("/tmp/outside.py", "x", FILE)),
    package(("link", "/etc", LINK), ("link/outside.py", "x", FILE)), package(("app.py", b"\0" * 300_000_000, FILE)),
], ids=["no zip", "empty", "traversal", "absolute", "link out", "bomb"])
def test_a_bad_package_makes_no_function(platform, client, name, code):
    lambdas, called = client("lambda"), name("f")
    with role(client, name("role")) as arn:
        with pytest.raises(ClientError) as refused:
            lambdas.create_function(FunctionName=called, Role=arn, Runtime="python3.12", Handler="app.handler", Code={"ZipFile": code})
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400, refused.value
    assert refused.value.response["Error"]["Code"] in ("InvalidParameterValueException", "ValidationException", "InvalidZipFileException")
    with pytest.raises(lambdas.exceptions.ResourceNotFoundException):
        lambdas.get_function(FunctionName=called)


def test_what_is_not_built_is_named_and_changes_nothing(platform, client, name):
    table = name("table")
    asked = {
        "TableName": table, "BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}], "SSESpecification": {"Enabled": True},
    }
    answer = send(platform, "dynamodb", "POST", "/", json.dumps(asked).encode(), dynamodb("CreateTable"))
    assert answer.status == 501 and "SSESpecification" in answer.text, answer
    assert table not in client("dynamodb").list_tables()["TableNames"]
