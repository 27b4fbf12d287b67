"""What writes while the platform is killed, a class a service, and what each may expect afterwards.

`write` returns once everything it did was acknowledged; `holds` tells whether that is there. `whole` looks
at everything that the writer ever began, acknowledged or not: no thing may be there by halves.
"""

import json
import time

from functions import LAMBDA_TRUST, zipped
from platform_process import Key, until

ENDED = ("_COMPLETE", "_FAILED")
NOTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}


class Writer:
    """`client("s3")` makes a client of the platform as it runs now."""

    def __init__(self, client):
        self.client = client

    @classmethod
    def prepare(cls, client):
        """What has to be there first."""

    def whole(self):
        """Asserts that nothing is there by halves."""


def latest(names):
    """Of names with numbers, those that the last process may have been at work on."""
    return sorted(names, key=lambda name: int(name.rpartition("-")[2]))[-3:]


class Item(Writer):
    """Overwrites one item and adds another; the one read back is the last acknowledged, or the one after it."""

    @classmethod
    def prepare(cls, client):
        client("dynamodb").create_table(
            TableName="crash", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])

    def write(self, name, number):
        dynamodb = self.client("dynamodb")
        dynamodb.put_item(TableName="crash", Item={"id": {"S": name}})
        dynamodb.put_item(TableName="crash", Item={"id": {"S": "last"}, "n": {"N": str(number)}})

    def holds(self, name, number):
        return self.item(name) is not None and int(self.item("last")["n"]["N"]) >= number

    def item(self, name):
        return self.client("dynamodb").get_item(TableName="crash", Key={"id": {"S": name}}, ConsistentRead=True).get("Item")


class Batch(Item):
    """Ten items at once, and then a counter that only moves from the value it was read at."""

    prepare = Writer.prepare

    def write(self, name, number):
        dynamodb = self.client("dynamodb")
        items = [{"PutRequest": {"Item": {"id": {"S": f"{name}-{i}"}, "text": {"S": name * 50}}}} for i in range(10)]
        assert not dynamodb.batch_write_item(RequestItems={"crash": items})["UnprocessedItems"]
        before = (self.item("counter") or {"n": {"N": "0"}})["n"]
        dynamodb.update_item(
            TableName="crash", Key={"id": {"S": "counter"}}, UpdateExpression="SET n = :new, was = :old",
            ConditionExpression="attribute_not_exists(n) OR n = :old",
            ExpressionAttributeValues={":old": before, ":new": {"N": str(number + 1)}})

    def holds(self, name, number):
        items = [self.item(f"{name}-{i}") for i in range(10)]
        return all(item and item["text"]["S"] == name * 50 for item in items) and int(self.item("counter")["n"]["N"]) > number

    def whole(self):
        counter = self.item("counter")
        assert counter is None or int(counter["n"]["N"]) > int(counter["was"]["N"]), counter


class Object(Writer):
    """A small object and a large one, each whole."""

    @classmethod
    def prepare(cls, client):
        client("s3").create_bucket(Bucket="crash-bucket")

    def write(self, name, number):
        self.client("s3").put_object(Bucket="crash-bucket", Key=name, Body=self.body(name, number))

    def holds(self, name, number):
        return self.client("s3").get_object(Bucket="crash-bucket", Key=name)["Body"].read() == self.body(name, number)

    @staticmethod
    def body(name, number):
        return name.encode() * (1 if number % 2 else 60_000)


class Multipart(Writer):
    """An object in two parts: visible with both, or not at all."""

    FIRST = b"a" * (5 << 20)

    @classmethod
    def prepare(cls, client):
        client("s3").create_bucket(Bucket="crash-parts")

    def write(self, name, number):
        s3, place = self.client("s3"), {"Bucket": "crash-parts", "Key": name}
        upload = {**place, "UploadId": s3.create_multipart_upload(**place)["UploadId"]}
        parts = [self.FIRST, name.encode()]
        made = [s3.upload_part(**upload, PartNumber=n, Body=body)["ETag"] for n, body in enumerate(parts, 1)]
        made = [{"PartNumber": n, "ETag": tag} for n, tag in enumerate(made, 1)]
        s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": made})

    def holds(self, name, number):
        return self.client("s3").get_object(Bucket="crash-parts", Key=name)["Body"].read() == self.FIRST + name.encode()

    def whole(self):
        for page in self.client("s3").get_paginator("list_objects_v2").paginate(Bucket="crash-parts"):
            for one in page.get("Contents", []):
                assert one["Size"] == len(self.FIRST) + len(one["Key"]), one


