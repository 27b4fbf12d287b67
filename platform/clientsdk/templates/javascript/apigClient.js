// {{ api.name | remark }} {{ api.version | remark }}, stage {{ api.stage | remark }}. Generated; do not edit.
//
//   const client = apigClientFactory.newClient({ accessKey, secretKey, sessionToken, region, apiKey });
//   client.someMethod(params, body, additionalParams).then((answer) => answer.data);
(function (root, factory) {
  if (typeof module === "object" && module.exports) module.exports = factory();
  else root.apigClientFactory = factory();
})(typeof globalThis === "object" ? globalThis : this, function () {
  "use strict";

  const ENDPOINT = {{ api.endpoint | quoted }};
  const REGION = {{ api.region | quoted }};
  const ATTEMPTS = 3;
  const BACKOFF_MILLIS = 100;
  const utf8 = new TextEncoder();

  const hex = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const digest = async (text) => hex(await crypto.subtle.digest("SHA-256", utf8.encode(text)));

  async function hmac(key, text) {
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const imported = await crypto.subtle.importKey("raw", key, algorithm, false, ["sign"]);
    return crypto.subtle.sign("HMAC", imported, utf8.encode(text));
  }

  // RFC 3986: all but the unreserved characters.
  const encode = (text) =>
    encodeURIComponent(text).replace(/[!'()*]/g, (mark) => "%" + mark.charCodeAt(0).toString(16).toUpperCase());
  const encodeGreedy = (text) => String(text).split("/").map(encode).join("/");
  const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

  // The query string, and the same in the order in which it is signed.
  function queries(pairs) {
    const encoded = pairs.map(([name, value]) => [encode(name), encode(value)]);
    const join = (list) => list.map((pair) => pair.join("=")).join("&");
    const sorted = [...encoded].sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]));
    return { sent: join(encoded), signed: join(sorted) };
  }

  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
  async function sign(config, request) {
    const time = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
    const scope = [time.slice(0, 8), config.region, "execute-api", "aws4_request"];
    const headers = { host: request.host, "x-amz-date": time };
    if (config.sessionToken) headers["x-amz-security-token"] = config.sessionToken;
    const names = Object.keys(headers).sort();
    const canonical = [
      request.verb,
      // Each part of the path is encoded once more than it is sent.
      request.path.split("/").map(encode).join("/"),
      request.query.signed,
      ...names.map((name) => name + ":" + String(headers[name]).trim().replace(/ +/g, " ")),
      "",
      names.join(";"),
      await digest(request.body || ""),
    ].join("\n");
    const text = ["AWS4-HMAC-SHA256", time, scope.join("/"), await digest(canonical)].join("\n");
    let key = utf8.encode("AWS4" + config.secretKey);
    for (const part of scope) key = await hmac(key, part);
    const signature = hex(await hmac(key, text));
    delete headers.host;
    const credential = config.accessKey + "/" + scope.join("/");
    headers.authorization =
      "AWS4-HMAC-SHA256 Credential=" + credential + ", SignedHeaders=" + names.join(";") + ", Signature=" + signature;
    return headers;
  }

  function read(text, type) {
    if (!/\bjson\b/.test(type || "") || text === "") return text;
    try {
      return JSON.parse(text);
    } catch (_) {
      return text;
    }
  }

  const pause = (millis) => new Promise((resolve) => setTimeout(resolve, millis));
  const isWorthAnother = (status, idempotent) =>
    status === 429 || status === 503 || (idempotent && (status === 500 || status === 502 || status === 504));

  async function attempt(config, operation, request) {
    const headers = { ...request.headers };
    if (operation.signed && config.accessKey) Object.assign(headers, await sign(config, request));
    if (config.apiKey) headers["x-api-key"] = config.apiKey;
    const query = request.query.sent ? "?" + request.query.sent : "";
    const response = await fetch(request.origin + request.path + query, {
      method: operation.verb, headers, body: request.body,
    });
    const text = await response.text();
    return {
      status: response.status,
      statusText: response.statusText,
      headers: Object.fromEntries(response.headers.entries()),
      data: read(text, response.headers.get("content-type")),
    };
  }

  async function send(config, operation, request) {
    for (let left = ATTEMPTS - 1, wait = BACKOFF_MILLIS; ; left--, wait *= 2) {
      try {
        const answer = await attempt(config, operation, request);
        if (answer.status < 400) return answer;
        if (left === 0 || !isWorthAnother(answer.status, operation.idempotent)) {
          throw Object.assign(new Error(operation.verb + " " + operation.path + " answered " + answer.status),
            { response: answer, status: answer.status });
        }
      } catch (failure) {
        if (failure.response || left === 0 || !operation.idempotent) throw failure;
      }
      await pause(wait * (0.5 + Math.random() / 2));
    }
  }

  function build(config, operation, params, body, additional) {
    const given = params || {}, more = additional || {};
    const missing = operation.parameters.find((one) => one.required && given[one.name] == null);
    if (missing) throw new Error("The parameter " + missing.name + " of " + operation.path + " is required");
    const endpoint = new URL(config.endpoint);
    const path = operation.pieces
      .map(([text, name, greedy]) => text + (name == null ? "" : (greedy ? encodeGreedy : encode)(String(given[name]))))
      .join("");
    const pairs = [];
    const headers = { accept: config.defaultAcceptType, ...more.headers };
    const put = (place, name, value) => {
      if (value == null) return;
      if (place === "header") headers[name.toLowerCase()] = String(value);
      if (place === "query") for (const one of [].concat(value)) pairs.push([name, String(one)]);
    };
    operation.parameters.forEach((one) => put(one.place, one.name, given[one.name]));
    Object.entries(more.queryParams || {}).forEach(([name, value]) => put("query", name, value));
    const text = body == null || typeof body === "string" ? body : JSON.stringify(body);
    if (text != null) headers["content-type"] = headers["content-type"] || config.defaultContentType;
    return {
      verb: operation.verb, origin: endpoint.origin, host: endpoint.host,
      path: endpoint.pathname.replace(/\/$/, "") + path,
      query: queries(pairs), headers, body: text == null || text === "" ? undefined : text,
    };
  }

  const OPERATIONS = {
{% for method in methods %}
    {{ method.camel }}: {
      verb: {{ method.verb | quoted }}, path: {{ method.path | quoted }},
      signed: {{ method.signed | tojson }}, idempotent: {{ method.idempotent | tojson }},
      pieces: [{% for piece in method.pieces %}[{{ piece.text | quoted }}{% if piece.variable is not none %}, {{ method.parameters[piece.variable].wire | quoted }}, {{ piece.greedy | tojson }}{% endif %}], {% endfor %}],
      parameters: [
{% for one in method.parameters %}
        { name: {{ one.wire | quoted }}, place: {{ one.place | quoted }}, required: {{ one.required | tojson }} },
{% endfor %}
      ],
    },
{% endfor %}
  };

  return {
    newClient(given) {
      const config = {
        accessKey: "", secretKey: "", sessionToken: "", apiKey: "", region: REGION, endpoint: ENDPOINT,
        defaultContentType: "application/json", defaultAcceptType: "application/json",
      };
      for (const [name, value] of Object.entries(given || {})) if (value !== undefined) config[name] = value;
      const client = {};
      for (const [name, operation] of Object.entries(OPERATIONS)) {
        client[name] = async (params, body, additional) =>
          send(config, operation, build(config, operation, params, body, additional));
      }
      return client;
    },
  };
});
