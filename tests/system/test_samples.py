"""Applications in the form of AWS's public SAM samples, deployed unchanged by `pagoda deploy`."""

import json

from platform_process import outputs, until

HELLO = """
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Description: >
  hello-world

Globals:
  Function:
    Timeout: 3

Resources:
  HelloWorldFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: hello_world/
      Handler: app.lambda_handler
      Runtime: python3.9
      Architectures:
        - x86_64
      Events:
        HelloWorld:
          Type: Api
          Properties:
            Path: /hello
            Method: get

Outputs:
  HelloWorldApi:
    Description: "API Gateway endpoint URL for Prod stage for Hello World function"
    Value: !Sub "https://${ServerlessRestApi}.execute-api.${AWS::Region}.amazonaws.com/Prod/hello/"
  HelloWorldFunction:
    Description: "Hello World Lambda Function ARN"
    Value: !GetAtt HelloWorldFunction.Arn
  HelloWorldFunctionIamRole:
    Description: "Implicit IAM Role created for Hello World function"
    Value: !GetAtt HelloWorldFunctionRole.Arn
"""
HELLO_CODE = '''
import json
def lambda_handler(event, context):
    return {"statusCode": 200, "body": json.dumps({"message": "hello world"})}
'''
CRUD = """
AWSTemplateFormatVersion: 2010-09-09
Transform:
  - AWS::Serverless-2016-10-31
Globals:
  Function:
    Runtime: nodejs20.x
    MemorySize: 512
    Timeout: 30
    Environment:
      Variables:
        SAMPLE_TABLE: !Ref SampleTable
Resources:
  getAllItemsFunction:
    Type: AWS::Serverless::Function
    Properties:
      Handler: src/get-all-items.handler
      Policies:
        - DynamoDBCrudPolicy:
            TableName: !Ref SampleTable
      Events:
        Api: { Type: Api, Properties: { Path: /, Method: GET } }
  putItemFunction:
    Type: AWS::Serverless::Function
    Properties:
      Handler: src/put-item.handler
      Policies:
        - DynamoDBCrudPolicy:
            TableName: !Ref SampleTable
      Events:
        Api: { Type: Api, Properties: { Path: /, Method: POST } }
  SampleTable:
    Type: AWS::Serverless::SimpleTable
    Properties:
      PrimaryKey: { Name: id, Type: String }
      ProvisionedThroughput: { ReadCapacityUnits: 2, WriteCapacityUnits: 2 }
Outputs:
  WebEndpoint:
    Value: !Sub "https://${ServerlessRestApi}.execute-api.${AWS::Region}.amazonaws.com/Prod/"
  Table:
    Value: !Ref SampleTable
"""
CLIENT = '''
const { DynamoDBClient } = require("@aws-sdk/client-dynamodb");
const { DynamoDBDocumentClient, PutCommand, ScanCommand } = require("@aws-sdk/lib-dynamodb");
const client = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const TableName = process.env.SAMPLE_TABLE;
'''
PUT = CLIENT + '''
exports.handler = async (event) => {
  const Item = JSON.parse(event.body);
  await client.send(new PutCommand({ TableName, Item }));
  return { statusCode: 200, body: JSON.stringify(Item) };
};
'''
ALL = CLIENT + '''
exports.handler = async () => ({ statusCode: 200, body: JSON.stringify((await client.send(new ScanCommand({ TableName }))).Items) });
'''
SCRATCH = """
AWSTemplateFormatVersion: 2010-09-09
Description: >-
  from-scratch
Transform:
- AWS::Serverless-2016-10-31
Metadata:
  AWS::ServerlessRepo::Application: { Name: scratch, Author: somebody }
Resources:
  helloFromLambdaFunction:
    Type: AWS::Serverless::Function
    Metadata:
      BuildMethod: esbuild
    Properties:
      Handler: src/handlers/hello-from-lambda.helloFromLambdaHandler
      Runtime: nodejs20.x
      Architectures:
        - x86_64
      MemorySize: 128
      Timeout: 100
      Description: A Lambda function that returns a static string.
      Policies:
        # Give Lambda basic execution Permission to the helloFromLambda
        - AWSLambdaBasicExecutionRole
Outputs:
  Function: { Value: !Ref helloFromLambdaFunction }
"""
SCRATCH_CODE = "exports.helloFromLambdaHandler = async () => { console.info('hi'); return 'Hello from Lambda!'; };"
FULL_STACK = """
AWSTemplateFormatVersion: 2010-09-09
Transform:
- AWS::Serverless-2016-10-31
Resources:
  ApiGatewayApi:
    Type: AWS::Serverless::Api
    Properties:
      StageName: Prod
      Variables: { audience: everybody }
      Tags: { team: web }
      Cors:
        AllowMethods: "'OPTIONS, POST, GET'"
        AllowHeaders: "'Content-Type'"
        AllowOrigin: "'*'"
  getByIdFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: backend/
      Handler: app.handler
      Runtime: python3.12
      MemorySize: 128
      Timeout: 100
      Policies:
        - DynamoDBCrudPolicy: { TableName: !Ref SampleTable }
      Environment:
        Variables:
          SAMPLE_TABLE: !Ref SampleTable
          ENDPOINT_OVERRIDE: ""
      Events:
        Api:
          Type: Api
          Properties:
            Path: /{id}
            Method: GET
            RequestParameters:
              - method.request.querystring.detail
            RestApiId:
              Ref: ApiGatewayApi
  SampleTable:
    Type: AWS::Serverless::SimpleTable
    DeletionPolicy: Delete
    UpdateReplacePolicy: Retain
    Properties:
      PrimaryKey: { Name: id, Type: String }
      ProvisionedThroughput: { ReadCapacityUnits: 2, WriteCapacityUnits: 2 }
  WebSiteBucket:
    Type: "AWS::S3::Bucket"
Outputs:
  APIGatewayEndpoint:
    Value: !Sub "https://${ApiGatewayApi}.execute-api.${AWS::Region}.amazonaws.com/Prod/"
  Table: { Value: !Ref SampleTable }
  WebS3BucketName: { Value: !Ref WebSiteBucket }
"""
FULL_STACK_CODE = """
import json, os
def handler(event, context):
    seen = [event["pathParameters"]["id"], event["stageVariables"]["audience"], os.environ["SAMPLE_TABLE"]]
    return {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "*"}, "body": json.dumps(seen)}
"""
PATTERN = """
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Description: An Amazon API Gateway REST API with IAM authorization in front of AWS Lambda
Parameters:
  Stage: { Type: String, Default: dev, AllowedValues: [dev, prod] }
Mappings:
  Settings: { dev: { Days: 1 }, prod: { Days: 30 } }
Globals:
  Function: { Runtime: python3.12, CodeUri: src/, Timeout: 15, Tags: { Project: pattern } }
  Api:
    OpenApiVersion: 3.0.1
    EndpointConfiguration: { Type: REGIONAL }
Resources:
  AppApi:
    Type: AWS::Serverless::Api
    Properties:
      StageName: !Ref Stage
      Auth: { DefaultAuthorizer: AWS_IAM, InvokeRole: NONE }
      BinaryMediaTypes: ["image~1png"]
  AppFunction:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      PropagateTags: true
      Policies:
        - S3CrudPolicy: { BucketName: !Ref Bucket }
        - FilterLogEventsPolicy: { LogGroupName: !Ref AppLogs }
        - Statement: [{ Effect: Allow, Action: "cloudformation:DescribeStacks", Resource: "*" }]
      Events:
        Closed: { Type: Api, Properties: { RestApiId: !Ref AppApi, Path: /closed, Method: any } }
        Open: { Type: Api, Properties: { RestApiId: !Ref AppApi, Path: /open, Method: get, Auth: { Authorizer: NONE } } }
  AppLogs:
    Type: AWS::Logs::LogGroup
    DependsOn: Bucket
    Properties:
      LogGroupName: !Sub /apps/${AWS::StackName}
      RetentionInDays: !FindInMap [Settings, !Ref Stage, Days]
      Tags: [{ Key: Project, Value: pattern }]
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: !Sub "${AWS::StackName}-${AWS::AccountId}"
Outputs:
  AppApi: { Value: !Sub "https://${AppApi}.execute-api.${AWS::Region}.amazonaws.com/${Stage}" }
  Role: { Value: !Ref AppFunctionRole }
"""
# The hello-world sample, published: each deployment is a version, which the alias `live` moves to.
LIVE = HELLO.replace("      CodeUri: hello_world/", """      CodeUri: hello_world/
      AutoPublishAlias: live
      VersionDescription: published by SAM
      ReservedConcurrentExecutions: 5
      FunctionUrlConfig:
        AuthType: NONE
        Cors: { AllowOrigins: ["https://page.example"], AllowMethods: [GET] }""") + """
  Url: { Value: !GetAtt HelloWorldFunctionUrl.FunctionUrl }
  Alias: { Value: !Ref HelloWorldFunction.Alias }
  Version: { Value: !GetAtt HelloWorldFunction.Version.Version }
"""
LIVE_CODE = '''
import json
def lambda_handler(event, context):
    said = {"message": "hello world", "by": context.invoked_function_arn, "version": context.function_version}
    return {"statusCode": 200, "body": json.dumps(said)}
'''
LAYERED = """
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: { Runtime: python3.12, Handler: app.handler, CodeUri: src/, Layers: [!Ref Words] }
Resources:
  Words:
    Type: AWS::Serverless::LayerVersion
    Properties:
      Description: words
      ContentUri: words/
      CompatibleRuntimes: [python3.12]
      RetentionPolicy: Delete
  Shared:
    Type: AWS::Lambda::LayerVersionPermission
    Properties: { Action: "lambda:GetLayerVersion", LayerVersionArn: !Ref Words, Principal: "111122223333" }
  Speaker:
    Type: AWS::Serverless::Function
Outputs:
  Function: { Value: !Ref Speaker }
  Layer: { Value: !Sub "${Words.LayerVersionArn}" }
"""
SPEAKER = """
import words
def handler(event, context):
    return words.GREETING
"""
ASYNC = """
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: { Runtime: python3.12, CodeUri: src/, Timeout: 10 }
Resources:
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.work
      AutoPublishAlias: prod-1
      EventInvokeConfig:
        MaximumEventAgeInSeconds: 70
        MaximumRetryAttempts: 0
        DestinationConfig:
          OnSuccess: { Type: Lambda, Destination: !GetAtt Keeper.Arn }
          OnFailure: { Type: S3, Destination: !GetAtt Failures.Arn }
  Keeper:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.keep
  Failures: { Type: AWS::S3::Bucket }
Outputs:
  Worker: { Value: !Ref Worker.Alias }
  Keeper: { Value: !GetAtt Keeper.Arn }
  Failures: { Value: !Ref Failures }
"""
ASYNC_CODE = """
import json
def work(event, context):
    if event["number"] < 0:
        raise ValueError("negative")
    return event["number"] * 2
def keep(event, context):
    print("kept " + json.dumps(event))
"""


