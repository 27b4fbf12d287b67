"""The AWS CLI, with nothing but what `pagoda env` exports."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SAM = """
Transform: AWS::Serverless-2016-10-31
Parameters: { Word: { Type: String } }
Resources:
  Say:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      InlineCode: |
        import os
        def handler(event, context):
            return {"statusCode": 200, "body": os.environ["WORD"]}
      Environment: { Variables: { WORD: !Ref Word } }
      Events: { Get: { Type: Api, Properties: { Path: /say, Method: get } } }
Outputs:
  Function: { Value: !Ref Say }
  Api: { Value: !Ref ServerlessRestApi }
"""


@pytest.fixture
def aws(platform, tmp_path):
    environment = {**platform.exported(), "AWS_PAGER": "", "HOME": str(tmp_path)}
    tool = Path(sys.executable).with_name("aws")

    def run(line, *more, fails=False):
        command = [sys.executable, tool, *line.split(), *more]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=120)
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        if fails:
            return done.stderr
        return json.loads(done.stdout) if done.stdout.lstrip().startswith(("{", "[")) else done.stdout

    return run


def test_identity_and_tables(aws, name):
    assert aws("sts get-caller-identity")["Arn"].endswith(":root")
    who, table = name("user"), name("table")
    aws(f"iam create-user --user-name {who}")
    assert who in [one["UserName"] for one in aws("iam list-users")["Users"]]
    aws(f"iam delete-user --user-name {who}")
    aws(f"dynamodb create-table --table-name {table} --billing-mode PAY_PER_REQUEST "
        "--attribute-definitions AttributeName=id,AttributeType=S --key-schema AttributeName=id,KeyType=HASH")
    aws(f"dynamodb wait table-exists --table-name {table}")
    aws(f"dynamodb put-item --table-name {table} --item", '{"id": {"S": "a"}, "n": {"N": "1"}}')
    assert aws(f"dynamodb get-item --table-name {table} --key", '{"id": {"S": "a"}}')["Item"]["n"] == {"N": "1"}
    assert aws(f"dynamodb scan --table-name {table}")["Count"] == 1
    aws(f"dynamodb delete-table --table-name {table}")
    assert "ResourceNotFoundException" in aws(f"dynamodb describe-table --table-name {table}", fails=True)


def test_files_go_up_and_come_down(aws, platform, name, tmp_path):
    bucket = name("bucket")
    site = tmp_path / "site/sub"
    site.mkdir(parents=True)
    (site / "a b.txt").write_text("one")
    (tmp_path / "site/index.html").write_text("<h1>two</h1>")
    (tmp_path / "large").write_bytes(b"x" * 9_000_000)
    aws(f"s3 mb s3://{bucket}")
    aws(f"s3 cp large s3://{bucket}/large")
    aws(f"s3 cp s3://{bucket}/large back")
    assert (tmp_path / "back").read_bytes() == (tmp_path / "large").read_bytes()
    assert "upload:" in aws(f"s3 sync site s3://{bucket}/site")
    assert aws(f"s3 sync site s3://{bucket}/site") == ""
    assert "sub/a b.txt" in aws(f"s3 ls s3://{bucket}/site/ --recursive")
    url = aws(f"s3 presign s3://{bucket}/site/index.html").strip()
    assert platform.send(url).body == b"<h1>two</h1>"
    (site / "a b.txt").unlink()
    assert "delete:" in aws(f"s3 sync site s3://{bucket}/site --delete")
    aws(f"s3 rm s3://{bucket} --recursive")
    aws(f"s3 rb s3://{bucket}")
    assert "NoSuchBucket" in aws(f"s3 ls s3://{bucket}", fails=True)


def test_a_sam_template_is_deployed_called_and_deleted(aws, platform, name, tmp_path):
    stack = name("stack")
    (tmp_path / "template.yaml").write_text(SAM)
    deploy = f"cloudformation deploy --template-file template.yaml --stack-name {stack} --capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND"
    aws(deploy, "--parameter-overrides", "Word=first")
    found = aws(f"cloudformation describe-stacks --stack-name {stack}")["Stacks"][0]["Outputs"]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in found}
    assert aws(f"lambda invoke --function-name {outputs['Function']} out.json")["StatusCode"] == 200
    assert json.loads((tmp_path / "out.json").read_text())["body"] == "first"
    assert platform.send(f"/_aws/execute-api/{outputs['Api']}/Prod/say").text == "first"
    assert outputs["Function"] in [one["FunctionName"] for one in aws("lambda list-functions")["Functions"]]
    assert outputs["Api"] in [one["id"] for one in aws("apigateway get-rest-apis")["items"]]
    aws(deploy, "--parameter-overrides", "Word=second")
    assert platform.send(f"/_aws/execute-api/{outputs['Api']}/Prod/say").text == "second"
    aws(f"cloudformation delete-stack --stack-name {stack}")
    aws(f"cloudformation wait stack-delete-complete --stack-name {stack}")
    assert "ResourceNotFoundException" in aws(f"lambda get-function --function-name {outputs['Function']}", fails=True)
