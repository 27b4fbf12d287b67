// Runs a Node.js function: Pagoda's client of the Lambda Runtime API.
//
// Small on purpose: what is loaded here is paid for by every cold start, so a plain socket is used. The answer
// to one event and the wish for the next are sent together. While the handler runs the socket does not keep
// the event loop alive, which is how "the event loop is empty" can be known.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
'use strict';

const fs = require('fs');
const net = require('net');
const path = require('path');
const { format, types } = require('util');

const ROOT = '/2018-06-01/runtime/';
const TASK = '/var/task';
const env = process.env;
const REHEARSALS = 20;
const collect = globalThis.gc;
const SWEPT_MS = 100;

class Fault extends Error {
  constructor(name, message, trace) {
    super(message);
    this.name = name;
    this.given = trace;
  }
}

// One connection to the Runtime API.
class Api {
  constructor(address) {
    const [host, port] = address.split(':');
    this.host = address;
    this.waiting = [];
    this.buffer = Buffer.alloc(0);
    this.parts = [];
    this.size = 0;
    this.wanted = 0;
    this.socket = net.connect({ host, port: Number(port), noDelay: true });
    this.socket.on('data', (data) => this.take(data));
    this.socket.on('close', () => process.exit(1));
    this.socket.on('error', () => process.exit(1));
    this.next = `GET ${ROOT}invocation/next HTTP/1.1\r\nHost: ${address}\r\n\r\n`;
  }

  post(where, body, kind) {
    const header = kind ? `Lambda-Runtime-Function-Error-Type: ${kind}\r\n` : '';
    return `POST ${ROOT}${where} HTTP/1.1\r\nHost: ${this.host}\r\nContent-Type: application/json\r\n${header}` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  }

  // Sends requests, and resolves with the last one's response.
  exchange(text, count) {
    this.socket.ref();
    return new Promise((resolve) => {
      for (let i = 1; i < count; i += 1) this.waiting.push(() => {});
      this.waiting.push(resolve);
      this.socket.write(text);
    });
  }

  take(data) {
    this.parts.push(data);
    this.size += data.length;
    while (this.size >= this.wanted && this.size > 0) {
      if (this.parts.length > 1) this.parts = [Buffer.concat(this.parts)];
      const buffer = this.parts[0];
      const end = buffer.indexOf('\r\n\r\n');
      if (end < 0) {
        this.wanted = this.size + 1;
        return;
      }
      const lines = buffer.latin1Slice(0, end).split('\r\n');
      const headers = {};
      for (let i = 1; i < lines.length; i += 1) {
        const colon = lines[i].indexOf(':');
        headers[lines[i].slice(0, colon).toLowerCase()] = lines[i].slice(colon + 1).trim();
      }
      const length = end + 4 + Number(headers['content-length'] || 0);
      if (buffer.length < length) {
        this.wanted = length;
        return;
      }
      const body = buffer.subarray(end + 4, length);
      this.parts = [buffer.subarray(length)];
      this.size = buffer.length - length;
      this.wanted = 0;
      this.waiting.shift()({ status: Number(lines[0].split(' ')[1]), headers, body });
    }
  }
}

// ---- Log lines

let requestId;

const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

function line(level, text) {
  const now = new Date().toISOString();
  process.stdout.write(`${now}\t${requestId || 'undefined'}\t${level}\t${text}`.replace(/\n/g, '\r') + '\n');
}

const writesJson = () => (env.AWS_LAMBDA_LOG_FORMAT || '').toUpperCase() === 'JSON';

// Errors in values of a line.
function withErrors(key, value) {
  if (!isError(value)) return value;
  const { errorType, errorMessage, trace } = describe(value);
  return { errorType, errorMessage, stackTrace: trace, ...value };
}

// A line as an object: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html#nodejs-logging-advanced
function object(level, values) {
  const made = { timestamp: new Date().toISOString(), level, requestId };
  try {
    if (values.length === 1) {
      [made.message] = values;
    } else {
      made.message = format(...values);
      const error = values.find(isError);
      if (error) Object.assign(made, withErrors('', error));
    }
    process.stdout.write(JSON.stringify(made, withErrors) + '\n');
  } catch {
    process.stdout.write(JSON.stringify({ ...made, message: format(...values) }) + '\n');
  }
}

