"""What operators see of functions at work: `pagoda list`, `pagoda logs`, and the metrics behind them."""

import http.server
import json
import os
import subprocess
import threading

from functions import function
from platform_process import BINARY, SERVE, until


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


DOWNSTREAM = """
import os, ssl, urllib.request
def handler(event, context):
    url = os.environ["AWS_ENDPOINT_URL"] + "/_pagoda/health"
    request = urllib.request.Request(url, headers={"X-Amzn-Trace-Id": os.environ["_X_AMZN_TRACE_ID"]})
    return urllib.request.urlopen(request, timeout=5).status
"""


class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        for resource in body["resourceSpans"]:
            service = resource["resource"]["attributes"][0]["value"]["stringValue"]
            self.server.spans += [{**span, "service": service} for span in resource["scopeSpans"][0]["spans"]]
        assert self.path == "/v1/traces"
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def test_a_trace_joins_caller_gateway_function_and_what_it_calls(start, name):
    called, root = name("f"), "1-5759e988-bd862e3fe1be46a994272793"
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector) as collector:
        collector.spans = []
        threading.Thread(target=collector.serve_forever, daemon=True).start()
        platform = start((*SERVE, "--otlp-endpoint", f"http://127.0.0.1:{collector.server_port}")).ready()
        lambdas = platform.client("lambda")
        with function(platform.client, called, code=DOWNSTREAM):
            header = f"Root={root};Parent=53995c3f42cd8ad8;Sampled=1"
            traced = lambda request, **_: request.headers.update({"X-Amzn-Trace-Id": header})
            lambdas.meta.events.register("before-send.lambda.Invoke", traced)
            assert json.loads(lambdas.invoke(FunctionName=called)["Payload"].read()) == 200
        platform.stop()
        collector.shutdown()
    spans = [span for span in collector.spans if span["traceId"] == root[2:].replace("-", "")]
    by = {span["name"]: span for span in spans}
    gateway, invoked, downstream = by["lambda.Invoke"], by[called], by["platform"]
    assert gateway["parentSpanId"] == "53995c3f42cd8ad8"
    assert invoked["parentSpanId"] == gateway["spanId"] and invoked["service"] == called
    assert downstream["parentSpanId"] == invoked["spanId"]
    assert int(gateway["startTimeUnixNano"]) <= int(invoked["startTimeUnixNano"]) < int(invoked["endTimeUnixNano"])
