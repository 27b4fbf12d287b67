import os
import time

HOLD_SECONDS = float(os.environ.get("HOLD_SECONDS", "0"))


def handler(event, context):
    if HOLD_SECONDS:
        time.sleep(HOLD_SECONDS)
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": '{"hello": "world"}'}
