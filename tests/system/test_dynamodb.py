"""DynamoDB by boto3: items and expressions."""

from decimal import Decimal

import pytest
from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError


@pytest.fixture
def table(platform, name):
    resource = platform.session().resource("dynamodb", endpoint_url=platform.endpoint, verify=platform.authority)
    made = resource.create_table(
        TableName=name("table"), BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "s", "AttributeType": "N"}],
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}],
    )
    made.wait_until_exists()
    yield made
    made.delete()
    made.wait_until_not_exists()


def test_every_type_comes_back_as_it_went(table):
    item = {
        "p": "all", "s": Decimal("1"), "text": "é", "n": Decimal("-1.5E-120"), "b": b"\0\1", "yes": True, "none": None,
        "list": [Decimal(1), "x", {"deep": []}], "map": {"k": {"k": ""}}, "ss": {"a", "b"}, "ns": {Decimal(1), Decimal(2)},
    }
    table.put_item(Item=item)
    back = table.get_item(Key={"p": "all", "s": 1})["Item"]
    assert back.pop("b").value == item.pop("b")
    assert back == item
    assert "Item" not in table.get_item(Key={"p": "all", "s": 2})


def test_updates_conditions_and_what_they_return(table):
    key = {"p": "a", "s": 1}
    table.put_item(Item={**key, "count": 1, "tags": ["x"], "m": {"n": 1}}, ConditionExpression=Attr("p").not_exists())
    with pytest.raises(ClientError) as refused:
        table.put_item(Item=key, ConditionExpression=Attr("p").not_exists())
    assert refused.value.response["Error"] == {"Code": "ConditionalCheckFailedException", "Message": "The conditional request failed"}
    changed = table.update_item(
        Key=key, ReturnValues="ALL_NEW",
        UpdateExpression="SET #c = #c + :one, tags = list_append(tags, :more), m.n = if_not_exists(m.z, :one) REMOVE gone ADD summed :one",
        ExpressionAttributeNames={"#c": "count"}, ExpressionAttributeValues={":one": 1, ":more": ["y"]},
    )["Attributes"]
    assert changed == {**key, "count": 2, "tags": ["x", "y"], "m": {"n": 1}, "summed": 1}
    seen = table.get_item(Key=key, ProjectionExpression="m.n, tags[1]", ConsistentRead=True)["Item"]
    assert seen == {"m": {"n": 1}, "tags": ["y"]}
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        table.delete_item(Key=key, ConditionExpression=Attr("count").gt(5))
    assert table.delete_item(Key=key, ReturnValues="ALL_OLD")["Attributes"]["summed"] == 1


def test_query_scan_and_batches_in_pages(table):
    with table.batch_writer() as batch:
        for number in range(60):
            batch.put_item(Item={"p": "even" if number % 2 == 0 else "odd", "s": number, "big": "x" * 1000})
    asked = {"KeyConditionExpression": Key("p").eq("odd") & Key("s").between(10, 40), "ScanIndexForward": False, "Limit": 4}
    found, more = [], {}
    while more is not None:
        page = table.query(**asked, **more)
        assert page["Count"] <= 4
        found += [int(item["s"]) for item in page["Items"]]
        more = {"ExclusiveStartKey": page["LastEvaluatedKey"]} if "LastEvaluatedKey" in page else None
    assert found == list(range(39, 10, -2))
    scanned = table.scan(FilterExpression=Attr("s").gte(50) & Attr("big").begins_with("x"))
    assert (scanned["Count"], scanned["ScannedCount"]) == (10, 60)
    assert table.scan(Select="COUNT")["Count"] == 60
    resource = table.meta.client
    keys = [{"p": "even", "s": 2}, {"p": "odd", "s": 3}, {"p": "odd", "s": 4}]
    got = resource.batch_get_item(RequestItems={table.name: {"Keys": keys, "ProjectionExpression": "s"}})
    assert sorted(int(item["s"]) for item in got["Responses"][table.name]) == [2, 3]


@pytest.mark.parametrize(("call", "arguments", "message"), [
    ("put_item", {"Item": {"p": "a"}}, "Missing the key s in the item"),
    ("put_item", {"Item": {"p": 1, "s": 1}}, "Type mismatch for key p expected: S actual: N"),
    ("get_item", {"Key": {"p": "a"}}, "The provided key element does not match the schema"),
    ("query", {"KeyConditionExpression": Key("s").eq(1)}, "Query condition missed key schema element: p"),
    ("scan", {"FilterExpression": "a ="}, "Invalid FilterExpression: Syntax error"),
    ("scan", {"FilterExpression": "a = :v"}, "An expression attribute value used in expression is not defined"),
    ("update_item", {"Key": {"p": "a", "s": 1}, "UpdateExpression": "SET p = :v", "ExpressionAttributeValues": {":v": "b"}},
     "Cannot update attribute p. This attribute is part of the key"),
])
def test_what_is_wrong_is_said_as_dynamodb_says_it(table, call, arguments, message):
    with pytest.raises(ClientError) as refused:
        getattr(table, call)(**arguments)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert message in refused.value.response["Error"]["Message"]


def test_transactions_are_whole_and_say_why_they_are_not(client, table):
    dynamodb, key = client("dynamodb"), {"p": {"S": "t"}, "s": {"N": "1"}}
    put = {"Put": {"TableName": table.name, "Item": {**key, "n": {"N": "1"}}, "ConditionExpression": "attribute_not_exists(p)"}}
    other = {"Put": {"TableName": table.name, "Item": {"p": {"S": "t"}, "s": {"N": "2"}}}}
    for _ in range(2):
        dynamodb.transact_write_items(TransactItems=[put, other], ClientRequestToken=f"{table.name}-token"[-36:])
    with pytest.raises(ClientError) as refused:
        dynamodb.transact_write_items(TransactItems=[other, put])
    answer = refused.value.response
    assert answer["Error"]["Code"] == "TransactionCanceledException"
    assert [reason["Code"] for reason in answer["CancellationReasons"]] == ["None", "ConditionalCheckFailed"]
    got = dynamodb.transact_get_items(TransactItems=[{"Get": {"TableName": table.name, "Key": key}}])["Responses"]
    assert got == [{"Item": {**key, "n": {"N": "1"}}}]
    with pytest.raises(ClientError, match="IdempotentParameterMismatch"):
        dynamodb.transact_write_items(TransactItems=[other], ClientRequestToken=f"{table.name}-token"[-36:])