function patchConsole() {
  const isJson = writesJson();
  const least = isJson ? LEVELS.indexOf(env.AWS_LAMBDA_LOG_LEVEL || 'INFO') : 0;
  const write = (level) => {
    if (LEVELS.indexOf(level) < least) return () => {};
    return isJson ? (...values) => object(level, values) : (...values) => line(level, format(...values));
  };
  console.log = console.info = write('INFO');
  console.debug = write('DEBUG');
  console.warn = write('WARN');
  console.error = write('ERROR');
  console.fatal = write('FATAL');
  const trace = write('TRACE');
  console.trace = isJson ? trace : (...values) => {
    const error = new Error(format(...values));
    error.name = 'Trace';
    line('TRACE', error.stack);
  };
}

// What went wrong outside of the function's own lines.
function logError(text, error) {
  if (!writesJson()) line('ERROR', `${text} \t${logged(error)}`);
  else object('ERROR', [isError(error) ? error : { errorType: typeof error, errorMessage: String(error), stackTrace: [] }]);
}

// ---- Errors

const isError = (value) => types.isNativeError(value) || value instanceof Error;

function describe(error) {
  if (!isError(error)) {
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  }
  const trace = error.given || String(error.stack || '').split('\n');
  const described = { errorType: error.name, errorMessage: error.message, trace };
  return described;
}

function logged(error) {
  if (!isError(error)) return JSON.stringify({ errorType: typeof error, errorMessage: String(error), stack: [] });
  const { errorType, errorMessage, trace } = describe(error);
  return JSON.stringify({ errorType, errorMessage, ...error, name: undefined, given: undefined, stack: trace });
}

// ---- The handler

function typeOf(file) {
  if (file.endsWith('.mjs')) return 'module';
  if (file.endsWith('.cjs')) return 'commonjs';
  for (let directory = path.dirname(file); directory.startsWith(TASK); directory = path.dirname(directory)) {
    const description = path.join(directory, 'package.json');
    if (fs.existsSync(description)) {
      try {
        return JSON.parse(fs.readFileSync(description, 'utf8')).type === 'module' ? 'module' : 'commonjs';
      } catch {
        return 'commonjs';
      }
    }
  }
  return 'commonjs';
}

async function loadModule(name) {
  const base = path.resolve(TASK, name);
  const file = ['', '.js', '.mjs', '.cjs'].map((end) => base + end)
    .find((one) => fs.existsSync(one) && fs.statSync(one).isFile());
  if (!file) {
    const message = `Cannot find module '${path.basename(name)}'\nRequire stack:\n- /var/runtime/bootstrap.cjs`;
    throw new Fault('Runtime.ImportModuleError', `Error: ${message}`);
  }
  try {
    if (typeOf(file) === 'module') return await import(require('url').pathToFileURL(file).href);
    return require(file);
  } catch (error) {
    if (isError(error) && error.code === 'ERR_REQUIRE_ESM') return import(require('url').pathToFileURL(file).href);
    if (error instanceof SyntaxError) {
      throw new Fault('Runtime.UserCodeSyntaxError', `SyntaxError: ${error.message}`, String(error.stack).split('\n'));
    }
    if (isError(error) && (error.code === 'MODULE_NOT_FOUND' || error.code === 'ERR_MODULE_NOT_FOUND')) {
      throw new Fault('Runtime.ImportModuleError', `Error: ${error.message}`, String(error.stack).split('\n'));
    }
    throw error;
  }
}