def deployed(platform, folder, stack, files):
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    done = platform.run("deploy", folder, "--stack", stack)
    assert done.returncode == 0, done.stdout + done.stderr
    return outputs(done.stdout)


def api_of(url):
    """The API's id: these samples' URLs name Amazon's own domain."""
    return url.removeprefix("https://").split(".")[0]


def test_hello_world(platform, name, tmp_path):
    told = deployed(platform, tmp_path / "app", name("hello"), {"template.yaml": HELLO, "hello_world/app.py": HELLO_CODE})
    assert ":role/" in told["HelloWorldFunctionIamRole"]
    answer = platform.send(f"/_aws/execute-api/{api_of(told['HelloWorldApi'])}/Prod/hello")
    assert (answer.status, answer.json) == (200, {"message": "hello world"})
    called = platform.run("invoke", told["HelloWorldFunction"].split(":")[-1])
    assert "hello world" in called.stdout, called.stderr


def test_create_and_read(start, sdks, name, tmp_path):
    platform = start().ready()
    files = {"template.yaml": CRUD, "src/put-item.js": PUT, "src/get-all-items.js": ALL}
    if not (platform.data / "sdks/nodejs/node_modules").exists():
        import pytest
        pytest.skip("no SDK for Node.js: it is fetched by the guestbook's test")
    told = deployed(platform, tmp_path / "app", name("crud"), files)
    url = f"/_aws/execute-api/{api_of(told['WebEndpoint'])}/Prod/"
    put = platform.send(url, "POST", json.dumps({"id": "1", "name": "one"}))
    assert (put.status, put.json) == (200, {"id": "1", "name": "one"}), put.text
    assert platform.send(url).json == [{"id": "1", "name": "one"}]
    platform.stop()


