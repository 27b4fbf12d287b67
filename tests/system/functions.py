"""Packages, roles and functions for tests, made by boto3 as anyone would."""

import functools
import io
import json
import subprocess
import sys
import zipfile
from contextlib import contextmanager

from platform_process import ACCOUNT, REGION, REPOSITORY

CACHE = REPOSITORY / ".cache"
# The interpreter of guests for which packages with compiled parts are fetched.
GUEST_PYTHON = "/usr/bin/python3"
ECHO = '''
import json, os
print("loaded")
def handler(event, context):
    print("got", json.dumps(event, sort_keys=True)[:200])
    if isinstance(event, dict) and event.get("fail"):
        raise ValueError("as told")
    if isinstance(event, dict) and "requestContext" in event:
        seen = {k: event.get(k) for k in ("httpMethod", "path", "resource", "body", "queryStringParameters",
                                          "multiValueQueryStringParameters", "pathParameters", "isBase64Encoded")}
        seen["stage"] = event["requestContext"]["stage"]
        seen["caller"] = event["requestContext"]["identity"].get("userArn")
        return {"statusCode": 201, "headers": {"X-Made-By": "echo", "Access-Control-Allow-Origin": "*"}, "body": json.dumps(seen)}
    return {"echo": event, "name": context.function_name, "set": os.environ.get("SET")}
'''
LAMBDA_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def zipped(files):
    """A package of `{path: text or bytes}`."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for path, content in files.items():
            package.writestr(path, content)
    return out.getvalue()


def installed(name, install):
    """`{path: bytes}` of a folder that `install` filled once, for this and later runs."""
    place = CACHE / name
    if not place.exists():
        partial = place.with_name(f"{place.name}.partial")
        install(partial)
        partial.rename(place)
    return {str(file.relative_to(place)): file.read_bytes() for file in place.rglob("*")
            if file.is_file() and "__pycache__" not in file.parts}


@functools.cache
def guest_version():
    """Such as `3.11`."""
    told = [GUEST_PYTHON, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    return subprocess.run(told, capture_output=True, text=True, check=True).stdout.strip()


def wheels_of(name, *requirements):
    """`{path: bytes}` of packages from PyPI as the guests' Python takes them."""
    def install(folder):
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, "--upgrade",
                        "--only-binary=:all:", "--python-version", guest_version(), *requirements], check=True)

    return installed(f"{name}-{guest_version()}", install)


def allow(action, resource="*"):
    """A policy document with one statement that allows."""
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@contextmanager
def role(client, name, policies=(), trust=LAMBDA_TRUST):
    """A role with inline policies; gives its ARN."""
    iam = client("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.attach_role_policy(RoleName=name, PolicyArn=BASIC)
    for number, document in enumerate(policies):
        iam.put_role_policy(RoleName=name, PolicyName=f"p{number}", PolicyDocument=document)
    try:
        yield arn
    finally:
        for number, _ in enumerate(policies):
            iam.delete_role_policy(RoleName=name, PolicyName=f"p{number}")
        iam.detach_role_policy(RoleName=name, PolicyArn=BASIC)
        iam.delete_role(RoleName=name)


@contextmanager
def function(client, name, code=ECHO, policies=(), **settings):
    """A Python function with a role of its own; gives its ARN."""
    lambdas = client("lambda")
    with role(client, f"{name}-role", policies) as role_arn:
        given = {"Runtime": "python3.12", "Handler": "app.handler", "Timeout": 20, "MemorySize": 256, **settings}
        made = lambdas.create_function(FunctionName=name, Role=role_arn, Code={"ZipFile": zipped({"app.py": code})}, **given)
        try:
            lambdas.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
            yield made["FunctionArn"]
        finally:
            lambdas.delete_function(FunctionName=name)


@contextmanager
def user(client, name, *policies):
    """A user with inline policies; gives the access key."""
    iam = client("iam")
    iam.create_user(UserName=name)
    for number, document in enumerate(policies):
        iam.put_user_policy(UserName=name, PolicyName=f"p{number}", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    try:
        yield key
    finally:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        for number, _ in enumerate(policies):
            iam.delete_user_policy(UserName=name, PolicyName=f"p{number}")
        iam.delete_user(UserName=name)


def invocation(function_arn):
    """The URI of an AWS_PROXY integration."""
    return f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function_arn}/invocations"


def method_arn(api, path="*"):
    return f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/{path}"
