"""Runs a Python function: Pagoda's client of the Lambda Runtime API.

Small on purpose: what is imported here is paid for by every cold start, so the socket is used directly, and
logging and traceback are loaded only when they are needed. The answer to one event and the wish for the next
are sent together.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import sys

sys.path[0:1] = ["/var/task", "/opt/python"]
for _path in ("/opt/python/lib/python%d.%d/site-packages" % sys.version_info[:2], "/var/runtime", "/var/site-packages"):
    if _path not in sys.path:
        sys.path.append(_path)

import builtins
import json
import os
import time

import _sitebuiltins
import _socket

builtins.exit = _sitebuiltins.Quitter("exit", "Ctrl-D")
builtins.quit = _sitebuiltins.Quitter("quit", "Ctrl-D")

ROOT = "/2018-06-01/runtime/"
# What a template has loaded: modules that most functions load, themselves or through others.
STANDARD = (
    "base64", "bisect", "calendar", "collections.abc", "concurrent.futures", "contextlib", "copy", "datetime",
    "decimal", "email.utils", "enum", "fnmatch", "functools", "hashlib", "hmac", "http.client", "inspect", "io",
    "itertools", "logging", "operator", "pathlib", "queue", "random", "re", "shutil", "socket", "ssl", "string",
    "struct", "tempfile", "textwrap", "threading", "types", "typing", "urllib.parse", "urllib.request", "uuid",
    "warnings", "weakref", "zlib",
)


class Faults(Exception):
    """A failure whose type Lambda names itself."""

    def __init__(self, kind, message, trace=()):
        super().__init__(message)
        self.kind, self.trace = kind, list(trace)


class Api:
    """One connection to the Runtime API."""

    def __init__(self, address):
        host, _, port = address.partition(":")
        self.host = address
        self.socket = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        self.socket.connect((host, int(port)))
        self.socket.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.next = ("GET %sinvocation/next HTTP/1.1\r\nHost: %s\r\n\r\n" % (ROOT, address)).encode()

    def send(self, data):
        view = memoryview(data)
        while view:
            view = view[self.socket.send(view):]

    def post(self, path, body, kind=None):
        header = "Lambda-Runtime-Function-Error-Type: %s\r\n" % kind if kind else ""
        head = "POST %s%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n"
        return (head % (ROOT, path, self.host, header, len(body))).encode() + body

    def more(self):
        data = self.socket.recv(262144)
        if not data:
            sys.exit("The Runtime API closed the connection")
        self.buffer += data

    def read(self):
        """The next response: status, headers, body."""
        while True:
            end = self.buffer.find(b"\r\n\r\n")
            if end >= 0:
                break
            self.more()
        lines = self.buffer[:end].decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        end += 4
        length = end + int(headers.get("content-length", 0))
        if len(self.buffer) < length:
            parts, size = [self.buffer], len(self.buffer)
            while size < length:
                data = self.socket.recv(min(length - size, 1048576))
                if not data:
                    sys.exit("The Runtime API closed the connection")
                parts.append(data)
                size += len(data)
            self.buffer = b"".join(parts)
        body, self.buffer = self.buffer[end:length], self.buffer[length:]
        return int(lines[0].split(" ", 2)[1]), headers, body


class CognitoIdentity:
    """Who called from a mobile application."""

    __slots__ = ["cognito_identity_id", "cognito_identity_pool_id"]

    def __init__(self, identity):
        self.cognito_identity_id = identity.get("cognitoIdentityId")
        self.cognito_identity_pool_id = identity.get("cognitoIdentityPoolId")


class Client:
    """The mobile application that called."""

    __slots__ = ["installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"]

    def __init__(self, client):
        for name in self.__slots__:
            setattr(self, name, client.get(name))


class ClientContext:
    """What the caller said of itself."""

    __slots__ = ["custom", "env", "client"]

    def __init__(self, context):
        self.custom = context.get("custom")
        self.env = context.get("env")
        self.client = Client(context["client"]) if context.get("client") else None


class LambdaContext:
    """The second argument of handlers."""

    def __init__(self, headers):
        self.aws_request_id = headers["lambda-runtime-aws-request-id"]
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.tenant_id = None
        client = headers.get("lambda-runtime-client-context")
        self.client_context = ClientContext(json.loads(client)) if client else None
        self.identity = CognitoIdentity(json.loads(headers.get("lambda-runtime-cognito-identity") or "{}"))
        self._deadline = int(headers["lambda-runtime-deadline-ms"])

    def get_remaining_time_in_millis(self):
        return max(self._deadline - int(time.time() * 1000), 0)

    def log(self, message):
        sys.stdout.write(str(message))

    def __repr__(self):
        return "LambdaContext([aws_request_id=%s,function_name=%s])" % (self.aws_request_id, self.function_name)


class Watch:
    """Sets the root logger up when, and if, the function imports logging."""

    request_id = ""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name != "logging":
            return None
        sys.meta_path.remove(cls)
        import importlib.util

        spec = importlib.util.find_spec("logging")
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            cls.set_up(module)

        spec.loader.exec_module = exec_module
        return spec

    @classmethod
    def set_up(cls, logging):
        is_json = writes_json()

        class Handler(logging.Handler):
            def emit(self, record):
                if is_json:
                    sys.stdout.write(as_json(record, cls.request_id) + "\n")
                else:
                    sys.stdout.write(self.format(record).replace("\n", "\r") + "\n")

        class Filter(logging.Filter):
            def filter(self, record):
                record.aws_request_id = cls.request_id
                return True

        formatter = logging.Formatter(
            "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"
        )
        formatter.converter = time.gmtime
        handler = Handler()
        handler.setFormatter(formatter)
        handler.addFilter(Filter())
        logging.root.addHandler(handler)
        level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "")
        if level:
            logging.root.setLevel({"TRACE": "DEBUG"}.get(level, level))


# What a record of logging has of its own; all else was given as `extra`.
RECORD = frozenset((
    "name", "msg", "args", "levelname", "levelno", "pathname", "filename", "module", "exc_info", "exc_text",
    "stack_info", "lineno", "funcName", "created", "msecs", "relativeCreated", "thread", "threadName",
    "processName", "process", "taskName", "aws_request_id",
))


def writes_json():
    return os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"


def moment(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def as_json(record, request_id):
    """A record of logging as an object.

    https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html#python-logging-advanced
    """
    message = record.msg if isinstance(record.msg, dict) and not record.args else record.getMessage()
    line = {"timestamp": moment(record.created), "level": record.levelname, "message": message, "logger": record.name}
    if request_id:
        line["requestId"] = request_id
    if record.exc_info and record.exc_info[0]:
        import traceback

        kind, error, trace = record.exc_info
        line["stackTrace"] = traceback.format_tb(trace)
        line["errorType"], line["errorMessage"] = kind.__name__, str(error)
        line["location"] = "%s:%s:%s" % (record.pathname, record.funcName, record.lineno)
    for name, value in record.__dict__.items():
        if name not in RECORD and name not in line:
            line[name] = value
    return json.dumps(line, ensure_ascii=False, default=str)


def load(handler):
    """The function that `module.function` names."""
    module_name, dot, name = handler.rpartition(".")
    if not dot:
        raise Faults("Runtime.MalformedHandlerName", "Bad handler '%s': not enough values to unpack (expected 2, got 1)" % handler)
    try:
        import importlib

        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Faults("Runtime.ImportModuleError", "Unable to import module '%s': %s" % (module_name, error))
    except SyntaxError as error:
        trace = ['  File "%s" Line %s\n    %s' % (error.filename, error.lineno, error.text)]
        message = "Syntax error in module '%s': %s" % (module_name, error)
        raise Faults("Runtime.UserCodeSyntaxError", message, trace)
    try:
        return getattr(module, name)
    except AttributeError:
        raise Faults("Runtime.HandlerNotFound", "Handler '%s' missing on module '%s'" % (name, module_name))


def describe(error, request_id):
    """The error document of an exception, and its type; the log gets its text."""
    if isinstance(error, Faults):
        kind, message, trace = error.kind, str(error), error.trace
    else:
        import traceback

        frames = traceback.extract_tb(error.__traceback__)
        frames = [frame for frame in frames if frame.filename != __file__ and not frame.filename.startswith("<frozen")]
        kind, message, trace = type(error).__name__, str(error), traceback.format_list(frames)
    document = {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": trace}
    if writes_json():
        text = json.dumps({"timestamp": moment(time.time()), "level": "ERROR", **document}, ensure_ascii=False)
    else:
        lines = ["[ERROR] %s: %s" % (kind, message) if message else "[ERROR] %s" % kind, "Traceback (most recent call last):"]
        text = "\n".join(lines + [line.rstrip("\n") for line in trace]).replace("\n", "\r")
    sys.stdout.write(text + "\n")
    return encode(document), kind


def encode(value):
    return json.dumps(value, ensure_ascii=False, default=unencodable).encode("utf-8", "surrogatepass")


def unencodable(value):
    try:
        from decimal import Decimal
    except ImportError:
        Decimal = ()
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)


def answer(api, handler, headers, body):
    """Handles one event; the request that answers it."""
    request_id = headers["lambda-runtime-aws-request-id"]
    Watch.request_id = request_id
    trace = headers.get("lambda-runtime-trace-id")
    if trace:
        os.environ["_X_AMZN_TRACE_ID"] = trace
    path = "invocation/" + request_id
    try:
        try:
            event = json.loads(body)
        except ValueError as error:
            raise Faults("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % error)
        result = handler(event, LambdaContext(headers))
        try:
            return api.post(path + "/response", encode(result))
        except (TypeError, ValueError, RecursionError) as error:
            raise Faults("Runtime.MarshalError", "Unable to marshal response: %s" % error)
    except Exception as error:
        document, kind = describe(error, request_id)
        return api.post(path + "/error", document, kind)


def warm():
    """Loads, in a template, what functions often use, so that they don't have to."""
    import gc
    import importlib
    import traceback

    for name in STANDARD:
        importlib.import_module(name)
    json.loads(encode({"a": [1, 2.5, None, "b"]}))
    traceback.format_list([])
    rehearse()
    gc.collect()
    gc.freeze()


