"""EventBridge by boto3: what is put reaches functions, schedules fire, also after a restart."""

import json

import pytest
from botocore.exceptions import ClientError

from functions import function
from platform_process import until

PATTERN = json.dumps({"source": ["shop"], "detail": {"total": [{"numeric": [">", 10]}]}})


def allow(lambdas, called, arn):
    lambdas.add_permission(FunctionName=called, StatementId="events", Action="lambda:InvokeFunction",
                           Principal="events.amazonaws.com", SourceArn=arn)


def lines(logs, called, word):
    try:
        return logs.filter_log_events(logGroupName=f"/aws/lambda/{called}", filterPattern=word)["events"]
    except logs.exceptions.ResourceNotFoundException:
        return []


def test_an_event_reaches_the_functions_whose_rules_match(client, name):
    events, lambdas, logs, called, rule = client("events"), client("lambda"), client("logs"), name("f"), name("rule")
    with function(client, called) as arn:
        rule_arn = events.put_rule(Name=rule, EventPattern=PATTERN)["RuleArn"]
        template = {"InputPathsMap": {"total": "$.detail.total"}, "InputTemplate": '{"order of": <total>}'}
        events.put_targets(Rule=rule, Targets=[{"Id": "f", "Arn": arn, "InputTransformer": template}])
        allow(lambdas, called, rule_arn)
        entry = {"Source": "shop", "DetailType": "Order"}
        put = events.put_events(Entries=[{**entry, "Detail": json.dumps({"total": n})} for n in (9, 11)])
        assert put["FailedEntryCount"] == 0
        (line,) = until(lambda: lines(logs, called, "got"))
        assert 'got {"order of": 11}' in line["message"]
        metrics = client("cloudwatch").list_metrics(Namespace="AWS/Events", Dimensions=[{"Name": "RuleName", "Value": rule}])
        assert {metric["MetricName"] for metric in metrics["Metrics"]} >= {"Invocations", "TriggeredRules"}
        with pytest.raises(ClientError, match="has targets"):
            events.delete_rule(Name=rule)
        events.remove_targets(Rule=rule, Ids=["f"])
        events.delete_rule(Name=rule)


def test_a_function_that_does_not_let_the_rule_in_is_not_invoked(client, name):
    events, logs, called, rule = client("events"), client("logs"), name("f"), name("rule")
    with function(client, called) as arn:
        events.put_rule(Name=rule, EventPattern=json.dumps({"source": [rule]}))
        events.put_targets(Rule=rule, Targets=[{"Id": "f", "Arn": arn}])
        events.put_events(Entries=[{"Source": rule, "DetailType": "t", "Detail": "{}"}])
        asked = [{"Name": "RuleName", "Value": rule}]
        failed = lambda: [m for m in client("cloudwatch").list_metrics(Namespace="AWS/Events", Dimensions=asked)["Metrics"]
                          if m["MetricName"] == "FailedInvocations"]
        until(failed)
        assert lines(logs, called, "got") == []


def test_patterns_and_refusals(client, name):
    events = client("events")
    event = {"id": "1", "account": "1", "source": "shop", "time": "t", "region": "r", "resources": [], "detail-type": "d",
             "detail": {"total": 11}}
    assert events.test_event_pattern(EventPattern=PATTERN, Event=json.dumps(event))["Result"] is True
    with pytest.raises(events.exceptions.InvalidEventPatternException, match="Event pattern is not valid"):
        events.put_rule(Name=name("rule"), EventPattern='{"source": "shop"}')
    with pytest.raises(ClientError, match="Parameter ScheduleExpression is not valid"):
        events.put_rule(Name=name("rule"), ScheduleExpression="rate(1 minutes)")
    with pytest.raises(events.exceptions.ResourceNotFoundException):
        events.describe_rule(Name=name("rule"))


def test_a_schedule_goes_on_after_a_restart(start, name):
    called, rule, platform = name("f"), name("rule"), start().ready()
    events, lambdas, logs = (platform.client(service) for service in ("events", "lambda", "logs"))
    with function(platform.client, called) as arn:
        rule_arn = events.put_rule(Name=rule, ScheduleExpression="cron(* * * * ? *)")["RuleArn"]
        events.put_targets(Rule=rule, Targets=[{"Id": "f", "Arn": arn, "Input": '"tick"'}])
        allow(lambdas, called, rule_arn)
        platform.stop()
        again = start(port=platform.port).ready()
        assert until(lambda: lines(logs, called, "tick"), seconds=90)
    again.stop()


def test_a_stack_has_rules_and_buses(client, name):
    stacks, events, stack, bus = client("cloudformation"), client("events"), name("stack"), name("bus")

    def template(schedule, targets):
        rule = {"ScheduleExpression": schedule, "Targets": targets, "Tags": [{"Key": "k", "Value": "v"}]}
        own = {"EventBusName": {"Ref": "Bus"}, "EventPattern": {"source": ["shop"]}, "State": "DISABLED"}
        return json.dumps({"Resources": {
            "Tick": {"Type": "AWS::Events::Rule", "Properties": rule},
            "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": bus}},
            "Own": {"Type": "AWS::Events::Rule", "Properties": own},
        }})

    targets = [{"Id": f"t{n}", "Arn": "arn:aws:lambda:us-east-1:123456789012:function:f"} for n in range(2)]
    stacks.create_stack(StackName=stack, TemplateBody=template("rate(1 day)", targets))
    stacks.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    resources = stacks.describe_stack_resources(StackName=stack)["StackResources"]
    made = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in resources}
    assert made["Own"].startswith(f"{bus}|")
    assert events.describe_rule(Name=made["Own"].split("|")[1], EventBusName=bus)["State"] == "DISABLED"
    stacks.update_stack(StackName=stack, TemplateBody=template("rate(2 days)", targets[1:]))
    stacks.get_waiter("stack_update_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    assert events.describe_rule(Name=made["Tick"])["ScheduleExpression"] == "rate(2 days)"
    assert [target["Id"] for target in events.list_targets_by_rule(Rule=made["Tick"])["Targets"]] == ["t1"]
    stacks.delete_stack(StackName=stack)
    stacks.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    assert bus not in [one["Name"] for one in events.list_event_buses()["EventBuses"]]
