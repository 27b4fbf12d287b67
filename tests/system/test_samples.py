"""Applications in the form of AWS's public SAM samples, deployed unchanged by `pagoda deploy`."""

import json

from platform_process import outputs

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
