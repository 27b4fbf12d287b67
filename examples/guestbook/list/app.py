"""GET /entries: the latest entries of the guestbook."""

import json
import os

import boto3
from boto3.dynamodb.conditions import Key

LATEST = 50

table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])


def handler(event, context):
    page = table.query(KeyConditionExpression=Key("book").eq("guests"), ScanIndexForward=False, Limit=LATEST)
    entries = [{"name": item["name"], "message": item["message"], "at": item["at"]} for item in page["Items"]]
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json", "Access-Control-Allow-Origin": "*"},
        "body": json.dumps({"entries": entries}),
    }
