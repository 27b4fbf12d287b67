"""What a stage tells of its requests, as a template has it, read through CloudWatch Logs."""

import json
import time

from test_apigateway import by_path

CAPABILITIES = ["CAPABILITY_AUTO_EXPAND", "CAPABILITY_NAMED_IAM"]
MOCK = {"x-amazon-apigateway-integration": {
    "type": "mock", "requestTemplates": {"application/json": '{"statusCode": 200}'},
    "responses": {"default": {"statusCode": "200", "responseTemplates": {"application/json": "{}"}}}}}
FORMAT = {"id": "$context.requestId", "status": "$context.status", "path": "$context.path", "ip": "$context.identity.sourceIp"}


def lines(logs, group, count):
    """The group's lines, once there are so many: they are written a moment after the answers."""
    for _ in range(100):
        try:
            found = [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]
        except logs.exceptions.ResourceNotFoundException:
            found = []
        if len(found) >= count:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{group}: {found}")


def test_a_template_has_a_stage_logged(platform, client, name):
    cloudformation, logs, stack = client("cloudformation"), client("logs"), name("logged")
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    writing = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]}
    settings = {"ResourcePath": "/*", "HttpMethod": "*", "LoggingLevel": "INFO", "MetricsEnabled": True, "DataTraceEnabled": False}
    template = {"Transform": "AWS::Serverless-2016-10-31", "Resources": {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust, "Policies": [
            {"PolicyName": "logs", "PolicyDocument": writing}]}},
        "Account": {"Type": "AWS::ApiGateway::Account", "Properties": {"CloudWatchRoleArn": {"Fn::GetAtt": ["Role", "Arn"]}}},
        "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {}},
        "Api": {"Type": "AWS::Serverless::Api", "DependsOn": "Account", "Properties": {
            "StageName": "v1", "MethodSettings": [settings],
            "AccessLogSetting": {"DestinationArn": {"Fn::GetAtt": ["Group", "Arn"]}, "Format": json.dumps(FORMAT)},
            "DefinitionBody": {"swagger": "2.0", "info": {"title": stack, "version": "1"}, "paths": {"/a": {"get": MOCK}}}}},
    }, "Outputs": {"Api": {"Value": {"Ref": "Api"}}, "Group": {"Value": {"Ref": "Group"}}}}
    cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(template), Capabilities=CAPABILITIES)
    cloudformation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    outputs = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
    made = {output["OutputKey"]: output["OutputValue"] for output in outputs}
    answers = [platform.send(by_path(platform, made["Api"], path)) for path in ("/a", "/none")]
    told = [json.loads(line) for line in lines(logs, made["Group"], 2)]
    ids = [answer.headers["x-amzn-requestid"] for answer in answers]
    assert told == [
        {"id": ids[0], "status": "200", "path": "/v1/a", "ip": "127.0.0.1"},
        {"id": ids[1], "status": "403", "path": "/v1/none", "ip": "127.0.0.1"},
    ]
    execution = lines(logs, f"API-Gateway-Execution-Logs_{made['Api']}/v1", 5)
    assert f"({ids[0]}) HTTP Method: GET, Resource Path: /a" in execution
    assert execution[-1] == f"({ids[0]}) Method completed with status: 200"
    cloudformation.delete_stack(StackName=stack)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
