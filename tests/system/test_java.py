"""A Java function as its author ships it: classes and jars in a package, deployed and called by boto3."""

import json
import pathlib
import shutil
import subprocess

import pytest

from functions import role, zipped
from platform_process import REPOSITORY, until

CLIENT = REPOSITORY / "services/lambda/runtimes/java/pagoda-runtime.jar"
GREETER = '''
package shop;

public class Greeter {
    public static String greet(String name) {
        return "Hello " + name;
    }
}
'''
ORDERS = '''
package shop;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.util.List;
import java.util.Map;

public class Orders implements RequestHandler<Orders.Order, Map<String, Object>> {
    public record Line(String sku, int count) {}
    public record Order(String customer, List<Line> lines) {}

    @Override
    public Map<String, Object> handleRequest(Order order, Context context) {
        if (order.lines() == null) {
            throw new IllegalArgumentException("nothing is ordered");
        }
        context.getLogger().log("an order of " + order.customer());
        int count = order.lines().stream().mapToInt(Line::count).sum();
        return Map.of("greeting", Greeter.greet(order.customer()), "count", count, "set", System.getenv("SET"));
    }
}
'''


def compiled(directory, classpath, **sources):
    """`{path: bytes}` of the classes of `{Class: source}`."""
    javac = shutil.which("javac")
    assert javac, "these tests need javac 17 or later (apt-get install openjdk-17-jdk)"
    directory.mkdir()
    for name, source in sources.items():
        (directory / f"{name}.java").write_text(source)
    path = ":".join(map(str, classpath))
    command = [javac, "--release", "17", "-cp", path, "-d", directory / "out", *directory.glob("*.java")]
    subprocess.run(command, check=True)
    return {str(one.relative_to(directory / "out")): one.read_bytes() for one in (directory / "out").rglob("*.class")}


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    root = tmp_path_factory.mktemp("java")
    library = zipped(compiled(root / "library", [], Greeter=GREETER))
    jar = pathlib.Path(root / "greeter.jar")
    jar.write_bytes(library)
    own = compiled(root / "own", [jar, CLIENT], Orders=ORDERS)
    # Functions bring AWS's interfaces along; here they are the client's.
    return zipped({**own, "lib/greeter.jar": library, "lib/core.jar": CLIENT.read_bytes()})


def invoke(lambdas, name, event, **options):
    answer = lambdas.invoke(FunctionName=name, Payload=json.dumps(event), **options)
    return answer, json.loads(answer["Payload"].read())


def test_a_java_function_answers(client, name, package):
    lambdas, logs, called = client("lambda"), client("logs"), name("orders")
    with role(client, name("role")) as arn:
        lambdas.create_function(FunctionName=called, Role=arn, Runtime="java17", Handler="shop.Orders",
                                Code={"ZipFile": package}, MemorySize=256, Timeout=20,
                                Environment={"Variables": {"SET": "yes"}},
                                SnapStart={"ApplyOn": "PublishedVersions"})
        lambdas.get_waiter("function_active_v2").wait(FunctionName=called, WaiterConfig={"Delay": 1})
        order = {"customer": "Zoë", "lines": [{"sku": "a", "count": 2}, {"sku": "b", "count": 3}]}
        expected = {"greeting": "Hello Zoë", "count": 5, "set": "yes"}
        assert invoke(lambdas, called, order)[1] == expected
        answer, said = invoke(lambdas, called, {"customer": "Zoë"})
        assert answer["FunctionError"] == "Unhandled"
        assert (said["errorType"], said["errorMessage"]) == ("java.lang.IllegalArgumentException", "nothing is ordered")
        assert said["stackTrace"][0].startswith("shop.Orders.handleRequest(Orders.java:")
        group = f"/aws/lambda/{called}"
        until(lambda: logs.filter_log_events(logGroupName=group, filterPattern="Zoë")["events"])
        version = lambdas.publish_version(FunctionName=called)["Version"]
        lambdas.get_waiter("published_version_active").wait(FunctionName=called, Qualifier=version, WaiterConfig={"Delay": 1})
        assert invoke(lambdas, called, order, Qualifier=version)[1] == expected
        logs.delete_log_group(logGroupName=group)
        lambdas.delete_function(FunctionName=called)