async function load(handler) {
  const slash = handler.lastIndexOf('/') + 1;
  const match = /^([^.]*)\.(.+)$/.exec(handler.slice(slash));
  if (!match || handler.includes('..')) throw new Fault('Runtime.MalformedHandlerName', 'Bad handler');
  let found = await loadModule(handler.slice(0, slash) + match[1]);
  for (const [depth, name] of match[2].split('.').entries()) {
    const inside = found && found[name];
    found = inside === undefined && depth === 0 && found && found.default ? found.default[name] : inside;
  }
  if (found === undefined) throw new Fault('Runtime.HandlerNotFound', `${handler} is undefined or not exported`);
  if (typeof found !== 'function') throw new Fault('Runtime.HandlerNotFound', `${handler} is not a function`);
  return found;
}

// ---- Streamed answers

const STREAMED = Symbol.for('aws.lambda.runtime.handler.streaming');
const PRELUDE_END = Buffer.alloc(8);
const PRELUDE_TYPE = 'application/vnd.awslambda.http-integration-response';

// The stream that a streaming handler writes its answer to: a chunked request whose trailers tell of a failure.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming
function responseStream(invocation, highWaterMark) {
  const { Writable } = require('stream');
  let type = 'application/octet-stream';
  const stream = new Writable({
    highWaterMark,
    write(chunk, encoding, done) {
      if (invocation.done || chunk.length === 0) {
        done();
        return;
      }
      api.socket.cork();
      api.socket.write(`${stream.head()}${chunk.length.toString(16)}\r\n`);
      api.socket.write(chunk);
      api.socket.write('\r\n', () => done());
      process.nextTick(() => api.socket.uncork());
    },
    final(done) {
      invocation.finish(null);
      done();
    },
  });
  stream.began = false;
  stream.head = () => {
    if (stream.began) return '';
    stream.began = true;
    return `POST ${ROOT}invocation/${invocation.id}/response HTTP/1.1\r\nHost: ${api.host}\r\nContent-Type: ${type}\r\n` +
      'Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n' +
      'Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n';
  };
  stream.setContentType = (given) => { type = String(given).replace(/[^\x20-\x7e]/g, ''); };
  return stream;
}

// Status, headers and cookies before the body, for those who make an HTTP response of it.
class HttpResponseStream {
  static from(stream, metadata) {
    stream.setContentType(PRELUDE_TYPE);
    stream.write(JSON.stringify(metadata));
    stream.write(PRELUDE_END);
    return stream;
  }
}

function streamifyResponse(handler, options) {
  const streaming = (...values) => handler(...values);
  streaming[STREAMED] = options || {};
  return streaming;
}

// ---- Events

class Invocation {
  constructor(headers) {
    this.id = headers['lambda-runtime-aws-request-id'];
    this.headers = headers;
    this.done = false;
    this.held = undefined;
    this.promise = new Promise((resolve) => { this.resolve = resolve; });
  }

  context() {
    const { headers } = this;
    const parse = (text) => (text ? JSON.parse(text) : undefined);
    const deadline = Number(headers['lambda-runtime-deadline-ms']);
    const callback = (error, value) => this.call(error, value);
    this.given = {
      callbackWaitsForEmptyEventLoop: true,
      functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
      functionName: env.AWS_LAMBDA_FUNCTION_NAME,
      memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
      logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
      logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
      clientContext: parse(headers['lambda-runtime-client-context']),
      identity: parse(headers['lambda-runtime-cognito-identity']),
      invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
      awsRequestId: this.id,
      getRemainingTimeInMillis: () => Math.max(deadline - Date.now(), 0),
      done: callback,
      succeed: (value) => this.finish(null, value),
      fail: (error) => this.finish(error === undefined || error === null ? 'handled' : error),
    };
    return this.given;
  }

  // What the handler's callback does: it may have to wait until nothing is left to do.
  call(error, value) {
    if (this.done || this.held) return;
    if (error !== undefined && error !== null) this.finish(error);
    else if (this.given.callbackWaitsForEmptyEventLoop) this.held = { value };
    else this.finish(null, value);
  }

  finish(error, value) {
    if (this.done) return;
    this.done = true;
    this.resolve(error === null ? this.response(value) : this.failure(error));
  }

  // Nothing is left to do: what was held back is the answer, and otherwise there is none.
  idle() {
    this.finish(null, this.held ? this.held.value : null);
  }

