"""The real binary as a process, and the ways of talking to it."""

import http.client
import json
import os
import queue
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

REPOSITORY = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("PAGODA_BIN", REPOSITORY / "target/debug/pagoda"))
REGION = "us-east-1"
ACCOUNT = "123456789012"
# Generous: a debug build on a shared machine. Reaching it is a failure, not a wait.
START_SECONDS = 60
SERVE = ("serve", "--runtime-fallback", "nearest")


@dataclass(frozen=True)
class Key:
    """What a request is signed with."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None

    @classmethod
    def of(cls, answer):
        """From `AccessKey` or `Credentials` of an answer."""
        return cls(answer["AccessKeyId"], answer["SecretAccessKey"], answer.get("SessionToken"))


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict
    body: bytes

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)


class Platform:
    """One running `pagoda` over one data folder."""

    def __init__(self, data, arguments=SERVE, port=0):
        self.data = Path(data)
        self.output = []
        self._lines = queue.Queue()
        # Its own folder as home: nothing of the developer's configuration acts.
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PAGODA_"))}
        self._errors = open(self.data.parent / f"{self.data.name}.log", "ab")
        self.process = subprocess.Popen(
            [BINARY, *arguments, "--data", self.data, "--listen", f"127.0.0.1:{port}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._errors, text=True, env=environment,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def ready(self, seconds=START_SECONDS):
        """Waits for the line `ready https://…`."""
        deadline = time.monotonic() + seconds
        while True:
            line = self._lines.get(timeout=max(0.01, deadline - time.monotonic()))
            assert line is not None, f"pagoda ended before it was ready: {self.errors()}"
            self.output.append(line)
            if line.startswith("ready https://"):
                self.endpoint = line.removeprefix("ready ").strip()
                self.port = urlsplit(self.endpoint).port
                return self

    def errors(self):
        return Path(self._errors.name).read_text(errors="replace")[-4000:]

    def stop(self):
        """As an operator does; the platform drains and exits 0."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0, self.errors()
        self.process.stdout.close()
        self._errors.close()
        assert "panicked" not in self.errors()

    def kill(self):
        """As a power cut does."""
        self.process.kill()
        self.process.wait(30)
        self._errors.close()

    @property
    def authority(self):
        return str(self.data / "tls/ca.pem")

    @property
    def root(self):
        kept = json.loads((self.data / "credentials.json").read_text())
        return Key(kept["access_key_id"], kept["secret_access_key"])

    def session(self, key=None):
        key = key or self.root
        return boto3.Session(key.access_key_id, key.secret_access_key, key.session_token, region_name=REGION)

    def client(self, service, key=None, **options):
        # Without retries: a test sees the first answer.
        settings = Config(retries={"total_max_attempts": 1}, read_timeout=60, **options)
        return self.session(key).client(service, endpoint_url=self.endpoint, verify=self.authority, config=settings)

    def send(self, url, method="GET", body=None, headers=None):
        """One request as it is given, for any host name: all of them are this machine."""
        parts = urlsplit(url if "://" in url else self.endpoint + url)
        context = ssl.create_default_context(cafile=self.authority)
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        connection = http.client.HTTPConnection(parts.hostname, parts.port or self.port)
        connection.sock = plain if parts.scheme == "http" else context.wrap_socket(plain, server_hostname=parts.hostname)
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def run(self, *arguments, **options):
        """A client command of the same binary, which talks to this platform."""
        command = [BINARY, *arguments, "--data", self.data]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)

    def exported(self):
        """The environment that `eval $(pagoda env)` makes, on top of a bare one."""
        told = self.run("env")
        assert told.returncode == 0, told.stderr
        shell = "eval \"$(cat)\" && env -0"
        bare = {"PATH": os.environ["PATH"], "HOME": str(self.data.parent)}
        made = subprocess.run(["sh", "-c", shell], input=told.stdout, capture_output=True, text=True, env=bare, check=True)
        return dict(pair.split("=", 1) for pair in made.stdout.split("\0") if pair)


def outputs(text):
    """The outputs that `pagoda up` and `pagoda deploy` show: a name and a value a line."""
    pairs = re.findall(r"^\W*(\w+)\W+(\S+)\W*$", text, re.M)
    return dict(pairs)


def until(check, seconds=30):
    """Polls `check` until it gives something true, and gives that back."""
    deadline = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {check}"
        time.sleep(0.05)
    return found
