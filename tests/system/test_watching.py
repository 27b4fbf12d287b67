"""What operators see of functions at work: `pagoda list`, `pagoda logs`, and the metrics behind them."""

import json
import os
import subprocess

from functions import function
from platform_process import BINARY, until


def pagoda(platform, *arguments):
    return subprocess.Popen([BINARY, *arguments, "--data", platform.data], stdout=subprocess.PIPE, text=True,
                            env={"PATH": os.environ["PATH"], "HOME": str(platform.data)})


def listed(platform, called):
    out, _ = pagoda(platform, "list", "--json").communicate(timeout=60)
    return next(one for one in json.loads(out) if one["kind"] == "function" and one["name"] == called)


def test_the_list_tells_how_functions_are_doing(client, platform, name):
    lambdas, called = client("lambda"), name("f")
    with function(client, called):
        assert listed(platform, called)["figures"] == {"running": 0, "idle": 0}
        for event in ({}, {"fail": True}, {}):
            lambdas.invoke(FunctionName=called, Payload=json.dumps(event))
        figures = listed(platform, called)["figures"]
        assert (figures["running"], figures["idle"]) == (0, 1)
        assert (figures["invocations"], figures["errors"], figures["throttles"]) == (3, 1, 0)
        assert 0 < figures["p50"] <= figures["p99"]
        out, _ = pagoda(platform, "list").communicate(timeout=60)
        assert "3 invocations, 1 errors" in out and "\x1b" not in out
        cold = client("cloudwatch").list_metrics(Namespace="LambdaInsights", MetricName="init_duration")["Metrics"]
        assert {"Name": "function_name", "Value": called} in [one["Dimensions"][0] for one in cold]
    assert platform.send("/_pagoda/functions").status == 403


def test_logs_are_followed_from_before_the_first_line(client, platform, name):
    called, word = name("f"), name("word")
    with function(client, called):
        one, all = pagoda(platform, "logs", called, "--follow"), pagoda(platform, "logs", "--follow")
        try:
            client("lambda").invoke(FunctionName=called, Payload=json.dumps({"say": word}))
            for followed, start in ((one, ""), (all, called)):
                line = until(lambda: next((text for text in iter(followed.stdout.readline, "") if word in text), None))
                assert start in line and "\x1b" not in line
        finally:
            for followed in (one, all):
                followed.kill()
                followed.wait()
