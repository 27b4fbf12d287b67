"""What writes to streams, and to what follows them, while the platform is killed."""

import json

from crash_writers import Event, Writer
from functions import LAMBDA_TRUST, allow, zipped


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


class Followed(Event):
    """Items of a followed table: the function fails each, and each is told to a bucket."""

    TABLE, BUCKET = "crash-followed", "crash-followed-records"
    told, read = set(), set()

    @classmethod
    def prepare(cls, client):
        iam, lambdas = client("iam"), client("lambda")
        client("s3").create_bucket(Bucket=cls.BUCKET)
        role = iam.create_role(RoleName="follower", AssumeRolePolicyDocument=json.dumps(LAMBDA_TRUST))["Role"]["Arn"]
        iam.put_role_policy(RoleName="follower", PolicyName="p", PolicyDocument=allow(["s3:PutObject", "dynamodb:*"]))
        code = zipped({"a.py": "def h(event, context):\n    raise ValueError('as told')\n"})
        lambdas.create_function(FunctionName="follower", Role=role, Runtime="python3.12", Handler="a.h", Code={"ZipFile": code})
        made = client("dynamodb").create_table(
            TableName=cls.TABLE, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
        lambdas.create_event_source_mapping(
            FunctionName="follower", EventSourceArn=made["TableDescription"]["LatestStreamArn"], StartingPosition="LATEST",
            MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": f"arn:aws:s3:::{cls.BUCKET}"}})

    def write(self, name, number):
        self.client("dynamodb").put_item(TableName=self.TABLE, Item={"id": {"S": name}})

    def note(self, record):
        records = json.loads(record["payload"])["Records"]
        self.told.update(one["dynamodb"]["Keys"]["id"]["S"] for one in records)


class Notified(Event):
    """Objects of a bucket that notifies a function, which fails, so that each is told to another bucket."""

    SOURCE, BUCKET = "crash-notifying", "crash-notified"
    told, read = set(), set()

    @classmethod
    def prepare(cls, client):
        iam, lambdas, s3 = client("iam"), client("lambda"), client("s3")
        for bucket in (cls.SOURCE, cls.BUCKET):
            s3.create_bucket(Bucket=bucket)
        role = iam.create_role(RoleName="notified", AssumeRolePolicyDocument=json.dumps(LAMBDA_TRUST))["Role"]["Arn"]
        iam.put_role_policy(RoleName="notified", PolicyName="p", PolicyDocument=allow(["s3:PutObject"]))
        code = zipped({"a.py": "def h(event, context):\n    raise ValueError('as told')\n"})
        arn = lambdas.create_function(
            FunctionName="notified", Role=role, Runtime="python3.12", Handler="a.h", Code={"ZipFile": code})["FunctionArn"]
        lambdas.put_function_event_invoke_config(
            FunctionName="notified", MaximumRetryAttempts=0,
            DestinationConfig={"OnFailure": {"Destination": f"arn:aws:s3:::{cls.BUCKET}"}})
        lambdas.add_permission(
            FunctionName="notified", StatementId="s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com",
            SourceArn=f"arn:aws:s3:::{cls.SOURCE}")
        s3.put_bucket_notification_configuration(Bucket=cls.SOURCE, NotificationConfiguration={
            "LambdaFunctionConfigurations": [{"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}]})

    def write(self, name, number):
        self.client("s3").put_object(Bucket=self.SOURCE, Key=name, Body=b"x" * (1 if number % 2 else 100_000))

    def note(self, record):
        self.told.update(one["s3"]["object"]["key"] for one in record["requestPayload"]["Records"])


class Transfer(Writer):
    """Two counters in two tables that only transactions change: both or none."""

    TABLES = ("crash-left", "crash-right")

    @classmethod
    def prepare(cls, client):
        for table in cls.TABLES:
            client("dynamodb").create_table(
                TableName=table, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])

    def write(self, name, number):
        update = {"Key": {"id": {"S": "n"}}, "UpdateExpression": "SET n = :n", "ExpressionAttributeValues": {":n": {"N": str(number)}}}
        self.client("dynamodb").transact_write_items(
            ClientRequestToken=name, TransactItems=[{"Update": {"TableName": table, **update}} for table in self.TABLES])

    def both(self):
        gets = [{"Get": {"TableName": table, "Key": {"id": {"S": "n"}}}} for table in self.TABLES]
        answers = self.client("dynamodb").transact_get_items(TransactItems=gets)["Responses"]
        return [int(answer["Item"]["n"]["N"]) if "Item" in answer else -1 for answer in answers]

    def holds(self, name, number):
        return self.both()[0] >= number

    def whole(self):
        left, right = self.both()
        assert left == right, (left, right)


STREAM_WRITERS = (Change, Followed, Notified, Transfer)
