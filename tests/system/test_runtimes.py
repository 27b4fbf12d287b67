"""AWS's own runtime clients, unchanged, as `bootstrap` of functions: awslambdaric and the crate lambda_runtime."""

import base64
import json
import subprocess
import time
from contextlib import contextmanager

import pytest

from functions import CACHE, GUEST_PYTHON, role, wheels_of, zipped
from platform_process import ACCOUNT, REGION, REPOSITORY
from test_lambda import executable, invoke

RIC = "awslambdaric==4.2.2"

PYTHON = '''
import json, logging, os, sys, time
logging.getLogger().setLevel("INFO")
if os.environ.get("FAIL_INIT"):
    raise RuntimeError("no init")
def handler(event, context):
    asked = event.get("do") if isinstance(event, dict) else None
    if asked == "fail":
        raise ValueError("as told")
    if asked == "exit":
        sys.exit(3)
    if asked == "wait":
        time.sleep(60)
    if asked == "context":
        return {"request_id": context.aws_request_id, "invoked_function_arn": context.invoked_function_arn,
                "left": context.get_remaining_time_in_millis(), "deadline": context._epoch_deadline_time_in_ms,
                "client_context": context.client_context and {"custom": context.client_context.custom},
                "name": context.function_name, "trace": os.environ.get("_X_AMZN_TRACE_ID")}
    if asked == "large":
        return "x" * 7_000_000
    logging.info("echoing")
    return {"echo": event}
'''


@pytest.fixture(scope="session")
def awslambdaric():
    """The package that runs the module `app` by AWS's client for Python."""
    files = wheels_of(RIC, RIC)
    bootstrap = f'#!/bin/sh\ncd "$LAMBDA_TASK_ROOT"\nexec {GUEST_PYTHON} -m awslambdaric "$_HANDLER"\n'
    return executable({**files, "app.py": PYTHON, "bootstrap": bootstrap})


@pytest.fixture(scope="session")
def lambda_runtime():
    """The package of the program that AWS's crate runs."""
    crate = REPOSITORY / "tests/rust/lambda_runtime"
    target = CACHE / "rust"
    subprocess.run(["cargo", "build", "--quiet", "--locked", "--target-dir", target], cwd=crate, check=True)
    program = target / "debug/bootstrap"
    subprocess.run(["strip", program], check=False)
    return executable({"bootstrap": program.read_bytes()})


@pytest.fixture(params=["awslambdaric", "lambda_runtime"])
def package(request):
    return request.getfixturevalue(request.param)


@contextmanager
def provided(client, name, package, **settings):
    """A function that brings its own runtime; gives its name."""
    lambdas, called = client("lambda"), name("f")
    given = {"Runtime": "provided.al2023", "Handler": "app.handler", "Timeout": 20, "MemorySize": 256, **settings}
    with role(client, f"{called}-role") as role_arn:
        lambdas.create_function(FunctionName=called, Role=role_arn, Code={"ZipFile": package}, **given)
        try:
            yield called
        finally:
            lambdas.delete_function(FunctionName=called)


def test_it_answers_and_knows_its_context(client, name, package):
    lambdas = client("lambda")
    with provided(client, name, package) as called:
        answer, said = invoke(lambdas, called, {"a": [1, "é"]}, LogType="Tail")
        tail = base64.b64decode(answer["LogResult"]).decode()
        assert said == {"echo": {"a": [1, "é"]}} and "echoing" in tail, tail
        mobile = base64.b64encode(json.dumps({"custom": {"k": "v"}}).encode()).decode()
        answer, said = invoke(lambdas, called, {"do": "context"}, ClientContext=mobile)
        assert said["request_id"] == answer["ResponseMetadata"]["RequestId"]
        assert said["invoked_function_arn"] == f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{called}"
        assert 0 < int(said["deadline"]) / 1000 - time.time() < 21
        assert said["client_context"]["custom"] == {"k": "v"}
        assert (said.get("trace") or said.get("xray_trace_id")).startswith("Root=1-")
        # A large event and a large answer travel in many pieces.
        large = "x" * 5_000_000
        assert invoke(lambdas, called, large)[1] == {"echo": large}


def test_what_goes_wrong_is_told_and_the_next_request_succeeds(client, name, package):
    lambdas = client("lambda")
    with provided(client, name, package, Timeout=2) as called:
        for event, kind, message in [
            ({"do": "fail"}, None, "as told"),
            ({"do": "exit"}, "Runtime.ExitError", "exit status 3"),
            ({"do": "wait"}, "Sandbox.Timedout", "Task timed out after 2.00 seconds"),
        ]:
            answer, said = invoke(lambdas, called, event)
            assert answer["FunctionError"] == "Unhandled"
            assert message in said["errorMessage"] and kind in (None, said["errorType"]), said
            assert invoke(lambdas, called, 1)[1] == {"echo": 1}, event


def test_an_answer_that_is_too_large_is_told(client, name, awslambdaric):
    lambdas = client("lambda")
    with provided(client, name, awslambdaric) as called:
        answer, said = invoke(lambdas, called, {"do": "large"})
        assert (answer["FunctionError"], said["errorType"]) == ("Unhandled", "Function.ResponseSizeTooLarge")
        assert invoke(lambdas, called, 1)[1] == {"echo": 1}


