"""CloudWatch by boto3, and by all the protocols that SDKs speak to it."""

import json
import urllib.parse
from datetime import datetime, timedelta, timezone

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError
from botocore.parsers import create_parser


def window():
    now = datetime.now(timezone.utc)
    return {"StartTime": now - timedelta(minutes=10), "EndTime": now + timedelta(minutes=10)}


def test_what_is_put_is_found(platform, name):
    cloudwatch, namespace = platform.client("cloudwatch"), name("metrics")
    dimensions = [{"Name": "Page", "Value": "é"}]
    cloudwatch.put_metric_data(
        Namespace=namespace,
        MetricData=[{"MetricName": "Hits", "Dimensions": dimensions, "Value": n, "Unit": "Milliseconds"} for n in range(1, 101)],
    )
    found = cloudwatch.list_metrics(Namespace=namespace)["Metrics"]
    assert found == [{"Namespace": namespace, "MetricName": "Hits", "Dimensions": dimensions}]
    asked = {"Namespace": namespace, "MetricName": "Hits", "Dimensions": dimensions, "Period": 3600, **window()}
    points = cloudwatch.get_metric_statistics(**asked, Statistics=["Sum", "SampleCount"])["Datapoints"]
    assert sum(point["Sum"] for point in points) == 5050
    assert {point["Unit"] for point in points} == {"Milliseconds"}
    (point,) = cloudwatch.get_metric_statistics(**asked, ExtendedStatistics=["p90"])["Datapoints"]
    assert point["ExtendedStatistics"]["p90"] == pytest.approx(90, rel=0.011)
    metric = {"Namespace": namespace, "MetricName": "Hits", "Dimensions": dimensions}
    query = {"Id": "hits", "MetricStat": {"Metric": metric, "Period": 3600, "Stat": "Maximum"}}
    (result,) = cloudwatch.get_metric_data(MetricDataQueries=[query], **window())["MetricDataResults"]
    assert (result["Values"], result["StatusCode"]) == ([100.0], "Complete")


def test_a_large_call_comes_compressed(platform, name):
    cloudwatch, namespace = platform.client("cloudwatch"), name("large")
    data = [{"MetricName": "M", "Dimensions": [{"Name": "N", "Value": str(n)}], "Values": [n] * 50} for n in range(500)]
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
    pages = cloudwatch.get_paginator("list_metrics").paginate(Namespace=namespace)
    assert sum(len(page["Metrics"]) for page in pages) == 500


def test_errors_have_the_names_that_clients_know(platform):
    cloudwatch = platform.client("cloudwatch")
    with pytest.raises(ClientError) as refused:
        cloudwatch.put_metric_data(Namespace="AWS/Mine", MetricData=[{"MetricName": "M", "Value": 1}])
    error = refused.value.response["Error"]
    assert error["Code"] in ("InvalidParameterValue", "InvalidParameterValueException")
    assert error["Message"] == "The value AWS/Mine for parameter Namespace is invalid."
    with pytest.raises(ClientError, match="Expression"):
        cloudwatch.get_metric_data(MetricDataQueries=[{"Id": "e", "Expression": "1"}], **window())


def test_every_protocol_is_understood(platform):
    credentials = platform.session().get_credentials()

    def call(body, headers, path="/"):
        request = AWSRequest("POST", platform.endpoint + path, data=body, headers=headers)
        SigV4Auth(credentials, "monitoring", "us-east-1").add_auth(request)
        return platform.send(path, "POST", body, dict(request.headers))

    form = urllib.parse.urlencode({"Action": "ListMetrics", "Version": "2010-08-01"}).encode()
    answer = call(form, {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"})
    assert answer.status == 200 and "<ListMetricsResult>" in answer.text
    target = {"X-Amz-Target": "GraniteServiceVersion20100801.ListMetrics", "Content-Type": "application/x-amz-json-1.0"}
    answer = call(json.dumps({}).encode(), target)
    assert answer.status == 200 and "Metrics" in answer.json
    # As the AWS SDK for JavaScript does: an empty map.
    cbor = {"smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor", "Accept": "application/cbor"}
    path = "/service/GraniteServiceVersion20100801/operation/"
    answer = call(b"\xa0", cbor, path + "ListMetrics")
    assert (answer.status, answer.headers["smithy-protocol"]) == (200, "rpc-v2-cbor")
    model = platform.client("cloudwatch").meta.service_model.operation_model("ListMetrics")
    response = {"status_code": 200, "headers": answer.headers, "body": answer.body}
    parsed = create_parser("smithy-rpc-v2-cbor").parse(response, model.output_shape)
    assert any(metric["Namespace"] for metric in parsed["Metrics"])
    refused = call(b"\xa0", cbor, path + "PutMetricData")
    assert refused.status == 400 and b"ValidationError" in refused.body


def test_a_namespace_can_be_the_only_one_allowed(platform, name):
    iam, user = platform.client("iam"), name("writer")
    iam.create_user(UserName=user)
    condition = {"StringEquals": {"cloudwatch:namespace": "Mine"}}
    statement = {"Effect": "Allow", "Action": "cloudwatch:PutMetricData", "Resource": "*", "Condition": condition}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=document)
    made = iam.create_access_key(UserName=user)["AccessKey"]
    key = type(platform.root)(made["AccessKeyId"], made["SecretAccessKey"])
    cloudwatch = platform.client("cloudwatch", key)
    cloudwatch.put_metric_data(Namespace="Mine", MetricData=[{"MetricName": "M", "Value": 1}])
    with pytest.raises(ClientError, match="AccessDenied"):
        cloudwatch.put_metric_data(Namespace="Other", MetricData=[{"MetricName": "M", "Value": 1}])
