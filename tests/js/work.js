// Ordinary work with the AWS SDK for JavaScript; what it sees differently from AWS, it throws.

const assert = require("node:assert/strict");
const { CreateTableCommand, DeleteTableCommand, DynamoDBClient, waitUntilTableExists } = require("@aws-sdk/client-dynamodb");
const { DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand, UpdateCommand } = require("@aws-sdk/lib-dynamodb");
const s3sdk = require("@aws-sdk/client-s3");
const { GetFunctionCommand, LambdaClient, ListFunctionsCommand } = require("@aws-sdk/client-lambda");

const mark = `js-${process.pid}-${Date.now()}`;

async function items() {
  const client = new DynamoDBClient({});
  const TableName = mark;
  await client.send(new CreateTableCommand({
    TableName, BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [{ AttributeName: "p", AttributeType: "S" }, { AttributeName: "s", AttributeType: "N" }],
    KeySchema: [{ AttributeName: "p", KeyType: "HASH" }, { AttributeName: "s", KeyType: "RANGE" }],
  }));
  await waitUntilTableExists({ client, maxWaitTime: 30 }, { TableName });
  const documents = DynamoDBDocumentClient.from(client);
  const Item = { p: "a", s: 1, list: [1, "x", null], map: { deep: true }, bytes: new Uint8Array([0, 255]) };
  await documents.send(new PutCommand({ TableName, Item }));
  assert.deepEqual((await documents.send(new GetCommand({ TableName, Key: { p: "a", s: 1 } }))).Item, Item);
  const again = new PutCommand({ TableName, Item, ConditionExpression: "attribute_not_exists(p)" });
  await assert.rejects(documents.send(again), { name: "ConditionalCheckFailedException" });
  const counted = await documents.send(new UpdateCommand({
    TableName, Key: { p: "a", s: 2 }, UpdateExpression: "ADD n :one", ExpressionAttributeValues: { ":one": 1 }, ReturnValues: "ALL_NEW",
  }));
  assert.equal(counted.Attributes.n, 1);
  const found = await documents.send(new QueryCommand({
    TableName, KeyConditionExpression: "p = :p", ExpressionAttributeValues: { ":p": "a" }, ScanIndexForward: false,
  }));
  assert.deepEqual(found.Items.map((item) => item.s), [2, 1]);
  await client.send(new DeleteTableCommand({ TableName }));
}

async function objects() {
  const client = new s3sdk.S3Client({ forcePathStyle: true });
  const of = { Bucket: mark, Key: "a/ü b" };
  await client.send(new s3sdk.CreateBucketCommand({ Bucket: mark }));
  await client.send(new s3sdk.PutObjectCommand({ ...of, Body: "hello", ContentType: "text/plain", Metadata: { by: "js" } }));
  const got = await client.send(new s3sdk.GetObjectCommand({ ...of, Range: "bytes=1-3" }));
  assert.equal(await got.Body.transformToString(), "ell");
  assert.deepEqual(got.Metadata, { by: "js" });
  const listed = await client.send(new s3sdk.ListObjectsV2Command({ Bucket: mark }));
  assert.deepEqual(listed.Contents.map((one) => one.Key), [of.Key]);
  await client.send(new s3sdk.DeleteObjectCommand(of));
  await assert.rejects(client.send(new s3sdk.GetObjectCommand(of)), { name: "NoSuchKey" });
  await client.send(new s3sdk.DeleteBucketCommand({ Bucket: mark }));
}

async function functions() {
  const client = new LambdaClient({});
  assert.ok(Array.isArray((await client.send(new ListFunctionsCommand({}))).Functions));
  const missing = client.send(new GetFunctionCommand({ FunctionName: mark }));
  await assert.rejects(missing, { name: "ResourceNotFoundException" });
}

Promise.all([items(), objects(), functions()]).then(() => console.log("done"));
