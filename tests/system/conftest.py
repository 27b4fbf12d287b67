"""What all whole-system tests share: the running platform, clients for it, names of their own."""

import itertools
import os
import subprocess
import uuid
from pathlib import Path

import pytest

from platform_process import BINARY, REPOSITORY, SERVE, Platform

SDKS = REPOSITORY / ".cache/sdks"


@pytest.fixture(scope="session", autouse=True)
def binary():
    assert BINARY.exists(), f"{BINARY} is missing: cargo build -p pagoda, or set PAGODA_BIN"


@pytest.fixture(scope="session")
def platform(tmp_path_factory, binary):
    """One platform for all tests that leave others' things alone."""
    running = Platform(tmp_path_factory.mktemp("platform") / "data").ready()
    yield running
    running.stop()


@pytest.fixture
def start(tmp_path, binary):
    """Starts platforms of the test's own, over the same folder each time; ends what is left."""
    started = []

    def begin(arguments=SERVE, port=0):
        (tmp_path / "data").mkdir(exist_ok=True)
        started.append(Platform(tmp_path / "data", arguments, port))
        return started[-1]

    yield begin
    for one in started:
        if one.process.poll() is None:
            one.kill()


@pytest.fixture
def sdks(tmp_path):
    """The SDKs that `pagoda up` fetches, kept between runs: hard links, so that a test pays for none."""
    if SDKS.exists():
        (tmp_path / "data").mkdir(exist_ok=True)
        subprocess.run(["cp", "-al", SDKS, tmp_path / "data/sdks"], check=True)
    yield
    fetched: Path = tmp_path / "data/sdks"
    if fetched.exists() and not SDKS.exists():
        SDKS.parent.mkdir(exist_ok=True)
        partial = SDKS.with_name(f"sdks.{os.getpid()}")
        subprocess.run(["cp", "-al", fetched, partial], check=True)
        partial.rename(SDKS)


@pytest.fixture
def name():
    """Names that no other test has: `name("table")`."""
    mark, numbers = uuid.uuid4().hex[:8], itertools.count()
    return lambda noun: f"{noun}-{mark}-{next(numbers)}"


@pytest.fixture
def client(platform):
    return platform.client
