import { S3Client } from "@aws-sdk/client-s3";

const client = new S3Client({ region: "us-east-1" });

export const handler = async () => ({ hello: await client.config.region() });
