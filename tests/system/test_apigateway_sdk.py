"""Client SDKs: generated, compiled where the toolchain is at hand, and run against the API that they are of."""

import io
import json
import os
import subprocess
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import tree_sitter
import tree_sitter_kotlin
import tree_sitter_objc
import tree_sitter_swift
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from browser import browser
from platform_process import BINARY, REPOSITORY

ECHO = {
    "type": "mock",
    "requestTemplates": {"application/json": '#set($context.requestOverride.path.body = $input.body){"statusCode": 201}'},
    "responses": {"default": {"statusCode": "201", "responseTemplates": {"application/json": "$context.requestOverride.path.body"}}},
}
TELL = {
    "type": "mock",
    "requestTemplates": {"application/json": '{"statusCode": 200}'},
    "responses": {"default": {"statusCode": "200", "responseTemplates": {"application/json":
        '{"id": $input.params("id"), "name": "$input.params("q")|$input.params("X-Trace")|$context.identity.userArn"}'},
        "responseParameters": {"method.response.header.Access-Control-Allow-Origin": "'*'"}}},
}
PREFLIGHT = {
    "type": "mock",
    "requestTemplates": {"application/json": '{"statusCode": 200}'},
    "responses": {"default": {"statusCode": "200", "responseParameters": {
        "method.response.header.Access-Control-Allow-Origin": "'*'",
        "method.response.header.Access-Control-Allow-Methods": "'GET,OPTIONS'",
        "method.response.header.Access-Control-Allow-Headers": "'authorization,x-amz-date,x-amz-security-token,x-trace,x-api-key'",
    }}},
}
DEFINITION = {
    "swagger": "2.0", "info": {"title": "Pets", "version": "1"},
    "securityDefinitions": {
        "iam": {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"},
        "key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
    },
    "definitions": {"Pet": {"type": "object", "properties": {
        "id": {"type": "integer"}, "name": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}}}}},
    "paths": {
        "/pets": {"post": {
            "operationId": "addPet", "security": [{"key": []}], "x-amazon-apigateway-integration": ECHO,
            "parameters": [{"name": "body", "in": "body", "schema": {"$ref": "#/definitions/Pet"}}],
            "responses": {"201": {"description": "", "schema": {"$ref": "#/definitions/Pet"}}},
        }},
        "/pets/{id}": {
            "get": {
                "security": [{"iam": []}], "x-amazon-apigateway-integration": TELL,
                "parameters": [{"name": "id", "in": "path", "required": True, "type": "string"},
                               {"name": "q", "in": "query", "type": "string"}, {"name": "X-Trace", "in": "header", "type": "string"}],
                "responses": {"200": {"description": "", "schema": {"$ref": "#/definitions/Pet"}}},
            },
            "options": {"x-amazon-apigateway-integration": PREFLIGHT},
        },
    },
}
TOLD = "a b&c|t|arn:aws:iam::"


@pytest.fixture
def api(client, name):
    """The API's id, and a key for it."""
    gateway = client("apigateway")
    made = gateway.import_rest_api(body=json.dumps(DEFINITION))["id"]
    gateway.create_deployment(restApiId=made, stageName="v1")
    key = gateway.create_api_key(name=name("key"), enabled=True)
    plan = gateway.create_usage_plan(name=name("plan"), apiStages=[{"apiId": made, "stage": "v1"}])["id"]
    gateway.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    yield made, key["value"]
    gateway.update_usage_plan(usagePlanId=plan, patchOperations=[{"op": "remove", "path": "/apiStages", "value": f"{made}:v1"}])
    gateway.delete_usage_plan(usagePlanId=plan)
    gateway.delete_api_key(apiKey=key["id"])
    gateway.delete_rest_api(restApiId=made)


@pytest.fixture
def sdk(client, api, tmp_path):
    """`sdk(kind, **parameters)`: a folder with the sources."""
    def write(kind, **parameters):
        answer = client("apigateway").get_sdk(restApiId=api[0], stageName="v1", sdkType=kind,
                                              parameters={name.replace("_", "."): value for name, value in parameters.items()})
        assert answer["contentDisposition"] == f'attachment; filename="{kind}_{api[0]}_v1.zip"'
        zipfile.ZipFile(io.BytesIO(answer["body"].read())).extractall(tmp_path)
        return tmp_path

    return write


def run(folder, *command, **environment):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, **environment})
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def check(said):
    """What each language's program says: a signed call, one with a key and a model, and two refusals."""
    told, added, unsigned, unkeyed = said
    assert told["id"] == 7 and told["name"].startswith(TOLD), told
    assert added == {"id": 1, "name": "n", "tags": ["x", "y"]}
    assert (unsigned, unkeyed) == (403, 403)


JAVASCRIPT = """
const [access, secret, key] = process.argv.slice(2);
const factory = require("./apiGateway-js-sdk/apigClient.js");
const client = factory.newClient({ accessKey: access, secretKey: secret, apiKey: key }), bare = factory.newClient();
const status = (call) => call.then((answer) => answer.status, (error) => error.status);
(async () => {
  const told = await client.petsIdGet({ id: "7", q: "a b&c", "X-Trace": "t" });
  const added = await client.addPet({}, { id: 1, name: "n", tags: ["x", "y"] });
  console.log(JSON.stringify([told.data, added.data, await status(bare.petsIdGet({ id: "7" })), await status(bare.addPet({}, {}))]));
})();
"""