def test_from_scratch(platform, name, tmp_path):
    files = {"template.yaml": SCRATCH, "src/handlers/hello-from-lambda.js": SCRATCH_CODE}
    told = deployed(platform, tmp_path / "app", name("scratch"), files)
    called = platform.run("invoke", told["Function"])
    assert "Hello from Lambda!" in called.stdout, called.stderr


def test_full_stack(platform, client, name, tmp_path):
    told = deployed(platform, tmp_path / "app", name("full"), {"template.yaml": FULL_STACK, "backend/app.py": FULL_STACK_CODE})
    url = f"/_aws/execute-api/{api_of(told['APIGatewayEndpoint'])}/Prod/7"
    answer = platform.send(url)
    assert (answer.status, answer.json) == (200, ["7", "everybody", told["Table"]]), answer.text
    asked = platform.send(url, "OPTIONS").headers
    assert (asked["access-control-allow-origin"], asked["access-control-allow-headers"]) == ("*", "Content-Type")
    assert asked["access-control-allow-methods"] == "OPTIONS, POST, GET"
    client("s3").head_bucket(Bucket=told["WebS3BucketName"])
    assert client("apigateway").get_rest_api(restApiId=api_of(told["APIGatewayEndpoint"]))["tags"]["team"] == "web"


def test_iam_pattern(platform, client, name, tmp_path):
    stack = name("pattern")
    told = deployed(platform, tmp_path / "app", stack, {"template.yaml": PATTERN, "src/app.py": HELLO_CODE.replace("lambda_handler", "handler")})
    place = f"/_aws/execute-api/{api_of(told['AppApi'])}/dev"
    assert platform.send(f"{place}/open").json == {"message": "hello world"}
    assert platform.send(f"{place}/closed").status == 403
    groups = client("logs").describe_log_groups(logGroupNamePrefix=f"/apps/{stack}")["logGroups"]
    assert [group["retentionInDays"] for group in groups] == [1]
    tags = client("logs").list_tags_for_resource(resourceArn=groups[0]["logGroupArn"])["tags"]
    assert (tags["Project"], tags["aws:cloudformation:logical-id"]) == ("pattern", "AppLogs")
    tags = client("iam").list_role_tags(RoleName=told["Role"])["Tags"]
    assert {"Key": "Project", "Value": "pattern"} in tags
    api = client("apigateway").get_rest_api(restApiId=api_of(told["AppApi"]))
    assert (api["endpointConfiguration"]["types"], api["binaryMediaTypes"]) == (["REGIONAL"], ["image/png"])


