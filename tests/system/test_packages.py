"""Functions that bundle what people bundle: wheels with native code, an Express application, the AWS SDKs."""

import json
import subprocess

import pytest

from functions import allow, guest_version, installed, invocation, role, wheels_of, zipped
from platform_process import REGION
from test_lambda import invoke

WHEELS = ("boto3==1.43.11", "numpy==2.3.5", "pillow==12.0.0", "requests==2.32.5")
MODULES = ("@aws-sdk/client-s3@3.700.0", "express@5.1.0", "serverless-http@4.0.0")

PYTHON = '''
import io, os
import boto3, numpy, requests
from PIL import Image

BUCKET = os.environ["BUCKET"]
s3 = boto3.client("s3")

def handler(event, context):
    pixels = numpy.zeros((8, 16, 3), dtype=numpy.uint8)
    pixels[:, :, 0] = numpy.arange(16) * 16
    picture = io.BytesIO()
    Image.fromarray(pixels).rotate(90, expand=True).save(picture, "PNG")
    s3.put_object(Bucket=BUCKET, Key="picture.png", Body=picture.getvalue(), ContentType="image/png")
    stored = s3.get_object(Bucket=BUCKET, Key="picture.png")["Body"].read()
    size = Image.open(io.BytesIO(stored)).size
    # The platform's own endpoint is the one address that a function reaches.
    url = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "picture.png"})
    fetched = requests.get(url, timeout=5)
    return {"sum": int(pixels.sum()), "size": size, "same": fetched.content == stored,
            "dot": float(numpy.linalg.norm(numpy.eye(50) @ numpy.ones(50))),
            "from": [module.__file__.startswith("/var/task/") for module in (boto3, numpy, requests)]}
'''
NODE = '''
const express = require("express");
const serverless = require("serverless-http");
const { S3Client, PutObjectCommand, GetObjectCommand } = require("@aws-sdk/client-s3");

const s3 = new S3Client({ forcePathStyle: true });
const app = express();
app.use(express.json());
app.get("/notes/:id", async (request, response) => {
  const object = await s3.send(new GetObjectCommand({ Bucket: process.env.BUCKET, Key: request.params.id }));
  response.set("X-Powered-By", "notes").send(await object.Body.transformToString());
});
app.post("/notes/:id", async (request, response) => {
  await s3.send(new PutObjectCommand({ Bucket: process.env.BUCKET, Key: request.params.id, Body: request.body.text }));
  response.status(201).json({ id: request.params.id, length: request.body.text.length });
});
app.get("/dot", (request, response) => response.type("png").send(Buffer.from([0x89, 0x50, 0xff])));
app.use((error, request, response, next) => response.status(500).json({ error: error.name }));

exports.handler = serverless(app, { binary: ["image/*"] });
'''


@pytest.fixture(scope="module")
def wheels():
    """A runtime that is here, and the wheels for it."""
    return f"python{guest_version()}", wheels_of("packages", *WHEELS)


@pytest.fixture(scope="module")
def modules():
    def install(folder):
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder, *MODULES], check=True)

    return installed("modules", install)


@pytest.fixture
def bucket(client, name):
    s3, made = client("s3"), name("bucket")
    s3.create_bucket(Bucket=made)
    yield made
    for entry in s3.list_objects_v2(Bucket=made).get("Contents", ()):
        s3.delete_object(Bucket=made, Key=entry["Key"])
    s3.delete_bucket(Bucket=made)


def deploy(client, called, arn, package, bucket, **settings):
    """By way of S3, as packages of this size come."""
    lambdas, s3 = client("lambda"), client("s3")
    s3.put_object(Bucket=bucket, Key="package.zip", Body=package)
    lambdas.create_function(
        FunctionName=called, Role=arn, Code={"S3Bucket": bucket, "S3Key": "package.zip"}, Handler="app.handler",
        Timeout=30, MemorySize=512, Environment={"Variables": {"BUCKET": bucket}}, **settings)
    lambdas.get_waiter("function_active_v2").wait(FunctionName=called, WaiterConfig={"Delay": 1})


def test_python_wheels_run_unchanged(client, name, bucket, wheels):
    lambdas, called = client("lambda"), name("wheels")
    runtime, files = wheels
    package = zipped({**files, "app.py": PYTHON})
    with role(client, name("role"), [allow("s3:*Object", f"arn:aws:s3:::{bucket}/*")]) as arn:
        deploy(client, called, arn, package, bucket, Runtime=runtime, SnapStart={"ApplyOn": "PublishedVersions"})
        expected = {"sum": 15360, "size": [8, 16], "same": True, "dot": pytest.approx(50 ** 0.5), "from": [True] * 3}
        assert invoke(lambdas, called, {})[1] == expected
        version = lambdas.publish_version(FunctionName=called)["Version"]
        lambdas.get_waiter("published_version_active").wait(FunctionName=called, Qualifier=version, WaiterConfig={"Delay": 1})
        assert invoke(lambdas, called, {}, Qualifier=version)[1] == expected
        lambdas.delete_function(FunctionName=called)


def test_express_answers_behind_an_api(platform, client, name, bucket, modules):
    lambdas, gateway, called = client("lambda"), client("apigateway"), name("express")
    package = zipped({**modules, "app.js": NODE})
    with role(client, name("role"), [allow("s3:*Object", f"arn:aws:s3:::{bucket}/*")]) as arn:
        deploy(client, called, arn, package, bucket, Runtime="nodejs20.x")
        function_arn = lambdas.get_function_configuration(FunctionName=called)["FunctionArn"]
        lambdas.add_permission(FunctionName=called, StatementId="api", Action="lambda:InvokeFunction",
                               Principal="apigateway.amazonaws.com")
        api = gateway.create_rest_api(name=called, binaryMediaTypes=["image/png"])
        place = {"restApiId": api["id"]}
        rest = gateway.create_resource(**place, parentId=api["rootResourceId"], pathPart="{proxy+}")["id"]
        method = {**place, "resourceId": rest, "httpMethod": "ANY"}
        gateway.put_method(**method, authorizationType="NONE")
        gateway.put_integration(**method, type="AWS_PROXY", integrationHttpMethod="POST", uri=invocation(function_arn))
        gateway.create_deployment(**place, stageName="live")
        url = f"https://{api['id']}.execute-api.{REGION}.localhost:{platform.port}/live"
        body = json.dumps({"text": "zwölf Boxkämpfer"})
        made = platform.send(f"{url}/notes/first", "POST", body, {"Content-Type": "application/json"})
        assert (made.status, made.json) == (201, {"id": "first", "length": 16}), made
        read = platform.send(f"{url}/notes/first")
        assert (read.status, read.text, read.headers["x-powered-by"]) == (200, "zwölf Boxkämpfer", "notes")
        assert platform.send(f"{url}/notes/none").json == {"error": "AccessDenied"}
        assert platform.send(f"{url}/nowhere").status == 404
        assert platform.send(f"{url}/dot", headers={"Accept": "image/png"}).body == b"\x89P\xff"
        gateway.delete_rest_api(**place)
        lambdas.delete_function(FunctionName=called)
