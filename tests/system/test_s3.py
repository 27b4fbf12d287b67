"""S3 by boto3: objects, ranges, listing, multipart uploads, presigned URLs, policies, websites."""

import io
import json

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from platform_process import REGION

MEGABYTE = 1024 * 1024


@pytest.fixture
def s3(client):
    return client("s3", signature_version="s3v4")


@pytest.fixture
def bucket(s3, name):
    made = name("bucket")
    s3.create_bucket(Bucket=made)
    yield made
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=made):
        for one in page.get("Contents", []):
            s3.delete_object(Bucket=made, Key=one["Key"])
    s3.delete_bucket(Bucket=made)


def test_an_object_comes_back_with_what_it_was_given(s3, bucket):
    key = "a folder/ü+%~.txt"
    put = s3.put_object(Bucket=bucket, Key=key, Body=b"0123456789", ContentType="text/x", Metadata={"by": "me"}, CacheControl="max-age=1")
    got = s3.get_object(Bucket=bucket, Key=key)
    assert got["Body"].read() == b"0123456789"
    assert (got["ETag"], got["ContentType"], got["Metadata"], got["CacheControl"]) == (put["ETag"], "text/x", {"by": "me"}, "max-age=1")
    for asked, expected, told in [("bytes=2-4", b"234", "bytes 2-4/10"), ("bytes=-3", b"789", "bytes 7-9/10"), ("bytes=8-", b"89", "bytes 8-9/10")]:
        part = s3.get_object(Bucket=bucket, Key=key, Range=asked)
        assert (part["Body"].read(), part["ContentRange"], part["ResponseMetadata"]["HTTPStatusCode"]) == (expected, told, 206)
    with pytest.raises(ClientError) as refused:
        s3.get_object(Bucket=bucket, Key=key, Range="bytes=10-")
    assert refused.value.response["Error"]["Code"] == "InvalidRange"
    with pytest.raises(ClientError) as refused:
        s3.get_object(Bucket=bucket, Key=key, IfNoneMatch=put["ETag"])
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 304
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": key})
    assert s3.head_object(Bucket=bucket, Key="copy")["Metadata"] == {"by": "me"}
    s3.delete_object(Bucket=bucket, Key=key)
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=bucket, Key=key)


def test_listing_by_prefix_delimiter_and_page(s3, bucket):
    keys = sorted(["a/1", "a/2", "a/b/3", "c", "d e", "ü"])
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2}))
    assert [one["Key"] for page in pages for one in page["Contents"]] == keys
    assert len(pages) == 3
    listed = s3.list_objects_v2(Bucket=bucket, Delimiter="/", Prefix="a/")
    assert [one["Key"] for one in listed["Contents"]] == ["a/1", "a/2"]
    assert [one["Prefix"] for one in listed["CommonPrefixes"]] == ["a/b/"]
    told = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys[:3]]})
    assert len(told["Deleted"]) == 3
    with pytest.raises(ClientError, match="BucketNotEmpty"):
        s3.delete_bucket(Bucket=bucket)


def test_a_large_object_goes_up_in_parts(s3, bucket):
    body = bytes(range(256)) * (11 * MEGABYTE // 256)
    s3.upload_fileobj(io.BytesIO(body), bucket, "large", Config=TransferConfig(multipart_threshold=MEGABYTE, multipart_chunksize=5 * MEGABYTE))
    assert s3.head_object(Bucket=bucket, Key="large")["ETag"].endswith('-3"')
    down = io.BytesIO()
    s3.download_fileobj(bucket, "large", down)
    assert down.getvalue() == body
    begun = s3.create_multipart_upload(Bucket=bucket, Key="never")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="never", UploadId=begun, PartNumber=1, Body=b"x")
    assert [one["UploadId"] for one in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [begun]
    s3.abort_multipart_upload(Bucket=bucket, Key="never", UploadId=begun)
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=bucket, Key="never")


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_a_presigned_url_is_as_good_as_the_key_behind_it(platform, client, bucket, version):
    s3 = client("s3", signature_version=version)
    url = s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "p q"})
    put = platform.send(url, "PUT", b"presigned")
    assert put.status == 200, put.text
    url = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "p q", "ResponseContentType": "text/y"})
    got = platform.send(url)
    assert (got.status, got.body, got.headers["content-type"]) == (200, b"presigned", "text/y"), got.text
    assert platform.send(url.replace("p%20q", "other")).status == 403


def public(bucket):
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/public/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_bucket_is_private_until_its_policy_says_otherwise(platform, s3, bucket):
    for key in ("public/a", "private"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"here")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_bucket_policy(Bucket=bucket, Policy=public(bucket))
    s3.delete_public_access_block(Bucket=bucket)
    assert platform.send(f"/{bucket}/public/a").status == 403
    s3.put_bucket_policy(Bucket=bucket, Policy=public(bucket))
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == json.loads(public(bucket))
    assert platform.send(f"/{bucket}/public/a").body == b"here"
    assert platform.send(f"https://{bucket}.s3.{REGION}.localhost:{platform.port}/public/a").body == b"here"
    refused = platform.send(f"/{bucket}/private")
    assert refused.status == 403 and b"<Code>AccessDenied</Code>" in refused.body
    s3.delete_bucket_policy(Bucket=bucket)
    assert platform.send(f"/{bucket}/public/a").status == 403


def test_a_website_has_an_index_and_an_error_page(platform, s3, bucket):
    s3.delete_public_access_block(Bucket=bucket)
    everything = public(bucket).replace("/public/*", "/*")
    s3.put_bucket_policy(Bucket=bucket, Policy=everything)
    s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}, "ErrorDocument": {"Key": "wrong.html"}})
    for key in ("index.html", "sub/index.html", "wrong.html"):
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode(), ContentType="text/html")
    site = f"https://{bucket}.s3-website.{REGION}.localhost:{platform.port}"
    rows = [("/", 200, b"index.html"), ("/sub/", 200, b"sub/index.html"), ("/none", 404, b"wrong.html")]
    for path, status, body in rows:
        answer = platform.send(site + path)
        assert (answer.status, answer.body) == (status, body)
    assert platform.send(f"{site}/sub").headers["location"].endswith("/sub/")
    assert platform.send(f"{site}/", "PUT", b"x").status == 405
