"""What writes to streams, and to what follows them, while the platform is killed."""

from crash_writers import Writer


def records(streams, arn):
    """All records of a stream, each shard's in its order."""
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        place = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        iterator = streams.get_shard_iterator(**place)["ShardIterator"]
        while page := streams.get_records(ShardIterator=iterator)["Records"]:
            yield from page
            place |= {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": page[-1]["dynamodb"]["SequenceNumber"]}
            iterator = streams.get_shard_iterator(**place)["ShardIterator"]


class Change(Writer):
    """Items and the records of their changes: the table is what its stream tells, whatever was acknowledged."""

    TABLE = "crash-stream"

    @classmethod
    def prepare(cls, client):
        made = client("dynamodb").create_table(
            TableName=cls.TABLE, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})
        cls.arn = made["TableDescription"]["LatestStreamArn"]

    def write(self, name, number):
        dynamodb, table = self.client("dynamodb"), {"TableName": self.TABLE}
        dynamodb.put_item(**table, Item={"id": {"S": name}})
        batch = [{"PutRequest": {"Item": {"id": {"S": f"{name}-{i}"}}}} for i in range(3)]
        dynamodb.batch_write_item(RequestItems={self.TABLE: batch})
        dynamodb.update_item(
            **table, Key={"id": {"S": "count"}}, UpdateExpression="ADD n :one", ExpressionAttributeValues={":one": {"N": "1"}})
        dynamodb.delete_item(**table, Key={"id": {"S": f"{name}-0"}})

    def holds(self, name, number):
        found = self.client("dynamodb").get_item(TableName=self.TABLE, Key={"id": {"S": name}}, ConsistentRead=True)
        return "Item" in found

    def whole(self):
        told = {}
        for record in records(self.client("dynamodbstreams"), self.arn):
            change = record["dynamodb"]
            key = change["Keys"]["id"]["S"]
            assert change.get("OldImage") == told.pop(key, None), record
            if "NewImage" in change:
                told[key] = change["NewImage"]
        pages = self.client("dynamodb").get_paginator("scan").paginate(TableName=self.TABLE, ConsistentRead=True)
        assert told == {item["id"]["S"]: item for page in pages for item in page["Items"]}


STREAM_WRITERS = (Change,)
