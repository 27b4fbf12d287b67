"""Lambda and Logs by boto3: a function's life, its invocations, its log."""

import base64
import json

import pytest
from botocore.exceptions import ClientError

from functions import ECHO, function, role, zipped
from platform_process import until


def invoke(lambdas, name, event, **options):
    answer = lambdas.invoke(FunctionName=name, Payload=json.dumps(event), **options)
    return answer, json.loads(answer["Payload"].read() or b"null")


def test_a_function_answers_and_its_log_is_kept(client, name):
    lambdas, logs, called = client("lambda"), client("logs"), name("f")
    with function(client, called, Environment={"Variables": {"SET": "yes"}}) as arn:
        answer, said = invoke(lambdas, called, {"a": [1, "é"]}, LogType="Tail")
        assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
        assert said == {"echo": {"a": [1, "é"]}, "name": called, "set": "yes"}
        tail = base64.b64decode(answer["LogResult"]).decode()
        for line in ("START RequestId:", "got {", "END RequestId:", "REPORT RequestId:", "Billed Duration:"):
            assert line in tail, tail
        answer, said = invoke(lambdas, arn, {"fail": True})
        assert answer["FunctionError"] == "Unhandled"
        assert (said["errorType"], said["errorMessage"]) == ("ValueError", "as told")
        assert said["stackTrace"]
        group = f"/aws/lambda/{called}"
        # Logs are written behind the answer: the group is made with the first line.
        until(lambda: logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"])
        written = until(lambda: logs.filter_log_events(logGroupName=group, filterPattern="got")["events"][1:])
        assert all("got" in event["message"] for event in written)
        stream = logs.describe_log_streams(logGroupName=group)["logStreams"][0]["logStreamName"]
        events = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)["events"]
        assert any("REPORT RequestId" in event["message"] for event in events)
        logs.delete_log_group(logGroupName=group)
    with pytest.raises(lambdas.exceptions.ResourceNotFoundException):
        lambdas.get_function(FunctionName=called)


def test_code_and_configuration_change(client, name):
    lambdas, s3, called, bucket = client("lambda"), client("s3"), name("f"), name("code")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="two.zip", Body=zipped({"app.py": "def handler(e, c): return 'two'"}))
    with function(client, called):
        lambdas.update_function_code(FunctionName=called, S3Bucket=bucket, S3Key="two.zip")
        lambdas.get_waiter("function_updated_v2").wait(FunctionName=called, WaiterConfig={"Delay": 1})
        assert invoke(lambdas, called, {})[1] == "two"
        changed = lambdas.update_function_configuration(FunctionName=called, Timeout=3, Description="second")
        assert (changed["Timeout"], changed["Description"]) == (3, "second")
        lambdas.update_function_code(FunctionName=called, ZipFile=zipped({"app.py": ECHO}))
        lambdas.get_waiter("function_updated_v2").wait(FunctionName=called, WaiterConfig={"Delay": 1})
        assert invoke(lambdas, called, 1)[1]["echo"] == 1
        assert called in [one["FunctionName"] for page in lambdas.get_paginator("list_functions").paginate() for one in page["Functions"]]
    with role(client, name("role")) as arn:
        made = name("f")
        lambdas.create_function(FunctionName=made, Role=arn, Runtime="python3.12", Handler="app.handler",
                                Code={"S3Bucket": bucket, "S3Key": "two.zip"})
        assert invoke(lambdas, made, {})[1] == "two"
        lambdas.delete_function(FunctionName=made)
    s3.delete_object(Bucket=bucket, Key="two.zip")
    s3.delete_bucket(Bucket=bucket)


@pytest.mark.parametrize(("code", "event", "message"), [
    ("import time\ndef handler(e, c): time.sleep(60)", {}, "Task timed out after 1.00 seconds"),
    ("import os\ndef handler(e, c): os._exit(3)", {}, "exit"),
    ("raise RuntimeError('at load')", {}, "at load"),
    ("handlr = 1", {}, "handler"),
])
def test_what_goes_wrong_in_a_function_is_the_callers_to_see(client, name, code, event, message):
    called = name("f")
    with function(client, called, code, Timeout=1):
        answer, said = invoke(client("lambda"), called, event)
        assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
        assert message in said["errorMessage"], said


def test_nodejs_and_a_binary_of_ones_own_run(client, name):
    lambdas = client("lambda")
    bootstrap = (
        "#!/bin/sh\n"
        "api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation\n"
        "exec python3 - <<'END'\nimport os, urllib.request as u\n"
        "api = 'http://' + os.environ['AWS_LAMBDA_RUNTIME_API'] + '/2018-06-01/runtime/invocation/'\n"
        "while True:\n    e = u.urlopen(api + 'next'); i = e.headers['Lambda-Runtime-Aws-Request-Id']\n"
        "    u.urlopen(api + i + '/response', b'{\"own\": ' + e.read() + b'}')\nEND\n"
    )
    node = "exports.handler = async (event, context) => ({ node: event, left: context.getRemainingTimeInMillis() > 0 })"
    rows = [
        ({"app.js": node}, "nodejs20.x", "app.handler", {"node": 5, "left": True}),
        ({"bootstrap": bootstrap}, "provided.al2023", "bootstrap", {"own": 5}),
    ]
    with role(client, name("role")) as arn:
        for files, runtime, handler, expected in rows:
            called = name("f")
            lambdas.create_function(FunctionName=called, Role=arn, Runtime=runtime, Handler=handler, Timeout=20,
                                    MemorySize=512, Code={"ZipFile": executable(files)})
            answer, said = invoke(lambdas, called, 5, LogType="Tail")
            assert said == expected, base64.b64decode(answer["LogResult"]).decode()
            lambdas.delete_function(FunctionName=called)


def executable(files):
    """As `zipped`, with everything executable."""
    import io
    import zipfile
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for path, content in files.items():
            entry = zipfile.ZipInfo(path)
            entry.external_attr = 0o100755 << 16
            package.writestr(entry, content)
    return out.getvalue()


def test_an_unknown_function_and_a_role_that_lambda_may_not_take(client, name):
    lambdas = client("lambda")
    with pytest.raises(lambdas.exceptions.ResourceNotFoundException):
        lambdas.invoke(FunctionName=name("f"), Payload=b"{}")
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    with role(client, name("role"), trust=trust) as arn, pytest.raises(ClientError, match="cannot be assumed by Lambda"):
        lambdas.create_function(FunctionName=name("f"), Role=arn, Runtime="python3.12", Handler="app.handler",
                                Code={"ZipFile": zipped({"app.py": ECHO})})
