"""Requests: their making, signing and sending. Generated; do not edit."""

import datetime
import hashlib
import hmac
import json
import random
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request

ATTEMPTS = 3
BACKOFF_SECONDS = 0.1
BUSY = {429, 503}
BROKEN = {500, 502, 504}


class ApiError(Exception):
    """An answer with a status of 400 or more."""

    def __init__(self, status, headers, data):
        super().__init__(f"The API answered {status}: {data!r}")
        self.status, self.headers, self.data = status, headers, data


class Answer:
    """What the API answered: `data` is its body, read by its type."""

    def __init__(self, status, headers, data):
        self.status, self.headers, self.data = status, headers, data


class Transport:
    def __init__(self, endpoint, region, access_key=None, secret_key=None, session_token=None, api_key=None,
                 ca_file=None, timeout_seconds=30):
        self.endpoint = urllib.parse.urlsplit(endpoint)
        self.region = region
        self.access_key, self.secret_key, self.session_token = access_key, secret_key, session_token
        self.api_key = api_key
        self.timeout_seconds = timeout_seconds
        self.tls = ssl.create_default_context(cafile=ca_file)

    def send(self, verb, path, query=(), headers=(), body=None, signed=False, idempotent=True):
        """Sends a request, and again, up to three times, where the API was busy."""
        payload = b"" if body is None else json.dumps(body).encode()
        sent = {"accept": "application/json"}
        if body is not None:
            sent["content-type"] = "application/json"
        sent.update((name.lower(), str(value)) for name, value in headers if value is not None)
        pairs = [(encode(name), encode(text(value))) for name, given in query if given is not None
                 for value in (given if isinstance(given, (list, tuple)) else [given])]
        path = self.endpoint.path.rstrip("/") + path
        for left in reversed(range(ATTEMPTS)):
            pause = BACKOFF_SECONDS * 2 ** (ATTEMPTS - 1 - left) * random.uniform(0.5, 1)
            try:
                return self._attempt(verb, path, pairs, dict(sent), payload, signed)
            except ApiError as error:
                if left == 0 or not (error.status in BUSY or idempotent and error.status in BROKEN):
                    raise
            except OSError:
                if left == 0 or not idempotent:
                    raise
            time.sleep(pause)

    def _attempt(self, verb, path, pairs, headers, payload, signed):
        if self.api_key:
            headers["x-api-key"] = self.api_key
        if signed and self.access_key:
            headers.update(self._signature(verb, path, pairs, payload))
        query = "&".join("=".join(pair) for pair in pairs)
        url = f"{self.endpoint.scheme}://{self.endpoint.netloc}{path}" + (f"?{query}" if query else "")
        request = urllib.request.Request(url, data=payload or None, headers=headers, method=verb)
        opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=self.tls), NoRedirect)
        try:
            with opener.open(request, timeout=self.timeout_seconds) as response:
                return Answer(response.status, dict(response.headers), read(response))
        except urllib.error.HTTPError as error:
            if error.code < 400:
                return Answer(error.code, dict(error.headers), read(error))
            raise ApiError(error.code, dict(error.headers), read(error)) from None

    def _signature(self, verb, path, pairs, payload):
        """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html"""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        scope = [now[:8], self.region, "execute-api", "aws4_request"]
        headers = {"host": self.endpoint.netloc, "x-amz-date": now}
        if self.session_token:
            headers["x-amz-security-token"] = self.session_token
        names = ";".join(sorted(headers))
        canonical = "\n".join([
            verb,
            # Each part of the path is encoded once more than it is sent.
            "/".join(encode(part) for part in path.split("/")),
            "&".join("=".join(pair) for pair in sorted(pairs)),
            *(f"{name}:{headers[name]}" for name in sorted(headers)),
            "",
            names,
            hashlib.sha256(payload).hexdigest(),
        ])
        signed = "\n".join(["AWS4-HMAC-SHA256", now, "/".join(scope), hashlib.sha256(canonical.encode()).hexdigest()])
        key = ("AWS4" + self.secret_key).encode()
        for part in scope:
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        signature = hmac.new(key, signed.encode(), hashlib.sha256).hexdigest()
        del headers["host"]
        credential = "/".join([self.access_key, *scope])
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}")
        return headers


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def encode(value, safe=""):
    """RFC 3986: all but the unreserved characters."""
    return urllib.parse.quote(str(value), safe=safe + "-_.~")


def text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def read(response):
    body = response.read().decode("utf-8", "replace")
    if "json" not in (response.headers.get("content-type") or ""):
        return body
    try:
        return json.loads(body)
    except ValueError:
        return body