def rehearse():
    """Loads a function and answers an event, as every instance will, with a platform on this side."""
    import socket
    import tempfile

    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as server:
        with open(folder + "/rehearsal.py", "w") as module:
            module.write("def handler(event, context):\n    return event\n")
        sys.path.insert(0, folder)
        handler = load("rehearsal.handler")
        sys.path.remove(folder)
        del sys.modules["rehearsal"]
        api = Api("127.0.0.1:%d" % server.getsockname()[1])
        with server.accept()[0] as platform:
            api.send(api.next)
            head = b"HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: 0\r\nlambda-runtime-deadline-ms: 0\r\n"
            platform.send(head + b"content-length: 8\r\n\r\n{\"a\": 1}")
            _, headers, body = api.read()
            api.send(answer(api, handler, headers, body) + api.next)
        api.socket.close()
    Watch.request_id = ""


def resume():
    """Waits, as a template, until this process is one for a function, and becomes that function's."""
    loaded = set(sys.modules)
    warm()
    wake()
    # The first clone shows once more which memory an instance needs, and ends.
    if "_PAGODA_REHEARSAL" in os.environ:
        rehearse()
        wake()
    sys.path_importer_cache.clear()
    forget(loaded)
    if "logging" in sys.modules:
        Watch.set_up(sys.modules["logging"])
    else:
        sys.meta_path.insert(0, Watch)