class User(Writer):
    """A user with a policy and an access key that signs."""

    keys = {}

    def write(self, name, number):
        iam = self.client("iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=self.policy(number))
        self.keys[name] = Key.of(iam.create_access_key(UserName=name)["AccessKey"])

    def holds(self, name, number):
        policy = self.client("iam").get_user_policy(UserName=name, PolicyName="p")["PolicyDocument"]
        caller = self.client("sts", self.keys[name]).get_caller_identity()["Arn"]
        return policy["Statement"]["Sid"] == f"n{number}" and caller.endswith(f":user/{name}")

    @staticmethod
    def policy(number):
        return json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Sid": f"n{number}"}})


class Session(Writer):
    """A role's session outlives the process that gave it."""

    keys = {}

    @classmethod
    def prepare(cls, client):
        account = client("sts").get_caller_identity()["Account"]
        trust = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}]}
        user = client("iam").create_user(UserName="assumer")["User"]["UserName"]
        allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]}
        client("iam").put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps(allowed))
        cls.assumer = Key.of(client("iam").create_access_key(UserName=user)["AccessKey"])
        cls.role = client("iam").create_role(RoleName="assumed", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]

    def write(self, name, number):
        assumed = self.client("sts", self.assumer).assume_role(RoleArn=self.role, RoleSessionName=name)
        self.keys[name] = Key.of(assumed["Credentials"])
        assert self.holds(name, number)

    def holds(self, name, number):
        return self.client("sts", self.keys[name]).get_caller_identity()["Arn"].endswith(f"/assumed/{name}")


class Events(Writer):
    """Batches of three events, each whole."""

    @classmethod
    def prepare(cls, client):
        client("logs").create_log_group(logGroupName="crash-events")

    def write(self, name, number):
        logs, place = self.client("logs"), {"logGroupName": "crash-events", "logStreamName": name}
        logs.create_log_stream(**place)
        for batch in range(2):
            at = int(time.time() * 1000)
            logs.put_log_events(**place, logEvents=[{"timestamp": at, "message": f"{batch} {i}"} for i in range(3)])

    def holds(self, name, number):
        return self.of(name) == [f"{batch} {i}" for batch in range(2) for i in range(3)]

    def whole(self):
        pages = self.client("logs").get_paginator("describe_log_streams").paginate(logGroupName="crash-events")
        for name in latest(stream["logStreamName"] for page in pages for stream in page["logStreams"]):
            assert len(self.of(name)) % 3 == 0, name

    def of(self, name):
        events = self.client("logs").get_log_events(logGroupName="crash-events", logStreamName=name, startFromHead=True)
        return sorted(event["message"] for event in events["events"])


class Api(Writer):
    """An API with a resource and a method, deployed."""

    ids = {}

    def write(self, name, number):
        gateway = self.client("apigateway")
        api = gateway.create_rest_api(name=name)
        place = {"restApiId": api["id"]}
        made = gateway.create_resource(**place, parentId=api["rootResourceId"], pathPart=name)["id"]
        method = {**place, "resourceId": made, "httpMethod": "GET"}
        gateway.put_method(**method, authorizationType="NONE")
        gateway.put_integration(**method, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
        gateway.create_deployment(**place, stageName="s")
        self.ids[name] = api["id"]

    def holds(self, name, number):
        gateway, place = self.client("apigateway"), {"restApiId": self.ids[name]}
        found = [one for one in gateway.get_resources(**place, embed=["methods"])["items"] if one.get("pathPart") == name]
        stage = gateway.get_stage(**place, stageName="s")
        gateway.get_deployment(**place, deploymentId=stage["deploymentId"])
        return found[0]["resourceMethods"]["GET"]["methodIntegration"]["type"] == "MOCK"

    def whole(self):
        gateway = self.client("apigateway")
        pages = gateway.get_paginator("get_rest_apis").paginate(PaginationConfig={"PageSize": 500})
        apis = {api["name"]: api for page in pages for api in page["items"] if api["name"].startswith("api-")}
        for name in latest(apis):
            gateway.get_resource(restApiId=apis[name]["id"], resourceId=apis[name]["rootResourceId"])


class Configuration(Writer):
    """A function's settings: the last acknowledged, or the one after it."""

    @classmethod
    def prepare(cls, client):
        role = client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(LAMBDA_TRUST))["Role"]["Arn"]
        client("lambda").create_function(FunctionName="f", Role=role, Runtime="python3.12", Handler="a.h", Code={"ZipFile": zipped({"a.py": ""})})

    def write(self, name, number):
        self.client("lambda").update_function_configuration(FunctionName="f", Description=str(number))

    def holds(self, name, number):
        return int(self.client("lambda").get_function_configuration(FunctionName="f")["Description"] or -1) >= number


