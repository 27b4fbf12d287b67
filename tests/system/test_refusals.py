"""Requests that must be refused: AWS's own code and status for each family of protocols."""

import datetime
import re
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from functions import user
from platform_process import REGION, Key, until

JSON = {"content-type": "application/x-amz-json-1.0", "x-amz-target": "DynamoDB_20120810.ListTables"}
FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
# Family: service, method, path, headers, body; the same kind of read in each.
REQUESTS = {
    "json": ("dynamodb", "POST", "/", JSON, "{}"),
    "query": ("iam", "POST", "/", FORM, "Action=ListUsers&Version=2010-05-08"),
    "rest-json": ("lambda", "GET", "/2015-03-31/functions", {}, ""),
    "s3": ("s3", "GET", "/", {}, ""),
}
REFUSALS = {
    "wrong secret": {
        "json": (400, "InvalidSignatureException"), "query": (403, "SignatureDoesNotMatch"),
        "rest-json": (403, "InvalidSignatureException"), "s3": (403, "SignatureDoesNotMatch")},
    "unknown key": {
        "json": (400, "UnrecognizedClientException"), "query": (403, "InvalidClientTokenId"),
        "rest-json": (403, "UnrecognizedClientException"), "s3": (403, "InvalidAccessKeyId")},
    "expired": {
        "json": (400, "InvalidSignatureException"), "query": (403, "SignatureDoesNotMatch"),
        "rest-json": (403, "InvalidSignatureException"), "s3": (403, "RequestTimeTooSkewed")},
    "unsigned": {
        "json": (400, "MissingAuthenticationTokenException"),
        "rest-json": (403, "MissingAuthenticationTokenException"), "s3": (403, "AccessDenied")},
    "no permission": {
        "json": (400, "AccessDeniedException"), "query": (403, "AccessDenied"),
        "rest-json": (403, "AccessDeniedException"), "s3": (403, "AccessDenied")},
    "tampered body": {
        "json": (400, "InvalidSignatureException"), "query": (403, "SignatureDoesNotMatch")},
    "tampered path": {
        "rest-json": (403, "InvalidSignatureException"), "s3": (403, "SignatureDoesNotMatch")},
    "foreign session token": {
        "json": (400, "UnrecognizedClientException"), "query": (403, "InvalidClientTokenId"),
        "rest-json": (403, "UnrecognizedClientException")},
}


def signed(platform, family, key, age=datetime.timedelta()):
    """The family's request, signed `age` ago: method, path, headers, body."""
    service, method, path, headers, body = REQUESTS[family]
    request = AWSRequest(method, platform.endpoint + path, dict(headers), body)
    credentials = Credentials(key.access_key_id, key.secret_access_key, key.session_token)
    signer = (S3SigV4Auth if service == "s3" else SigV4Auth)(credentials, service, REGION)
    at_time(signer, request, age)
    return method, path, dict(request.headers), body


def at_time(signer, request, age):
    """botocore takes the time from one function of its module."""
    import botocore.auth as auth
    real = auth.get_current_datetime
    auth.get_current_datetime = lambda *a, **k: real(*a, **k) - age
    try:
        signer.add_auth(request)
    finally:
        auth.get_current_datetime = real


def code(answer):
    """What the answer names the error, wherever its protocol puts it; the places must agree."""
    names = set()
    if "x-amzn-errortype" in answer.headers:
        names.add(answer.headers["x-amzn-errortype"].split(":")[0])
    if answer.body.startswith(b"{"):
        names |= {answer.json[member].split("#")[-1] for member in ("__type", "code") if member in answer.json}
    else:
        names |= set(re.findall(r"<Code>(\w+)</Code>", answer.text))
    assert len(names) == 1, answer
    return names.pop()


def made(platform, case, family):
    root = platform.root
    if case == "wrong secret":
        return signed(platform, family, Key(root.access_key_id, root.secret_access_key[::-1]))
    if case == "unknown key":
        return signed(platform, family, Key("AKIAIOSFODNN7EXAMPLE", root.secret_access_key))
    if case == "expired":
        return signed(platform, family, root, datetime.timedelta(minutes=20))
    if case == "unsigned":
        service, method, path, headers, body = REQUESTS[family]
        return method, path, headers, body
    if case == "foreign session token":
        return signed(platform, family, Key(root.access_key_id, root.secret_access_key, "made up"))
    method, path, headers, body = signed(platform, family, root)
    if case == "tampered body":
        return method, path, headers, body.replace("{}", '{"Limit":1}').replace("ListUsers", "ListRoles")
    return method, path + "?x=y", headers, body


@pytest.mark.parametrize(("case", "family"), [
    (case, family) for case, families in REFUSALS.items() if case != "no permission" for family in families])
def test_a_request_that_proves_nothing(platform, case, family):
    method, path, headers, body = made(platform, case, family)
    answer = platform.send(path, method, body, headers)
    assert (answer.status, code(answer)) == REFUSALS[case][family], answer
    assert platform.root.secret_access_key not in answer.text


@pytest.mark.parametrize("family", REQUESTS)
def test_a_request_of_one_without_permission(platform, client, name, family):
    with user(client, name("user")) as key:
        method, path, headers, body = signed(platform, family, Key.of(key))
        answer = platform.send(path, method, body, headers)
        assert (answer.status, code(answer)) == REFUSALS["no permission"][family], answer


@pytest.mark.parametrize("family", REQUESTS)
def test_the_same_request_is_served_when_it_is_right(platform, family):
    method, path, headers, body = signed(platform, family, platform.root)
    answer = platform.send(path, method, body, headers)
    assert answer.status == 200, answer


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_presigned_urls_end_and_cannot_be_changed(platform, client, name, version):
    s3, bucket = client("s3"), name("bucket")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    of = {"Bucket": bucket, "Key": "k"}
    signer = client("s3", signature_version=version)
    url = signer.generate_presigned_url("get_object", of, ExpiresIn=60)
    assert platform.send(url).status == 200
    assert refused(platform, url, "DELETE") == (403, "SignatureDoesNotMatch")
    assert refused(platform, url.replace("/k?", "/l?")) == (403, "SignatureDoesNotMatch")
    longer = url.replace("X-Amz-Expires=60", "X-Amz-Expires=600") if version == "s3v4" else re.sub(r"Expires=(\d+)", r"Expires=9999999999", url)
    assert longer != url
    assert refused(platform, longer) == (403, "SignatureDoesNotMatch")
    ended = signer.generate_presigned_url("get_object", of, ExpiresIn=-1 if version == "s3" else 1)
    if version == "s3v4":
        # The clock of both is this machine's: one second is over when it has changed.
        assert until(lambda: code_of(platform, ended)) == "AccessDenied"
    else:
        assert refused(platform, ended) == (403, "AccessDenied")
    s3.delete_object(**of)
    s3.delete_bucket(Bucket=bucket)


def refused(platform, url, method="GET"):
    assert urlsplit(url).query
    answer = platform.send(url, method)
    return answer.status, code(answer)


def code_of(platform, url):
    answer = platform.send(url)
    return code(answer) if answer.status != 200 else None
