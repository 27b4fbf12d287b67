"""CloudFormation by boto3: change sets, waiters, outputs, rollback, deletion."""

import json

import pytest
from botocore.exceptions import ClientError

from platform_process import until

TEMPLATE = """
Parameters:
  Kind: { Type: String, AllowedValues: [plain, fancy], Default: plain }
Conditions:
  Fancy: !Equals [!Ref Kind, fancy]
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{ AttributeName: id, AttributeType: S }]
      KeySchema: [{ AttributeName: id, KeyType: HASH }]
  Bucket:
    Type: AWS::S3::Bucket
    Condition: Fancy
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{ Effect: Allow, Principal: { Service: lambda.amazonaws.com }, Action: "sts:AssumeRole" }]
      Policies:
        - PolicyName: own
          PolicyDocument:
            Version: "2012-10-17"
            Statement: [{ Effect: Allow, Action: "dynamodb:GetItem", Resource: !GetAtt Table.Arn }]
Outputs:
  Table: { Value: !Ref Table }
  Bucket: { Condition: Fancy, Value: !Ref Bucket }
  Said: { Value: !Sub "${AWS::StackName} in ${AWS::Region}: ${Table.Arn}" }
"""
QUICK = {"Delay": 1, "MaxAttempts": 60}


def change(cloud, stack, kind, template=TEMPLATE, **parameters):
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    cloud.create_change_set(StackName=stack, ChangeSetName="c", ChangeSetType=kind, TemplateBody=template,
                            Parameters=given, Capabilities=["CAPABILITY_IAM"])
    cloud.get_waiter("change_set_create_complete").wait(StackName=stack, ChangeSetName="c", WaiterConfig=QUICK)
    changes = cloud.describe_change_set(StackName=stack, ChangeSetName="c")["Changes"]
    cloud.execute_change_set(StackName=stack, ChangeSetName="c")
    cloud.get_waiter(f"stack_{kind.lower()}_complete").wait(StackName=stack, WaiterConfig=QUICK)
    return {(one["ResourceChange"]["Action"], one["ResourceChange"]["LogicalResourceId"]) for one in changes}


def described(cloud, stack):
    found = cloud.describe_stacks(StackName=stack)["Stacks"][0]
    return found["StackStatus"], {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}


def test_a_stack_from_its_change_set_to_its_end(client, name):
    cloud, dynamodb, stack = client("cloudformation"), client("dynamodb"), name("stack")
    assert change(cloud, stack, "CREATE") == {("Add", "Table"), ("Add", "Role")}
    status, outputs = described(cloud, stack)
    assert status == "CREATE_COMPLETE"
    table = outputs["Table"]
    assert outputs["Said"] == f"{stack} in us-east-1: {dynamodb.describe_table(TableName=table)['Table']['TableArn']}"
    dynamodb.put_item(TableName=table, Item={"id": {"S": "kept"}})
    assert change(cloud, stack, "UPDATE", Kind="fancy") == {("Add", "Bucket")}
    status, outputs = described(cloud, stack)
    assert status == "UPDATE_COMPLETE"
    client("s3").head_bucket(Bucket=outputs["Bucket"])
    assert "Item" in dynamodb.get_item(TableName=table, Key={"id": {"S": "kept"}})
    resources = cloud.describe_stack_resources(StackName=stack)["StackResources"]
    assert {one["LogicalResourceId"]: one["ResourceStatus"] for one in resources} == {
        "Table": "CREATE_COMPLETE", "Role": "CREATE_COMPLETE", "Bucket": "CREATE_COMPLETE"}
    events = [event for page in cloud.get_paginator("describe_stack_events").paginate(StackName=stack) for event in page["StackEvents"]]
    assert events[0]["ResourceStatus"] == "UPDATE_COMPLETE"
    assert "Parameters:" in cloud.get_template(StackName=stack)["TemplateBody"]
    cloud.delete_stack(StackName=stack)
    cloud.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig=QUICK)
    with pytest.raises(dynamodb.exceptions.ResourceNotFoundException):
        dynamodb.describe_table(TableName=table)
    with pytest.raises(ClientError, match="does not exist"):
        cloud.describe_stacks(StackName=stack)


