"""The AWS SDK for JavaScript, with nothing but what `pagoda env` exports."""

import shutil
import subprocess

import pytest

from platform_process import REPOSITORY

JS = REPOSITORY / "tests/js"


@pytest.fixture(scope="session")
def packages():
    if not (JS / "node_modules/@aws-sdk/client-s3").exists():
        subprocess.run([shutil.which("npm"), "ci", "--silent", "--no-audit", "--no-fund"], cwd=JS, check=True)


def test_the_sdk_for_javascript_does_its_work(platform, packages):
    done = subprocess.run(["node", JS / "work.js"], capture_output=True, text=True, env=platform.exported(), timeout=120)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