def test_a_failing_init_is_told(client, name, package):
    lambdas = client("lambda")
    with provided(client, name, package, Environment={"Variables": {"FAIL_INIT": "1"}}) as called:
        answer, said = invoke(lambdas, called, 1)
        assert answer["FunctionError"] == "Unhandled"
        # The one reports its error, the other one's program just ends.
        assert said["errorType"] in ("RuntimeError", "Runtime.ExitError"), said


def test_a_panic_is_an_error_and_the_process_lives_on(client, name, lambda_runtime):
    lambdas = client("lambda")
    with provided(client, name, lambda_runtime) as called:
        answer, said = invoke(lambdas, called, {"do": "panic"})
        assert answer["FunctionError"] == "Unhandled" and "in panic" in said["errorMessage"], said
        assert invoke(lambdas, called, 1)[1] == {"echo": 1}


def test_a_streamed_answer_is_whole_for_those_who_wait_for_it(client, name, lambda_runtime):
    with provided(client, name, lambda_runtime) as called:
        answer = client("lambda").invoke(FunctionName=called, Payload=b'{"do": "stream"}')
        head, _, body = answer["Payload"].read().partition(b"\0" * 8)
        assert (json.loads(head)["statusCode"], body) == (200, b"one two three")


STREAMING = '''
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
  stream.setContentType("text/plain");
  if (event.http) stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201 });
  for (let i = 0; i < (event.pieces || 3); i += 1) {
    stream.write(event.large ? "x".repeat(1e6) : `piece ${i} `);
    await new Promise((resolve) => setTimeout(resolve, event.large ? 0 : 150));
  }
  if (event.fail) throw new RangeError("as told");
  if (event.exit) process.exit(3);
  if (event.wait) await new Promise((resolve) => setTimeout(resolve, 60000));
  stream.end();
});
'''


def streamed(lambdas, called, event, **options):
    """The chunks with the seconds until each, and what the last message says."""
    answer = lambdas.invoke_with_response_stream(FunctionName=called, Payload=json.dumps(event), **options)
    began, chunks, last = time.monotonic(), [], None
    assert answer["StatusCode"] == 200 and answer["ExecutedVersion"] == "$LATEST"
    for message in answer["EventStream"]:
        assert last is None, "nothing comes after the last"
        if "PayloadChunk" in message:
            chunks.append((time.monotonic() - began, message["PayloadChunk"]["Payload"]))
        else:
            last = message["InvokeComplete"]
    return chunks, last


def test_nodejs_streams_its_answer(client, name):
    lambdas = client("lambda")
    with provided(client, name, zipped({"app.js": STREAMING}), Runtime="nodejs20.x", Timeout=3) as called:
        chunks, last = streamed(lambdas, called, {}, LogType="Tail")
        assert b"".join(chunk for _, chunk in chunks) == b"piece 0 piece 1 piece 2 "
        assert chunks[-1][0] - chunks[0][0] > 0.2, "the pieces come as they are written"
        assert "ErrorCode" not in last and "REPORT RequestId" in base64.b64decode(last["LogResult"]).decode()
        chunks, _ = streamed(lambdas, called, {"http": True, "pieces": 1})
        head, _, body = b"".join(chunk for _, chunk in chunks).partition(b"\0" * 8)
        assert (json.loads(head), body) == ({"statusCode": 201}, b"piece 0 ")
        # Whoever invokes without streaming gets all of it at once.
        assert lambdas.invoke(FunctionName=called, Payload=b"{}")["Payload"].read() == b"piece 0 piece 1 piece 2 "
        chunks, last = streamed(lambdas, called, {"large": True, "pieces": 25})
        assert (sum(len(chunk) for _, chunk in chunks), last) == (25_000_000, {})


@pytest.mark.parametrize(("event", "code", "details"), [
    ({"fail": True}, "RangeError", "as told"),
    ({"exit": True}, "Runtime.ExitError", "exit status 3"),
    ({"wait": True}, "Sandbox.Timedout", "Task timed out after 2.00 seconds"),
])
def test_a_stream_that_breaks_off_says_why(client, name, event, code, details):
    lambdas = client("lambda")
    with provided(client, name, zipped({"app.js": STREAMING}), Runtime="nodejs20.x", Timeout=2) as called:
        chunks, last = streamed(lambdas, called, event)
        assert b"".join(chunk for _, chunk in chunks) == b"piece 0 piece 1 piece 2 "
        assert last["ErrorCode"] == code and details in last["ErrorDetails"], last
        assert streamed(lambdas, called, {"pieces": 1})[1] == {}


def test_others_stream_too(client, name, lambda_runtime, awslambdaric):
    lambdas = client("lambda")
    with provided(client, name, lambda_runtime) as called:
        chunks, last = streamed(lambdas, called, {"do": "stream"})
        assert b"".join(chunk for _, chunk in chunks).endswith(b"\0one two three") and last == {}
    with provided(client, name, awslambdaric) as called:
        chunks, last = streamed(lambdas, called, [1])
        assert ([json.loads(chunk) for _, chunk in chunks], last) == ([{"echo": [1]}], {})
        chunks, last = streamed(lambdas, called, {"do": "fail"})
        assert (chunks, last["ErrorCode"]) == ([], "ValueError")
        with pytest.raises(lambdas.exceptions.ResourceNotFoundException):
            streamed(lambdas, name("none"), [1])