def test_what_fails_is_rolled_back(client, name):
    cloud, stack, taken = client("cloudformation"), name("stack"), name("taken")
    iam = client("iam")
    template = {"Resources": {
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": f"{taken}-b"}},
        "Role": {"Type": "AWS::IAM::Role", "DependsOn": "Bucket", "Properties": {"RoleName": taken, "AssumeRolePolicyDocument": {"no": 1}}},
    }}
    cloud.create_stack(StackName=stack, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"])
    with pytest.raises(Exception, match="ROLLBACK|terminal failure"):
        cloud.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig=QUICK)
    until(lambda: described(cloud, stack)[0] == "ROLLBACK_COMPLETE")
    assert f"{taken}-b" not in [one["Name"] for one in client("s3").list_buckets()["Buckets"]]
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_role(RoleName=taken)
    cloud.delete_stack(StackName=stack)
    cloud.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig=QUICK)


@pytest.mark.parametrize(("template", "message"), [
    ("Resources: {}", "At least one Resources member must be defined"),
    ("Resources: { A: { Type: AWS::No::Such } }", "AWS::No::Such"),
    ("Resources: { A: { Type: AWS::S3::Bucket, Properties: { BucketName: !Ref B } } }", "Unresolved resource dependencies"),
    ("Resources: [", ""),
])
def test_a_template_that_cannot_work_is_refused(client, name, template, message):
    cloud, stack = client("cloudformation"), name("stack")
    with pytest.raises(ClientError) as refused:
        cloud.create_stack(StackName=stack, TemplateBody=template)
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    assert message in refused.value.response["Error"]["Message"]
    with pytest.raises(ClientError, match="does not exist"):
        cloud.describe_stacks(StackName=stack)


def test_what_a_stack_makes_is_marked(client, name):
    cloud, stack = client("cloudformation"), name("stack")
    made = cloud.create_stack(StackName=stack, TemplateBody=TEMPLATE, Capabilities=["CAPABILITY_IAM"], ClientRequestToken="once",
                              Parameters=[{"ParameterKey": "Kind", "ParameterValue": "fancy"}], Tags=[{"Key": "team", "Value": "web"}])
    again = cloud.create_stack(StackName=stack, TemplateBody=TEMPLATE, Capabilities=["CAPABILITY_IAM"], ClientRequestToken="once")
    assert made["StackId"] == again["StackId"]
    cloud.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig=QUICK)
    assert {event["ClientRequestToken"] for event in cloud.describe_stack_events(StackName=stack)["StackEvents"]} == {"once"}
    mark = {"aws:cloudformation:stack-name": stack, "aws:cloudformation:stack-id": made["StackId"], "team": "web"}
    outputs = described(cloud, stack)[1]
    role = cloud.describe_stack_resource(StackName=stack, LogicalResourceId="Role")["StackResourceDetail"]["PhysicalResourceId"]
    table = client("dynamodb").describe_table(TableName=outputs["Table"])["Table"]["TableArn"]
    s3, bucket = client("s3"), outputs["Bucket"]
    for logical, tags in (("Bucket", s3.get_bucket_tagging(Bucket=bucket)["TagSet"]),
                          ("Table", client("dynamodb").list_tags_of_resource(ResourceArn=table)["Tags"]),
                          ("Role", client("iam").list_role_tags(RoleName=role)["Tags"])):
        assert {tag["Key"]: tag["Value"] for tag in tags} == {**mark, "aws:cloudformation:logical-id": logical}
    # Nobody else sets or removes what marks them.
    forged = [{"Key": "aws:cloudformation:stack-id", "Value": "x"}]
    for refused in (lambda: s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": forged}),
                    lambda: s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]}),
                    lambda: client("dynamodb").tag_resource(ResourceArn=table, Tags=forged),
                    lambda: client("dynamodb").untag_resource(ResourceArn=table, TagKeys=[forged[0]["Key"]]),
                    lambda: client("iam").tag_role(RoleName=role, Tags=forged),
                    lambda: client("iam").untag_role(RoleName=role, TagKeys=[forged[0]["Key"]])):
        with pytest.raises(ClientError, match="(?i)reserved|System tags"):
            refused()
    cloud.delete_stack(StackName=stack)
    cloud.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig=QUICK)
