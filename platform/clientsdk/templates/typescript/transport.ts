// Requests: their making, signing and sending. Generated; do not edit.

export interface Config {
  accessKey?: string;
  secretKey?: string;
  sessionToken?: string;
  apiKey?: string;
  region?: string;
  endpoint?: string;
}

export interface Answer<T> {
  status: number;
  headers: Record<string, string>;
  data: T;
}

/** An answer with a status of 400 or more. */
export class ApiError extends Error {
  constructor(readonly response: Answer<unknown>, what: string) {
    super(`${what} answered ${response.status}`);
  }
}

export interface Operation {
  verb: string;
  path: string;
  signed: boolean;
  idempotent: boolean;
  pieces: [text: string, name: string | null, greedy: boolean][];
  parameters: { name: string; place: "path" | "query" | "header"; required: boolean }[];
}

type Given = Record<string, string | number | boolean | (string | number | boolean)[] | undefined>;

interface Request {
  verb: string;
  origin: string;
  host: string;
  path: string;
  query: { sent: string; signed: string };
  headers: Record<string, string>;
  body?: string;
}

const ATTEMPTS = 3;
const BACKOFF_MILLIS = 100;
const utf8 = new TextEncoder();

const hex = (bytes: ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");

const digest = async (text: string): Promise<string> => hex(await crypto.subtle.digest("SHA-256", utf8.encode(text)));

async function hmac(key: ArrayBuffer, text: string): Promise<ArrayBuffer> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", key, algorithm, false, ["sign"]);
  return crypto.subtle.sign("HMAC", imported, utf8.encode(text));
}

/** RFC 3986: all but the unreserved characters. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (mark) => "%" + mark.charCodeAt(0).toString(16).toUpperCase());
const encodeGreedy = (text: string): string => text.split("/").map(encode).join("/");
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function queries(pairs: [string, string][]): { sent: string; signed: string } {
  const encoded = pairs.map(([name, value]): [string, string] => [encode(name), encode(value)]);
  const join = (list: [string, string][]) => list.map((pair) => pair.join("=")).join("&");
  const sorted = [...encoded].sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]));
  return { sent: join(encoded), signed: join(sorted) };
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
async function sign(config: Config, request: Request): Promise<Record<string, string>> {
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const scope = [time.slice(0, 8), config.region ?? "", "execute-api", "aws4_request"];
  const headers: Record<string, string> = { host: request.host, "x-amz-date": time };
  if (config.sessionToken) headers["x-amz-security-token"] = config.sessionToken;
  const names = Object.keys(headers).sort();
  const canonical = [
    request.verb,
    // Each part of the path is encoded once more than it is sent.
    request.path.split("/").map(encode).join("/"),
    request.query.signed,
    ...names.map((name) => `${name}:${(headers[name] ?? "").trim().replace(/ +/g, " ")}`),
    "",
    names.join(";"),
    await digest(request.body ?? ""),
  ].join("\n");
  const text = ["AWS4-HMAC-SHA256", time, scope.join("/"), await digest(canonical)].join("\n");
  let key: ArrayBuffer = utf8.encode("AWS4" + config.secretKey).buffer as ArrayBuffer;
  for (const part of scope) key = await hmac(key, part);
  const signature = hex(await hmac(key, text));
  delete headers.host;
  const credential = `${config.accessKey}/${scope.join("/")}`;
  headers.authorization =
    `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  return headers;
}

function build(config: Config, operation: Operation, given: Given, body: unknown): Request {
  const missing = operation.parameters.find((one) => one.required && given[one.name] == null);
  if (missing) throw new Error(`The parameter ${missing.name} of ${operation.path} is required`);
  const endpoint = new URL(config.endpoint ?? "");
  const path = operation.pieces
    .map(([text, name, greedy]) => text + (name === null ? "" : (greedy ? encodeGreedy : encode)(String(given[name]))))
    .join("");
  const pairs: [string, string][] = [];
  const headers: Record<string, string> = { accept: "application/json" };
  for (const { name, place } of operation.parameters) {
    const value = given[name];
    if (value == null) continue;
    if (place === "header") headers[name.toLowerCase()] = String(value);
    if (place === "query") for (const one of [value].flat()) pairs.push([name, String(one)]);
  }
  const text = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
  if (text !== undefined) headers["content-type"] = "application/json";
  return {
    verb: operation.verb, origin: endpoint.origin, host: endpoint.host,
    path: endpoint.pathname.replace(/\/$/, "") + path, query: queries(pairs), headers, body: text,
  };
}

function read(text: string, type: string | null): unknown {
  if (!/\bjson\b/.test(type ?? "") || text === "") return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function attempt(config: Config, operation: Operation, request: Request): Promise<Answer<unknown>> {
  const headers = { ...request.headers };
  if (operation.signed && config.accessKey) Object.assign(headers, await sign(config, request));
  if (config.apiKey) headers["x-api-key"] = config.apiKey;
  const query = request.query.sent ? `?${request.query.sent}` : "";
  const response = await fetch(request.origin + request.path + query, {
    method: operation.verb, headers, body: request.body,
  });
  const received: Record<string, string> = {};
  response.headers.forEach((value, name) => (received[name] = value));
  const text = await response.text();
  return { status: response.status, headers: received, data: read(text, response.headers.get("content-type")) };
}

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis));
const isWorthAnother = (status: number, idempotent: boolean): boolean =>
  status === 429 || status === 503 || (idempotent && (status === 500 || status === 502 || status === 504));

/** Sends a request, and again, up to three times, where the API was busy. */
export async function send<T>(config: Config, operation: Operation, given: object, body?: unknown): Promise<Answer<T>> {
  const request = build(config, operation, given as Given, body);
  for (let left = ATTEMPTS - 1, wait = BACKOFF_MILLIS; ; left--, wait *= 2) {
    try {
      const answer = await attempt(config, operation, request);
      if (answer.status < 400) return answer as Answer<T>;
      if (left === 0 || !isWorthAnother(answer.status, operation.idempotent)) {
        throw new ApiError(answer, `${operation.verb} ${operation.path}`);
      }
    } catch (failure) {
      if (failure instanceof ApiError || left === 0 || !operation.idempotent) throw failure;
    }
    await pause(wait * (0.5 + Math.random() / 2));
  }
}
