"""AWS's SDK for Rust does the control plane of functions."""

import os
import subprocess

from functions import CACHE, role, zipped
from platform_process import REPOSITORY

CODE = "def handler(event, context):\n    return event\n"


def test_the_sdk_for_rust_manages_functions(platform, client, name, tmp_path):
    crate, target = REPOSITORY / "tests/rust/sdk", CACHE / "rust"
    subprocess.run(["cargo", "build", "--quiet", "--locked", "--target-dir", target], cwd=crate, check=True)
    package = tmp_path / "package.zip"
    package.write_bytes(zipped({"app.py": CODE}))
    with role(client, name("role")) as arn:
        given = {"ENDPOINT": f"http://127.0.0.1:{platform.port}", "KEY_ID": platform.root.access_key_id,
                 "SECRET": platform.root.secret_access_key, "ROLE": arn, "PACKAGE": str(package)}
        done = subprocess.run([target / "debug/sdk-client"], env={**os.environ, **given}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
