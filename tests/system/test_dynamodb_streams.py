"""DynamoDB Streams by boto3: what is told of items, and where reading begins."""

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def stream(client, name):
    dynamodb, table = client("dynamodb"), name("streamed")
    made = dynamodb.create_table(
        TableName=table, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})
    yield table, made["TableDescription"]["LatestStreamArn"]
    dynamodb.delete_table(TableName=table)


def shards(streams, arn, kind="TRIM_HORIZON"):
    described = streams.describe_stream(StreamArn=arn)["StreamDescription"]
    assert described["StreamStatus"] == "ENABLED"
    for shard in described["Shards"]:
        place = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": kind}
        yield streams.get_shard_iterator(**place)["ShardIterator"]


def test_changes_are_told_with_both_images(client, stream):
    table, arn = stream
    dynamodb, streams = client("dynamodb"), client("dynamodbstreams")
    latest = list(shards(streams, arn, "LATEST"))
    item = {"id": {"S": "a"}, "b": {"B": b"\0\1"}, "set": {"NS": ["1", "2"]}, "deep": {"M": {"l": {"L": [{"NULL": True}]}}}}
    dynamodb.put_item(TableName=table, Item=item)
    dynamodb.update_item(TableName=table, Key={"id": {"S": "a"}}, UpdateExpression="REMOVE deep")
    dynamodb.delete_item(TableName=table, Key={"id": {"S": "a"}})
    found = [record for iterator in shards(streams, arn) for record in streams.get_records(ShardIterator=iterator)["Records"]]
    assert [record["eventName"] for record in found] == ["INSERT", "MODIFY", "REMOVE"]
    assert found[0]["dynamodb"]["NewImage"] == item and "OldImage" not in found[0]["dynamodb"]
    assert found[1]["dynamodb"]["OldImage"] == item and "deep" not in found[1]["dynamodb"]["NewImage"]
    assert found == [record for iterator in latest for record in streams.get_records(ShardIterator=iterator)["Records"]]
    assert streams.list_streams(TableName=table)["Streams"] == [
        {"StreamArn": arn, "TableName": table, "StreamLabel": arn.rpartition("/")[2]}]


def test_streams_are_refused_as_aws_does(client, stream):
    _, arn = stream
    streams = client("dynamodbstreams")
    rows = [
        ("ResourceNotFoundException", "describe_stream", {"StreamArn": arn[:-1] + "x"}),
        ("ValidationException", "get_records", {"ShardIterator": "x"}),
        ("ResourceNotFoundException", "get_shard_iterator", {
            "StreamArn": arn, "ShardId": "shardId-00000000000000000000-00000009", "ShardIteratorType": "LATEST"}),
    ]
    for code, operation, arguments in rows:
        with pytest.raises(ClientError) as refused:
            getattr(streams, operation)(**arguments)
        assert refused.value.response["Error"]["Code"] == code