def resources(name, number):
    """One of each kind that a stack can name itself, and an API, whose id nobody chooses; all say `number`."""
    role = {"RoleName": name, "AssumeRolePolicyDocument": LAMBDA_TRUST, "Policies": [{"PolicyName": f"n{number}", "PolicyDocument": NOTHING}]}
    code = {"ZipFile": "def handler(event, context): return 1"}
    body = {"swagger": "2.0", "info": {"title": name, "version": "1"}, "paths": {f"/n{number}": {"get": {
        "responses": {}, "x-amazon-apigateway-integration": {"type": "mock"}}}}}
    return {
        "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": f"{name}-{number}", "RetentionInDays": (1, 3, 5, 7)[number % 4]}},
        "Role": {"Type": "AWS::IAM::Role", "Properties": role},
        "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {
            "TableName": name, "BillingMode": "PAY_PER_REQUEST", "Tags": [{"Key": "n", "Value": str(number)}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}},
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name, "Tags": [{"Key": "n", "Value": str(number)}]}},
        "Function": {"Type": "AWS::Lambda::Function", "Properties": {
            "FunctionName": name, "Runtime": "python3.12", "Handler": "index.handler", "Description": str(number),
            "Role": {"Fn::GetAtt": ["Role", "Arn"]}, "Code": code}},
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": name, "Body": body}},
        f"Deployment{number}": {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "Api"}}},
        "Stage": {"Type": "AWS::ApiGateway::Stage", "Properties": {
            "RestApiId": {"Ref": "Api"}, "StageName": "s", "DeploymentId": {"Ref": f"Deployment{number}"}}},
    }


