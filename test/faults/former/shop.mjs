// The shop of the fault tests as it was with version 0.1 (commit d93ffb0), bundled: `program.ts` with the sources it imports.
// It takes the same settings as `../shop/program.ts`. Never edit it: it stands for processes that run out there.
import { createRequire as __createRequire } from "node:module"
const require = __createRequire(import.meta.url)

// test/faults/shop/program.ts
import { appendFileSync, existsSync } from "node:fs";
import { createServer } from "node:http";
import { setTimeout as sleep2 } from "node:timers/promises";

// src/bridge/node.ts
import getRawBody from "raw-body";

// src/core/outcomes.ts
var OUTCOMES = { handled: 200, queued: 202, duplicate: 200, ignored: 200, discarded: 200 };
var ERRORS = {
  METHOD_NOT_ALLOWED: [405, false, "Only POST is allowed."],
  BODY_TOO_LARGE: [413, false, "The body is over `maxBodyBytes`."],
  ENCODING_UNSUPPORTED: [415, false, "The body has a Content-Encoding."],
  BODY_ABORTED: [400, true, "The body ended before it was complete."],
  BODY_TIMEOUT: [408, true, "The body did not arrive within `bodyTimeoutMs`."],
  BODY_ALREADY_PARSED: [500, false, "The body was read before the receiver saw it, and the signed bytes are gone."],
  SIGNATURE_MISSING: [401, false, "The X-CommerceLayer-Signature header is missing."],
  SIGNATURE_MISMATCH: [401, false, "The signature does not match the body."],
  SECRET_UNKNOWN: [401, false, "There is no secret for this topic."],
  TOPIC_MISSING: [400, false, "The X-CommerceLayer-Topic header is missing."],
  TOPIC_INVALID: [400, false, "The X-CommerceLayer-Topic header is malformed."],
  TOPIC_MISMATCH: [400, false, "The resource is not of the type of the topic."],
  DOCUMENT_INVALID: [400, false, "The body is not a JSON:API document with one resource."],
  INCLUDE_MISSING: [500, false, "A relationship that a handler needs is not in the body."],
  HANDLER_FAILED: [500, true, "A handler failed."],
  IN_PROGRESS: [409, true, "The same event is being handled."],
  DEADLINE_EXCEEDED: [503, true, "It took longer than `deadlineMs`."],
  STORE_UNAVAILABLE: [503, true, "A store that is needed did not answer."],
  OVERLOADED: [503, true, "More than `maxInFlight` deliveries are under way."],
  SHUTTING_DOWN: [503, true, "The receiver is shutting down."]
};

// src/core/errors.ts
var TAG = /* @__PURE__ */ Symbol.for("hooklayer.error");
var PERMANENT = /* @__PURE__ */ Symbol.for("hooklayer.permanent");
var WebhookError = class extends Error {
  name = "WebhookError";
  code;
  /** The HTTP status that it is answered with. */
  status;
  /** Whether the same delivery may succeed when it is fired again. */
  retryable;
  hint;
  constructor(code, options = {}) {
    const [status, retryable, message] = ERRORS[code];
    const text = options.message ?? message;
    super(options.fix ? `${text} ${options.fix}` : text, "cause" in options ? { cause: options.cause } : void 0);
    this.code = code;
    this.status = status;
    this.retryable = retryable;
    this.hint = options.hint;
    Object.defineProperty(this, TAG, { value: true });
  }
};
function isWebhookError(thrown) {
  return hasTag(thrown, TAG);
}
function isPermanentError(thrown) {
  return hasTag(thrown, PERMANENT);
}
function hasTag(thrown, tag) {
  try {
    return typeof thrown === "object" && thrown !== null && tag in thrown;
  } catch {
    return false;
  }
}
function toWebhookError(thrown) {
  return isWebhookError(thrown) ? thrown : new WebhookError("HANDLER_FAILED", { message: "The receiver failed.", cause: thrown });
}

// src/bridge/node.ts
var LINGER_MS = 4e3;
function answerNode(receive, request, response, fix, host = request) {
  const { method = "", headers } = request;
  const body = ({ maxBytes }) => read(request, host, fix, maxBytes);
  return receive({ method, headers, body }).then((answer) => toNode(answer, request, response));
}
function read(request, host, fix, maxBytes) {
  const arrived = asArrived(host.rawBody) ?? asArrived(host.body);
  if (arrived !== void 0) return Promise.resolve(arrived);
  if (request.readableDidRead || request.readableEnded)
    return Promise.reject(new WebhookError("BODY_ALREADY_PARSED", { fix }));
  return getRawBody(request, { limit: maxBytes }).catch((error) => {
    if (error.type === "entity.too.large") throw new WebhookError("BODY_TOO_LARGE");
    if (error.type === "stream.encoding.set") throw new WebhookError("BODY_ALREADY_PARSED", { fix });
    throw error;
  });
}
function asArrived(body) {
  return body instanceof Uint8Array || typeof body === "string" ? body : void 0;
}
function toNode({ status, headers, body }, request, response) {
  const isUnread = !request.complete && !request.destroyed;
  if (isUnread) discardRest(request);
  if (response.headersSent || response.destroyed) return;
  const closing = status === 408 || isClosing(request) ? { connection: "close" } : void 0;
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body), ...closing });
  if (isUnread && status !== 408 && (closing || !response.shouldKeepAlive)) endWithRequest(body, request, response);
  else response.end(body);
}
function isClosing({ socket }) {
  return socket?.server?.listening === false;
}
function discardRest(request) {
  const timer = setTimeout(() => request.destroy(), LINGER_MS);
  request.once("close", () => clearTimeout(timer));
  request.resume();
}
function endWithRequest(body, request, response) {
  response.write(body);
  request.once("close", () => response.end());
}

// src/adapters/node.ts
var FIX = "Hand the request over before anything reads it, or keep its bytes in `request.rawBody`: a host that parses JSON by itself and keeps no bytes (Vercel does, unless NODEJS_HELPERS=0 is set) cannot be used this way, but has `hooklayer/fetch`.";
function createNodeListener(receiver2) {
  return (request, response) => answerNode(receiver2.receive, request, response, FIX);
}

// src/core/platform.ts
var { navigator, process: process2 } = globalThis;
var nodeCrypto = builtIn("node:crypto");
var nodeText = builtIn("node:buffer");
var sharesTimers = nodeCrypto !== void 0 && navigator?.userAgent !== "Cloudflare-Workers";
function builtIn(name) {
  try {
    return process2?.getBuiltinModule?.(name);
  } catch {
    return void 0;
  }
}

// src/core/deadline.ts
var MAX_TIMER_MS = 2 ** 31 - 1;
function createDeadline(ms) {
  const end = performance.now() + ms;
  return { remaining: () => Math.max(0, end - performance.now()) };
}
function within(work, ms, late) {
  return new Promise((resolve, reject) => {
    const watch = { end: performance.now() + ms, expire: () => reject(late()), timer: void 0 };
    if (sharesTimers && ms > GATHER_MS) gather(watch);
    else start(watch);
    work.then(
      (value) => {
        stop(watch);
        resolve(value);
      },
      (error) => {
        stop(watch);
        reject(error);
      }
    );
  });
}
function start(watch) {
  if (watch.expire) watch.timer = setTimeout(watch.expire, Math.min(watch.end - performance.now(), MAX_TIMER_MS));
}
function stop(watch) {
  watch.expire = void 0;
  if (watch.timer) clearTimeout(watch.timer);
}
var GATHER_MS = 25;
var gathered = [];
function gather(watch) {
  const isFirst = gathered.push(watch) === 1;
  if (isFirst) setTimeout(startGathered, GATHER_MS);
}
function startGathered() {
  const watches = gathered;
  gathered = [];
  watches.forEach(start);
}

// src/core/request.ts
function headerOf(headers, name) {
  if (isFetchHeaders(headers)) return headers.get(name) ?? void 0;
  if (Symbol.iterator in Object(headers)) {
    const values = Array.from(headers).flatMap(
      ([field2, value2]) => isNamed(field2, name) ? [value2] : []
    );
    return values.length === 0 ? void 0 : values.join(", ");
  }
  const record = headers;
  const field = Object.hasOwn(record, name) ? name : Object.keys(record).find((key) => isNamed(key, name));
  const value = field === void 0 ? void 0 : record[field];
  return typeof value === "object" ? value.join(", ") : value;
}
function isFetchHeaders(headers) {
  return "append" in Object(headers) && typeof headers.append === "function";
}
function isNamed(field, name) {
  return field.length === name.length && field.toLowerCase() === name;
}
var encoder = new TextEncoder();
function bytesOf(body) {
  if (body instanceof Uint8Array) return body;
  if (typeof body === "string") return encoder.encode(body);
  throw new WebhookError("BODY_ALREADY_PARSED");
}

// src/core/admit.ts
function admit({ method, headers, body }, { maxBodyBytes }) {
  if (method !== "POST") throw new WebhookError("METHOD_NOT_ALLOWED");
  const encoding = headerOf(headers, "content-encoding");
  if (encoding && encoding.toLowerCase() !== "identity") throw new WebhookError("ENCODING_UNSUPPORTED");
  if (typeof body !== "function") return;
  const announced = headerOf(headers, "content-length");
  if (announced && Number(announced) > maxBodyBytes) throw new WebhookError("BODY_TOO_LARGE");
}
function readBody({ body }, { maxBodyBytes, bodyTimeoutMs }, deadline) {
  const checked2 = (whole) => {
    const bytes = bytesOf(whole);
    if (bytes.length > maxBodyBytes) throw new WebhookError("BODY_TOO_LARGE");
    return bytes;
  };
  if (typeof body !== "function") return checked2(body);
  const ms = Math.min(bodyTimeoutMs, deadline.remaining());
  return within(body({ maxBytes: maxBodyBytes }), ms, tooSlow).then(checked2, aborted);
}
function tooSlow() {
  return new WebhookError("BODY_TIMEOUT");
}
function aborted(thrown) {
  throw isWebhookError(thrown) ? thrown : new WebhookError("BODY_ABORTED", { cause: thrown });
}

// src/core/signature.ts
function keyCache(make) {
  const keys = /* @__PURE__ */ new Map();
  return (secret) => {
    let key = keys.get(secret);
    if (key === void 0) {
      key = make(bytesOf(secret));
      if (keys.size >= 1e3) keys.clear();
      keys.set(secret, key);
    }
    return key;
  };
}
var signatureOf = nodeCrypto ? nodeHmac(nodeCrypto) : webHmac();
function nodeHmac(crypto2) {
  const keyOf2 = keyCache((secret) => crypto2.createSecretKey(secret));
  return (body, secret) => crypto2.createHmac("sha256", keyOf2(secret)).update(body).digest("base64");
}
function webHmac() {
  const { subtle } = globalThis.crypto;
  const keyOf2 = keyCache(
    (secret) => subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"])
  );
  return async (body, secret) => {
    const digest = await subtle.sign("HMAC", await keyOf2(secret), body);
    return btoa(String.fromCharCode(...new Uint8Array(digest)));
  };
}
function isSameSignature(received, expected) {
  let difference = received.length ^ expected.length;
  for (let i = 0; i < expected.length; i++) difference |= received.charCodeAt(i) ^ expected.charCodeAt(i);
  return difference === 0;
}

// src/core/text.ts
var decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
var textOf = nodeText?.transcode ? nodeDecode(nodeText) : webDecode;
function nodeDecode({ Buffer: Buffer2, isAscii, isUtf8, transcode }) {
  return (bytes) => {
    if (isAscii(bytes)) return Buffer2.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).latin1Slice();
    return isUtf8(bytes) ? transcode(bytes, "utf8", "utf16le").ucs2Slice() : void 0;
  };
}
function webDecode(bytes) {
  try {
    return decoder.decode(bytes);
  } catch {
    return void 0;
  }
}

// src/core/diagnose.ts
var MAX_BYTES = 1024 * 1024;
var MAX_SECRETS = 2;
var MAX_OTHERS = 4;
var HINTS = {
  empty: "The body is empty: something consumed it on the way.",
  large: "The body is over 1 MB and was not examined.",
  hex: "The signature is hex: Commerce Layer sends base64.",
  spaced: "The secret has white space at its ends.",
  other: "It was signed with the secret of another topic: a mix-up, or a replay.",
  rewritten: "The body was parsed and written again, without the `.0` of its floats: pass on the bytes as they came.",
  base64: "The body is still base64: decode it first (on AWS, see `isBase64Encoded`).",
  unknown: "No known mistake explains it: another secret, changed bytes, or a forgery."
};
async function diagnose(signature, body, secrets, others) {
  if (body.length === 0) return HINTS.empty;
  if (body.length > MAX_BYTES) return HINTS.large;
  const known = secrets.slice(0, MAX_SECRETS);
  for (const attempt of attempts(signature, body, known, others.slice(0, MAX_OTHERS))) {
    for (const secret of attempt.secrets ?? known) {
      const expected = await signatureOf(attempt.bytes ?? body, secret);
      if (isSameSignature(attempt.signature ?? signature, expected)) return attempt.hint;
    }
  }
  return HINTS.unknown;
}
function* attempts(signature, body, secrets, others) {
  if (/^[0-9a-f]{64}$/i.test(signature)) {
    const bytes = signature.replace(/../g, (pair) => String.fromCharCode(Number.parseInt(pair, 16)));
    yield { hint: HINTS.hex, signature: btoa(bytes) };
    return;
  }
  yield {
    hint: HINTS.spaced,
    secrets: secrets.map((secret) => secret.trim()).filter((secret) => secret && !secrets.includes(secret))
  };
  yield { hint: HINTS.other, secrets: others };
  const text = textOf(body) ?? "";
  if (/^[\w+/=\s]+$/.test(text)) yield { hint: HINTS.base64, bytes: decoded(text) };
  const withFloats = text.replace(/("[a-z_]{1,60}_float":)(-?\d+)(?=[,}])/g, "$1$2.0");
  if (withFloats !== text) yield { hint: HINTS.rewritten, bytes: bytesOf(withFloats) };
  const escaped = withFloats.replace(/[&<>]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
  if (escaped !== withFloats) yield { hint: HINTS.rewritten, bytes: bytesOf(escaped) };
}
function decoded(base64) {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return void 0;
  }
}