def test_javascript(platform, api, sdk):
    folder = sdk("javascript")
    (folder / "run.js").write_text(JAVASCRIPT)
    root = platform.root
    check(run(folder, "node", "run.js", root.access_key_id, root.secret_access_key, api[1], NODE_EXTRA_CA_CERTS=platform.authority))


TYPESCRIPT = """
import { ApiError, Client, type Pet } from "./client.js";
declare const process: { argv: string[] };
const [access, secret, key] = process.argv.slice(2);
const client = new Client({ accessKey: access, secretKey: secret, apiKey: key }), bare = new Client();
const status = (call: Promise<{ status: number }>) =>
  call.then((answer) => answer.status, (error) => (error as ApiError).response.status);
const pet: Pet = { id: 1, name: "n", tags: ["x", "y"] };
const told = await client.petsIdGet({ id: "7", q: "a b&c", "X-Trace": "t" });
const added = await client.addPet({}, pet);
const name: string | undefined = told.data.name;
console.log(JSON.stringify([{ ...told.data, name }, added.data, await status(bare.petsIdGet({ id: "7" })), await status(bare.addPet({}))]));
"""


def test_typescript(platform, api, sdk):
    folder = sdk("typescript") / "apiGateway-ts-sdk"
    (folder / "src/run.ts").write_text(TYPESCRIPT)
    subprocess.run(["node", REPOSITORY / "tests/js/node_modules/typescript/bin/tsc"], cwd=folder, check=True)
    root = platform.root
    check(run(folder, "node", "dist/run.js", root.access_key_id, root.secret_access_key, api[1], NODE_EXTRA_CA_CERTS=platform.authority))


PYTHON = """
import json, sys
from pets import ApiError, Pet, Pets
access, secret, key, authority = sys.argv[1:]
client, bare = Pets(access_key=access, secret_key=secret, api_key=key, ca_file=authority), Pets(ca_file=authority)
def status(call):
    try:
        return call().status
    except ApiError as error:
        return error.status
told = client.pets_id_get("7", q="a b&c", x_trace="t").data
added = client.add_pet(Pet(id=1, name="n", tags=["x", "y"])).data
assert isinstance(told, Pet) and isinstance(added, Pet)
print(json.dumps([{"id": told.id, "name": told.name}, {"id": added.id, "name": added.name, "tags": added.tags},
                  status(lambda: bare.pets_id_get("7")), status(lambda: bare.add_pet(Pet()))]))
"""


def test_python(platform, api, sdk):
    folder, root = sdk("python", service_name="Pets"), platform.root
    (folder / "run.py").write_text(PYTHON)
    check(run(folder, "python3", "run.py", root.access_key_id, root.secret_access_key, api[1], platform.authority))


RUBY = """
require "./lib/pets"
access, secret, key, authority = ARGV
client = Pets::Client.new(access_key: access, secret_key: secret, api_key: key, ca_file: authority)
bare = Pets::Client.new(ca_file: authority)
def status
  yield.status
rescue Pets::ApiError => e
  e.answer.status
end
told = client.pets_id_get(id: "7", q: "a b&c", x_trace: "t").data
added = client.add_pet(body: Pets::Pet.new(id: 1, name: "n", tags: %w[x y])).data
puts JSON.generate([{ id: told.id, name: told.name }, { id: added.id, name: added.name, tags: added.tags },
                    status { bare.pets_id_get(id: "7") }, status { bare.add_pet }])
"""


def test_ruby(platform, api, sdk):
    folder, root = sdk("ruby", service_name="Pets"), platform.root
    (folder / "run.rb").write_text(RUBY)
    check(run(folder, "ruby", "run.rb", root.access_key_id, root.secret_access_key, api[1], platform.authority))


JAVA = """
import com.example.ApiException;
import com.example.Models;
import com.example.Pets;
import java.util.Arrays;
import java.util.function.Supplier;

public class Run {
    static int status(Supplier<Pets.Answer<?>> call) {
        try {
            return call.get().getStatus();
        } catch (ApiException error) {
            return error.getStatus();
        }
    }

    public static void main(String[] given) {
        Pets client = Pets.builder().endpoint(given[0]).iamCredentials(given[1], given[2], null).apiKey(given[3]).build();
        Pets bare = Pets.builder().endpoint(given[0]).build();
        Models.Pet told = client.petsIdGet(new Pets.PetsIdGetRequest().id("7").q("a b&c").xTrace("t")).getData();
        Models.Pet pet = new Models.Pet().id(1L).name("n").tags(Arrays.asList("x", "y"));
        Models.Pet added = client.addPet(new Pets.AddPetRequest().body(pet)).getData();
        System.out.println("[{\\"id\\":" + told.id() + ",\\"name\\":\\"" + told.name() + "\\"},{\\"id\\":" + added.id() + ",\\"name\\":\\""
            + added.name() + "\\",\\"tags\\":[\\"" + String.join("\\",\\"", added.tags()) + "\\"]},"
            + status(() -> bare.petsIdGet(new Pets.PetsIdGetRequest().id("7"))) + ","
            + status(() -> bare.addPet(new Pets.AddPetRequest().body(pet))) + "]");
    }
}
"""