def seen(client, name):
    """What each service has of these resources: the numbers that they say, all of them."""
    logs, iam, dynamodb, s3, gateway = (client(service) for service in ("logs", "iam", "dynamodb", "s3", "apigateway"))
    groups = [one["logGroupName"].removeprefix(f"{name}-") for one in logs.describe_log_groups(logGroupNamePrefix=f"{name}-")["logGroups"]]
    roles = [role for page in iam.get_paginator("list_roles").paginate() for role in page["Roles"] if role["RoleName"] == name]
    policies = [policy[1:] for _ in roles for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]]
    tables = [table for page in dynamodb.get_paginator("list_tables").paginate() for table in page["TableNames"] if table == name]
    arns = [dynamodb.describe_table(TableName=table)["Table"]["TableArn"] for table in tables]
    tables = [tag["Value"] for arn in arns for tag in dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"] if tag["Key"] == "n"]
    buckets = [one["Name"] for one in s3.list_buckets()["Buckets"] if one["Name"] == name]
    buckets = [tag["Value"] for one in buckets for tag in s3.get_bucket_tagging(Bucket=one)["TagSet"] if tag["Key"] == "n"]
    functions = [one for page in client("lambda").get_paginator("list_functions").paginate() for one in page["Functions"]]
    functions = [one["Description"] for one in functions if one["FunctionName"] == name]
    apis = [api["id"] for page in gateway.get_paginator("get_rest_apis").paginate() for api in page["items"] if api["name"] == name]
    paths = [one["path"][2:] for api in apis for one in gateway.get_resources(restApiId=api)["items"] if one["path"] != "/"]
    deployments = [one["id"] for api in apis for one in gateway.get_deployments(restApiId=api)["items"]]
    deployed = [one["deploymentId"] for api in apis for one in gateway.get_stages(restApiId=api)["item"]]
    assert deployments == deployed, (name, deployments, deployed)
    return [groups, policies, tables, buckets, functions, paths]


class Event(Writer):
    """Asynchronous invocations: what was accepted is handled, and its end told, however often it takes."""

    BUCKET = "crash-records"
    told, read = set(), set()

    @classmethod
    def prepare(cls, client):
        client("s3").create_bucket(Bucket="crash-records")
        iam, lambdas = client("iam"), client("lambda")
        role = iam.create_role(RoleName="eventual", AssumeRolePolicyDocument=json.dumps(LAMBDA_TRUST))["Role"]["Arn"]
        allow = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::crash-records/*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        iam.put_role_policy(RoleName="eventual", PolicyName="records", PolicyDocument=policy)
        code = zipped({"a.py": "def h(event, context):\n    raise ValueError(event)\n"})
        lambdas.create_function(FunctionName="eventual", Role=role, Runtime="python3.12", Handler="a.h", Code={"ZipFile": code})
        failure = {"OnFailure": {"Destination": "arn:aws:s3:::crash-records"}}
        lambdas.put_function_event_invoke_config(FunctionName="eventual", MaximumRetryAttempts=0, DestinationConfig=failure)

    def write(self, name, number):
        accepted = self.client("lambda").invoke(FunctionName="eventual", InvocationType="Event", Payload=json.dumps(name))
        assert accepted["StatusCode"] == 202, accepted

    def holds(self, name, number):
        return until(lambda: name in self.told or self.look() or name in self.told or None)

    def look(self):
        """Reads the records that are new."""
        s3 = self.client("s3")
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=self.BUCKET):
            for key in (entry["Key"] for entry in page.get("Contents", ()) if entry["Key"] not in self.read):
                self.note(json.loads(s3.get_object(Bucket=self.BUCKET, Key=key)["Body"].read()))
                self.read.add(key)

    def note(self, record):
        self.told.add(record["requestPayload"])


class Stack(Writer):
    """A stack whose creation was accepted ends, and has its resources exactly when it is complete."""

    def write(self, name, number):
        self.client("cloudformation").create_stack(
            StackName=name, TemplateBody=json.dumps({"Resources": resources(name, number)}), Capabilities=["CAPABILITY_NAMED_IAM"])
        self.ended(name)

    def holds(self, name, number):
        return self.ended(name) == "CREATE_COMPLETE"

    def whole(self):
        """Also of those whose creation was only begun."""
        pages = self.client("cloudformation").get_paginator("describe_stacks").paginate()
        names = [one["StackName"] for page in pages for one in page["Stacks"]]
        for name in latest(name for name in names if name.startswith("stack-")):
            status, made = self.ended(name), seen(self.client, name)
            assert status in ("CREATE_COMPLETE", "ROLLBACK_COMPLETE"), (name, status)
            number = name.removeprefix("stack-")
            assert made == ([[number]] * 6 if status == "CREATE_COMPLETE" else [[]] * 6), (name, status, made)

    def ended(self, name):
        return until(lambda: next((status for status in [self.status(name)] if status.endswith(ENDED)), None))

    def status(self, name):
        return self.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]


class Update(Stack):
    """One stack that is updated all the time: afterwards all of it is as before an update, or as after it."""

    NAME = "crash-update"

    @classmethod
    def prepare(cls, client):
        cls(client).change("create_stack", 0)

    def change(self, operation, number):
        template = json.dumps({"Resources": resources(self.NAME, number)})
        getattr(self.client("cloudformation"), operation)(
            StackName=self.NAME, TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"])
        status = self.ended(self.NAME)
        assert status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), status

    def write(self, name, number):
        self.change("update_stack", number + 1)

    def holds(self, name, number):
        return self.number() > number

    def number(self):
        (group,), *_ = seen(self.client, self.NAME)
        return int(group)

    def whole(self):
        status, made = self.ended(self.NAME), seen(self.client, self.NAME)
        assert status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"), status
        template = self.client("cloudformation").get_template(StackName=self.NAME)["TemplateBody"]
        number = template["Resources"]["Function"]["Properties"]["Description"]
        assert made == [[number]] * 6, (status, number, made)


WRITERS = (Item, Batch, Object, Multipart, User, Session, Events, Api, Configuration, Event, Stack, Update)