def wake():
    """Waits to be told who this process is from now on."""
    data = b""
    while not data.endswith(b"\n"):
        part = os.read(3, 262144)
        if not part:
            os._exit(0)
        data += part
    os.environ.clear()
    os.environ.update(json.loads(data)["environment"])
    time.tzset()
    os.chdir("/var/task")
    random = sys.modules.get("random")
    if random:
        random.seed()


def sleep():
    """Waits, after the init code, to become one instance of many: SnapStart.

    https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
    """
    hooks = sys.modules.get("snapshot_restore_py")
    for function, arguments, named in reversed(hooks.get_before_snapshot() if hooks else []):
        function(*arguments, **named)
    wake()
    os.close(3)
    for function, arguments, named in hooks.get_after_restore() if hooks else []:
        function(*arguments, **named)


def forget(loaded):
    """A function's own module of a standard name comes first, as it does where nothing is preloaded."""
    own = set()
    for directory in ("/var/task", "/opt/python"):
        if os.path.isdir(directory):
            own.update(name.partition(".")[0] for name in os.listdir(directory))
    for name in [name for name in sys.modules if name not in loaded and name.partition(".")[0] in own]:
        del sys.modules[name]


def main():
    if sys.argv[1:] == ["--template"]:
        resume()
        if "_PAGODA_SNAPSHOT" not in os.environ:
            os.close(3)
    else:
        sys.meta_path.insert(0, Watch)
    try:
        handler = load(os.environ["_HANDLER"])
        if "_PAGODA_SNAPSHOT" in os.environ:
            sleep()
        api = Api(os.environ["AWS_LAMBDA_RUNTIME_API"])
    except Exception as error:
        document, kind = describe(error, "")
        api = Api(os.environ["AWS_LAMBDA_RUNTIME_API"])
        api.send(api.post("init/error", document, kind))
        api.read()
        sys.exit(1)
    api.send(api.next)
    while True:
        status, headers, body = api.read()
        if status != 200:
            sys.exit("The Runtime API answered %d" % status)
        api.send(answer(api, handler, headers, body) + api.next)
        api.read()


main()