  response(value) {
    if (this.stream) return `${this.stream.head()}0\r\n\r\n`;
    let body;
    try {
      body = JSON.stringify(value === undefined ? null : value);
      if (body === undefined) body = 'null';
    } catch (error) {
      return this.failure(new Fault('Runtime.MarshalError', 'Unable to stringify response body'));
    }
    return api.post(`invocation/${this.id}/response`, body);
  }

  failure(error) {
    logError('Invoke Error', error);
    return this.told(describe(error));
  }

  // How the Runtime API learns of a failure: a streamed answer that has begun ends with it.
  told(document) {
    const body = JSON.stringify(document);
    if (!this.stream || !this.stream.began) return api.post(`invocation/${this.id}/error`, body, kind(document));
    return `0\r\nLambda-Runtime-Function-Error-Type: ${kind(document)}\r\n` +
      `Lambda-Runtime-Function-Error-Body: ${Buffer.from(body).toString('base64')}\r\n\r\n`;
  }
}

const kind = (document) => String(document.errorType).replace(/[^\x20-\x7e]/g, '?');

let current;
let api;

// An error that nobody caught ends the process; whoever waits learns of it first.
function die(code, text, error) {
  logError(text, error);
  const document = describe(error);
  if (current && current.done) process.exit(code);
  api ||= new Api(env.AWS_LAMBDA_RUNTIME_API);
  const last = current ? current.told(document) : api.post('init/error', JSON.stringify(document), kind(document));
  if (current) current.done = true;
  api.exchange(last, 1).then(() => process.exit(code));
}

async function handle(handler, { headers, body }) {
  current = new Invocation(headers);
  requestId = current.id;
  env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id'] || '';
  const mine = current;
  try {
    const event = JSON.parse(body.toString());
    const streaming = handler[STREAMED];
    if (streaming) mine.stream = responseStream(mine, streaming.highWaterMark);
    const result = streaming
      ? handler(event, mine.stream, mine.context())
      : handler(event, mine.context(), (error, value) => mine.call(error, value));
    if (result && typeof result.then === 'function') {
      // A stream ends when the handler ends it, or when nothing is left to do.
      const resolved = streaming ? () => {} : (value) => mine.finish(null, value);
      result.then(resolved, (error) => mine.finish(error === null || error === undefined ? String(error) : error));
    }
  } catch (error) {
    mine.finish(error === null || error === undefined ? String(error) : error);
  }
  if (!mine.done) api.socket.unref();
  return mine.promise;
}