def test_published_hello_world(platform, client, name, tmp_path):
    stack, folder = name("live"), tmp_path / "app"
    told = deployed(platform, folder, stack, {"template.yaml": LIVE, "hello_world/app.py": LIVE_CODE})
    assert (told["Version"], told["Alias"]) == ("1", told["HelloWorldFunction"] + ":live")
    place = f"/_aws/execute-api/{api_of(told['HelloWorldApi'])}/Prod/hello"
    answer = platform.send(place)
    assert (answer.status, answer.json) == (200, {"message": "hello world", "by": told["Alias"], "version": "1"}), answer.text
    asked = platform.send(told["Url"], headers={"Origin": "https://page.example"})
    assert (asked.status, asked.json["by"], asked.json["version"]) == (200, told["Alias"], "1"), asked.text
    assert asked.headers["access-control-allow-origin"] == "https://page.example"
    # Other code is another version, and the old one stays.
    again = LIVE_CODE.replace("hello world", "hello again")
    told = deployed(platform, folder, stack, {"template.yaml": LIVE, "hello_world/app.py": again})
    assert told["Version"] == "2"
    assert [platform.send(url).json["message"] for url in (place, told["Url"])] == ["hello again"] * 2
    functions, function = client("lambda"), told["HelloWorldFunction"]
    versions = functions.list_versions_by_function(FunctionName=function)["Versions"]
    assert [(one["Version"], one["Description"]) for one in versions[1:]] == [("1", "published by SAM"), ("2", "published by SAM")]
    assert functions.get_function(FunctionName=function)["Concurrency"] == {"ReservedConcurrentExecutions": 5}
    tags = functions.list_tags(Resource=function)["Tags"]
    assert (tags["lambda:createdBy"], tags["aws:cloudformation:logical-id"]) == ("SAM", "HelloWorldFunction")
    cloud = client("cloudformation")
    cloud.delete_stack(StackName=stack)
    cloud.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    assert platform.send(told["Url"]).status in (403, 404)


