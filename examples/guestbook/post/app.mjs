// POST /entries {"name", "message"}: writes an entry into the guestbook.

import { randomUUID } from "node:crypto";
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";

const NAME_CHARS_MAX = 80;
const MESSAGE_CHARS_MAX = 1000;

const dynamodb = new DynamoDBClient({});

export const handler = async (event) => {
  const entry = read(event.body);
  if (!entry) {
    return answer(400, { message: `name (up to ${NAME_CHARS_MAX}) and message (up to ${MESSAGE_CHARS_MAX}) are required` });
  }
  // The time orders the entries; the random tail keeps two of the same millisecond apart.
  const at = `${new Date().toISOString()}#${randomUUID().slice(0, 8)}`;
  await dynamodb.send(
    new PutItemCommand({
      TableName: process.env.TABLE_NAME,
      Item: { book: { S: "guests" }, at: { S: at }, name: { S: entry.name }, message: { S: entry.message } },
    }),
  );
  return answer(201, { ...entry, at });
};

function read(body) {
  try {
    const { name, message } = JSON.parse(body);
    const ok = (text, max) => typeof text === "string" && text.trim() && text.length <= max;
    return ok(name, NAME_CHARS_MAX) && ok(message, MESSAGE_CHARS_MAX) ? { name: name.trim(), message: message.trim() } : null;
  } catch {
    return null;
  }
}

function answer(statusCode, body) {
  return {
    statusCode,
    headers: { "Content-Type": "application/json", "Access-Control-Allow-Origin": "*" },
    body: JSON.stringify(body),
  };
}