// src/core/fingerprint.ts
var fingerprint = nodeCrypto ? nodeFingerprint(nodeCrypto) : webFingerprint;
function nodeFingerprint(crypto2) {
  return (material) => {
    let hex;
    return () => {
      hex ??= material().reduce((hash, part) => hash.update(part), crypto2.createHash("sha256")).digest("hex");
      return hex;
    };
  };
}
async function webFingerprint(material) {
  try {
    const bytes = await new Blob(material()).arrayBuffer();
    const digest = new Uint8Array(await globalThis.crypto.subtle.digest("SHA-256", bytes));
    const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return () => hex;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

// src/core/pipe.ts
function pipe(value, ...stages) {
  return walk(value, stages, 0);
}
function walk(value, stages, next) {
  let made = value;
  for (let i = next; i < stages.length; i += 1) {
    const rest = i;
    if (isPromise(made)) return made.then((come) => walk(come, stages, rest));
    made = stages[i]?.(made);
  }
  return made;
}
function isPromise(value) {
  return typeof value === "object" && value !== null && typeof value.then === "function";
}

// src/core/secrets.ts
function createSecrets(option) {
  if (typeof option === "function") return lookedUpSecrets(option);
  if (typeof option === "object" && !Array.isArray(option) && option !== null) {
    return topicSecrets(option);
  }
  const secrets = checkedSecrets(option, "secrets");
  return { lookUp: () => secrets, refresh: () => [], others: () => [], shared: true, lacks: () => false };
}
function topicSecrets(option) {
  const byTopic = new Map(
    Object.entries(option).map(([topic, secret]) => [topic, checkedSecrets(secret, `secrets['${topic}']`)])
  );
  if (byTopic.size === 0) throw new TypeError("`secrets` is empty.");
  return {
    lookUp: (topic) => byTopic.get(topic) ?? [],
    refresh: () => [],
    others: (topic) => [...byTopic].flatMap(([other, secrets]) => other === topic ? [] : secrets),
    shared: false,
    lacks: (topic) => !byTopic.has(topic)
  };
}
function lookedUpSecrets(lookUp) {
  return {
    lookUp: (topic, deadline) => answerTo(() => lookUp(topic), deadline),
    refresh: (topic, deadline) => answerTo(() => lookUp.refresh?.(topic), deadline),
    others: () => [],
    shared: false,
    lacks: () => false
  };
}
async function answerTo(question, deadline) {
  try {
    const found = Promise.resolve(question());
    const secrets = deadline ? within(found, deadline.remaining(), () => new Error("It took too long.")) : found;
    return listOf(await secrets).filter((one) => typeof one === "string" && one.trim() !== "");
  } catch (cause) {
    throw new WebhookError("STORE_UNAVAILABLE", { cause, hint: "`secrets` failed." });
  }
}
function listOf(secret) {
  return Array.isArray(secret) ? secret : [secret];
}
function checkedSecrets(secret, name) {
  const list = listOf(secret);
  if (list.length === 0) throw new TypeError(`\`${name}\` is empty.`);
  return list.map((one) => checkedSecret(one, name));
}
function checkedSecret(secret, name) {
  if (secret === void 0 || secret === null) {
    throw new TypeError(`\`${name}\` is not set: is the environment variable?`);
  }
  if (typeof secret !== "string") throw new TypeError(`\`${name}\` is not a string.`);
  if (secret.trim() === "") throw new TypeError(`\`${name}\` is empty: anybody could sign with it.`);
  if (secret !== secret.trim()) {
    throw new TypeError(`\`${name}\` has white space at its ends.`);
  }
  return secret;
}

// src/core/authenticate.ts
var Delivery = class {
  /** The topic, vouched for by the secret that signed the body. */
  topic;
  /** The bytes as they came. */
  body;
  receivedAt;
  #id;
  constructor(topic, body, receivedAt, id) {
    this.topic = topic;
    this.body = body;
    this.receivedAt = receivedAt;
    this.#id = id;
  }
  /**
   * SHA-256, in hex, over the topic and the bytes: the sender gives none. Two deliveries with the same bytes are one. Made
   * on first use; an event's `id` is the one that also sees through a different spelling of the same document.
   */
  get id() {
    return this.#id();
  }
};
var TOPIC = /^(?=.{3,100}$)[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$/;
function claimOf(headers) {
  const signature = headerOf(headers, "x-commercelayer-signature");
  if (!signature) throw new WebhookError("SIGNATURE_MISSING");
  const topic = headerOf(headers, "x-commercelayer-topic");
  if (!topic) throw new WebhookError("TOPIC_MISSING");
  if (!TOPIC.test(topic)) throw new WebhookError("TOPIC_INVALID");
  return { topic, signature };
}
function authenticate(claim, body, receivedAt, secrets, deadline) {
  const { topic, signature } = claim;
  return pipe(
    secrets.lookUp(topic, deadline),
    (candidates) => pipe(
      isSignedWithAny(candidates, signature, body),
      (isSigned) => isSigned ? deliveryOf(topic, body, receivedAt) : lookAgain(claim, body, receivedAt, secrets, candidates, deadline)
    )
  );
}
async function lookAgain({ topic, signature }, body, receivedAt, secrets, known, deadline) {
  const candidates = await secrets.refresh(topic, deadline);
  if (await isSignedWithAny(candidates, signature, body)) return deliveryOf(topic, body, receivedAt);
  if (known.length + candidates.length === 0) throw new WebhookError("SECRET_UNKNOWN");
  const hint = await diagnose(signature, body, [...known, ...candidates], secrets.others(topic));
  throw new WebhookError("SIGNATURE_MISMATCH", { hint });
}
function deliveryOf(topic, body, receivedAt) {
  return pipe(
    fingerprint(() => [topic, "\n", body]),
    (id) => new Delivery(topic, body, receivedAt, id)
  );
}
function isSignedWithAny(secrets, signature, body, first = 0) {
  const secret = secrets[first];
  if (secret === void 0) return false;
  return pipe(
    signatureOf(body, secret),
    (expected) => isSameSignature(signature, expected) || isSignedWithAny(secrets, signature, body, first + 1)
  );
}

// src/core/remember.ts
var MAX_TOPICS = 1e3;
function remember(byTopic, topic, value) {
  if (byTopic.size >= MAX_TOPICS) byTopic.clear();
  byTopic.set(topic, value);
}

// src/core/breaker.ts
var OPENS_AT = 30;
var WARN_AT = [10, 20];
var REST_MS = 6e4;
function createBreaker(logger) {
  const inRow = /* @__PURE__ */ new Map();
  const closeUntil = /* @__PURE__ */ new Map();
  return {
    count(topic, isFailure) {
      if (!isFailure) {
        if (inRow.size > 0) inRow.delete(topic);
        return 0;
      }
      const failures = (inRow.get(topic) ?? 0) + 1;
      remember(inRow, topic, failures);
      if (WARN_AT.includes(failures)) {
        const left = OPENS_AT - failures;
        logger.warn(`${topic}: ${failures} failures in a row. After ${left} more, Commerce Layer stops sending it.`, {
          topic
        });
      }
      if (failures === WARN_AT.at(-1)) remember(closeUntil, topic, Date.now() + REST_MS);
      return failures;
    },
    isClose: (topic) => Date.now() < (closeUntil.get(topic) ?? 0)
  };
}

// src/core/include.ts
function missingInclude(event, asking) {
  if (asking.every(({ include }) => include.length === 0) || event.topic.endsWith(".destroy")) return void 0;
  const { resource } = event;
  const paths = new Set(asking.flatMap(({ include }) => include));
  const missing = [...paths].filter((path) => isMissing(resource, path.split(".")));
  if (missing.length === 0) return void 0;
  return new WebhookError("INCLUDE_MISSING", { fix: `It needs ${missing.join(", ")}. ${FIX2}` });
}
var FIX2 = "If the webhook does not include it yet, apply the plan and trigger the event again; if there may be none, say so with a `?`.";
function isMissing(resource, [step, ...rest]) {
  if (step === void 0) return false;
  const name = step.endsWith("?") ? step.slice(0, -1) : step;
  const related = resource[name];
  if (related === void 0 || related === null) return related === void 0 || name === step;
  return Array.isArray(related) ? related.some((one) => isMissing(one, rest)) : isMissing(related, rest);
}

// src/core/dispatch.ts
var HANDLED = { name: "handled", errors: [] };
var QUEUED = { name: "queued", errors: [] };
var DUPLICATE = { name: "duplicate", errors: [] };
var IGNORED = { name: "ignored", errors: [] };
function dispatch(event, registrations, logger, succeeded = () => {
}) {
  const context = new Context(logger);
  const failures = [];
  const missing = missingInclude(event, registrations);
  const ended = missing ? Promise.reject(missing) : runAll(event, registrations, context, failures, succeeded);
  return { ended, failures, abort: (reason) => context.abort(reason) };
}
function runAll(event, registrations, context, failures, succeeded) {
  const running = [];
  for (const registration of registrations) {
    const unfinished = start2(registration, event, context, failures, succeeded);
    if (unfinished) running.push(unfinished);
  }
  return running.length === 0 ? outcomeOf(failures) : Promise.all(running).then(() => outcomeOf(failures));
}
function inTime(run, { topic, delivery }, deadline, logger, whenLate) {
  const { ended } = run;
  if (!isPromise(ended)) return ended;
  const logLateEnd = () => {
    const ms = Date.now() - delivery.receivedAt.getTime();
    logger.warn(`${topic} ended after ${ms} ms, too late.`, { topic, ms, failures: run.failures });
  };
  return within(ended, deadline.remaining(), () => {
    const error = new WebhookError("DEADLINE_EXCEEDED");
    run.abort(error);
    whenLate(ended.then(logLateEnd, logLateEnd));
    return error;
  });
}
function start2(registration, event, context, failures, succeeded) {
  try {
    const { handler } = registration;
    const result = handler(event, context);
    if (isPromise(result)) {
      return Promise.resolve(result).then(() => succeeded(registration)).catch((thrown) => failures.push(thrown));
    }
    succeeded(registration);
  } catch (thrown) {
    failures.push(thrown);
  }
  return void 0;
}
function outcomeOf(failures) {
  if (failures.length === 0) return HANDLED;
  if (failures.every(isPermanentError)) return { name: "discarded", errors: failures };
  const cause = failures.length === 1 ? failures[0] : new AggregateError(failures, `${failures.length} handlers failed.`);
  return Promise.reject(new WebhookError("HANDLER_FAILED", { cause }));
}
var Context = class {
  logger;
  #controller;
  #reason;
  constructor(logger) {
    this.logger = logger;
  }
  get signal() {
    this.#controller ??= new AbortController();
    if (this.#reason) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }
  abort(reason) {
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
};

// src/core/document.ts
function documentOf({ body }) {
  return checkedDocument(fromJson(textOf(body)));
}
function checkedDocument(value) {
  if (!isDocument(value)) throw invalid(complaintAbout(value));
  return value;
}
function fromJson(text) {
  if (!text) throw invalid(text === "" ? "The body is empty." : "The body is not UTF-8.");
  try {
    return JSON.parse(text);
  } catch {
    throw invalid(text.startsWith("\uFEFF") ? "The body starts with a byte order mark." : "The body is not JSON.");
  }
}
function invalid(hint) {
  return new WebhookError("DOCUMENT_INVALID", { hint });
}
function isDocument(value) {
  if (!isObject(value) || !isResource(value.data)) return false;
  return value.included == null || Array.isArray(value.included) && value.included.every(isResource);
}
function isResource(value) {
  return isObject(value) && typeof value.id === "string" && typeof value.type === "string" && (value.attributes == null || isObject(value.attributes)) && (value.relationships == null || isObject(value.relationships));
}
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function complaintAbout(value) {
  const data = Object(Object(value).data);
  const missing = ["id", "type"].filter((name) => typeof data[name] !== "string");
  return missing.length > 0 ? `The body has no ${missing.map((name) => `data.${name}`).join(", no ")}.` : "A resource in the body is malformed.";
}

// src/topics/catalogue.ts
var TOPICS = {
  addresses: ["tagged"],
  authorizations: ["create", "failed", "succeeded"],
  avalara_accounts: ["invoice_commit_failed", "invoice_committed", "invoice_refund_failed", "invoice_refunded"],
  bundles: ["tagged"],
  buy_x_pay_y_promotions: ["create", "destroy", "tagged"],
  captures: ["create", "failed", "succeeded"],
  cleanups: ["complete", "create", "destroy", "interrupt", "start"],
  coupons: ["tagged"],
  customer_addresses: ["create", "destroy"],
  customer_password_resets: ["create", "destroy", "reset_password"],
  customer_subscriptions: ["create", "destroy"],
  customers: [
    "acquired",
    "anonymization_cancelled",
    "anonymization_completed",
    "anonymization_failed",
    "anonymization_started",
    "create",
    "create_password",
    "destroy",
    "metadata_update",
    "repeat",
    "tagged"
  ],
  exports: ["complete", "create", "destroy", "interrupt", "start"],
  external_promotions: ["create", "destroy", "failed", "tagged"],
  fixed_amount_promotions: ["create", "destroy", "tagged"],
  fixed_price_promotions: ["create", "destroy", "tagged"],
  flex_promotions: ["create", "destroy", "tagged"],
  free_gift_promotions: ["create", "destroy", "tagged"],
  free_shipping_promotions: ["create", "destroy", "tagged"],
  gift_cards: ["activate", "create", "deactivate", "destroy", "purchase", "redeem", "tagged", "use"],
  imports: ["complete", "create", "destroy", "interrupt", "start"],
  in_stock_subscriptions: ["activate", "create", "deactivate", "destroy", "notify"],
  line_item_options: ["tagged"],
  line_items: ["tagged"],
  order_copies: ["complete", "create", "destroy", "fail", "start"],
  order_subscriptions: [
    "activate",
    "cancel",
    "create",
    "deactivate",
    "destroy",
    "last_run_failed",
    "last_run_succeeded",
    "renewal"
  ],
  orders: [
    "approve",
    "authorize",
    "cancel",
    "cancel_fulfilling",
    "cancel_subscriptions",
    "create",
    "create_subscriptions",
    "destroy",
    "draft",
    "fulfill",
    "pay",
    "pending",
    "place",
    "placing",
    "rebuild_shipments",
    "refund",
    "start_editing",
    "start_fulfilling",
    "stop_editing",
    "tagged",
    "tax_calculation_failed",
    "void"
  ],
  parcels: [
    "available_for_pickup",
    "booked",
    "cancelled",
    "create",
    "delivered",
    "destroy",
    "failure",
    "in_transit",
    "out_for_delivery",
    "pre_transit",
    "return_to_sender",
    "shipped"
  ],
  percentage_discount_promotions: ["create", "destroy", "tagged"],
  price_frequency_tiers: ["create", "destroy"],
  price_list_schedulers: ["activated", "expired"],
  price_volume_tiers: ["create", "destroy"],
  promotions: ["create", "destroy", "tagged"],
  recurring_order_copies: ["complete", "create", "destroy", "fail", "start"],
  refunds: ["create", "failed", "succeeded"],
  returns: ["approve", "create", "destroy", "pending", "receive", "reject", "request", "restock", "ship", "tagged"],
  shipments: ["cancel", "deliver", "on_hold", "packing", "picking", "ready_to_ship", "ship", "tagged", "upcoming"],
  shipping_weight_tiers: ["create", "destroy"],
  sku_options: ["tagged"],
  skus: ["tagged"],
  stock_transfers: ["cancel", "complete", "create", "destroy", "in_transit", "on_hold", "picking", "upcoming"],
  transactions: ["create", "refused"],
  voids: ["create", "failed", "succeeded"]
};
var POLYMORPHIC = /* @__PURE__ */ new Set([
  "promotions",
  "transactions",
  "avalara_accounts"
]);
function resourceOf(topic) {
  return topic.slice(0, topic.indexOf("."));
}
function eventsOf(resource) {
  return Object.hasOwn(TOPICS, resource) ? TOPICS[resource] : void 0;
}
function carries(topic, type) {
  const resource = resourceOf(topic);
  return type === resource || POLYMORPHIC.has(resource) || eventsOf(resource) === void 0;
}

// src/core/canonical.ts
var MAX_DEPTH = 500;
var ESCAPED = /[^ !#-[\]-\ud7ff\ue000-\uffff]/;
function canonicalText(value, depth = 0) {
  if (typeof value === "string") return quoted(value);
  if (typeof value === "number" && !Number.isFinite(value)) throw new RangeError("a number is out of range");
  if (typeof value !== "object" || value === null) return String(value);
  if (depth === MAX_DEPTH) throw new RangeError(`it is nested more than ${MAX_DEPTH} levels deep`);
  let text = "";
  let comma = "";
  if (Array.isArray(value)) {
    for (const item of value) {
      text += comma + canonicalText(item, depth + 1);
      comma = ",";
    }
    return `[${text}]`;
  }
  const record = value;
  for (const name of Object.keys(record).sort()) {
    text += `${comma}${quoted(name)}:${canonicalText(record[name], depth + 1)}`;
    comma = ",";
  }
  return `{${text}}`;
}
function quoted(text) {
  return ESCAPED.test(text) ? JSON.stringify(text) : `"${text}"`;
}

// src/core/identity.ts
function canonicalForm({ data, included }) {
  try {
    return canonicalText({ data: contentOf(data), included: (included ?? []).map(contentOf) });
  } catch (error) {
    const hint = `The document has no canonical form, and so no id: ${error.message}.`;
    throw new WebhookError("DOCUMENT_INVALID", { hint });
  }
}
function contentOf({ id, type, attributes, relationships }) {
  const linked = Object.entries(relationships ?? {}).flatMap(
    ([name, relationship]) => relationship?.data === void 0 ? [] : [[name, relationship.data]]
  );
  return { id, type, attributes: attributes ?? {}, relationships: Object.fromEntries(linked) };
}

// src/core/resource.ts
var RESERVED = /* @__PURE__ */ new Set(["id", "type", "__proto__"]);
function linkedResource({ data, included }) {
  const primary = fieldsOf(data);
  const resources = [[primary, data.relationships]];
  const index = /* @__PURE__ */ new Map([[data.type, /* @__PURE__ */ new Map([[data.id, primary]])]]);
  for (const resource of included ?? []) {
    const { id, type, relationships } = resource;
    const ofType = index.get(type) ?? /* @__PURE__ */ new Map();
    if (ofType.has(id)) continue;
    index.set(type, ofType);
    const fields = fieldsOf(resource);
    ofType.set(id, fields);
    resources.push([fields, relationships]);
  }
  const find = (target) => index.get(target?.type)?.get(target?.id) ?? target;
  for (const [fields, relationships] of resources) link(fields, relationships ?? {}, find);
  return primary;
}
function fieldsOf({ id, type, attributes }) {
  const fields = attributes ?? {};
  if (Object.hasOwn(fields, "__proto__")) Reflect.deleteProperty(fields, "__proto__");
  fields.id = id;
  fields.type = type;
  return fields;
}
function link(fields, relationships, find) {
  for (const name in relationships) {
    const target = relationships[name]?.data;
    if (target === void 0 || RESERVED.has(name)) continue;
    fields[name] = Array.isArray(target) ? target.map(find) : target && find(target);
  }
}

// src/core/event.ts
function eventOf(delivery) {
  const document = documentOf(delivery);
  const { topic } = delivery;
  if (!carries(topic, document.data.type)) throw new WebhookError("TOPIC_MISMATCH");
  const source = { document };
  const material = () => materialOf(topic, source.document ?? documentOf(delivery));
  return pipe(fingerprint(material), (id) => new ParsedEvent(delivery, document, source, id));
}
function materialOf(topic, document) {
  return [topic, "\n", canonicalForm(document)];
}
function markStale(event) {
  ;
  event.stale = true;
}
var ParsedEvent = class {
  topic;
  mode;
  organizationId;
  delivery;
  stale = false;
  #source;
  #id;
  #resource;
  constructor(delivery, { data, meta }, source, id) {
    const mode = data.meta?.mode ?? meta?.mode;
    const organizationId = data.meta?.organization_id ?? meta?.organization_id;
    this.topic = delivery.topic;
    this.mode = mode === "test" || mode === "live" ? mode : void 0;
    this.organizationId = typeof organizationId === "string" ? organizationId : void 0;
    this.delivery = delivery;
    this.#source = source;
    this.#id = id;
  }
  get resource() {
    if (this.#source.document) {
      this.#resource = linkedResource(this.#source.document);
      this.#source.document = void 0;
    }
    return this.#resource;
  }
  get id() {
    return this.#id();
  }
  get rawBody() {
    return this.delivery.body;
  }
  get receivedAt() {
    return this.delivery.receivedAt;
  }
};

// src/core/gate.ts
function createGate(maxInFlight) {
  const late = /* @__PURE__ */ new Set();
  let inFlight = 0;
  let onEmpty;
  let closed;
  const leave = () => {
    inFlight -= 1;
    if (inFlight === 0) onEmpty?.();
  };
  return {
    enter() {
      if (closed) return new WebhookError("SHUTTING_DOWN");
      if (inFlight >= maxInFlight) return new WebhookError("OVERLOADED");
      inFlight += 1;
      return void 0;
    },
    leave,
    count(work) {
      inFlight += 1;
      work.then(leave);
    },
    waitFor(work) {
      late.add(work);
      work.finally(() => late.delete(work));
    },
    async close() {
      closed ??= new Promise((resolve) => {
        onEmpty = resolve;
        if (inFlight === 0) resolve();
      }).then(() => Promise.all(late));
      await closed;
    }
  };
}

// src/core/handlers.ts
function createHandlers(secrets, logger) {
  const registered = [];
  const byTopic = /* @__PURE__ */ new Map();
  const known = /* @__PURE__ */ new Set();
  let warned = false;
  return {
    add(patterns, options, handler) {
      const list = typeof patterns === "string" ? [patterns] : patterns;
      checkPatterns(list);
      if (typeof handler !== "function") throw new TypeError(`The handler for ${list.join(", ")} is not a function.`);
      const { include, name = nameOf(list, registered) } = checkedOptions(options);
      if (registered.some((one) => one.name === name)) throw new TypeError(`There are two handlers named '${name}'.`);
      registered.push({ topics: list, include, name, handler });
      byTopic.clear();
      for (const pattern of list) {
        const oddity = known.has(pattern) ? void 0 : oddityOf(pattern, secrets);
        if (oddity) logger.warn(oddity, { topic: pattern });
        known.add(pattern);
      }
      if (!warned && secrets.shared && (known.size > 1 || [...known].some((pattern) => pattern.endsWith("*")))) {
        warned = true;
        logger.warn(SHARED_SECRET);
      }
    },
    of(topic) {
      const known2 = byTopic.get(topic);
      if (known2) return known2;
      const family = `${resourceOf(topic)}.*`;
      const found = registered.filter(
        ({ topics }) => topics.includes(topic) || topics.includes(family) || topics.includes("*")
      );
      remember(byTopic, topic, found);
      return found;
    },
    all: () => registered
  };
}
var SHARED_SECRET = "One secret serves several topics, which the signature does not cover: a captured delivery can be replayed under another. Give each topic its webhook's own: { 'orders.place': \u2026 }.";
var PATTERN = /^(\*|[a-z][a-z0-9_]*\.(\*|[a-z][a-z0-9_]*))$/;
function checkPatterns(patterns) {
  if (patterns.length === 0) throw new TypeError("`on` was given no topic.");
  for (const pattern of patterns) {
    if (typeof pattern === "string" && PATTERN.test(pattern)) continue;
    throw new TypeError(`\`on\` takes a topic such as 'orders.place', or 'orders.*', or '*', not ${String(pattern)}.`);
  }
}
var PATH = /^[a-z][a-z0-9_]*\??(\.[a-z][a-z0-9_]*\??)*$/;
function checkedOptions({ include = [], name, ...unknown }) {
  const [first] = Object.keys(unknown);
  if (first !== void 0) throw new TypeError(`\`on\` has no option \`${first}\`.`);
  if (!Array.isArray(include) || !include.every((path) => PATH.test(path))) {
    throw new TypeError("`include` takes a list of paths such as ['customer', 'line_items.item'].");
  }
  if (name === void 0) return { include: [...include] };
  if (typeof name !== "string" || name === "") throw new TypeError("The `name` of a handler must be text.");
  return { include: [...include], name };
}
function nameOf(topics, others) {
  const same = topics.join(" ");
  const place = others.filter((other) => other.topics.join(" ") === same).length + 1;
  return `${same} ${place}`;
}
function oddityOf(pattern, secrets) {
  if (pattern === "*") return void 0;
  const resource = resourceOf(pattern);
  const event = pattern.slice(resource.length + 1);
  const known = eventsOf(resource);
  if (!known || ![...known, "*"].includes(event)) {
    const names = known ?? Object.keys(TOPICS);
    return `${pattern} is not a known topic. Is it a typing error? There are ${names.join(", ")}.`;
  }
  return event !== "*" && secrets.lacks(pattern) ? `${pattern} has a handler but no secret.` : void 0;
}

// src/core/checked.ts
function checked(owner, given, defaults, choices = {}) {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaults, name)) throw new TypeError(`${owner} has no option \`${name}\`.`);
    checkValue(owner, name, value, choices[name]);
  }
  return { ...defaults, ...given };
}
function checkValue(owner, name, value, allowed) {
  if (allowed ? allowed.includes(value) : Number.isSafeInteger(value) && Number(value) > 0) return;
  throw new TypeError(`${owner}: \`${name}\` must be ${allowed?.join(" or ") ?? "a whole number over 0"}.`);
}
function checkMethods(name, object, methods) {
  for (const method of methods) {
    if (typeof Object(object)[method] !== "function") throw new TypeError(`\`${name}\` has no method \`${method}\`.`);
  }
}

// src/core/idempotency.ts
var STORE_MS = 1500;
var AGAIN_MS = 100;
var LAST_AGAIN_MS = 12800;
function createIdempotency(options, logger, waitFor) {
  const { store: store2, key = idOf, ...given } = options;
  checkMethods("idempotency.store", store2, ["reserve", "renew", "complete", "release"]);
  if (typeof key !== "function") throw new TypeError("`idempotency.key` is not a function.");
  const { leaseMs, retentionMs, onStoreError, stale } = checked("idempotency", given, DEFAULTS, {
    onStoreError: ["refuse", "run"],
    stale: ["run", "skip"]
  });
  const unrecorded = /* @__PURE__ */ new Set();
  async function claim(event, deadline) {
    const id = key(event);
    if (unrecorded.has(id)) return DUPLICATE;
    const version = versionOf(event);
    const reservation3 = await reserve(id, version, deadline);
    if (!reservation3) return { run: (registrations) => dispatch(event, registrations, logger) };
    if (reservation3.state === "completed") return DUPLICATE;
    if (reservation3.state === "in progress") throw new WebhookError("IN_PROGRESS");
    const { token, done } = reservation3;
    const lease = createLease(id, token, new Set(done), version, event.topic);
    if (reservation3.stale) markStale(event);
    if (reservation3.stale && stale === "skip") {
      await lease.complete();
      return IGNORED;
    }
    return { run: (registrations) => runUnder(lease, event, registrations) };
  }
  async function reserve(id, version, deadline) {
    const reserving = asked(() => store2.reserve(id, { leaseMs, version }));
    try {
      return await within(reserving, Math.min(STORE_MS, deadline.remaining()), tooSlow2);
    } catch (cause) {
      giveBack(id, reserving);
      if (onStoreError === "refuse") {
        throw new WebhookError("STORE_UNAVAILABLE", { cause, hint: "The idempotency store failed." });
      }
      logger.warn("The idempotency store failed, and the handlers run all the same.", { cause });
      return void 0;
    }
  }
  function giveBack(id, reserving) {
    reserving.then((late) => late.state === "reserved" && store2.release(id, late.token, { done: late.done, retentionMs })).catch(() => {
    });
  }
  function runUnder(lease, event, registrations) {
    const rest = registrations.filter(({ name }) => !lease.done.has(name));
    const run = dispatch(event, rest, logger, ({ name }) => lease.add(name));
    const keep2 = setInterval(() => lease.renew(run.abort), Math.min(leaseMs / 3, MAX_TIMER_MS));
    return { ...run, ended: settle(run, lease).finally(() => clearInterval(keep2)) };
  }
  async function settle(run, lease) {
    let outcome;
    try {
      outcome = await run.ended;
    } catch (thrown) {
      await lease.release();
      throw thrown;
    }
    await lease.complete();
    return outcome;
  }
  function createLease(id, token, done, version, topic) {
    const progress = () => ({ leaseMs, retentionMs, done: [...done] });
    const record = () => store2.complete(id, token, { retentionMs, version });
    let isOver3 = false;
    return {
      done,
      add(name) {
        done.add(name);
        setTimeout(() => isOver3 || asked(() => store2.renew(id, token, progress())).catch(() => {
        }), 0);
      },
      async renew(abort) {
        const held = await asked(() => store2.renew(id, token, progress())).catch(() => true);
        if (!held && !isOver3) abort(new WebhookError("IN_PROGRESS"));
      },
      async complete() {
        isOver3 = true;
        try {
          const isHeld = await inTime2(record);
          if (!isHeld) logger.warn(`${topic}: another process took the event over, and may have run its handlers too.`);
        } catch (cause) {
          logger.warn(`${topic} was handled, but the idempotency store could not be told.`, { cause });
          unrecorded.add(id);
          waitFor(recordLater(record, topic).finally(() => unrecorded.delete(id)));
        }
      },
      async release() {
        isOver3 = true;
        await inTime2(() => store2.release(id, token, progress())).catch((cause) => {
          logger.warn(`${topic} could not be given back: its retry waits for the lease to run out.`, { cause });
        });
      }
    };
  }
  async function recordLater(record, topic) {
    for (let ms = AGAIN_MS; ms <= LAST_AGAIN_MS; ms *= 2) {
      await new Promise((resolve) => setTimeout(resolve, ms));
      try {
        await inTime2(record);
        return;
      } catch {
      }
    }
    logger.error(
      `${topic} was handled, and the idempotency store was never told: its retry would run the handlers again.`
    );
  }
  return { claim };
}
async function asked(question) {
  return question();
}
function inTime2(question) {
  return within(asked(question), STORE_MS, tooSlow2);
}
function tooSlow2() {
  return new Error("The idempotency store did not answer in time.");
}
function idOf(event) {
  try {
    return event.id;
  } catch {
    return event.delivery.id;
  }
}
function versionOf({ resource }) {
  const { type, id, updated_at: updatedAt } = resource;
  return typeof updatedAt === "string" ? { resource: `${type}/${id}`, updatedAt } : void 0;
}
var DEFAULTS = {
  leaseMs: 15e3,
  retentionMs: 7 * 24 * 60 * 60 * 1e3,
  onStoreError: "refuse",
  stale: "run"
};

// src/core/keep.ts
async function keep(delivery, inbox2, ordering, deadline) {
  const { id, topic, body, receivedAt } = delivery;
  const group = ordering === "resource" ? groupOf(delivery) : void 0;
  const kept = await within(put(inbox2, { id, topic, body, receivedAt, group }), deadline.remaining(), tooSlow3).catch(
    (cause) => {
      throw new WebhookError("STORE_UNAVAILABLE", { cause, hint: "The inbox failed." });
    }
  );
  if (kept === "full") throw new WebhookError("OVERLOADED", { message: "The inbox is full." });
  return kept === "duplicate" ? DUPLICATE : QUEUED;
}
async function put(inbox2, delivery) {
  return inbox2.put(delivery);
}
function tooSlow3() {
  return new Error("The inbox did not answer in time.");
}
function groupOf(delivery) {
  try {
    const { type, id } = documentOf(delivery).data;
    return `${type}/${id}`;
  } catch {
    return void 0;
  }
}

// src/core/logger.ts
var silent = () => {
};
var defaultLogger = {
  debug: silent,
  info: silent,
  warn: (message, fields) => console.warn(message, fields ?? ""),
  error: (message, fields) => console.error(message, fields ?? "")
};
function unfailing(logger) {
  const guard = (level) => {
    if (typeof logger[level] !== "function") throw new TypeError(`The logger has no method \`${level}\`.`);
    return (message, fields) => {
      try {
        logger[level](message, fields);
      } catch {
      }
    };
  };
  return { debug: guard("debug"), info: guard("info"), warn: guard("warn"), error: guard("error") };
}

// src/core/options.ts
var DEFAULTS2 = {
  deadlineMs: 4e3,
  maxBodyBytes: 5 * 1024 * 1024,
  bodyTimeoutMs: 4e3,
  maxInFlight: 1e3,
  ordering: "none",
  protectBreaker: false
};
function settingsOf({ secrets, idempotency, inbox: inbox2, logger, ...given }) {
  const settings2 = checked("createReceiver", given, DEFAULTS2, {
    ordering: ["none", "resource"],
    protectBreaker: [false, true]
  });
  if (inbox2) checkMethods("inbox", inbox2, ["put"]);
  else if (settings2.ordering !== "none" || settings2.protectBreaker) {
    throw new TypeError("`ordering` and `protectBreaker` need an `inbox`.");
  }
  return settings2;
}

// src/core/report.ts
async function report(error, context, tell, deadline, logger) {
  log(error, context, logger);
  for (const handler of tell) {
    try {
      const told = Promise.resolve(handler(error, context));
      await within(told, deadline.remaining(), () => new Error("It did not end before the deadline."));
    } catch (cause) {
      logger.error("An error handler failed.", { cause });
    }
  }
}
function log(error, { topic }, logger) {
  const fields = { ...topic && { topic }, ...error.cause !== void 0 && { cause: error.cause } };
  if (!isWebhookError(error)) {
    logger.error(`${topic} discarded: ${error.message}`, fields);
    return;
  }
  const { code, status, message, hint } = error;
  const line = `${topic ?? "A request"}: ${status} ${code}. ${hint ?? message}`;
  logger[status >= 500 ? "error" : "warn"](line, { code, ...fields });
}

// src/core/respond.ts
var JSON_HEADERS = Object.freeze({ "content-type": "application/json" });
var ALLOW_HEADERS = Object.freeze({ ...JSON_HEADERS, allow: "POST" });
var RETRY_HEADERS = Object.freeze({ ...JSON_HEADERS, "retry-after": "5" });
function respond(outcome) {
  return { status: OUTCOMES[outcome], headers: JSON_HEADERS, body: `{"outcome":"${outcome}"}` };
}
function respondError({ code, message, status }) {
  const headers = status === 405 ? ALLOW_HEADERS : status === 503 ? RETRY_HEADERS : JSON_HEADERS;
  return { status, headers, body: JSON.stringify({ error: { code, message } }) };
}

// src/receiver.ts
function createReceiver(options) {
  const { deadlineMs, maxInFlight, ordering, protectBreaker, ...limits } = settingsOf(options);
  const { inbox: inbox2 } = options;
  const logger = unfailing(options.logger ?? defaultLogger);
  const secrets = createSecrets(options.secrets);
  const handlers = createHandlers(secrets, logger);
  const errorHandlers = [];
  const gate = createGate(maxInFlight);
  const breaker = createBreaker(logger);
  const idempotency = options.idempotency && createIdempotency(options.idempotency, logger, gate.waitFor);
  if (deadlineMs > 5e3) logger.warn("`deadlineMs` is over 5,000: the sender does not wait that long.");
  function walk2(request, journey) {
    const receivedAt = /* @__PURE__ */ new Date();
    admit(request, limits);
    const claim = claimOf(request.headers);
    journey.topic = claim.topic;
    return pipe(
      readBody(request, limits, journey.deadline),
      (body) => authenticate(claim, body, receivedAt, secrets, journey.deadline),
      (delivery) => {
        journey.counted = delivery.topic;
        const isKept2 = inbox2 && (!protectBreaker || breaker.isClose(delivery.topic));
        return isKept2 ? keep(delivery, inbox2, ordering, journey.deadline) : walkOn(delivery, journey);
      }
    );
  }
  function walkOn(delivery, journey) {
    return pipe(
      delivery,
      (genuine) => eventOf(genuine),
      (event) => handle(event, journey)
    );
  }
  function handle(event, journey) {
    journey.event = event;
    const registrations = handlers.of(event.topic);
    if (registrations.length === 0) return IGNORED;
    if (journey.deadline.remaining() === 0) throw new WebhookError("DEADLINE_EXCEEDED");
    if (journey.signal?.aborted) throw new WebhookError("SHUTTING_DOWN");
    if (!idempotency) return begin(event, () => dispatch(event, registrations, logger), journey);
    return pipe(
      idempotency.claim(event, journey.deadline),
      (claimed) => "name" in claimed ? claimed : begin(event, () => claimed.run(registrations), journey)
    );
  }
  function begin(event, start3, journey) {
    const { background, deadline, signal } = journey;
    if (background) {
      const unhurried = { ...journey, background: void 0, deadline: UNHURRIED };
      later(background, () => conclude(() => begin(event, start3, unhurried), unhurried, answerOf));
      return QUEUED;
    }
    const run = start3();
    const stop2 = () => run.abort(new WebhookError("SHUTTING_DOWN"));
    if (signal?.aborted) stop2();
    else signal?.addEventListener("abort", stop2);
    return inTime(run, event, deadline, logger, gate.waitFor);
  }
  function later(background, run) {
    let isTaken = false;
    const work = new Promise((resolve) => setTimeout(resolve, 0)).then(() => isTaken ? run() : void 0);
    background(work);
    isTaken = true;
    gate.count(work);
  }
  async function conclude(walked, journey, answer, leave = () => {
  }) {
    const { deadline } = journey;
    try {
      const ended = walked();
      const outcome = isPromise(ended) ? await ended : ended;
      if (journey.counted) breaker.count(journey.counted, false);
      for (const error of outcome.errors) await report(error, journey, errorHandlers, deadline, logger);
      logger.debug(`${journey.topic} ${outcome.name}`, { topic: journey.topic, outcome: outcome.name });
      return answer(outcome);
    } catch (thrown) {
      const error = toWebhookError(thrown);
      if (journey.counted) journey.failuresInRow = breaker.count(journey.counted, true);
      await report(error, journey, errorHandlers, deadline, logger);
      return answer(error);
    } finally {
      leave();
    }
  }
  async function enter(topic, delivery, signal) {
    const refusal = gate.enter();
    if (refusal) throw refusal;
    const journey = { ...createJourney(UNHURRIED), topic, signal };
    return conclude(() => walkOn(delivery(), journey), journey, orThrow, gate.leave);
  }
  const receiver2 = {
    on(topics, ...rest) {
      const [options2, handler] = rest.length > 1 ? rest : [{}, ...rest];
      handlers.add(topics, options2, handler);
      return receiver2;
    },
    onError(handler) {
      if (typeof handler !== "function") throw new TypeError("The handler given to `onError` is not a function.");
      errorHandlers.push(handler);
      return receiver2;
    },
    receive(request, { background } = {}) {
      const journey = createJourney(createDeadline(deadlineMs), background);
      const refusal = gate.enter();
      return refusal ? conclude(() => Promise.reject(refusal), journey, answerOf) : conclude(() => walk2(request, journey), journey, answerOf, gate.leave);
    },
    async redeliver(topic, document) {
      const bytes = () => bytesOf(JSON.stringify(checkedDocument(document)));
      const { name } = await enter(topic, () => deliveryOf(topic, bytes(), /* @__PURE__ */ new Date()));
      return name;
    },
    async process({ topic, body, receivedAt }, { signal } = {}) {
      const { errors } = await enter(topic, () => deliveryOf(topic, body, receivedAt), signal);
      for (const error of errors) throw error;
    },
    subscriptions: () => handlers.all().map(({ topics, include }) => ({ topics, include })),
    close: gate.close
  };
  return receiver2;
}
function answerOf(ended) {
  return isWebhookError(ended) ? respondError(ended) : respond(ended.name);
}
function orThrow(ended) {
  if (isWebhookError(ended)) throw ended;
  return ended;
}
function createJourney(deadline, background) {
  return {
    deadline,
    background,
    signal: void 0,
    topic: void 0,
    event: void 0,
    failuresInRow: 0,
    counted: void 0
  };
}
var UNHURRIED = { remaining: () => Number.POSITIVE_INFINITY };

// src/worker.ts
var DEFAULTS3 = { concurrency: 10, attempts: 12, backoffMs: 2e4, maxBackoffMs: 6 * 60 * 60 * 1e3 };
function createWorker(options) {
  const { receiver: receiver2, inbox: inbox2, concurrencyByTopic = {}, logger: given, ...limits } = options;
  const { concurrency, attempts: attempts2, backoffMs, maxBackoffMs } = checked("createWorker", limits, DEFAULTS3);
  for (const [topic, limit] of Object.entries(concurrencyByTopic))
    checkValue("createWorker", `concurrencyByTopic['${topic}']`, limit);
  const logger = unfailing(given ?? defaultLogger);
  return inbox2.consume(receiver2.process, {
    concurrency,
    concurrencyByTopic,
    attempts: attempts2,
    delayMs: (attempt) => Math.ceil(Math.min(maxBackoffMs, backoffMs * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2)),
    onError: (cause) => logger.error("The inbox failed, and goes on.", { cause })
  });
}

// test/faults/shop/engines.ts
import { join } from "node:path";

// src/inboxes/bullmq-connection.ts
import { setImmediate as setImmediate2 } from "node:timers/promises";
function createConnection(open2) {
  const working = /* @__PURE__ */ new Set();
  let opened;
  let isClosed = false;
  return {
    engine() {
      opened ??= open2().catch((error) => {
        opened = void 0;
        throw error;
      });
      return opened;
    },
    safely(act) {
      return async (...args) => {
        if (isClosed) throw new Error("The inbox is closed.");
        const work = act(...args);
        working.add(work);
        try {
          return await work;
        } catch (error) {
          throw presentable(error);
        } finally {
          working.delete(work);
        }
      };
    },
    async close() {
      while (working.size > 0) {
        await Promise.allSettled(working);
        await setImmediate2();
      }
      isClosed = true;
      const engine = await opened?.catch(() => void 0);
      await engine?.close();
    }
  };
}
function presentable(error) {
  return new Error(`The inbox in BullMQ failed. ${error instanceof Error ? error.message : ""}`);
}

// src/inboxes/bullmq-engine.ts
import { createHash as createHash2 } from "node:crypto";

// src/inboxes/bullmq-back-end.ts
var COMMAND_MS = 5e3;
function openBackEnd({ redis, postgres }, bullmq) {
  return redis === void 0 ? openPostgres(postgres ?? {}, bullmq) : openRedis(redis, bullmq);
}
async function openRedis(given, { createRedisBackend }) {
  const { Redis } = await needed("ioredis", import("ioredis"));
  const options = {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_MS,
    connectTimeout: COMMAND_MS,
    // Of a host that is gone for good nothing is heard, and the system would wait for it for a quarter of an hour.
    socketTimeout: COMMAND_MS,
    retryStrategy: (times) => Math.min(times * 100, 1e3)
  };
  const client = typeof given === "string" ? new Redis(given, options) : new Redis({ ...given, ...options });
  client.on("error", ignore);
  return {
    connection: client,
    create: (name, opts) => createRedisBackend(name, opts),
    giveBack: (job, token) => job.moveToWait(token),
    async warning() {
      const policy = /^maxmemory_policy:(\S+)/m.exec(await client.info("memory"))?.[1];
      if (policy === void 0 || policy === "noeviction") return void 0;
      return `Redis may drop what was acknowledged: its maxmemory-policy is ${policy} instead of noeviction.`;
    },
    async close() {
      client.disconnect();
    }
  };
}
async function openPostgres(given, bullmq) {
  const { default: pg } = await needed("pg", import("pg"));
  const options = {
    options: `-c search_path=${bullmq.DEFAULT_SCHEMA}`,
    connectionTimeoutMillis: COMMAND_MS,
    query_timeout: COMMAND_MS
  };
  const pool = new pg.Pool(
    typeof given === "string" ? { connectionString: given, ...options } : { ...given, ...options }
  );
  pool.on("error", ignore).setMaxListeners(0);
  try {
    const client = await pool.connect();
    await bullmq.runMigrations(client).finally(() => client.release());
  } catch (error) {
    await pool.end();
    throw error;
  }
  const create = (name, opts) => bullmq.createPostgresBackend(name, opts);
  return {
    // BullMQ's types know the two apart, and nothing here does.
    connection: pool,
    create,
    // BullMQ's own way puts a job at the end, but what was delayed keeps its place.
    giveBack: (job, token) => job.moveToDelayed(Date.now(), token),
    warning: async () => void 0,
    close: () => pool.end()
  };
}
function ignore() {
}
async function needed(name, loading) {
  return loading.catch((cause) => {
    throw new Error(`createBullmqInbox needs ${name}: npm install ${name}`, { cause });
  });
}

// src/inboxes/packed-body.ts
import { brotliCompressSync, brotliDecompressSync, constants, crc32 } from "node:zlib";
var CHECKSUM_BYTES = 4;
var FASTEST = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MIN_QUALITY } };
function pack(body) {
  const compressed = brotliCompressSync(body, FASTEST);
  const checksum = Buffer.alloc(CHECKSUM_BYTES);
  checksum.writeUInt32BE(crc32(compressed));
  return Buffer.concat([checksum, compressed]);
}
function unpack(packed) {
  const compressed = packed.subarray(CHECKSUM_BYTES);
  if (packed.length <= CHECKSUM_BYTES || packed.readUInt32BE() !== crc32(compressed)) return void 0;
  return brotliDecompressSync(compressed);
}

// src/inboxes/shelf.ts
var WORKER_LOST = { code: "WORKER_LOST", message: "The worker was lost while it handled the delivery." };
var BODY_DAMAGED = { code: "BODY_DAMAGED", message: "The body that was stored is damaged." };
var DEFAULTS4 = { retentionMs: 7 * 24 * 60 * 60 * 1e3, maxQueued: 1e5, leaseMs: 3e4 };
function limitsOf(maker, given, names) {
  for (const [name, value] of Object.entries(given)) {
    if (!names.some((known) => known === name)) throw new TypeError(`${maker} has no option \`${name}\`.`);
    checkValue(maker, name, value);
  }
  return { ...DEFAULTS4, ...given };
}

// src/inboxes/bullmq-job.ts
var MOST_ATTEMPTS = 2 ** 31 - 1;
function dataOf({ body, group }) {
  return { body: pack(body).toString("base64"), group };
}
function optionsOf({ id, receivedAt }, jobId) {
  return {
    jobId,
    deduplication: { id, ttl: 10 * 365 * 24 * 60 * 60 * 1e3 },
    timestamp: receivedAt.getTime(),
    attempts: MOST_ATTEMPTS,
    backoff: { type: "told" },
    stackTraceLimit: 0
  };
}
function isKept({ data }) {
  return data.body !== void 0;
}
function keptIn({ deduplicationId: id = "", name: topic, data, timestamp }) {
  const packed = Buffer.from(data.body ?? "", "base64");
  const whole = unpack(packed);
  const delivery = { id, topic, body: whole ?? packed, receivedAt: new Date(timestamp), group: data.group };
  return { delivery, isDamaged: whole === void 0 };
}
async function empty(job) {
  await job.updateData({});
}
function attemptsOf({ attemptsMade, stalledCounter, data }) {
  return attemptsMade + stalledCounter - (data.forgiven ?? 0);
}
function letterOf(job) {
  const { deduplicationId: id = "", name: topic, timestamp, finishedOn = 0 } = job;
  return {
    id,
    topic,
    receivedAt: new Date(timestamp),
    failedAt: new Date(finishedOn),
    attempts: attemptsOf(job),
    ...failureIn(job.failedReason)
  };
}
var FailedAttempt = class extends Error {
  /** Milliseconds until the next attempt; -1 if there is none. */
  delayMs;
  constructor(end) {
    super(end.state === "dead" ? JSON.stringify({ error: end.error, attempts: end.attempts }) : "");
    this.delayMs = end.state === "dead" ? -1 : end.delayMs;
  }
};
function backoffOf(_attempt, _type, error) {
  return error instanceof FailedAttempt ? error.delayMs : -1;
}
function failureIn(reason) {
  try {
    const { error, attempts: attempts2 } = JSON.parse(reason);
    return { error, attempts: attempts2 };
  } catch {
    return { error: WORKER_LOST };
  }
}

// src/inboxes/bullmq-lines.ts
import { createHash } from "node:crypto";
function createLines(queue) {
  return {
    async isFirst({ id = "" }, group, { queue: jobs }) {
      const line = await queue.getJob(keyOf(group));
      if (!line) return true;
      let [first, ...others] = line.data.ids;
      while (first && first !== id && isOver(await jobs.getJob(first))) [first, ...others] = others;
      if (!first) await line.remove();
      if (!first || first === id) return true;
      if (!others.includes(id)) await line.updateData({ ids: [first, ...others, id] });
      return false;
    },
    async begin({ id = "" }, group) {
      await queue.add("line", { ids: [id] }, { jobId: keyOf(group) });
    },
    async leave({ id = "" }, group, { queue: jobs }) {
      const line = await queue.getJob(keyOf(group));
      if (!line) return;
      const ids = line.data.ids.slice(line.data.ids.indexOf(id) + 1);
      const [next] = ids;
      if (!next) return line.remove();
      await line.updateData({ ids });
      const job = await jobs.getJob(next);
      if (await job?.isDelayed()) await job?.promote();
    }
  };
}
function isOver(job) {
  return job?.finishedOn !== void 0 || job === void 0;
}
function keyOf(group) {
  return `group-${createHash("sha256").update(group).digest("hex")}`;
}

// src/inboxes/bullmq-engine.ts
var GROUP_LANES = 8;
var OPEN_MS = 4e3;
async function openEngine(options) {
  const bullmq = await needed("bullmq", import("bullmq"));
  const backEnd = await openBackEnd(options, bullmq);
  const grouped = Array.from(
    { length: GROUP_LANES },
    (_, at2) => openLane(`${options.name}~${at2 + 1}`, backEnd, options, bullmq)
  );
  const ungrouped = openLane(options.name, backEnd, options, bullmq);
  const lines = openQueue(`${options.name}~lines`, backEnd, bullmq);
  const lanes = [ungrouped, ...grouped];
  const opened = [lines, ...lanes.flatMap(({ queue, worker: worker2 }) => [queue, worker2])];
  const close = async () => {
    await Promise.all(opened.map((one) => one.close()));
    await backEnd.close();
  };
  const ready = Promise.all(opened.map((one) => one.waitUntilReady()));
  try {
    await within(ready, OPEN_MS, () => new Error("There is no answer."));
    await Promise.all(grouped.map(({ queue }) => queue.setGlobalConcurrency(1)));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    ...backEnd,
    lanes,
    lines: createLines(lines),
    laneOf: (group) => group === void 0 ? ungrouped : grouped[hashOf(group) % GROUP_LANES] ?? ungrouped,
    close
  };
}
function hashOf(group) {
  return createHash2("sha256").update(group).digest().readUInt32BE();
}
function openLane(name, backEnd, { leaseMs }, bullmq) {
  const worker2 = new bullmq.Worker(
    name,
    null,
    {
      ...sharing(backEnd),
      lockDuration: leaseMs,
      stalledInterval: leaseMs / 2,
      maxStalledCount: 2 ** 31 - 1,
      settings: { backoffStrategy: backoffOf }
    },
    backEnd.create
  );
  worker2.on("error", ignore2);
  return { worker: worker2, queue: openQueue(name, backEnd, bullmq) };
}
function openQueue(name, backEnd, { Queue }) {
  const queue = new Queue(name, { ...sharing(backEnd), streams: { events: { maxLen: 100 } } }, backEnd.create);
  queue.on("error", ignore2);
  return queue;
}
function sharing({ connection }) {
  return { connection, skipVersionCheck: true };
}
function ignore2() {
}

// src/inboxes/bullmq-shelf.ts
import { randomUUID as randomUUID3 } from "node:crypto";

// src/inboxes/bullmq-claims.ts
import { randomUUID as randomUUID2 } from "node:crypto";

// src/inboxes/bullmq-letters.ts
import { randomUUID } from "node:crypto";
var PAGE = 50;
function createLetters(engine) {
  const rests = /* @__PURE__ */ new WeakMap();
  let discarding = Promise.resolve();
  async function find(id) {
    const { lanes } = await engine();
    const jobIds = await Promise.all(lanes.map(({ queue }) => queue.getDeduplicationJobId(id)));
    for (const [at2, lane] of lanes.entries()) {
      const job = await lane.queue.getJob(jobIds[at2] ?? "");
      if (job && await job.isFailed()) return { job, lane };
    }
    return void 0;
  }
  async function discard(id) {
    const { job, lane } = await find(id) ?? {};
    if (!job || !lane) return false;
    await empty(job);
    job.opts.lifo = true;
    if (!await retry(job)) return false;
    const token = randomUUID();
    const first = await lane.worker.getNextJob(token, { block: false });
    if (first && isKept(first)) await (await engine()).giveBack(first, token);
    else await first?.moveToCompleted(null, token, false);
    return true;
  }
  return {
    async dead(filter, last) {
      const rest = (last && rests.get(last)) ?? lettersOf((await engine()).lanes, filter);
      const page = [];
      while (page.length < PAGE) {
        const { done, value } = await rest.next();
        if (done) break;
        page.push(value);
      }
      const end = page.at(-1);
      if (end) rests.set(end, rest);
      return page;
    },
    async letter(id) {
      const { job } = await find(id) ?? {};
      return job && isKept(job) ? { ...letterOf(job), delivery: keptIn(job).delivery } : void 0;
    },
    async revive(id) {
      const { job } = await find(id) ?? {};
      if (!job || !isKept(job)) return false;
      if (attemptsOf(job) > job.attemptsMade) await job.updateData({ ...job.data, forgiven: job.stalledCounter });
      return retry(job);
    },
    discard(id) {
      const discarded = discarding.then(() => discard(id));
      discarding = discarded.catch(() => {
      });
      return discarded;
    }
  };
}
async function retry(job) {
  try {
    await job.retry("failed", { resetAttemptsMade: true, resetAttemptsStarted: true });
    return true;
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  }
}
function isRefusal(error) {
  return error instanceof Error && "code" in error && typeof error.code === "number" && error.code < 0;
}
async function* lettersOf(lanes, filter) {
  const opened = lanes.map((lane) => lettersIn(lane, filter));
  const heads = await Promise.all(opened.map((letters) => letters.next()));
  for (; ; ) {
    let oldest = -1;
    heads.forEach(({ done, value }, at2) => {
      const first = heads[oldest]?.value;
      if (!done && (!first || value.failedAt < first.failedAt)) oldest = at2;
    });
    const [head, letters] = [heads[oldest], opened[oldest]];
    if (!head?.value || !letters) return;
    yield head.value;
    heads[oldest] = await letters.next();
  }
}
async function* lettersIn({ queue }, filter) {
  const ids = await queue.getRanges(["failed"], 0, -1, true);
  for (let at2 = 0; at2 < ids.length; at2 += PAGE) {
    const jobs = await Promise.all(ids.slice(at2, at2 + PAGE).map((id) => queue.getJob(id)));
    for (const job of jobs) {
      if (!job?.finishedOn || !job.failedReason || !isKept(job)) continue;
      const letter = letterOf(job);
      if (isWanted(letter, filter)) yield letter;
    }
  }
}
function isWanted({ topic, failedAt, error }, filter) {
  const { failedSince, failedUntil } = filter;
  if (filter.topic !== void 0 && filter.topic !== topic) return false;
  if (filter.code !== void 0 && filter.code !== error.code) return false;
  return !(failedSince && failedAt < failedSince) && !(failedUntil && failedAt > failedUntil);
}

// src/inboxes/bullmq-claims.ts
var QUIET_MS = 200;
var IN_LINE_MS = 3e4;
var LOOKS = 100;
function createClaims(leaseMs, done) {
  const held = /* @__PURE__ */ new WeakMap();
  const quietUntil = /* @__PURE__ */ new WeakMap();
  const setBack = createSetBack();
  let turn = 0;
  async function look(engine, lane, isFree) {
    const token = randomUUID2();
    const job = await lane.worker.getNextJob(token, { block: false });
    if (!job) return void 0;
    const holding = { job, lane };
    if (!isKept(job)) await conclude(engine, holding, token, { state: "handled" });
    else {
      const { name: topic, data } = job;
      const { group } = data;
      const isFirst = group === void 0 || await engine.lines.isFirst(job, group, lane);
      if (isFirst && isFree(topic)) {
        const claimed = { token, attempt: attemptsOf(job) + 1, isLost: job.stalledCounter > 0, ...keptIn(job) };
        held.set(claimed, holding);
        return claimed;
      }
      if (isFirst && group !== void 0) await engine.lines.begin(job, group);
      await job.moveToDelayed(isFirst ? setBack(topic) : Date.now() + IN_LINE_MS, token);
    }
    return "next";
  }
  async function conclude(engine, { job, lane }, token, end) {
    const { group } = job.data;
    if (end.state === "returned" && end.delayMs === 0) return void await engine.giveBack(job, token);
    const comesLater = end.state === "failed" || end.state === "returned";
    if (comesLater && group !== void 0) await engine.lines.begin(job, group);
    if (end.state === "returned") return job.moveToDelayed(Date.now() + end.delayMs, token);
    if (end.state !== "handled") await job.moveToFailed(new FailedAttempt(end), token, false);
    else {
      await job.moveToCompleted(null, token, false);
      await empty(job).catch(() => {
      });
    }
    if (end.state === "failed") return;
    done();
    if (group !== void 0) await engine.lines.leave(job, group, lane);
  }
  return {
    async claim(engine, { hands, handsByTopic }) {
      const { lanes } = engine;
      const claimed = [];
      const isFree = (topic) => {
        const taken = claimed.filter(({ delivery }) => delivery.topic === topic).length;
        return taken < (handsByTopic.get(topic) ?? hands);
      };
      turn = (turn + 1) % lanes.length;
      try {
        for (const lane of [...lanes.slice(turn), ...lanes.slice(0, turn)]) {
          for (let looks = 0; looks < LOOKS && claimed.length < hands; looks++) {
            if (Date.now() < (quietUntil.get(lane) ?? 0)) break;
            const found = await look(engine, lane, isFree);
            if (!found) quietUntil.set(lane, Date.now() + QUIET_MS);
            else if (found !== "next") claimed.push(found);
          }
        }
      } catch (error) {
        if (claimed.length === 0) throw error;
      }
      return claimed;
    },
    async renew(claimed) {
      const { job } = held.get(claimed) ?? {};
      return job !== void 0 && await job.extendLock(claimed.token, leaseMs) > 0;
    },
    async settle(engine, claimed, end) {
      const holding = held.get(claimed);
      if (!holding) return false;
      let isHeld = true;
      try {
        await conclude(engine, holding, claimed.token, end);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        isHeld = false;
      }
      held.delete(claimed);
      quietUntil.delete(holding.lane);
      return isHeld;
    },
    wake: (lane) => void quietUntil.delete(lane)
  };
}
function createSetBack() {
  const turns = /* @__PURE__ */ new Map();
  return (topic) => {
    const now = Date.now();
    const turn = Math.min(Math.max(turns.get(topic) ?? 0, now + 100) + 5, now + 1e4);
    turns.set(topic, turn);
    return turn;
  };
}

// src/inboxes/bullmq-room.ts
var COUNT_MS = 1e3;
function createRoom(maxQueued) {
  let counting;
  let counted = 0;
  let countedAt = 0;
  let changed = 0;
  async function recount(lanes) {
    const [begin, before] = [Date.now(), changed];
    counted = await openIn(lanes);
    countedAt = begin;
    changed -= before;
  }
  return {
    async isLeft(lanes) {
      const age = Date.now() - countedAt;
      if (age > COUNT_MS / 2 && !counting) {
        counting = recount(lanes).finally(() => {
          counting = void 0;
        });
        counting.catch(() => {
        });
      }
      if (age > COUNT_MS) await counting;
      return counted + changed < maxQueued;
    },
    count(change) {
      changed += change;
    }
  };
}
async function openIn(lanes) {
  const counts = await Promise.all(lanes.map(({ queue }) => queue.getJobCounts("waiting", "active", "delayed")));
  return counts.flatMap((lane) => Object.values(lane)).reduce((sum, jobs) => sum + jobs, 0);
}

// src/inboxes/bullmq-statistics.ts
var SAMPLE = 10;
async function statisticsOf(lanes) {
  const [counts, oldest] = await Promise.all([Promise.all(lanes.map(countsOf)), Promise.all(lanes.map(oldestOf))]);
  const sum = (state) => counts.reduce((total, lane) => total + (lane[state] ?? 0), 0);
  const first = Math.min(...oldest);
  return {
    queued: sum("waiting"),
    running: sum("active"),
    failed: sum("delayed"),
    dead: sum("failed"),
    oldest: first === Number.POSITIVE_INFINITY ? void 0 : new Date(first)
  };
}
function countsOf({ queue }) {
  return queue.getJobCounts("waiting", "active", "delayed", "failed");
}
async function oldestOf({ queue }) {
  const jobs = await Promise.all([
    queue.getJobs(["waiting"], 0, 0, true),
    queue.getJobs(["active"]),
    queue.getJobs(["delayed"], 0, SAMPLE - 1, true),
    queue.getJobs(["delayed"], 0, SAMPLE - 1, false)
  ]);
  return Math.min(...jobs.flat().map(({ timestamp }) => timestamp));
}

// src/inboxes/bullmq-shelf.ts
var SWEEP_MS = 5e3;
var SWEEP_JOBS = 100;
function createBullmqShelf(engine, limits) {
  const { retentionMs, maxQueued, leaseMs } = limits;
  const room = createRoom(maxQueued);
  const claims = createClaims(leaseMs, () => room.count(-1));
  let consumed;
  let sweepAt = 0;
  async function put2(delivery) {
    const { lanes, laneOf } = await engine();
    const lane = laneOf(delivery.group);
    const { queue } = lane;
    if (!await room.isLeft(lanes)) return await queue.getDeduplicationJobId(delivery.id) ? "duplicate" : "full";
    const jobId = randomUUID3();
    const add = () => queue.add(delivery.topic, dataOf(delivery), optionsOf(delivery, jobId));
    const added = await add();
    if (added.id !== jobId) {
      const known = await queue.getJob(added.id ?? "");
      if (known && !isOver2(known, retentionMs)) return "duplicate";
      await known?.remove();
      await queue.removeDeduplicationKey(delivery.id);
      if ((await add()).id !== jobId) return "duplicate";
    }
    room.count(1);
    claims.wake(lane);
    return "stored";
  }
  async function claim(demand) {
    const opened = await engine();
    if (consumed !== opened) await begin(opened);
    if (Date.now() >= sweepAt) await sweep(opened.lanes);
    return claims.claim(opened, demand);
  }
  async function begin(opened) {
    await Promise.all(opened.lanes.map(({ worker: worker2 }) => worker2.startStalledCheckTimer()));
    const warning = await opened.warning();
    consumed = opened;
    if (warning) throw new Error(warning);
  }
  async function sweep(lanes) {
    sweepAt = Date.now() + SWEEP_MS;
    const isOld = (job) => job !== void 0 && isOver2(job, retentionMs);
    const forget = async ({ queue }) => {
      const [oldest] = await queue.getJobs(["completed"], 0, 0, true);
      if (!isOld(oldest)) return;
      const old = (await queue.getJobs(["completed"], 0, SWEEP_JOBS - 1, true)).filter(isOld);
      await Promise.all(old.map(({ id = "" }) => queue.remove(id)));
    };
    await Promise.all(lanes.map(forget));
  }
  return {
    put: put2,
    claim,
    renew: claims.renew,
    settle: async (claimed, end) => claims.settle(await engine(), claimed, end),
    ...createLetters(engine),
    statistics: async () => statisticsOf((await engine()).lanes)
  };
}
function isOver2({ finishedOn, failedReason }, retentionMs) {
  return finishedOn !== void 0 && !failedReason && finishedOn + retentionMs < Date.now();
}

// src/inboxes/consume.ts
import { setTimeout as sleep } from "node:timers/promises";

// node_modules/lru-cache/dist/esm/node/index.min.js
import { tracingChannel as G, channel as P } from "node:diagnostics_channel";
var S = P("lru-cache:metrics");
var W = G("lru-cache");
var L = typeof performance == "object" && performance && typeof performance.now == "function" ? performance : Date;
var R = () => S.hasSubscribers || W.hasSubscribers;
var U = /* @__PURE__ */ new Set();
var M = typeof process == "object" && process ? process : {};
var k = (d3, e, t, i) => {
  typeof M.emitWarning == "function" ? M.emitWarning(d3, e, t, i) : console.error(`[${t}] ${e}: ${d3}`);
};
var H = (d3) => !U.has(d3);
var T = (d3) => !!d3 && d3 === Math.floor(d3) && d3 > 0 && isFinite(d3);
var j = (d3) => T(d3) ? d3 <= Math.pow(2, 8) ? Uint8Array : d3 <= Math.pow(2, 16) ? Uint16Array : d3 <= Math.pow(2, 32) ? Uint32Array : d3 <= Number.MAX_SAFE_INTEGER ? O : null : null;
var O = class extends Array {
  constructor(e) {
    super(e), this.fill(0);
  }
};
var x = class d {
  heap;
  length;
  static #o = false;
  static create(e) {
    let t = j(e);
    if (!t) return [];
    d.#o = true;
    let i = new d(e, t);
    return d.#o = false, i;
  }
  constructor(e, t) {
    if (!d.#o) throw new TypeError("instantiate Stack using Stack.create(n)");
    this.heap = new t(e), this.length = 0;
  }
  push(e) {
    this.heap[this.length++] = e;
  }
  pop() {
    return this.heap[--this.length];
  }
};
var I = class d2 {
  #o;
  #c;
  #S;
  #O;
  #w;
  #M;
  #I;
  #m;
  get perf() {
    return this.#m;
  }
  ttl;
  ttlResolution;
  ttlAutopurge;
  updateAgeOnGet;
  updateAgeOnHas;
  allowStale;
  noDisposeOnSet;
  noUpdateTTL;
  maxEntrySize;
  sizeCalculation;
  noDeleteOnFetchRejection;
  noDeleteOnStaleGet;
  allowStaleOnFetchAbort;
  allowStaleOnFetchRejection;
  ignoreFetchAbort;
  backgroundFetchSize;
  #n;
  #b;
  #s;
  #i;
  #t;
  #l;
  #u;
  #a;
  #h;
  #y;
  #r;
  #_;
  #F;
  #d;
  #g;
  #T;
  #U;
  #f;
  #D;
  static unsafeExposeInternals(e) {
    return { starts: e.#F, ttls: e.#d, autopurgeTimers: e.#g, sizes: e.#_, keyMap: e.#s, keyList: e.#i, valList: e.#t, next: e.#l, prev: e.#u, get head() {
      return e.#a;
    }, get tail() {
      return e.#h;
    }, free: e.#y, isBackgroundFetch: (t) => e.#e(t), backgroundFetch: (t, i, s, n) => e.#P(t, i, s, n), moveToTail: (t) => e.#L(t), indexes: (t) => e.#A(t), rindexes: (t) => e.#z(t), isStale: (t) => e.#p(t) };
  }
  get max() {
    return this.#o;
  }
  get maxSize() {
    return this.#c;
  }
  get calculatedSize() {
    return this.#b;
  }
  get size() {
    return this.#n;
  }
  get fetchMethod() {
    return this.#M;
  }
  get memoMethod() {
    return this.#I;
  }
  get dispose() {
    return this.#S;
  }
  get onInsert() {
    return this.#O;
  }
  get disposeAfter() {
    return this.#w;
  }
  constructor(e) {
    let { max: t = 0, ttl: i, ttlResolution: s = 1, ttlAutopurge: n, updateAgeOnGet: o, updateAgeOnHas: l, allowStale: h, dispose: r, onInsert: c, disposeAfter: m, noDisposeOnSet: _, noUpdateTTL: u, maxSize: g = 0, maxEntrySize: f = 0, sizeCalculation: y, fetchMethod: a, memoMethod: w, noDeleteOnFetchRejection: F, noDeleteOnStaleGet: b, allowStaleOnFetchRejection: p, allowStaleOnFetchAbort: A, ignoreFetchAbort: z, backgroundFetchSize: C = 1, perf: E } = e;
    if (this.backgroundFetchSize = C, E !== void 0 && typeof E?.now != "function") throw new TypeError("perf option must have a now() method if specified");
    if (this.#m = E ?? L, t !== 0 && !T(t)) throw new TypeError("max option must be a nonnegative integer");
    let v = t ? j(t) : Array;
    if (!v) throw new Error("invalid max value: " + t);
    if (this.#o = t, this.#c = g, this.maxEntrySize = f || this.#c, this.sizeCalculation = y, this.sizeCalculation) {
      if (!this.#c && !this.maxEntrySize) throw new TypeError("cannot set sizeCalculation without setting maxSize or maxEntrySize");
      if (typeof this.sizeCalculation != "function") throw new TypeError("sizeCalculation set to non-function");
    }
    if (w !== void 0 && typeof w != "function") throw new TypeError("memoMethod must be a function if defined");
    if (this.#I = w, a !== void 0 && typeof a != "function") throw new TypeError("fetchMethod must be a function if specified");
    if (this.#M = a, this.#U = !!a, this.#s = /* @__PURE__ */ new Map(), this.#i = Array.from({ length: t }).fill(void 0), this.#t = Array.from({ length: t }).fill(void 0), this.#l = new v(t), this.#u = new v(t), this.#a = 0, this.#h = 0, this.#y = x.create(t), this.#n = 0, this.#b = 0, typeof r == "function" && (this.#S = r), typeof c == "function" && (this.#O = c), typeof m == "function" ? (this.#w = m, this.#r = []) : (this.#w = void 0, this.#r = void 0), this.#T = !!this.#S, this.#D = !!this.#O, this.#f = !!this.#w, this.noDisposeOnSet = !!_, this.noUpdateTTL = !!u, this.noDeleteOnFetchRejection = !!F, this.allowStaleOnFetchRejection = !!p, this.allowStaleOnFetchAbort = !!A, this.ignoreFetchAbort = !!z, this.maxEntrySize !== 0) {
      if (this.#c !== 0 && !T(this.#c)) throw new TypeError("maxSize must be a positive integer if specified");
      if (!T(this.maxEntrySize)) throw new TypeError("maxEntrySize must be a positive integer if specified");
      this.#X();
    }
    if (this.allowStale = !!h, this.noDeleteOnStaleGet = !!b, this.updateAgeOnGet = !!o, this.updateAgeOnHas = !!l, this.ttlResolution = T(s) || s === 0 ? s : 1, this.ttlAutopurge = !!n, this.ttl = i || 0, this.ttl) {
      if (!T(this.ttl)) throw new TypeError("ttl must be a positive integer if specified");
      this.#k();
    }
    if (this.#o === 0 && this.ttl === 0 && this.#c === 0) throw new TypeError("At least one of max, maxSize, or ttl is required");
    if (!this.ttlAutopurge && !this.#o && !this.#c) {
      let D = "LRU_CACHE_UNBOUNDED";
      H(D) && (U.add(D), k("TTL caching without ttlAutopurge, max, or maxSize can result in unbounded memory consumption.", "UnboundedCacheWarning", D, d2));
    }
  }
  getRemainingTTL(e) {
    return this.#s.has(e) ? 1 / 0 : 0;
  }
  #k() {
    let e = new O(this.#o), t = new O(this.#o);
    this.#d = e, this.#F = t;
    let i = this.ttlAutopurge ? Array.from({ length: this.#o }) : void 0;
    this.#g = i, this.#H = (h, r, c = this.#m.now()) => {
      t[h] = r !== 0 ? c : 0, e[h] = r, s(h, r);
    }, this.#R = (h) => {
      t[h] = e[h] !== 0 ? this.#m.now() : 0, s(h, e[h]);
    };
    let s = this.ttlAutopurge ? (h, r) => {
      if (i?.[h] && (clearTimeout(i[h]), i[h] = void 0), r && r !== 0 && i) {
        let c = setTimeout(() => {
          this.#p(h) ? (this.#E(this.#i[h], "expire"), i[h] = void 0) : s(h, l(h));
        }, r + 1);
        c.unref && c.unref(), i[h] = c;
      }
    } : () => {
    };
    this.#v = (h, r) => {
      if (e[r]) {
        let c = e[r], m = t[r];
        if (!c || !m) return;
        h.ttl = c, h.start = m, h.now = n || o();
        let _ = h.now - m;
        h.remainingTTL = c - _;
      }
    };
    let n = 0, o = () => {
      let h = this.#m.now();
      if (this.ttlResolution > 0) {
        n = h;
        let r = setTimeout(() => n = 0, this.ttlResolution);
        r.unref && r.unref();
      }
      return h;
    };
    this.getRemainingTTL = (h) => {
      let r = this.#s.get(h);
      return r === void 0 ? 0 : l(r);
    };
    let l = (h) => {
      let r = e[h], c = t[h];
      if (!r || !c) return 1 / 0;
      let m = (n || o()) - c;
      return r - m;
    };
    this.#p = (h) => {
      let r = t[h], c = e[h];
      return !!c && !!r && (n || o()) - r > c;
    };
  }
  #R = () => {
  };
  #v = () => {
  };
  #H = () => {
  };
  #p = () => false;
  #X() {
    let e = new O(this.#o);
    this.#b = 0, this.#_ = e, this.#x = (t) => {
      this.#b -= e[t], e[t] = 0;
    }, this.#N = (t, i, s, n) => {
      if (!T(s)) {
        if (this.#e(i)) return this.backgroundFetchSize;
        if (n) {
          if (typeof n != "function") throw new TypeError("sizeCalculation must be a function");
          if (s = n(i, t), !T(s)) throw new TypeError("sizeCalculation return invalid (expect positive integer)");
        } else throw new TypeError("invalid size value (must be positive integer). When maxSize or maxEntrySize is used, sizeCalculation or size must be set.");
      }
      return s;
    }, this.#j = (t, i, s) => {
      if (e[t] = i, this.#c) {
        let n = this.#c - e[t];
        for (; this.#b > n; ) this.#G(true);
      }
      this.#b += e[t], s && (s.entrySize = i, s.totalCalculatedSize = this.#b);
    };
  }
  #x = (e) => {
  };
  #j = (e, t, i) => {
  };
  #N = (e, t, i, s) => {
    if (i || s) throw new TypeError("cannot set size without setting maxSize or maxEntrySize on cache");
    return 0;
  };
  *#A({ allowStale: e = this.allowStale } = {}) {
    if (this.#n) for (let t = this.#h; this.#V(t) && ((e || !this.#p(t)) && (yield t), t !== this.#a); ) t = this.#u[t];
  }
  *#z({ allowStale: e = this.allowStale } = {}) {
    if (this.#n) for (let t = this.#a; this.#V(t) && ((e || !this.#p(t)) && (yield t), t !== this.#h); ) t = this.#l[t];
  }
  #V(e) {
    return e !== void 0 && this.#s.get(this.#i[e]) === e;
  }
  *entries() {
    for (let e of this.#A()) this.#t[e] !== void 0 && this.#i[e] !== void 0 && !this.#e(this.#t[e]) && (yield [this.#i[e], this.#t[e]]);
  }
  *rentries() {
    for (let e of this.#z()) this.#t[e] !== void 0 && this.#i[e] !== void 0 && !this.#e(this.#t[e]) && (yield [this.#i[e], this.#t[e]]);
  }
  *keys() {
    for (let e of this.#A()) {
      let t = this.#i[e];
      t !== void 0 && !this.#e(this.#t[e]) && (yield t);
    }
  }
  *rkeys() {
    for (let e of this.#z()) {
      let t = this.#i[e];
      t !== void 0 && !this.#e(this.#t[e]) && (yield t);
    }
  }
  *values() {
    for (let e of this.#A()) this.#t[e] !== void 0 && !this.#e(this.#t[e]) && (yield this.#t[e]);
  }
  *rvalues() {
    for (let e of this.#z()) this.#t[e] !== void 0 && !this.#e(this.#t[e]) && (yield this.#t[e]);
  }
  [Symbol.iterator]() {
    return this.entries();
  }
  [Symbol.toStringTag] = "LRUCache";
  find(e, t = {}) {
    for (let i of this.#A()) {
      let s = this.#t[i], n = this.#e(s) ? s.__staleWhileFetching : s;
      if (n !== void 0 && e(n, this.#i[i], this)) return this.#C(this.#i[i], t);
    }
  }
  forEach(e, t = this) {
    for (let i of this.#A()) {
      let s = this.#t[i], n = this.#e(s) ? s.__staleWhileFetching : s;
      n !== void 0 && e.call(t, n, this.#i[i], this);
    }
  }
  rforEach(e, t = this) {
    for (let i of this.#z()) {
      let s = this.#t[i], n = this.#e(s) ? s.__staleWhileFetching : s;
      n !== void 0 && e.call(t, n, this.#i[i], this);
    }
  }
  purgeStale() {
    let e = false;
    for (let t of this.#z({ allowStale: true })) this.#p(t) && (this.#E(this.#i[t], "expire"), e = true);
    return e;
  }
  info(e) {
    let t = this.#s.get(e);
    if (t === void 0) return;
    let i = this.#t[t], s = this.#e(i) ? i.__staleWhileFetching : i;
    if (s === void 0) return;
    let n = { value: s };
    if (this.#d && this.#F) {
      let o = this.#d[t], l = this.#F[t];
      if (o && l) {
        let h = o - (this.#m.now() - l);
        n.ttl = h, n.start = Date.now();
      }
    }
    return this.#_ && (n.size = this.#_[t]), n;
  }
  dump() {
    let e = [];
    for (let t of this.#A({ allowStale: true })) {
      let i = this.#i[t], s = this.#t[t], n = this.#e(s) ? s.__staleWhileFetching : s;
      if (n === void 0 || i === void 0) continue;
      let o = { value: n };
      if (this.#d && this.#F) {
        o.ttl = this.#d[t];
        let l = this.#m.now() - this.#F[t];
        o.start = Math.floor(Date.now() - l);
      }
      this.#_ && (o.size = this.#_[t]), e.unshift([i, o]);
    }
    return e;
  }
  load(e) {
    this.clear();
    for (let [t, i] of e) {
      if (i.start) {
        let s = Date.now() - i.start;
        i.start = this.#m.now() - s;
      }
      this.#W(t, i.value, i);
    }
  }
  set(e, t, i = {}) {
    let { status: s = S.hasSubscribers ? {} : void 0 } = i;
    i.status = s, s && (s.op = "set", s.key = e, t !== void 0 && (s.value = t), s.cache = this);
    let n = this.#W(e, t, i);
    return s && S.hasSubscribers && S.publish(s), n;
  }
  #W(e, t, i, s) {
    let { ttl: n = this.ttl, start: o, noDisposeOnSet: l = this.noDisposeOnSet, sizeCalculation: h = this.sizeCalculation, status: r } = i, c = this.#e(t);
    if (t === void 0) return r && (r.set = "deleted"), this.delete(e), this;
    let { noUpdateTTL: m = this.noUpdateTTL } = i;
    r && !c && (r.value = t);
    let _ = this.#N(e, t, i.size || 0, h, r);
    if (this.maxEntrySize && _ > this.maxEntrySize) return this.#E(e, "set"), r && (r.set = "miss", r.maxEntrySizeExceeded = true), this;
    let u = this.#n === 0 ? void 0 : this.#s.get(e);
    if (u === void 0) u = this.#n === 0 ? this.#h : this.#y.length !== 0 ? this.#y.pop() : this.#n === this.#o ? this.#G(false) : this.#n, this.#i[u] = e, this.#t[u] = t, this.#s.set(e, u), this.#l[this.#h] = u, this.#u[u] = this.#h, this.#h = u, this.#n++, this.#j(u, _, r), r && (r.set = "add"), m = false, this.#D && !c && this.#O?.(t, e, "add");
    else {
      this.#L(u);
      let g = this.#t[u];
      if (t !== g) {
        if (!l) if (this.#e(g)) {
          g !== s && g.__abortController.abort(new Error("replaced"));
          let { __staleWhileFetching: f } = g;
          f !== void 0 && f !== t && (this.#T && this.#S?.(f, e, "set"), this.#f && this.#r?.push([f, e, "set"]));
        } else this.#T && this.#S?.(g, e, "set"), this.#f && this.#r?.push([g, e, "set"]);
        if (this.#x(u), this.#j(u, _, r), this.#t[u] = t, !c) {
          let f = g && this.#e(g) ? g.__staleWhileFetching : g, y = f === void 0 ? "add" : t !== f ? "replace" : "update";
          r && (r.set = y, f !== void 0 && (r.oldValue = f)), this.#D && this.onInsert?.(t, e, y);
        }
      } else c || (r && (r.set = "update"), this.#D && this.onInsert?.(t, e, "update"));
    }
    if (n !== 0 && !this.#d && this.#k(), this.#d && (m || this.#H(u, n, o), r && this.#v(r, u)), !l && this.#f && this.#r) {
      let g = this.#r, f;
      for (; f = g?.shift(); ) this.#w?.(...f);
    }
    return this;
  }
  pop() {
    try {
      for (; this.#n; ) {
        let e = this.#t[this.#a];
        if (this.#G(true), this.#e(e)) {
          if (e.__staleWhileFetching) return e.__staleWhileFetching;
        } else if (e !== void 0) return e;
      }
    } finally {
      if (this.#f && this.#r) {
        let e = this.#r, t;
        for (; t = e?.shift(); ) this.#w?.(...t);
      }
    }
  }
  #G(e) {
    let t = this.#a, i = this.#i[t], s = this.#t[t], n = this.#e(s);
    n && s.__abortController.abort(new Error("evicted"));
    let o = n ? s.__staleWhileFetching : s;
    return (this.#T || this.#f) && o !== void 0 && (this.#T && this.#S?.(o, i, "evict"), this.#f && this.#r?.push([o, i, "evict"])), this.#x(t), this.#g?.[t] && (clearTimeout(this.#g[t]), this.#g[t] = void 0), e && (this.#i[t] = void 0, this.#t[t] = void 0, this.#y.push(t)), this.#n === 1 ? (this.#a = this.#h = 0, this.#y.length = 0) : this.#a = this.#l[t], this.#s.delete(i), this.#n--, t;
  }
  has(e, t = {}) {
    let { status: i = S.hasSubscribers ? {} : void 0 } = t;
    t.status = i, i && (i.op = "has", i.key = e, i.cache = this);
    let s = this.#Y(e, t);
    return S.hasSubscribers && S.publish(i), s;
  }
  #Y(e, t = {}) {
    let { updateAgeOnHas: i = this.updateAgeOnHas, status: s } = t, n = this.#s.get(e);
    if (n !== void 0) {
      let o = this.#t[n];
      if (this.#e(o) && o.__staleWhileFetching === void 0) return false;
      if (this.#p(n)) s && (s.has = "stale", this.#v(s, n));
      else return i && this.#R(n), s && (s.has = "hit", this.#v(s, n)), true;
    } else s && (s.has = "miss");
    return false;
  }
  peek(e, t = {}) {
    let { status: i = R() ? {} : void 0 } = t;
    i && (i.op = "peek", i.key = e, i.cache = this), t.status = i;
    let s = this.#J(e, t);
    return S.hasSubscribers && S.publish(i), s;
  }
  #J(e, t) {
    let { status: i, allowStale: s = this.allowStale } = t, n = this.#s.get(e);
    if (n === void 0 || !s && this.#p(n)) {
      i && (i.peek = n === void 0 ? "miss" : "stale");
      return;
    }
    let o = this.#t[n], l = this.#e(o) ? o.__staleWhileFetching : o;
    return i && (l !== void 0 ? (i.peek = "hit", i.value = l) : i.peek = "miss"), l;
  }
  #P(e, t, i, s) {
    let n = t === void 0 ? void 0 : this.#t[t];
    if (this.#e(n)) return n;
    let o = new AbortController(), { signal: l } = i;
    l?.addEventListener("abort", () => o.abort(l.reason), { signal: o.signal });
    let h = { signal: o.signal, options: i, context: s }, r = (f, y = false) => {
      let { aborted: a } = o.signal, w = i.ignoreFetchAbort && f !== void 0, F = i.ignoreFetchAbort || !!(i.allowStaleOnFetchAbort && f !== void 0);
      if (i.status && (a && !y ? (i.status.fetchAborted = true, i.status.fetchError = o.signal.reason, w && (i.status.fetchAbortIgnored = true)) : i.status.fetchResolved = true), a && !w && !y) return m(o.signal.reason, F);
      let b = u, p = this.#t[t];
      return (p === u || p === void 0 && w && y) && (f === void 0 ? b.__staleWhileFetching !== void 0 ? this.#t[t] = b.__staleWhileFetching : this.#E(e, "fetch") : (i.status && (i.status.fetchUpdated = true), this.#W(e, f, h.options, b))), f;
    }, c = (f) => (i.status && (i.status.fetchRejected = true, i.status.fetchError = f), m(f, false)), m = (f, y) => {
      let { aborted: a } = o.signal, w = a && i.allowStaleOnFetchAbort, F = w || i.allowStaleOnFetchRejection, b = F || i.noDeleteOnFetchRejection, p = u;
      if (this.#t[t] === u && (!b || !y && p.__staleWhileFetching === void 0 ? this.#E(e, "fetch") : w || (this.#t[t] = p.__staleWhileFetching)), F) return i.status && p.__staleWhileFetching !== void 0 && (i.status.returnedStale = true), p.__staleWhileFetching;
      if (p.__returned === p) throw f;
    }, _ = (f, y) => {
      let a = this.#M?.(e, n, h);
      o.signal.addEventListener("abort", () => {
        (!i.ignoreFetchAbort || i.allowStaleOnFetchAbort) && (f(void 0), i.allowStaleOnFetchAbort && (f = (w) => r(w, true)));
      }), a && a instanceof Promise ? a.then((w) => f(w === void 0 ? void 0 : w), y) : a !== void 0 && f(a);
    };
    i.status && (i.status.fetchDispatched = true);
    let u = new Promise(_).then(r, c), g = Object.assign(u, { __abortController: o, __staleWhileFetching: n, __returned: void 0 });
    return t === void 0 ? (this.#W(e, g, { ...h.options, status: void 0 }), t = this.#s.get(e)) : this.#t[t] = g, g;
  }
  #e(e) {
    if (!this.#U) return false;
    let t = e;
    return !!t && t instanceof Promise && t.hasOwnProperty("__staleWhileFetching") && t.__abortController instanceof AbortController;
  }
  fetch(e, t = {}) {
    let i = W.hasSubscribers, { status: s = R() ? {} : void 0 } = t;
    t.status = s, s && t.context && (s.context = t.context);
    let n = this.#B(e, t);
    return s && i && (s.trace = true, W.tracePromise(() => n, s).catch(() => {
    })), n;
  }
  async #B(e, t = {}) {
    let { allowStale: i = this.allowStale, updateAgeOnGet: s = this.updateAgeOnGet, noDeleteOnStaleGet: n = this.noDeleteOnStaleGet, ttl: o = this.ttl, noDisposeOnSet: l = this.noDisposeOnSet, size: h = 0, sizeCalculation: r = this.sizeCalculation, noUpdateTTL: c = this.noUpdateTTL, noDeleteOnFetchRejection: m = this.noDeleteOnFetchRejection, allowStaleOnFetchRejection: _ = this.allowStaleOnFetchRejection, ignoreFetchAbort: u = this.ignoreFetchAbort, allowStaleOnFetchAbort: g = this.allowStaleOnFetchAbort, context: f, forceRefresh: y = false, status: a, signal: w } = t;
    if (a && (a.op = "fetch", a.key = e, y && (a.forceRefresh = true), a.cache = this), !this.#U) return a && (a.fetch = "get"), this.#C(e, { allowStale: i, updateAgeOnGet: s, noDeleteOnStaleGet: n, status: a });
    let F = { allowStale: i, updateAgeOnGet: s, noDeleteOnStaleGet: n, ttl: o, noDisposeOnSet: l, size: h, sizeCalculation: r, noUpdateTTL: c, noDeleteOnFetchRejection: m, allowStaleOnFetchRejection: _, allowStaleOnFetchAbort: g, ignoreFetchAbort: u, status: a, signal: w }, b = this.#s.get(e);
    if (b === void 0) {
      a && (a.fetch = "miss");
      let p = this.#P(e, b, F, f);
      return p.__returned = p;
    } else {
      let p = this.#t[b];
      if (this.#e(p)) {
        let v = i && p.__staleWhileFetching !== void 0;
        return a && (a.fetch = "inflight", v && (a.returnedStale = true)), v ? p.__staleWhileFetching : p.__returned = p;
      }
      let A = this.#p(b);
      if (!y && !A) return a && (a.fetch = "hit"), this.#L(b), s && this.#R(b), a && this.#v(a, b), p;
      let z = this.#P(e, b, F, f), E = z.__staleWhileFetching !== void 0 && i;
      return a && (a.fetch = A ? "stale" : "refresh", E && A && (a.returnedStale = true)), E ? z.__staleWhileFetching : z.__returned = z;
    }
  }
  forceFetch(e, t = {}) {
    let i = W.hasSubscribers, { status: s = R() ? {} : void 0 } = t;
    t.status = s, s && t.context && (s.context = t.context);
    let n = this.#K(e, t);
    return s && i && (s.trace = true, W.tracePromise(() => n, s).catch(() => {
    })), n;
  }
  async #K(e, t = {}) {
    let i = await this.#B(e, t);
    if (i === void 0) throw new Error("fetch() returned undefined");
    return i;
  }
  memo(e, t = {}) {
    let { status: i = S.hasSubscribers ? {} : void 0 } = t;
    t.status = i, i && (i.op = "memo", i.key = e, t.context && (i.context = t.context), i.cache = this);
    let s = this.#Q(e, t);
    return i && (i.value = s), S.hasSubscribers && S.publish(i), s;
  }
  #Q(e, t = {}) {
    let i = this.#I;
    if (!i) throw new Error("no memoMethod provided to constructor");
    let { context: s, status: n, forceRefresh: o, ...l } = t;
    n && o && (n.forceRefresh = true);
    let h = this.#C(e, l), r = o || h === void 0;
    if (n && (n.memo = r ? "miss" : "hit", r || (n.value = h)), !r) return h;
    let c = i(e, h, { options: l, context: s });
    return n && (n.value = c), this.#W(e, c, l), c;
  }
  get(e, t = {}) {
    let { status: i = S.hasSubscribers ? {} : void 0 } = t;
    t.status = i, i && (i.op = "get", i.key = e, i.cache = this);
    let s = this.#C(e, t);
    return i && (s !== void 0 && (i.value = s), S.hasSubscribers && S.publish(i)), s;
  }
  #C(e, t = {}) {
    let { allowStale: i = this.allowStale, updateAgeOnGet: s = this.updateAgeOnGet, noDeleteOnStaleGet: n = this.noDeleteOnStaleGet, status: o } = t, l = this.#s.get(e);
    if (l === void 0) {
      o && (o.get = "miss");
      return;
    }
    let h = this.#t[l], r = this.#e(h);
    return o && this.#v(o, l), this.#p(l) ? r ? (o && (o.get = "stale-fetching"), i && h.__staleWhileFetching !== void 0 ? (o && (o.returnedStale = true), h.__staleWhileFetching) : void 0) : (n || this.#E(e, "expire"), o && (o.get = "stale"), i ? (o && (o.returnedStale = true), h) : void 0) : (o && (o.get = r ? "fetching" : "hit"), this.#L(l), s && this.#R(l), r ? h.__staleWhileFetching : h);
  }
  #$(e, t) {
    this.#u[t] = e, this.#l[e] = t;
  }
  #L(e) {
    e !== this.#h && (e === this.#a ? this.#a = this.#l[e] : this.#$(this.#u[e], this.#l[e]), this.#$(this.#h, e), this.#h = e);
  }
  delete(e) {
    return this.#E(e, "delete");
  }
  #E(e, t) {
    S.hasSubscribers && S.publish({ op: "delete", delete: t, key: e, cache: this });
    let i = false;
    if (this.#n !== 0) {
      let s = this.#s.get(e);
      if (s !== void 0) if (this.#g?.[s] && (clearTimeout(this.#g[s]), this.#g[s] = void 0), i = true, this.#n === 1) this.#q(t);
      else {
        this.#x(s);
        let n = this.#t[s];
        if (this.#e(n) ? n.__abortController.abort(new Error("deleted")) : (this.#T || this.#f) && (this.#T && this.#S?.(n, e, t), this.#f && this.#r?.push([n, e, t])), this.#s.delete(e), this.#i[s] = void 0, this.#t[s] = void 0, s === this.#h) this.#h = this.#u[s];
        else if (s === this.#a) this.#a = this.#l[s];
        else {
          let o = this.#u[s];
          this.#l[o] = this.#l[s];
          let l = this.#l[s];
          this.#u[l] = this.#u[s];
        }
        this.#n--, this.#y.push(s);
      }
    }
    if (this.#f && this.#r?.length) {
      let s = this.#r, n;
      for (; n = s?.shift(); ) this.#w?.(...n);
    }
    return i;
  }
  clear() {
    return this.#q("delete");
  }
  #q(e) {
    for (let t of this.#z({ allowStale: true })) {
      let i = this.#t[t];
      if (this.#e(i)) i.__abortController.abort(new Error("deleted"));
      else {
        let s = this.#i[t];
        this.#T && this.#S?.(i, s, e), this.#f && this.#r?.push([i, s, e]);
      }
    }
    if (this.#s.clear(), this.#t.fill(void 0), this.#i.fill(void 0), this.#d && this.#F) {
      this.#d.fill(0), this.#F.fill(0);
      for (let t of this.#g ?? []) t !== void 0 && clearTimeout(t);
      this.#g?.fill(void 0);
    }
    if (this.#_ && this.#_.fill(0), this.#a = 0, this.#h = 0, this.#y.length = 0, this.#b = 0, this.#n = 0, this.#f && this.#r) {
      let t = this.#r, i;
      for (; i = t?.shift(); ) this.#w?.(...i);
    }
  }
};

// src/core/inbox.ts
var EXCUSES = [
  "SHUTTING_DOWN",
  "OVERLOADED",
  "IN_PROGRESS",
  "STORE_UNAVAILABLE"
];
function failureOf(thrown) {
  if (isPermanentError(thrown)) return { code: "PERMANENT", message: thrown.message, retryable: false, excused: false };
  const { code, message, retryable } = toWebhookError(thrown);
  return { code, message, retryable, excused: EXCUSES.includes(code) };
}

// src/inboxes/bell.ts
function createBell() {
  let hasRung = false;
  let wake = () => {
  };
  return {
    ring() {
      hasRung = true;
      wake();
    },
    async wait(ms) {
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
        if (hasRung) wake();
      });
      hasRung = false;
    }
  };
}

// src/inboxes/consume.ts
var POLL_MS = 250;
var PAUSE_MS = 1e3;
var UNTOLD = { max: 1e3, ttl: 24 * 60 * 60 * 1e3 };
var HANDLED2 = { state: "handled" };
var RETURNED = { state: "returned", delayMs: 0 };
function consume(shelf, process3, options, leaseMs) {
  const jobs = /* @__PURE__ */ new Map();
  const untold = new I(UNTOLD);
  const bell = createBell();
  const halt = new AbortController();
  async function loop() {
    while (!halt.signal.aborted) {
      try {
        for (const claimed of await claim()) await (halt.signal.aborted ? giveBack(claimed) : start3(claimed));
        await bell.wait(POLL_MS);
      } catch (error) {
        options.onError(error);
        await pause(PAUSE_MS, halt.signal);
      }
    }
  }
  async function claim() {
    const hands = options.concurrency - jobs.size;
    if (hands === 0) return [];
    const handsByTopic = new Map(Object.entries(options.concurrencyByTopic));
    for (const { delivery } of jobs.keys()) {
      const limit = handsByTopic.get(delivery.topic);
      if (limit !== void 0) handsByTopic.set(delivery.topic, limit - 1);
    }
    return shelf.claim({ hands, handsByTopic });
  }
  function start3(claimed) {
    const controller = new AbortController();
    const ended = handle(claimed, controller.signal).finally(() => {
      jobs.delete(claimed);
      bell.ring();
    });
    jobs.set(claimed, { controller, ended });
  }
  async function handle(claimed, signal) {
    const { id } = claimed.delivery;
    const end = untold.has(id) ? HANDLED2 : await endOf(claimed, signal);
    if (end === HANDLED2 && !signal.aborted) untold.set(id, true);
    while (!signal.aborted) {
      try {
        if (await shelf.settle(claimed, end)) untold.delete(id);
        if (end === RETURNED) await pause(PAUSE_MS, halt.signal);
        return;
      } catch (error) {
        options.onError(error);
        await pause(PAUSE_MS, signal);
      }
    }
  }
  async function endOf(claimed, signal) {
    const { delivery, attempt } = claimed;
    const error = whyHopeless(claimed);
    if (error) {
      options.onError(new Error(`${delivery.topic}: ${error.code}. ${error.message} It is a dead letter now.`));
      return { state: "dead", error, attempts: error === WORKER_LOST ? attempt - 1 : attempt };
    }
    try {
      await process3(delivery, { number: attempt, signal });
      return HANDLED2;
    } catch (thrown) {
      const { retryable, excused, ...error2 } = failureOf(thrown);
      if (error2.code === "SHUTTING_DOWN") return RETURNED;
      if (excused) return { state: "returned", delayMs: options.delayMs(attempt) };
      if (!retryable || attempt >= options.attempts) return { state: "dead", error: error2, attempts: attempt };
      return { state: "failed", delayMs: options.delayMs(attempt) };
    }
  }
  function whyHopeless({ attempt, isDamaged, isLost }) {
    if (isDamaged) return BODY_DAMAGED;
    return isLost && attempt > options.attempts ? WORKER_LOST : void 0;
  }
  async function renew() {
    const renewed = [...jobs].map(async ([claimed, { controller }]) => {
      if (!await shelf.renew(claimed)) controller.abort(new Error("The delivery was lost to another worker."));
    });
    await Promise.all(renewed).catch(options.onError);
  }
  async function giveBack(claimed) {
    await shelf.settle(claimed, RETURNED).catch(options.onError);
  }
  const looping = loop();
  const renewal = setInterval(renew, leaseMs / 3);
  return {
    look: bell.ring,
    async stop({ timeoutMs } = {}) {
      halt.abort();
      bell.ring();
      const drained = looping.then(() => Promise.all([...jobs.values()].map(({ ended }) => ended)));
      await (timeoutMs === void 0 ? drained : atMost(drained, timeoutMs));
      clearInterval(renewal);
      const rest = [...jobs];
      for (const [, { controller }] of rest) controller.abort(new Error("The worker was stopped."));
      await Promise.all([looping, ...rest.map(([claimed]) => giveBack(claimed))]);
    }
  };
}
async function atMost(promise, ms) {
  const timer = new AbortController();
  await Promise.race([promise, pause(ms, timer.signal)]);
  timer.abort();
}
function pause(ms, signal) {
  return sleep(ms, void 0, { signal }).catch(() => {
  });
}

// src/inboxes/inbox-on.ts
function inboxOn(shelf, leaseMs) {
  const consumers = /* @__PURE__ */ new Set();
  let closed;
  const look = () => {
    for (const consumer of consumers) consumer.look();
  };
  return {
    async put(delivery) {
      if (closed) throw new Error("The inbox is closed.");
      const kept = await shelf.put(delivery);
      if (kept === "stored") look();
      return kept;
    },
    consume(process3, options) {
      const consumer = consume(shelf, process3, options, leaseMs);
      consumers.add(consumer);
      return {
        async stop(patience) {
          await consumer.stop(patience);
          consumers.delete(consumer);
        }
      };
    },
    deadLetters: deadLettersOf(shelf, look),
    statistics: () => shelf.statistics(),
    close() {
      closed ??= Promise.all([...consumers].map((consumer) => consumer.stop({ timeoutMs: 0 }))).then(
        () => shelf.close()
      );
      return closed;
    }
  };
}
function deadLettersOf(shelf, look) {
  async function* pages(filter) {
    let page = await shelf.dead(filter, void 0);
    while (page.length > 0) {
      yield page;
      page = await shelf.dead(filter, page.at(-1));
    }
  }
  async function each(which, act) {
    if (typeof which === "string") return Number(await act(which));
    const now = /* @__PURE__ */ new Date();
    const failedUntil = which.failedUntil && which.failedUntil < now ? which.failedUntil : now;
    let count = 0;
    for await (const page of pages({ ...which, failedUntil })) {
      const acted = await Promise.all(page.map(({ id }) => act(id)));
      count += acted.filter(Boolean).length;
    }
    return count;
  }
  return {
    async *list(filter = {}) {
      for await (const page of pages(filter)) yield* page;
    },
    get: (id) => shelf.letter(id),
    async retry(which) {
      const count = await each(which, (id) => shelf.revive(id));
      if (count > 0) look();
      return count;
    },
    discard: (which) => each(which, (id) => shelf.discard(id))
  };
}

// src/inboxes/bullmq.ts
function createBullmqInbox(options) {
  const { redis, postgres, name = "hooklayer", putTimeoutMs = 2500, ...rest } = options;
  const limits = limitsOf("createBullmqInbox", rest, ["retentionMs", "maxQueued", "leaseMs"]);
  check(options);
  const { engine, safely, close } = createConnection(() => openEngine({ redis, postgres, name, ...limits }));
  const shelf = createBullmqShelf(engine, limits);
  const safe = {
    put: safely((delivery) => within(shelf.put(delivery), putTimeoutMs, tooLate)),
    claim: safely(shelf.claim),
    renew: safely(shelf.renew),
    settle: safely(shelf.settle),
    dead: safely(shelf.dead),
    letter: safely(shelf.letter),
    revive: safely(shelf.revive),
    discard: safely(shelf.discard),
    statistics: safely(shelf.statistics),
    close
  };
  return inboxOn(safe, limits.leaseMs);
}
function check({ redis, postgres, name = "hooklayer", putTimeoutMs = 1 }) {
  if (redis === void 0 === (postgres === void 0)) {
    throw new TypeError("createBullmqInbox needs either `redis` or `postgres`.");
  }
  if (typeof name !== "string" || !/^[\w.-]+$/.test(name)) {
    throw new TypeError("createBullmqInbox: `name` must be of letters, digits, `_`, `.` and `-`.");
  }
  checkValue("createBullmqInbox", "putTimeoutMs", putTimeoutMs);
}
function tooLate() {
  return new Error("There was no answer within `putTimeoutMs`.");
}

// src/sqlite/open.ts
import { createRequire } from "node:module";
function prepare(database, sql) {
  return database.prepare(sql);
}
var BUSY_TIMEOUT_MS = 2e3;
function openDatabase(location, tables, { keepsSettings = false } = {}) {
  const { file, database: given } = location;
  if (given ? typeof given.prepare !== "function" || typeof given.exec !== "function" : !isPath(file)) {
    throw new TypeError("SQLite needs `file`, the path of a database, or `database`, one that is open.");
  }
  if (given) {
    if (keepsSettings) given.exec(tables);
    else setUp(given, tables);
    return { database: given, close: () => {
    } };
  }
  const database = openFile(String(file));
  try {
    setUp(database, tables);
    check2(database);
  } catch (cause) {
    database.close();
    throw unusable(String(file), cause);
  }
  return { database, close: () => database.close() };
}
function openFile(file) {
  const Database = findDatabase();
  try {
    return new Database(file);
  } catch (cause) {
    throw unusable(file, cause);
  }
}
function unusable(file, cause) {
  return new Error(
    `The SQLite database ${file} cannot be used. Its folder must exist, be writable, have room and be on a disk of this machine; and the file must be a database that is whole, or not be there yet. If it is damaged, move it away, and have \`sqlite3 <file> .recover\` read what is left of it.`,
    { cause }
  );
}
function isPath(file) {
  return typeof file === "string" && file !== "" && file !== ":memory:";
}
function setUp(database, tables) {
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  const { journal_mode: mode } = patiently(() => prepare(database, "PRAGMA journal_mode = WAL").get());
  if (mode !== "wal")
    throw new Error(
      `The SQLite database must be a file on a disk of this machine: its journal mode is '${mode}', not WAL.`
    );
  database.exec(`PRAGMA synchronous = FULL; BEGIN IMMEDIATE; ${tables}; COMMIT`);
}
function check2(database) {
  const names = prepare(
    database,
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB 'hooklayer*'"
  ).all();
  for (const { name } of names) {
    const { integrity_check: found } = prepare(database, `PRAGMA integrity_check("${name}")`).get();
    if (found !== "ok") throw new Error(`The SQLite database is damaged: ${found}`);
    database.exec(`DELETE FROM "${name}" WHERE false`);
  }
}
function patiently(act) {
  const end = performance.now() + BUSY_TIMEOUT_MS;
  for (; ; ) {
    try {
      return act();
    } catch (error) {
      if (!String(error).includes("locked") || performance.now() > end) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}
function findDatabase() {
  const builtin = process.getBuiltinModule("node:sqlite");
  if (builtin) return builtin.DatabaseSync;
  const require2 = createRequire(typeof __filename === "string" ? __filename : import.meta.url);
  for (const name of ["better-sqlite3", "libsql"]) {
    try {
      return require2(name);
    } catch (error) {
      if (error.code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  throw new Error("There is no SQLite here: install `better-sqlite3` or `libsql`, or run on Node 22.13 or later.");
}

// src/sqlite/transaction.ts
function inTransaction(database, work) {
  return within2(database, work, { begin: "BEGIN IMMEDIATE", commit: "COMMIT", rollBack: "ROLLBACK" });
}
function inSavepoint(database, work) {
  return within2(database, work, {
    begin: "SAVEPOINT hooklayer",
    commit: "RELEASE hooklayer",
    rollBack: "ROLLBACK TO hooklayer; RELEASE hooklayer"
  });
}
function within2(database, work, { begin, commit, rollBack }) {
  database.exec(begin);
  try {
    const result = work();
    database.exec(commit);
    return result;
  } catch (error) {
    try {
      database.exec(rollBack);
    } catch {
    }
    throw error;
  }
}

// src/inboxes/group-commit.ts
var TURN_MS = 10;
function createGroupCommit(database) {
  const queue = [];
  function turn() {
    const batch = [];
    const runBatch = () => {
      const results = [];
      const end = performance.now() + TURN_MS;
      while (queue.length > 0 && performance.now() < end) {
        batch.push(...queue.splice(0, 1));
        results.push(batch.at(-1)?.work());
      }
      return results;
    };
    try {
      const results = inTransaction(database, runBatch);
      for (const [at2, { resolve }] of batch.entries()) resolve(results[at2]);
    } catch (error) {
      if (batch.length > 1) for (const write2 of batch) runAlone(write2);
      else for (const { reject } of batch.length === 1 ? batch : queue.splice(0)) reject(error);
    }
    if (queue.length > 0) setImmediate(turn);
  }
  function runAlone({ work, resolve, reject }) {
    try {
      resolve(inTransaction(database, work));
    } catch (error) {
      reject(error);
    }
  }
  return {
    write(work) {
      return new Promise((resolve, reject) => {
        if (queue.length === 0) setImmediate(turn);
        queue.push({ work, resolve, reject });
      });
    },
    flush() {
      while (queue.length > 0) turn();
    }
  };
}

// src/inboxes/sqlite-rows.ts
function keptIn2({ id, topic, received_at, grp, body }) {
  const packed = body ? Buffer.from(body) : Buffer.alloc(0);
  const whole = unpack(packed);
  const receivedAt = new Date(received_at);
  const delivery = { id, topic, body: whole ?? packed, receivedAt, group: grp ?? void 0 };
  return { delivery, isDamaged: whole === void 0 };
}
function letterOf2({ id, topic, received_at, due_at, attempts: attempts2, code, message }) {
  const receivedAt = new Date(received_at);
  return { id, topic, receivedAt, failedAt: new Date(due_at), attempts: attempts2, error: { code, message } };
}
function deadLetterOf(sql, id) {
  const row = sql.letter.get(id);
  return row && { ...letterOf2(row), delivery: keptIn2(row).delivery };
}
function deadLettersOf2(sql, filter, last) {
  const { topic = null, code = null } = filter;
  const since = filter.failedSince?.getTime() ?? 0;
  const until = filter.failedUntil?.getTime() ?? Number.MAX_SAFE_INTEGER;
  const rows = sql.dead.all(since, until, last?.failedAt.getTime() ?? 0, last?.id ?? "", topic, code);
  return rows.map((row) => letterOf2(row));
}
function statisticsOf2(sql) {
  const now = Date.now();
  const { queued, running, failed, dead, oldest } = sql.statistics.get(now, now, now);
  return { queued, running, failed, dead, oldest: oldest === null ? void 0 : new Date(oldest) };
}

// src/inboxes/sqlite-statements.ts
var TABLES = `
  CREATE TABLE IF NOT EXISTS hooklayer_deliveries (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    topic TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    grp TEXT,
    state INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    token TEXT,
    code TEXT,
    message TEXT
  ) STRICT;
  CREATE TABLE IF NOT EXISTS hooklayer_bodies (seq INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS hooklayer_open ON hooklayer_deliveries (topic, due_at, seq) WHERE state = 0;
  CREATE UNIQUE INDEX IF NOT EXISTS hooklayer_first ON hooklayer_deliveries (grp) WHERE state = 0 AND grp IS NOT NULL;
  CREATE INDEX IF NOT EXISTS hooklayer_behind ON hooklayer_deliveries (grp, seq) WHERE state = 1;
  CREATE INDEX IF NOT EXISTS hooklayer_dead ON hooklayer_deliveries (due_at, id) WHERE state = 2;
  CREATE INDEX IF NOT EXISTS hooklayer_done ON hooklayer_deliveries (due_at) WHERE state = 3`;
var HELD = "WHERE id = ? AND token = ? AND state = 0";
var LAST = "(SELECT max(seq) FROM hooklayer_deliveries)";
var STATEMENTS = {
  insert: `INSERT INTO hooklayer_deliveries (id, topic, received_at, grp, due_at, state)
    VALUES (?, ?, ?, ?, ?, (SELECT count(*) FROM hooklayer_deliveries WHERE grp = ? AND state = 0))
    ON CONFLICT (id) DO NOTHING`,
  insertBody: "INSERT INTO hooklayer_bodies VALUES (?, ?)",
  isKnown: "SELECT 1 FROM hooklayer_deliveries WHERE id = ? AND (state < 3 OR due_at > ?)",
  forget: "DELETE FROM hooklayer_deliveries WHERE id = ? AND state = 3 AND due_at <= ?",
  sweep: `DELETE FROM hooklayer_deliveries
    WHERE seq IN (SELECT seq FROM hooklayer_deliveries WHERE state = 3 AND due_at <= ? LIMIT 2)`,
  countOpen: `SELECT (SELECT count(*) FROM hooklayer_deliveries WHERE state = 0)
    + (SELECT count(*) FROM hooklayer_deliveries WHERE state = 1) AS open`,
  // The oldest of each topic that has a hand left, and of those the oldest: what waits for a hand is not walked over. A body that is not
  // to be found any more keeps nobody from it: it would be the oldest for ever, and hold up all others.
  next: `WITH RECURSIVE topics (topic) AS (
      SELECT min(topic) FROM hooklayer_deliveries WHERE state = 0
      UNION ALL
      SELECT (SELECT min(topic) FROM hooklayer_deliveries WHERE state = 0 AND topic > topics.topic)
      FROM topics WHERE topic IS NOT NULL
    ), oldest (seq) AS (
      SELECT (SELECT seq FROM hooklayer_deliveries WHERE state = 0 AND topic = topics.topic AND due_at <= ?
        ORDER BY due_at, seq LIMIT 1)
      FROM topics WHERE topic NOT IN (SELECT value FROM json_each(?))
    )
    SELECT seq, id, topic, received_at, grp, attempts, token, body
    FROM hooklayer_deliveries LEFT JOIN hooklayer_bodies USING (seq)
    WHERE seq = (SELECT seq FROM oldest JOIN hooklayer_deliveries USING (seq) ORDER BY due_at, seq LIMIT 1)`,
  take: "UPDATE hooklayer_deliveries SET token = ?, due_at = ?, attempts = attempts + 1 WHERE seq = ?",
  renew: `UPDATE hooklayer_deliveries SET due_at = ? ${HELD}`,
  failed: `UPDATE hooklayer_deliveries SET due_at = ?, token = NULL ${HELD}`,
  returned: `UPDATE hooklayer_deliveries SET due_at = ?, token = NULL, attempts = attempts - 1 ${HELD}`,
  handled: `UPDATE hooklayer_deliveries SET state = 3, due_at = ?, token = NULL ${HELD} RETURNING seq, grp`,
  died: `UPDATE hooklayer_deliveries SET state = 2, due_at = ?, attempts = ?, token = NULL, code = ?, message = ? ${HELD}
    RETURNING seq, grp`,
  advance: `UPDATE hooklayer_deliveries SET state = 0
    WHERE seq = (SELECT min(seq) FROM hooklayer_deliveries WHERE state = 1 AND grp = ?)`,
  dead: `SELECT id, topic, received_at, due_at, attempts, code, message FROM hooklayer_deliveries
    WHERE state = 2 AND due_at BETWEEN ? AND ? AND (due_at, id) > (?, ?)
    AND topic = coalesce(?, topic) AND code = coalesce(?, code) ORDER BY due_at, id LIMIT 100`,
  letter: `SELECT seq, id, topic, received_at, grp, due_at, attempts, code, message, body
    FROM hooklayer_deliveries LEFT JOIN hooklayer_bodies USING (seq) WHERE id = ? AND state = 2`,
  revive: `UPDATE hooklayer_deliveries AS one
    SET due_at = ?, attempts = 0, code = NULL, message = NULL, seq = ${LAST} + 1,
      state = (SELECT count(*) FROM hooklayer_deliveries AS first WHERE first.grp = one.grp AND first.state = 0)
    WHERE id = ? AND state = 2`,
  moveBody: `UPDATE hooklayer_bodies SET seq = ${LAST} WHERE seq = ?`,
  discard: "UPDATE hooklayer_deliveries SET state = 3, due_at = ?, code = NULL, message = NULL WHERE seq = ?",
  seqOfDead: "SELECT seq FROM hooklayer_deliveries WHERE id = ? AND state = 2",
  dropBody: "DELETE FROM hooklayer_bodies WHERE seq = ?",
  statistics: `SELECT
      count(*) FILTER (WHERE state = 1 OR due_at <= ?) AS queued,
      count(*) FILTER (WHERE state = 0 AND due_at > ? AND token IS NOT NULL) AS running,
      count(*) FILTER (WHERE state = 0 AND due_at > ? AND token IS NULL) AS failed,
      (SELECT count(*) FROM hooklayer_deliveries WHERE state = 2) AS dead,
      min(received_at) AS oldest
    FROM (
      SELECT state, due_at, token, received_at FROM hooklayer_deliveries WHERE state = 0
      UNION ALL SELECT state, due_at, token, received_at FROM hooklayer_deliveries WHERE state = 1
    )`
};
function prepareStatements(database) {
  const prepared = Object.entries(STATEMENTS).map(([name, sql]) => [name, prepare(database, sql)]);
  return Object.fromEntries(prepared);
}

// src/inboxes/sqlite-shelf.ts
function createSqliteShelf({ database, close }, limits) {
  const { leaseMs, retentionMs } = limits;
  const sql = prepareStatements(database);
  const { write: write2, flush } = createGroupCommit(database);
  const room = createRoom2(sql, limits.maxQueued);
  function put2({ id, topic, receivedAt, group }, packed) {
    const now = Date.now();
    if (!room.isLeft()) return sql.isKnown.get(id, now) ? "duplicate" : "full";
    const grp = group ?? null;
    const insert = () => sql.insert.run(id, topic, receivedAt.getTime(), grp, now, grp);
    let inserted = insert();
    if (inserted.changes === 0 && sql.forget.run(id, now).changes > 0) inserted = insert();
    if (inserted.changes === 0) return "duplicate";
    sql.insertBody.run(inserted.lastInsertRowid, packed);
    room.take();
    return "stored";
  }
  function claim({ hands, handsByTopic }) {
    const claimed = [];
    const left = new Map(handsByTopic);
    while (claimed.length < hands) {
      const now = Date.now();
      const busy = [...left].flatMap(([topic2, hands2]) => hands2 === 0 ? topic2 : []);
      const row = sql.next.get(now, JSON.stringify(busy));
      if (!row) break;
      const { seq, topic } = row;
      const token = crypto.randomUUID();
      sql.take.run(token, now + leaseMs, seq);
      left.set(topic, (left.get(topic) ?? hands) - 1);
      claimed.push({ token, attempt: row.attempts + 1, isLost: row.token !== null, ...keptIn2(row) });
    }
    return claimed;
  }
  function settle({ token, delivery: { id } }, outcome) {
    const now = Date.now();
    if (outcome.state === "returned") return sql.returned.run(now + outcome.delayMs, id, token).changes > 0;
    if (outcome.state === "failed") return sql.failed.run(now + outcome.delayMs, id, token).changes > 0;
    if (outcome.state === "dead") {
      const { error, attempts: attempts2 } = outcome;
      return end(sql.died.get(now, attempts2, error.code, error.message, id, token)) !== void 0;
    }
    const seq = end(sql.handled.get(now + retentionMs, id, token));
    if (seq !== void 0) remove(seq);
    return seq !== void 0;
  }
  function end(row) {
    if (!row) return void 0;
    const { seq, grp } = row;
    if (grp !== null) sql.advance.run(grp);
    return seq;
  }
  function remove(seq) {
    sql.dropBody.run(seq);
    sql.sweep.run(Date.now());
  }
  function ifDead(id, act) {
    return write2(() => {
      const row = sql.seqOfDead.get(id);
      if (row) act(row.seq);
      return row !== void 0;
    });
  }
  return {
    async put(delivery) {
      const packed = pack(delivery.body);
      return write2(() => put2(delivery, packed));
    },
    claim: (demand) => write2(() => claim(demand)),
    renew: ({ token, delivery }) => write2(() => sql.renew.run(Date.now() + leaseMs, delivery.id, token).changes > 0),
    settle: (claimed, outcome) => write2(() => settle(claimed, outcome)),
    dead: async (filter, last) => deadLettersOf2(sql, filter, last),
    letter: async (id) => deadLetterOf(sql, id),
    revive: (id) => ifDead(id, (seq) => {
      sql.revive.run(Date.now(), id);
      sql.moveBody.run(seq);
    }),
    discard: (id) => ifDead(id, (seq) => {
      sql.discard.run(Date.now() + retentionMs, seq);
      remove(seq);
    }),
    statistics: async () => statisticsOf2(sql),
    async close() {
      flush();
      close();
    }
  };
}
var RECKONED_MS = 1e3;
function createRoom2({ countOpen }, maxQueued) {
  let left = 0;
  let countedAt = 0;
  return {
    isLeft() {
      const now = performance.now();
      if (left > 0 && now - countedAt < RECKONED_MS) return true;
      left = maxQueued - countOpen.get().open;
      countedAt = now;
      return left > 0;
    },
    take() {
      left -= 1;
    }
  };
}

// src/inboxes/sqlite.ts
function createSqliteInbox(options) {
  const { file, database, ...rest } = options;
  const limits = limitsOf("createSqliteInbox", rest, ["retentionMs", "maxQueued", "leaseMs"]);
  const opened = openDatabase(options, TABLES);
  return inboxOn(createSqliteShelf(opened, limits), limits.leaseMs);
}

// src/stores/postgres-statements.ts
var NOW = "clock_timestamp()";
var IN_$3_MS = `${NOW} + $3::double precision * interval '1 millisecond'`;
var ABANDONED = "interval '1 day'";
var MIGRATION_LOCK = 4872066519031;
var MAX_NAME_BYTES = 63 - "_versions_expires_at".length;
function statementsFor(table) {
  const parts = table.split(".");
  const isUsable = parts.every((part) => part && !part.includes("\0") && bytesOf2(part) <= MAX_NAME_BYTES);
  if (parts.length > 2 || !isUsable) {
    throw new TypeError(
      `\`table\` is not \`name\` or \`schema.name\` with up to ${MAX_NAME_BYTES} bytes each: ${table}`
    );
  }
  const claims = parts.map(quoted2).join(".");
  const versions = [...parts.slice(0, -1), `${parts.at(-1)}_versions`].map(quoted2).join(".");
  const schema = schemaOf(claims, versions, parts.at(-1) ?? "");
  return {
    schema,
    migrate: `do ${literal(`begin perform pg_advisory_xact_lock(${MIGRATION_LOCK});
${schema} end`)}`,
    reserve: reserveIn(claims, versions),
    renew: `
update ${claims} set
  leased_until = ${IN_$3_MS}, expires_at = ${IN_$3_MS} + ${ABANDONED}, done = done || $4::text::jsonb
where key = $1 and token = $2
returning key`,
    complete: completeIn(claims, versions),
    release: `
update ${claims} set
  token = null, leased_until = ${NOW}, expires_at = ${IN_$3_MS}, done = done || $4::text::jsonb
where key = $1 and token = $2
returning key`,
    sweep: `
with swept as (${sweepOf(claims, "key")})
${sweepOf(versions, "resource")}`
  };
}
function schemaOf(claims, versions, name) {
  return `create table if not exists ${claims} (
  key text primary key,
  token text,
  leased_until timestamptz not null,
  completed boolean not null default false,
  done jsonb not null default '{}',
  expires_at timestamptz not null
);
create index if not exists ${quoted2(`${name}_expires_at`)} on ${claims} (expires_at);
create table if not exists ${versions} (
  resource text primary key,
  updated_at text collate "C" not null,
  expires_at timestamptz not null
);
create index if not exists ${quoted2(`${name}_versions_expires_at`)} on ${versions} (expires_at);
`;
}
function reserveIn(claims, versions) {
  return `
with attempt as (
  insert into ${claims} as claim (key, token, leased_until, expires_at)
  values ($1, $2, ${IN_$3_MS}, ${IN_$3_MS} + ${ABANDONED})
  on conflict (key) do update set
    token = excluded.token,
    leased_until = ${IN_$3_MS},
    completed = false,
    done = case when claim.expires_at > ${NOW} then claim.done else '{}' end,
    expires_at = ${IN_$3_MS} + ${ABANDONED}
  where claim.expires_at <= ${NOW} or not (claim.completed or claim.leased_until > ${NOW})
  returning done
)
select
  (select done::text from attempt) as done,
  exists (select from ${claims} where key = $1 and completed and expires_at > ${NOW}) as completed,
  exists (
    select from ${versions} where resource = $4::text and updated_at > $5::text and expires_at > ${NOW}
  ) as stale`;
}
function completeIn(claims, versions) {
  return `
with completed as (
  update ${claims} set token = null, completed = true, done = '{}', expires_at = ${IN_$3_MS}
  where key = $1 and token = $2
  returning key
), remembered as (
  insert into ${versions} as version (resource, updated_at, expires_at)
  select $4::text, $5::text, ${IN_$3_MS} from completed where $4::text is not null
  on conflict (resource) do update set updated_at = excluded.updated_at, expires_at = excluded.expires_at
  where version.updated_at <= excluded.updated_at or version.expires_at <= ${NOW}
)
select key from completed`;
}
function sweepOf(table, key) {
  return `delete from ${table} where ${key} = any (array(
  select ${key} from ${table} where expires_at <= now() order by expires_at limit $1::integer for update skip locked
))`;
}
function quoted2(name) {
  return `"${name.replaceAll('"', '""')}"`;
}
function literal(text) {
  return `'${text.replaceAll("'", "''")}'`;
}
function bytesOf2(text) {
  return new TextEncoder().encode(text).length;
}

// src/stores/postgres.ts
var SWEEP_EVERY = 100;
var SWEEP_ROWS = 500;
function createPostgresStore({ client, table = "hooklayer" }) {
  if (typeof client?.query !== "function") throw new TypeError("`client` has no method `query`.");
  const statements = statementsFor(table);
  const isHeld = async (text, values) => (await client.query(text, values)).rows.length > 0;
  return {
    schema: statements.schema,
    async migrate() {
      await client.query(statements.migrate);
    },
    async reserve(key, { leaseMs, version }) {
      if (Math.random() * SWEEP_EVERY < 1) await client.query(statements.sweep, [SWEEP_ROWS]);
      const token = crypto.randomUUID();
      const values = [key, token, leaseMs, version?.resource ?? null, version?.updatedAt ?? null];
      const { rows } = await client.query(statements.reserve, values);
      return reservation(rows[0], token);
    },
    renew: (key, token, { leaseMs, done }) => isHeld(statements.renew, [key, token, leaseMs, setOf(done)]),
    complete: (key, token, { retentionMs, version }) => isHeld(statements.complete, [key, token, retentionMs, version?.resource ?? null, version?.updatedAt ?? null]),
    release: (key, token, { done, retentionMs }) => isHeld(statements.release, [key, token, retentionMs, setOf(done)])
  };
}
function reservation({ done, completed, stale }, token) {
  if (done !== null) return { state: "reserved", token, done: Object.keys(JSON.parse(done)), stale };
  return { state: completed ? "completed" : "in progress" };
}
function setOf(names) {
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, 1])));
}

// src/stores/redis-client.ts
function scriptsOf(client) {
  const { bySha, byText } = callsOf(client);
  const digests = /* @__PURE__ */ new Map();
  return async (script, keys, values) => {
    const digest = digests.get(script) ?? sha1(script);
    digests.set(script, digest);
    try {
      return await bySha(await digest, keys, values);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
      return byText(script, keys, values);
    }
  };
}
function callsOf(client) {
  if (has(client, "evalSha")) {
    return {
      bySha: (digest, keys, values) => client.evalSha(digest, { keys: [...keys], arguments: [...values] }),
      byText: (script, keys, values) => client.eval(script, { keys: [...keys], arguments: [...values] })
    };
  }
  if (has(client, "evalsha")) {
    return {
      bySha: (digest, keys, values) => client.evalsha(digest, keys.length, ...keys, ...values),
      byText: (script, keys, values) => client.eval(script, keys.length, ...keys, ...values)
    };
  }
  throw new TypeError("`client` is neither a client of `redis` nor of `ioredis`.");
}
function has(client, name) {
  return typeof client?.[name] === "function";
}
async function sha1(text) {
  const digest = await crypto.subtle.digest("SHA-1", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// src/stores/redis-scripts.ts
var NOW2 = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;
var UNLESS_HELD = `
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
`;
var RESERVE = `${NOW2}
local before = redis.call('HMGET', KEYS[1], 'completed', 'leased_until')
if before[1] then return {'completed'} end
if before[2] and tonumber(before[2]) > now then return {'in progress'} end
redis.call('HSET', KEYS[1], 'token', ARGV[1], 'leased_until', now + ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2] + ARGV[3])
local known = KEYS[2] and redis.call('GET', KEYS[2])
local reply = {'reserved', known and known > ARGV[4] and 'stale' or 'fresh'}
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, 5) == 'done:' then table.insert(reply, string.sub(field, 6)) end
end
return reply`;
var RENEW = `${UNLESS_HELD}${NOW2}
redis.call('HSET', KEYS[1], 'leased_until', now + ARGV[2])
for i = 4, #ARGV do redis.call('HSET', KEYS[1], 'done:' .. ARGV[i], '') end
redis.call('PEXPIRE', KEYS[1], ARGV[2] + ARGV[3])
return 1`;
var COMPLETE = `${UNLESS_HELD}
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'completed', '1')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if KEYS[2] then
  local known = redis.call('GET', KEYS[2])
  if not known or known <= ARGV[3] then redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[2]) end
end
return 1`;
var RELEASE = `${UNLESS_HELD}
redis.call('HDEL', KEYS[1], 'token', 'leased_until')
for i = 3, #ARGV do redis.call('HSET', KEYS[1], 'done:' .. ARGV[i], '') end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`;

// src/stores/redis.ts
var DAY_MS = String(24 * 60 * 60 * 1e3);
function createRedisStore({ client, prefix = "hooklayer:" }) {
  const run = scriptsOf(client);
  const keysOf = (key, token) => {
    const place = `${prefix}${placeIn(token)}`;
    return { claim: `${place}claim:${key}`, version: `${place}version` };
  };
  const isHeld = async (reply) => Number(await reply) === 1;
  return {
    async reserve(key, { leaseMs, version }) {
      const token = `${crypto.randomUUID()} ${placeOf(version)}`;
      const keys = keysOf(key, token);
      const values = [token, String(leaseMs), DAY_MS, ...version ? [version.updatedAt] : []];
      return reservation2(await run(RESERVE, version ? [keys.claim, keys.version] : [keys.claim], values), token);
    },
    renew(key, token, { leaseMs, done }) {
      return isHeld(run(RENEW, [keysOf(key, token).claim], [token, String(leaseMs), DAY_MS, ...done]));
    },
    complete(key, token, { retentionMs, version }) {
      const keys = keysOf(key, token);
      const isSame = version && placeIn(token) === placeOf(version);
      const values = [token, String(retentionMs), ...isSame ? [version.updatedAt] : []];
      return isHeld(run(COMPLETE, isSame ? [keys.claim, keys.version] : [keys.claim], values));
    },
    release(key, token, { done, retentionMs }) {
      return isHeld(run(RELEASE, [keysOf(key, token).claim], [token, String(retentionMs), ...done]));
    }
  };
}
function placeOf(version) {
  return version ? `{${version.resource.replace(/[%{}]/g, encodeURIComponent)}}` : "";
}
function placeIn(token) {
  return token.slice(token.indexOf(" ") + 1);
}
function reservation2(reply, token) {
  const [state, age, ...done] = reply.map(String);
  if (state === "reserved") return { state, token, done, stale: age === "stale" };
  return { state: state === "completed" ? state : "in progress" };
}

// src/stores/sqlite-statements.ts
var DAY_MS2 = 24 * 60 * 60 * 1e3;
var SWEEP_ROWS2 = 500;
var NOW3 = "cast(round(unixepoch('subsec') * 1000) as integer)";
var TABLES2 = `
create table if not exists hooklayer (
  key text primary key,
  token text,
  leased_until integer not null,
  completed integer not null default 0,
  done text not null default '{}',
  expires_at integer not null
) without rowid;
create index if not exists hooklayer_expires_at on hooklayer (expires_at);
create table if not exists hooklayer_versions (
  resource text primary key,
  updated_at text not null,
  expires_at integer not null
) without rowid;
create index if not exists hooklayer_versions_expires_at on hooklayer_versions (expires_at);
`;
var RESERVE2 = `
insert into hooklayer as claim (key, token, leased_until, expires_at)
values (?, ?, ${NOW3} + ?, ${NOW3} + ?)
on conflict (key) do update set
  token = excluded.token,
  leased_until = excluded.leased_until,
  completed = 0,
  done = case when claim.expires_at > ${NOW3} then claim.done else '{}' end,
  expires_at = excluded.expires_at
where claim.expires_at <= ${NOW3} or not (claim.completed or claim.leased_until > ${NOW3})
returning done`;
var RENEW2 = `
update hooklayer set
  leased_until = ${NOW3} + ?, expires_at = ${NOW3} + ?, done = json_patch(done, ?)
where key = ? and token = ?`;
var COMPLETE2 = `
update hooklayer set token = null, completed = 1, done = '{}', expires_at = ${NOW3} + ?
where key = ? and token = ?`;
var REMEMBER = `
insert into hooklayer_versions as version (resource, updated_at, expires_at)
values (?, ?, ${NOW3} + ?)
on conflict (resource) do update set updated_at = excluded.updated_at, expires_at = excluded.expires_at
where version.updated_at <= excluded.updated_at or version.expires_at <= ${NOW3}`;
var RELEASE2 = `
update hooklayer set token = null, leased_until = ${NOW3}, expires_at = ${NOW3} + ?, done = json_patch(done, ?)
where key = ? and token = ?`;
var IS_COMPLETED = `select 1 from hooklayer where key = ? and completed and expires_at > ${NOW3}`;
var IS_STALE = `select 1 from hooklayer_versions where resource = ? and updated_at > ? and expires_at > ${NOW3}`;
function prepareStatements2(database, isOwn) {
  const reserve = prepare(database, RESERVE2);
  const renew = prepare(database, RENEW2);
  const complete = prepare(database, COMPLETE2);
  const remember2 = prepare(database, REMEMBER);
  const release = prepare(database, RELEASE2);
  const isCompleted = prepare(database, IS_COMPLETED);
  const isStale = prepare(database, IS_STALE);
  const sweeps = [sweepOf2("hooklayer", "key"), sweepOf2("hooklayer_versions", "resource")].map(
    (sql) => prepare(database, sql)
  );
  const together = isOwn ? inTransaction : inSavepoint;
  return {
    reserve: (key, token, leaseMs) => together(database, () => {
      const [row] = reserve.all(key, token, leaseMs, leaseMs + DAY_MS2);
      return row && Object.keys(JSON.parse(row.done));
    }),
    isCompleted: (key) => isCompleted.get(key) !== void 0,
    isStale: ({ resource, updatedAt }) => isStale.get(resource, updatedAt) !== void 0,
    renew: (key, token, leaseMs, done) => together(database, () => renew.run(leaseMs, leaseMs + DAY_MS2, setOf2(done), key, token).changes > 0),
    complete: (key, token, retentionMs, version) => together(database, () => {
      const isHeld = complete.run(retentionMs, key, token).changes > 0;
      if (isHeld && version) remember2.run(version.resource, version.updatedAt, retentionMs);
      return isHeld;
    }),
    release: (key, token, retentionMs, done) => together(database, () => release.run(retentionMs, setOf2(done), key, token).changes > 0),
    sweep: () => together(database, () => {
      for (const sweep of sweeps) sweep.run();
    })
  };
}
function sweepOf2(table, key) {
  return `delete from ${table} where ${key} in (
  select ${key} from ${table} where expires_at <= ${NOW3} order by expires_at limit ${SWEEP_ROWS2}
)`;
}
function setOf2(names) {
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, 1])));
}

// src/stores/sqlite.ts
var SWEEP_EVERY2 = 100;
function createSqliteStore(options) {
  const { database, close } = openDatabase(options, TABLES2, { keepsSettings: true });
  const statements = prepareStatements2(database, !options.database);
  let isClosed = false;
  function ready() {
    if (isClosed) throw new Error("The SQLite store is closed.");
    return statements;
  }
  return {
    async reserve(key, { leaseMs, version }) {
      const { reserve, isCompleted, isStale, sweep } = ready();
      if (Math.random() * SWEEP_EVERY2 < 1) sweep();
      const token = crypto.randomUUID();
      const claim = () => reserve(key, token, leaseMs);
      const done = options.database ? claim() : withoutWaiting(database, claim);
      if (!done) return { state: isCompleted(key) ? "completed" : "in progress" };
      return { state: "reserved", token, done, stale: version !== void 0 && isStale(version) };
    },
    renew: async (key, token, { leaseMs, done }) => ready().renew(key, token, leaseMs, done),
    complete: async (key, token, { retentionMs, version }) => ready().complete(key, token, retentionMs, version),
    release: async (key, token, { done, retentionMs }) => ready().release(key, token, retentionMs, done),
    async close() {
      if (!isClosed) close();
      isClosed = true;
    }
  };
}
function withoutWaiting(database, work) {
  database.exec("PRAGMA synchronous = NORMAL");
  try {
    return work();
  } finally {
    database.exec("PRAGMA synchronous = FULL");
  }
}

// test/faults/shop/stages.ts
function endAt(last, visit = 1) {
  let visits = 0;
  return (stage) => {
    if (stage === last && ++visits === visit) process.kill(process.pid, "SIGKILL");
  };
}
function toldStore(store2, at2) {
  return {
    ...store2,
    async reserve(key, claim) {
      at2("before reserve");
      const reservation3 = await store2.reserve(key, claim);
      at2("after reserve");
      return reservation3;
    },
    async complete(key, token, completion) {
      at2("before complete");
      const isHeld = await store2.complete(key, token, completion);
      at2("after complete");
      return isHeld;
    }
  };
}
function toldInbox(inbox2, at2) {
  return {
    ...inbox2,
    async put(delivery) {
      at2("before put");
      const kept = await inbox2.put(delivery);
      at2("after put");
      return kept;
    },
    consume(process3, options) {
      const work = async (delivery, attempt) => {
        at2("before the work");
        await process3(delivery, attempt);
        at2("after the work");
      };
      return inbox2.consume(work, options);
    }
  };
}

// test/faults/shop/engines.ts
async function openStore({ engine, place, name = "hooklayer" }, at2) {
  return toldStore(await open[engine](place, name), at2);
}
var open = {
  async sqlite(folder) {
    return createSqliteStore({ file: join(folder, "store.db") });
  },
  async redis(url, name) {
    const { Redis } = await import("ioredis");
    const client = new Redis(url, {
      maxRetriesPerRequest: 1,
      retryStrategy: (times) => Math.min(times * 50, 500),
      socketTimeout: 3e3
    });
    client.on("error", () => {
    });
    return { ...createRedisStore({ client, prefix: `${name}:` }), close: () => client.quit() };
  },
  async postgres(connectionString, name) {
    const { default: pg } = await import("pg");
    const client = new pg.Pool({ connectionString, connectionTimeoutMillis: 1e3, query_timeout: 2e3 });
    client.on("error", () => {
    });
    const store2 = createPostgresStore({ client, table: name });
    await store2.migrate();
    return { ...store2, close: () => client.end() };
  }
};
function openInbox({ engine, place, name = "hooklayer", inbox: inbox2 = {} }, at2) {
  const opened = engine === "sqlite" ? createSqliteInbox({ file: join(place, "deliveries.db"), ...inbox2 }) : createBullmqInbox({ [engine]: place, name, ...inbox2 });
  return toldInbox(opened, at2);
}

// test/faults/shop/fence.ts
import { mkdirSync, symlinkSync } from "node:fs";
import { join as join2 } from "node:path";
function openFence(settings2, at2) {
  return settings2.fence === "file" ? openFolder(settings2) : openTable(settings2, at2);
}
function fenceFolder(effects2) {
  return `${effects2}.fenced`;
}
function openFolder({ effects: effects2 }) {
  const folder = fenceFolder(effects2);
  mkdirSync(folder, { recursive: true });
  return {
    async take(id, number) {
      try {
        symlinkSync(String(number), join2(folder, id));
      } catch (error) {
        if (error.code !== "EEXIST") throw error;
      }
    },
    close: async () => {
    }
  };
}
function openTable({ place, name = "hooklayer" }, at2) {
  const opened = import("pg").then(({ default: pg }) => {
    const pool = new pg.Pool({ connectionString: place });
    pool.on("error", () => {
    });
    return pool;
  });
  return {
    async take(id, number) {
      const client = await (await opened).connect();
      const claims = createPostgresStore({ client, table: `${name}_fence` });
      try {
        await client.query("begin");
        const claim = await claims.reserve(id, { leaseMs: 1e3, version: void 0 });
        if (claim.state === "reserved") {
          await client.query(`insert into ${name}_effects values ($1, $2)`, [id, number]);
          at2("within the transaction");
          await claims.complete(id, claim.token, { retentionMs: 36e5, version: void 0 });
        }
        at2("before the commit");
        await client.query("commit");
        client.release();
      } catch (error) {
        client.release(true);
        throw error;
      }
    },
    async close() {
      await (await opened).end();
    }
  };
}

// test/faults/shop/program.ts
var settings = JSON.parse(process.argv[2] ?? "{}");
var { effects, handlerMs = 0, ignoresSignal, brokenWhile, port } = settings;
var at = endAt(settings.stage, settings.visit);
function numberOf({ resource }) {
  return Number(resource.metadata?.number);
}
function write(what, event) {
  const { id, delivery, topic, resource, stale } = event;
  const line = {
    what,
    event: id,
    delivery: delivery.id,
    topic,
    resource: resource.id,
    updatedAt: String(resource.updated_at),
    number: numberOf(event),
    stale,
    pid: process.pid,
    time: Date.now()
  };
  appendFileSync(effects, `
${JSON.stringify(line)}
`);
}
var store = settings.idempotency && await openStore(settings, at);
var inbox = settings.inbox && openInbox(settings, at);
var fence = settings.fence && openFence(settings, at);
var receiver = createReceiver({
  secrets: settings.secrets,
  ...settings.receiver,
  ...store && { idempotency: { ...settings.idempotency, store } },
  ...inbox && { inbox }
});
receiver.on("*", { name: "effect" }, async (event, { signal }) => {
  write("begin", event);
  at("in the handler");
  if (event.resource.reference === "poison") throw new Error("This one always fails.");
  if (brokenWhile && existsSync(brokenWhile)) throw new Error("Everything fails.");
  if (handlerMs > 0) {
    await sleep2(handlerMs, void 0, ignoresSignal ? {} : { signal }).catch((error) => {
      write("aborted", event);
      throw error;
    });
  }
  await fence?.take(event.id, numberOf(event));
  write("effect", event);
  at("after the effect");
});
var worker = settings.worker && inbox && createWorker({ receiver, inbox, ...settings.worker });
var server = port === void 0 ? void 0 : await listen(port);
process.send?.({ port: server?.address()?.port });
process.on("message", async () => {
  globalThis.gc?.();
  await sleep2(100);
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  process.send?.({ bytes: heapUsed + external });
});
process.once("SIGTERM", async () => {
  server?.close();
  await worker?.stop({ timeoutMs: 8e3 });
  await receiver.close();
  await inbox?.close();
  await store?.close();
  await fence?.close();
  process.disconnect();
});
async function listen(wanted) {
  const listening = createServer(createNodeListener(receiver)).listen(wanted, "127.0.0.1");
  await new Promise((resolve, reject) => listening.once("listening", resolve).once("error", reject));
  return listening;
}