def test_layer(platform, client, name, tmp_path):
    stack, folder = name("layer"), tmp_path / "app"
    files = {"template.yaml": LAYERED, "src/app.py": SPEAKER, "words/python/words.py": "GREETING = 'hello'"}
    told = deployed(platform, folder, stack, files)
    assert told["Layer"].endswith(":layer:Words:1")
    layer = {"LayerName": told["Layer"].rsplit(":", 1)[0], "VersionNumber": 1}
    assert "111122223333" in client("lambda").get_layer_version_policy(**layer)["Policy"]
    assert "hello" in platform.run("invoke", told["Function"]).stdout
    told = deployed(platform, folder, stack, {**files, "words/python/words.py": "GREETING = 'bye'"})
    assert told["Layer"].endswith(":layer:Words:2")
    assert "bye" in platform.run("invoke", told["Function"]).stdout
    versions = client("lambda").list_layer_versions(LayerName=layer["LayerName"])["LayerVersions"]
    assert [(one["Version"], one["CompatibleRuntimes"]) for one in versions] == [(2, ["python3.12"])]


def test_destinations(platform, client, name, tmp_path):
    files = {"template.yaml": ASYNC, "src/app.py": ASYNC_CODE}
    told = deployed(platform, tmp_path / "app", name("async"), files)
    functions, logs, s3 = client("lambda"), client("logs"), client("s3")
    for number in (21, -1):
        payload = json.dumps({"number": number})
        assert functions.invoke(FunctionName=told["Worker"], InvocationType="Event", Payload=payload)["StatusCode"] == 202

    def kept():
        group = "/aws/lambda/" + told["Keeper"].split(":")[-1]
        try:
            events = logs.filter_log_events(logGroupName=group, filterPattern="kept")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return None
        return [json.loads(event["message"].removeprefix("kept ")) for event in events]

    (record,) = until(kept)
    context = record["requestContext"]
    assert (context["condition"], context["functionArn"]) == ("Success", told["Worker"])
    assert (record["requestPayload"], record["responsePayload"]) == ({"number": 21}, 42)
    (failed,) = until(lambda: s3.list_objects_v2(Bucket=told["Failures"]).get("Contents"))
    record = json.loads(s3.get_object(Bucket=told["Failures"], Key=failed["Key"])["Body"].read())
    assert (record["requestContext"]["condition"], record["requestPayload"]) == ("RetriesExhausted", {"number": -1})
    assert record["responsePayload"]["errorType"] == "ValueError"