// Loads functions of both module systems and answers events, as every instance will: what the engine and its
// libraries learn from that the first time, instances restored from this process know already.
async function rehearse(rounds) {
  const { once } = require('events');
  const folder = fs.mkdtempSync('/tmp/rehearsal-');
  fs.writeFileSync(path.join(folder, 'module.mjs'), 'export const handler = async (event) => ({ event });');
  fs.writeFileSync(path.join(folder, 'script.cjs'), 'exports.handler = async (event) => ({ event });');
  const server = net.createServer((socket) => socket.on('data', (data) => {
    for (const [, method] of data.latin1Slice().matchAll(/(GET|POST) \/2018/g)) {
      socket.write(method === 'POST'
        ? 'HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n'
        : 'HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: rehearsal\r\nContent-Length: 7\r\n\r\n{"a":1}');
    }
  }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  api = new Api(`127.0.0.1:${server.address().port}`);
  for (const name of ['module', 'script']) {
    const handler = await load(path.join(folder, `${name}.handler`));
    let response = await api.exchange(api.next, 1);
    for (let i = 0; i < rounds; i += 1) {
      response = await api.exchange(await handle(handler, response) + api.next, 2);
    }
  }
  api.socket.removeAllListeners('close');
  api.socket.destroy();
  server.close();
  await once(server, 'close');
  fs.rmSync(folder, { recursive: true });
  api = current = requestId = undefined;
}

// Waits, as a template, until this process is one for a function, and becomes that function's.
async function resume() {
  for (const name of ['assert', 'async_hooks', 'buffer', 'child_process', 'crypto', 'diagnostics_channel', 'dns',
    'dns/promises', 'events', 'fs/promises', 'http', 'http2', 'https', 'module', 'os', 'path', 'perf_hooks',
    'querystring', 'readline', 'stream', 'stream/promises', 'stream/web', 'string_decoder', 'timers', 'timers/promises',
    'tls', 'tty', 'url', 'util', 'v8', 'vm', 'worker_threads', 'zlib']) require(name);
  for (let i = 0; i < 50; i += 1) JSON.stringify(JSON.parse('{"a":[1,2.5,null,{"b":"c"}]}'));
  await rehearse(REHEARSALS);
  await settle();
  wake();
  // The first clone shows once more which memory an instance needs, and ends.
  if (env._PAGODA_REHEARSAL) {
    await rehearse(1);
    wake();
  }
  if (!env._PAGODA_SNAPSHOT) fs.closeSync(3);
  require('module')._initPaths();
}

// Leaves the heap as it shall be in every clone: a collection that has begun would go on in each of them, and
// write to every page.
async function settle() {
  collect?.();
  // The threads that sweep get the time to end.
  await new Promise((resolve) => { setTimeout(resolve, SWEPT_MS); });
}

// Waits to be told who this process is from now on.
function wake() {
  const chunk = Buffer.alloc(262144);
  let text = '';
  while (!text.endsWith('\n')) {
    const length = fs.readSync(3, chunk, 0, chunk.length, null);
    if (length === 0) process.reallyExit(0);
    text += chunk.utf8Slice(0, length);
  }
  const given = JSON.parse(text).environment;
  for (const name of Object.keys(env)) if (!(name in given)) delete env[name];
  // Some variables are dear to set, such as the time zone.
  for (const [name, value] of Object.entries(given)) if (env[name] !== value) env[name] = value;
  // Node remembers its number.
  Object.defineProperty(process, 'pid', { value: Number(fs.readlinkSync('/proc/self')), enumerable: true });
  require('v8').setFlagsFromString(`--random-seed=${require('crypto').randomInt(1, 2 ** 31 - 1)}`);
  process.chdir(TASK);
}

// What runs before a snapshot is taken (the last one registered first), and after each restoration from it:
// awslambda.registerBeforeSnapshot(function), awslambda.registerAfterRestore(function).
const before = [];
const after = [];
globalThis.awslambda = {
  registerBeforeSnapshot: (hook) => { before.unshift(hook); },
  registerAfterRestore: (hook) => { after.push(hook); },
  streamifyResponse,
  HttpResponseStream,
};

// Waits, after the init code, to become one instance of many: SnapStart.
async function sleep() {
  for (const hook of before) await hook();
  await settle();
  wake();
  fs.closeSync(3);
  for (const hook of after) await hook();
}

async function main() {
  if (process.argv[2] === '--template') await resume();
  patchConsole();
  process.on('beforeExit', () => { if (current && !current.done) { api.socket.ref(); current.idle(); } });
  process.on('uncaughtException', (error) => die(129, 'Uncaught Exception', error));
  process.on('unhandledRejection', (reason) => {
    const error = new Fault('Runtime.UnhandledPromiseRejection', String(reason), isError(reason) ? String(reason.stack).split('\n') : undefined);
    die(128, 'Unhandled Promise Rejection', error);
  });
  let handler;
  try {
    handler = await load(env._HANDLER || '');
    if (env._PAGODA_SNAPSHOT) await sleep();
    api = new Api(env.AWS_LAMBDA_RUNTIME_API);
  } catch (error) {
    api = new Api(env.AWS_LAMBDA_RUNTIME_API);
    logError('Uncaught Exception', error);
    const document = describe(error);
    await api.exchange(api.post('init/error', JSON.stringify(document), kind(document)), 1);
    process.exit(1);
  }
  let response = await api.exchange(api.next, 1);
  for (;;) {
    if (response.status !== 200) process.exit(1);
    const answer = await handle(handler, response);
    response = await api.exchange(answer + api.next, 2);
  }
}

main();
