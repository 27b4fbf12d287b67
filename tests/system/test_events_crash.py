"""`kill -9` of the platform and of instances under asynchronous load: every event that was acknowledged is handled,
or its end is told to its destination.

`PAGODA_CRASH_ROUNDS` sets how often; `PAGODA_CRASH_SEED` repeats a run's moments.
"""

import itertools
import json
import os
import random
import signal
import threading
import time
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from functions import LAMBDA_TRUST, allow, zipped
from platform_process import until
from test_crash import ROUNDS, SEED, clients

SENDERS = 4
# Every third event fails and is told to the bucket. What succeeds is told to a second function, which always
# fails, and so is told to the bucket in the end.
CODE = '''
import time
def handler(event, context):
    if "requestPayload" in event:
        raise KeyError("as told")
    time.sleep(event["seconds"])
    if event["number"] % 3 == 0:
        raise ValueError("as told")
    return event["number"]
'''


def prepare(client):
    iam, lambdas = client("iam"), client("lambda")
    client("s3").create_bucket(Bucket="told")
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(LAMBDA_TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=allow(["s3:PutObject", "lambda:InvokeFunction"]))
    failure = {"Destination": "arn:aws:s3:::told"}
    made = {}
    for function in ("second", "first"):
        made[function] = lambdas.create_function(
            FunctionName=function, Role=role, Runtime="python3.12", Handler="app.handler",
            Code={"ZipFile": zipped({"app.py": CODE})}, Timeout=10)["FunctionArn"]
        destinations = {"OnFailure": failure}
        if function == "first":
            destinations["OnSuccess"] = {"Destination": made["second"]}
        lambdas.put_function_event_invoke_config(
            FunctionName=function, MaximumRetryAttempts=0, DestinationConfig=destinations)


def instances(platform):
    """The processes of functions: those below the platform that run an interpreter."""
    children, names = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                name, _, rest = (entry / "stat").read_text().partition("(")[2].rpartition(")")
            except OSError:
                continue
            names[int(entry.name)] = name
            children.setdefault(int(rest.split()[1]), []).append(int(entry.name))
    found, left = [], [platform.process.pid]
    while left:
        below = children.get(left.pop(), [])
        left += below
        found += [pid for pid in below if names[pid].startswith("python")]
    return found


class Round:
    """Senders, and a killer of instances, until the platform itself is killed."""

    def __init__(self, platform, numbers, moments):
        self.platform, self.numbers, self.moments = platform, numbers, moments
        self.accepted, self.failures, self.killed = set(), [], 0
        self.over = threading.Event()

    def run(self):
        client = clients(self.platform)
        senders = [threading.Thread(target=self.send, args=(client("lambda"),)) for _ in range(SENDERS)]
        for sender in senders:
            sender.start()
        end = time.monotonic() + self.moments.uniform(0.2, 1.2)
        # The moments of the kills are the test's input, not waits for something.
        while time.monotonic() < end:
            self.over.wait(self.moments.uniform(0.01, 0.2))
            self.kill_an_instance()
        self.platform.kill()
        self.over.set()
        for sender in senders:
            sender.join(90)
        assert not self.failures, (SEED, self.failures)

    def send(self, lambdas):
        while not self.over.is_set():
            number = next(self.numbers)
            event = {"number": number, "seconds": (number % 5) * 0.02}
            try:
                answer = lambdas.invoke(FunctionName="first", InvocationType="Event", Payload=json.dumps(event))
            except (BotoCoreError, ClientError) as error:
                if isinstance(error, ClientError):
                    self.failures.append(error)
                return
            if answer["StatusCode"] != 202:
                self.failures.append(answer)
            self.accepted.add(number)

    def kill_an_instance(self):
        found = instances(self.platform)
        if found:
            try:
                os.kill(self.moments.choice(found), signal.SIGKILL)
                self.killed += 1
            except ProcessLookupError:
                pass


class Told:
    """What the bucket was told, read once each."""

    def __init__(self):
        self.keys, self.numbers, self.ends = set(), set(), {}

    def look(self, s3):
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket="told"):
            for key in (entry["Key"] for entry in page.get("Contents", ()) if entry["Key"] not in self.keys):
                record = json.loads(s3.get_object(Bucket="told", Key=key)["Body"].read())
                self.keys.add(key)
                handled = record["requestPayload"]
                end = "handled" if "requestPayload" in handled else "failed"
                self.numbers.add(handled.get("requestPayload", handled)["number"])
                self.ends[end] = self.ends.get(end, 0) + 1


def test_every_accepted_event_has_its_end_told(start):
    moments, numbers, told = random.Random(SEED), itertools.count(), Told()
    platform = start().ready()
    prepare(clients(platform))
    killed = total = 0
    for crash in range(ROUNDS):
        one = Round(platform, numbers, moments)
        one.run()
        killed, total = killed + one.killed, total + len(one.accepted)
        platform = start().ready()
        s3 = clients(platform)("s3")

        def missing(one=one, s3=s3):
            told.look(s3)
            return one.accepted - told.numbers

        until(lambda: not missing(), 120)
    assert total > ROUNDS and killed > 0, (total, killed)
    assert {"handled", "failed"} == told.ends.keys(), told.ends
    print(f"{ROUNDS} crashes, {killed} instances killed, {total} events accepted, told: {told.ends}")
    platform.stop()
