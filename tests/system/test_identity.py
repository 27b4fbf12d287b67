"""IAM and STS by boto3: users, keys, roles, policies, and what they decide."""

import json

import pytest
from botocore.exceptions import ClientError

from functions import allow, user
from platform_process import ACCOUNT, Key


def refusal(call, **arguments):
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return refused.value.response["Error"]["Code"], refused.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_the_root_key_is_the_account(client):
    told = client("sts").get_caller_identity()
    assert (told["Account"], told["Arn"]) == (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root")


def test_a_user_may_what_the_policies_say(client, name):
    iam, who, table = client("iam"), name("user"), name("table")
    with user(client, who, allow("dynamodb:ListTables")) as made:
        key = Key.of(made)
        assert client("sts", key).get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/{who}"
        client("dynamodb", key).list_tables()
        assert refusal(client("dynamodb", key).describe_table, TableName=table) == ("AccessDeniedException", 400)
        assert refusal(client("iam", key).list_users) == ("AccessDenied", 403)
        # A managed policy adds, an explicit deny takes away.
        policy = iam.create_policy(PolicyName=name("p"), PolicyDocument=allow("iam:*"))["Policy"]["Arn"]
        iam.attach_user_policy(UserName=who, PolicyArn=policy)
        assert who in [one["UserName"] for one in client("iam", key).list_users()["Users"]]
        deny = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "iam:List*", "Resource": "*"}]}
        iam.put_user_policy(UserName=who, PolicyName="deny", PolicyDocument=json.dumps(deny))
        assert refusal(client("iam", key).list_users) == ("AccessDenied", 403)
        iam.delete_user_policy(UserName=who, PolicyName="deny")
        assert refusal(iam.delete_policy, PolicyArn=policy) == ("DeleteConflict", 409)
        iam.detach_user_policy(UserName=who, PolicyArn=policy)
        iam.delete_policy(PolicyArn=policy)
        # A key that is switched off is no key.
        iam.update_access_key(UserName=who, AccessKeyId=made["AccessKeyId"], Status="Inactive")
        assert refusal(client("sts", key).get_caller_identity) == ("InvalidClientTokenId", 403)
    assert refusal(iam.get_user, UserName=who) == ("NoSuchEntity", 404)


def test_a_role_is_assumed_where_it_trusts(client, name):
    iam, role = client("iam"), name("role")
    with user(client, name("user"), allow("sts:AssumeRole")) as made:
        key = Key.of(made)
        arn = client("sts", key).get_caller_identity()["Arn"]
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "sts:AssumeRole"}]}
        role_arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=allow(["dynamodb:ListTables", "s3:ListAllMyBuckets"]))
        sts = client("sts", key)
        session = Key.of(sts.assume_role(RoleArn=role_arn, RoleSessionName="me")["Credentials"])
        assert client("sts", session).get_caller_identity()["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/me"
        client("dynamodb", session).list_tables()
        client("s3", session).list_buckets()
        # A session policy only cuts.
        cut = sts.assume_role(RoleArn=role_arn, RoleSessionName="less", Policy=allow(["dynamodb:ListTables", "iam:*"]))
        less = Key.of(cut["Credentials"])
        client("dynamodb", less).list_tables()
        assert refusal(client("s3", less).list_buckets) == ("AccessDenied", 403)
        assert refusal(client("iam", less).list_users) == ("AccessDenied", 403)
        # Another user, with the same permission, is not trusted.
        with user(client, name("user"), allow("sts:AssumeRole")) as other:
            refused = client("sts", Key.of(other)).assume_role
            assert refusal(refused, RoleArn=role_arn, RoleSessionName="other") == ("AccessDenied", 403)
        iam.delete_role_policy(RoleName=role, PolicyName="p")
        iam.delete_role(RoleName=role)
        assert refusal(sts.assume_role, RoleArn=role_arn, RoleSessionName="me") == ("AccessDenied", 403)
