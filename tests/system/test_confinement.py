"""What a function can reach: what its role allows, and nothing of the host."""

import json
import socket
import threading

import pytest

from functions import allow, function
from platform_process import ACCOUNT, REGION

TRY = '''
import os, socket, urllib.request

def attempt(what):
    try:
        return repr(what())
    except Exception as error:
        return "refused: " + type(error).__name__ + " " + str(error)

def aws(service, operation, **arguments):
    import boto3
    return getattr(boto3.client(service), operation)(**arguments)

def connect(host, port):
    socket.create_connection((host, port), timeout=3).close()
    return "connected"

def handler(event, context):
    kind, arguments = event["try"], event.get("with", {})
    if kind == "aws":
        return attempt(lambda: aws(*event["call"], **arguments))
    if kind == "read":
        return attempt(lambda: open(event["path"]).read(200))
    if kind == "write":
        return attempt(lambda: open(event["path"], "w").write("x"))
    if kind == "connect":
        return attempt(lambda: connect(event["host"], event["port"]))
    if kind == "environment":
        return dict(os.environ)
    if kind == "processes":
        return [open(f"/proc/{p}/comm").read().strip() for p in os.listdir("/proc") if p.isdigit()]
'''


@pytest.fixture
def running(start, sdks):
    return start().ready()


def test_a_function_reaches_what_its_role_allows_and_nothing_else(running, name, tmp_path):
    client, called = running.client, name("f")
    secret = tmp_path / "secret"
    secret.write_text("the host's")
    for table in ("mine", "theirs"):
        client("dynamodb").create_table(
            TableName=table, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
    mine = allow(["dynamodb:PutItem", "dynamodb:GetItem"], f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/mine")
    with function(client, called, TRY, [mine]), listening() as port:

        def attempt(**event):
            answer = client("lambda").invoke(FunctionName=called, Payload=json.dumps(event))
            said = json.loads(answer["Payload"].read())
            assert "FunctionError" not in answer, said
            return said

        environment = attempt(**{"try": "environment"})
        assert environment["AWS_ACCESS_KEY_ID"].startswith("ASIA") and environment["AWS_SESSION_TOKEN"]
        assert running.root.secret_access_key not in environment.values()
        assert not {"HOME", "PAGODA_BIN", "CARGO_MANIFEST_DIR"} & {k for k, v in environment.items() if "/root" in v}
        if (running.data / "sdks/python").exists():
            reach_services(attempt)
        for path in (secret, running.data / "credentials.json", "/etc/shadow", "/root/.bashrc", "/proc/1/environ"):
            said = attempt(**{"try": "read", "path": str(path)})
            assert said.startswith("refused"), (path, said)
        for path in ("/var/task/x", "/etc/x", "/usr/x"):
            assert attempt(**{"try": "write", "path": path}).startswith("refused"), path
        assert attempt(**{"try": "write", "path": "/tmp/x"}) == "1"
        for at in (port, running.port):
            assert attempt(**{"try": "connect", "host": "127.0.0.1", "port": at}).startswith("refused"), at
        assert attempt(**{"try": "connect", "host": "169.254.169.254", "port": 80}).startswith("refused")
        assert "pagoda" not in attempt(**{"try": "processes"})[2:]
    running.stop()


def reach_services(attempt):
    """With the SDK of the runtime, as functions do."""
    item = {"id": {"S": "a"}}
    put = {"TableName": "mine", "Item": item}
    assert "'HTTPStatusCode': 200" in attempt(**{"try": "aws", "call": ["dynamodb", "put_item"], "with": put})
    assert "'Item'" in attempt(**{"try": "aws", "call": ["dynamodb", "get_item"], "with": {"TableName": "mine", "Key": item}})
    denied = [
        (["dynamodb", "put_item"], {**put, "TableName": "theirs"}), (["dynamodb", "delete_item"], {"TableName": "mine", "Key": item}),
        (["dynamodb", "list_tables"], {}), (["s3", "list_buckets"], {}), (["iam", "list_users"], {}), (["lambda", "list_functions"], {}),
    ]
    for call, arguments in denied:
        said = attempt(**{"try": "aws", "call": call, "with": arguments})
        assert said.startswith("refused: ") and "AccessDenied" in said, (call, said)
    assert "assumed-role" in attempt(**{"try": "aws", "call": ["sts", "get_caller_identity"]})


class listening:
    """A service of the host's on loopback."""

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.accept, daemon=True).start()
        return self.socket.getsockname()[1]

    def accept(self):
        try:
            while True:
                self.socket.accept()[0].close()
        except OSError:
            pass

    def __exit__(self, *_):
        self.socket.close()
