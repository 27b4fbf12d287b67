"""`kill -9` under concurrent writers: what was acknowledged is there afterwards, whatever service took it.

`PAGODA_CRASH_ROUNDS` sets how often; `PAGODA_CRASH_SEED` repeats a run's moments.
"""

import json
import os
import random
import threading

from botocore.exceptions import BotoCoreError, ClientError

from functions import LAMBDA_TRUST, zipped
from platform_process import until

ROUNDS = int(os.environ.get("PAGODA_CRASH_ROUNDS", "6"))
SEED = int(os.environ.get("PAGODA_CRASH_SEED", str(random.SystemRandom().randrange(1 << 32))))
TEMPLATE = "Resources: { Group: { Type: AWS::Logs::LogGroup, Properties: { LogGroupName: %s } } }"


class Item:
    """Overwrites one item and adds another; the one read back is the last acknowledged, or the one after it."""

    def __init__(self, client):
        self.dynamodb = client("dynamodb")

    def write(self, name, number):
        self.dynamodb.put_item(TableName="crash", Item={"id": {"S": name}})
        self.dynamodb.put_item(TableName="crash", Item={"id": {"S": "last"}, "n": {"N": str(number)}})

    def holds(self, name, number):
        last = int(self.dynamodb.get_item(TableName="crash", Key={"id": {"S": "last"}}, ConsistentRead=True)["Item"]["n"]["N"])
        return last >= number and "Item" in self.dynamodb.get_item(TableName="crash", Key={"id": {"S": name}}, ConsistentRead=True)


class Object:
    """A small object and a large one, each whole."""

    def __init__(self, client):
        self.s3 = client("s3")

    def write(self, name, number):
        self.s3.put_object(Bucket="crash-bucket", Key=name, Body=self.body(name, number))

    def holds(self, name, number):
        return self.s3.get_object(Bucket="crash-bucket", Key=name)["Body"].read() == self.body(name, number)

    @staticmethod
    def body(name, number):
        return name.encode() * (1 if number % 2 else 60_000)


class User:
    """A user with a policy."""

    def __init__(self, client):
        self.iam = client("iam")

    def write(self, name, number):
        self.iam.create_user(UserName=name)
        document = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*", "Sid": f"n{number}"}})
        self.iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)

    def holds(self, name, number):
        return self.iam.get_user_policy(UserName=name, PolicyName="p")["PolicyDocument"]["Statement"]["Sid"] == f"n{number}"


class Stack:
    """A stack whose creation was accepted ends, and is complete only with its resource."""

    def __init__(self, client):
        self.cloud, self.logs = client("cloudformation"), client("logs")

    def write(self, name, number):
        self.cloud.create_stack(StackName=name, TemplateBody=TEMPLATE % name)

    def holds(self, name, number):
        """Accepted is not complete: after a restart it becomes complete with its resource, or is rolled back."""
        ended = "CREATE_COMPLETE", "ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED"
        status = until(lambda: next((s for s in [self.status(name)] if s in ended), None))
        made = bool(self.logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"])
        return status == "CREATE_COMPLETE" and made or status == "ROLLBACK_COMPLETE"

    def status(self, name):
        return self.cloud.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]


class Configuration:
    """A function's settings: the last acknowledged, or the one after it."""

    def __init__(self, client):
        self.lambdas = client("lambda")

    def write(self, name, number):
        self.lambdas.update_function_configuration(FunctionName="f", Description=str(number))

    def holds(self, name, number):
        return int(self.lambdas.get_function_configuration(FunctionName="f")["Description"] or -1) >= number


WRITERS = (Item, Object, User, Stack, Configuration)


def prepare(client):
    client("dynamodb").create_table(
        TableName="crash", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
    client("s3").create_bucket(Bucket="crash-bucket")
    role = client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(LAMBDA_TRUST))["Role"]["Arn"]
    client("lambda").create_function(FunctionName="f", Role=role, Runtime="python3.12", Handler="a.h", Code={"ZipFile": zipped({"a.py": ""})})


def write_until(stopped, service, acknowledged, numbers):
    """Writes until the platform is gone; notes what it said yes to."""
    kind = type(service).__name__.lower()
    while not stopped.is_set():
        number = next(numbers)
        try:
            service.write(f"{kind}-{number}", number)
        except (BotoCoreError, ClientError) as error:
            gone = isinstance(error, BotoCoreError)
            assert gone or stopped.is_set(), error
            return
        acknowledged.append((service.__class__, f"{kind}-{number}", number))


def test_what_was_acknowledged_is_there_after_a_crash(start):
    moments = random.Random(SEED)
    numbers = {writer: iter(range(10**9)) for writer in WRITERS}
    platform = start().ready()
    prepare(platform.client)
    total = 0
    for crash in range(ROUNDS):
        acknowledged, stopped, failures = [], threading.Event(), []

        def run(writer):
            try:
                write_until(stopped, writer(platform.client), acknowledged, numbers[writer])
            except AssertionError as error:
                failures.append(error)

        threads = [threading.Thread(target=run, args=(writer,)) for writer in WRITERS]
        for thread in threads:
            thread.start()
        # The moment of the crash is the test's input, not a wait for something.
        stopped.wait(moments.uniform(0.5, 2.5))
        platform.kill()
        stopped.set()
        for thread in threads:
            thread.join(90)
        assert not failures, (SEED, failures)
        platform = start().ready()
        readers = {writer: writer(platform.client) for writer in WRITERS}
        lost = [name for writer, name, number in acknowledged if not readers[writer].holds(name, number)]
        assert not lost, (SEED, crash, lost)
        total += len(acknowledged)
    assert total > ROUNDS, "the writers wrote next to nothing"
    platform.stop()