@pytest.mark.parametrize(("kind", "parameters"), [
    ("java", {"service_name": "Pets", "java_package-name": "com.example"}),
    ("android", {"groupId": "g", "artifactId": "Pets", "artifactVersion": "1", "invokerPackage": "com.example"}),
])
def test_java(platform, api, sdk, kind, parameters):
    folder, root = sdk(kind, **parameters), platform.root
    (folder / "Run.java").write_text(JAVA)
    sources = [str(path) for path in folder.rglob("*.java")]
    subprocess.run(["javac", "-d", "out", *sources], cwd=folder, check=True)
    plain = f"http://127.0.0.1:{platform.port}/_aws/execute-api/{api[0]}/v1"
    check(run(folder, "java", "-cp", "out", "Run", plain, root.access_key_id, root.secret_access_key, api[1]))


def test_a_page_of_another_origin_calls_with_credentials(platform, api, sdk, tmp_path):
    """In a real browser: cross-origin, preflighted, signed in the page."""
    folder, root = sdk("javascript"), platform.root
    source = (folder / "apiGateway-js-sdk/apigClient.js").read_text()
    settings = json.dumps({"accessKey": root.access_key_id, "secretKey": root.secret_access_key})
    (folder / "page.html").write_text(f"""<!doctype html><p id=said></p><script>{source}</script><script>
        apigClientFactory.newClient({settings}).petsIdGet({{ id: "7", q: "a b&c", "X-Trace": "t" }})
            .then((answer) => answer.data.name, (error) => "failed: " + error).then((text) => said.textContent = text);
    </script>""")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with browser(tmp_path / "browser", platform.authority) as driver:
        driver.get(f"http://127.0.0.1:{server.server_address[1]}/page.html")
        said = WebDriverWait(driver, 60).until(lambda page: page.find_element(By.ID, "said").text)
    server.shutdown()
    server.server_close()
    assert said.startswith(TOLD), said


@pytest.mark.parametrize(("kind", "parameters", "ending", "language"), [
    ("swift", {"classPrefix": "PET"}, "*.swift", tree_sitter_swift),
    ("objectivec", {"classPrefix": "PET"}, "*.[hm]", tree_sitter_objc),
    ("kotlin", {"service_name": "Pets", "kotlin_package-name": "com.example"}, "*.kt", tree_sitter_kotlin),
])
def test_sources_are_of_their_grammar(sdk, kind, parameters, ending, language):
    parser = tree_sitter.Parser(tree_sitter.Language(language.language()))
    sources = list(sdk(kind, **parameters).rglob(ending))
    assert len(sources) >= 2
    for source in sources:
        # The grammar is that of what the preprocessor leaves.
        text = source.read_text().replace("NS_ASSUME_NONNULL_BEGIN", "").replace("NS_ASSUME_NONNULL_END", "")
        tree = parser.parse(text.encode())
        assert not tree.root_node.has_error, f"{source.name}: {errors(tree.root_node)}"


def errors(node):
    """Where a tree is broken."""
    if node.is_error or node.is_missing:
        return [(node.start_point.row + 1, node.text[:80])]
    return [found for child in node.children if child.has_error for found in errors(child)]


def test_the_command_writes_it_into_a_folder(platform, api, tmp_path):
    command = [BINARY, "sdk", api[0], "v1", "--data", platform.data, "--type"]
    written = subprocess.run([*command, "python", "--parameter", "service.name=Pets", "--output", tmp_path / "sdk"],
                             capture_output=True, text=True, check=True).stdout.split()
    assert str(tmp_path / "sdk/pets/__init__.py") in written
    subprocess.run(["python3", "-c", "import pets; pets.Pets()"], cwd=tmp_path / "sdk", check=True)
    refused = subprocess.run([*command, "python"], capture_output=True, text=True)
    assert refused.returncode != 0 and "service.name is required" in refused.stderr


def test_types_are_told_and_what_is_missing_is_refused(client, api):
    gateway = client("apigateway")
    kinds = {one["id"] for one in gateway.get_sdk_types(limit=500)["items"]}
    assert kinds == {"javascript", "typescript", "java", "android", "swift", "objectivec", "ruby", "python", "kotlin"}
    assert [one["name"] for one in gateway.get_sdk_type(id="swift")["configurationProperties"]] == ["classPrefix"]
    for kind, parameters, code in (("swift", {}, "BadRequestException"), ("cobol", {}, "NotFoundException"),
                                   ("ruby", {"service.name": "x", "other": "y"}, "BadRequestException")):
        with pytest.raises(gateway.exceptions.ClientError) as refused:
            gateway.get_sdk(restApiId=api[0], stageName="v1", sdkType=kind, parameters=parameters)
        assert refused.value.response["Error"]["Code"] == code
