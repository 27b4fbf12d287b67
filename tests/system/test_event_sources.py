"""Functions that follow tables, by boto3: mappings, and what the functions get."""

import json

import pytest
from botocore.exceptions import ClientError

from functions import LAMBDA_TRUST, allow, zipped
from platform_process import ACCOUNT, until


def table(dynamodb, name, **more):
    made = dynamodb.create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], **more)
    return made["TableDescription"]


@pytest.fixture
def followed(client, name):
    """A table, its stream, and a function."""
    dynamodb, iam, lambdas = client("dynamodb"), client("iam"), client("lambda")
    source, function, role = name("source"), name("function"), name("role")
    stream = table(dynamodb, source, StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(LAMBDA_TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=allow(["dynamodb:*", "logs:*"]))
    lambdas.create_function(
        FunctionName=function, Role=arn, Runtime="python3.12", Handler="app.handler",
        Code={"ZipFile": zipped({"app.py": "import json\ndef handler(event, context):\n    print(json.dumps(event))\n    return {}\n"})})
    yield source, stream["LatestStreamArn"], function
    lambdas.delete_function(FunctionName=function)
    dynamodb.delete_table(TableName=source)


def test_a_mapping_is_made_followed_changed_and_removed(client, followed):
    source, stream, function = followed
    lambdas, dynamodb = client("lambda"), client("dynamodb")
    made = lambdas.create_event_source_mapping(
        FunctionName=function, EventSourceArn=stream, StartingPosition="TRIM_HORIZON", BatchSize=5, Tags={"a": "b"},
        FilterCriteria={"Filters": [{"Pattern": json.dumps({"eventName": ["INSERT"]})}]})
    uuid = made["UUID"]
    dynamodb.put_item(TableName=source, Item={"id": {"S": "a"}})
    until(lambda: lambdas.get_event_source_mapping(UUID=uuid)["LastProcessingResult"] == "OK" or None)
    assert lambdas.list_tags(Resource=made["EventSourceMappingArn"])["Tags"] == {"a": "b"}
    listed = lambdas.get_paginator("list_event_source_mappings").paginate(FunctionName=function)
    assert [one["UUID"] for page in listed for one in page["EventSourceMappings"]] == [uuid]
    changed = lambdas.update_event_source_mapping(UUID=uuid, Enabled=False, BatchSize=7, FilterCriteria={})
    assert (changed["State"], changed["BatchSize"], "FilterCriteria" in changed) == ("Disabled", 7, False)
    assert lambdas.delete_event_source_mapping(UUID=uuid)["State"] == "Deleting"
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        lambdas.get_event_source_mapping(UUID=uuid)


def test_a_bucket_notifies_a_function(client, followed, name):
    _, _, function = followed
    s3, lambdas, bucket = client("s3"), client("lambda"), name("bucket")
    s3.create_bucket(Bucket=bucket)
    arn = lambdas.get_function(FunctionName=function)["Configuration"]["FunctionArn"]
    rule = {"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"], "Filter": {"Key": {"FilterRules": [
        {"Name": "suffix", "Value": ".txt"}]}}}
    configuration = {"LambdaFunctionConfigurations": [rule]}
    with pytest.raises(ClientError, match="Unable to validate the following destination configurations"):
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    lambdas.add_permission(
        FunctionName=function, StatementId="s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com",
        SourceArn=f"arn:aws:s3:::{bucket}", SourceAccount=ACCOUNT)
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    (known,) = s3.get_bucket_notification_configuration(Bucket=bucket)["LambdaFunctionConfigurations"]
    assert (known["LambdaFunctionArn"], known["Events"]) == (arn, rule["Events"]) and known["Id"]
    s3.put_object(Bucket=bucket, Key="a b.txt", Body=b"x")
    group = f"/aws/lambda/{function}"
    logs = client("logs")

    def told():
        try:
            events = logs.filter_log_events(logGroupName=group, filterPattern='"ObjectCreated:Put"')["events"]
        except ClientError:
            return None
        return events or None

    assert '"key": "a+b.txt"' in until(told)[0]["message"]


def test_other_sources_are_refused_by_name(client, followed):
    _, _, function = followed
    with pytest.raises(ClientError) as refused:
        client("lambda").create_event_source_mapping(
            FunctionName=function, EventSourceArn="arn:aws:sqs:us-east-1:123456789012:queue")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert "EventSourceArn" in refused.value.response["Error"]["Message"]


TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      StreamSpecification: {StreamViewType: %(view)s}
  Bucket:
    Type: AWS::S3::Bucket
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      InlineCode: |
        import json
        def handler(event, context):
            for record in event["Records"]:
                print("got", json.dumps(record))
      Events:
        Changed:
          Type: DynamoDB
          Properties: {Stream: !GetAtt Table.StreamArn, StartingPosition: TRIM_HORIZON, BatchSize: %(size)s}
        Uploaded:
          Type: S3
          Properties:
            Bucket: !Ref Bucket
            Events: s3:ObjectCreated:*
            Filter: {S3Key: {Rules: [{Name: suffix, Value: .txt}]}}
Outputs:
  Table: {Value: !Ref Table}
  Bucket: {Value: !Ref Bucket}
  Function: {Value: !Ref Function}
  Mapping: {Value: !Ref FunctionChanged}
"""


def test_a_template_has_followers_of_tables_and_buckets(client, name):
    stacks, stack = client("cloudformation"), name("stack")
    arguments = {"StackName": stack, "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]}

    def deploy(operation, view, size):
        getattr(stacks, operation)(**arguments, TemplateBody=TEMPLATE % {"view": view, "size": size})
        ended = lambda: (one := stacks.describe_stacks(StackName=stack)["Stacks"][0])["StackStatus"].endswith("_COMPLETE") and one
        described = until(ended)
        assert "ROLLBACK" not in described["StackStatus"], stacks.describe_stack_events(StackName=stack)["StackEvents"]
        return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}

    made = deploy("create_stack", "KEYS_ONLY", 5)
    client("dynamodb").put_item(TableName=made["Table"], Item={"id": {"S": "one"}})
    client("s3").put_object(Bucket=made["Bucket"], Key="two.txt", Body=b"x")
    logs, group = client("logs"), f"/aws/lambda/{made['Function']}"

    def got(text):
        try:
            return logs.filter_log_events(logGroupName=group, filterPattern=f'"{text}"')["events"] or None
        except ClientError:
            return None

    for text in ("aws:dynamodb", "two.txt"):
        until(lambda: got(text))
    changed = deploy("update_stack", "KEYS_ONLY", 7)
    assert changed == made
    assert client("lambda").get_event_source_mapping(UUID=made["Mapping"])["BatchSize"] == 7
    changed = deploy("update_stack", "NEW_IMAGE", 7)
    assert changed["Table"] == made["Table"] and changed["Mapping"] != made["Mapping"]
    client("dynamodb").put_item(TableName=made["Table"], Item={"id": {"S": "three"}, "new": {"S": "image"}})
    until(lambda: got("NewImage"))
    client("s3").delete_object(Bucket=made["Bucket"], Key="two.txt")
    stacks.delete_stack(StackName=stack)
    stacks.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    assert client("lambda").list_event_source_mappings(FunctionName=made["Function"])["EventSourceMappings"] == []
