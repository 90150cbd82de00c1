// Owns what leaves in a response while it is not known whether somebody is signed in or out: nothing. While a deed is
// under way the head and the body wait. If the deed fails, no answer that says success leaves; a page that says what is
// so leaves instead. It decides nothing about sessions.

/**
 * Bytes of a body that wait for the end of a deed. A redirect has some tens; what is larger is no answer to signing
 * out.
 */
const HELD_BYTES_MAX = 1024 * 1024;

/** Statuses from here on say that something was not done. */
const FIRST_OF_ERRORS = 400;

/** Fields that belong to the answer that does not leave, or would make a browser forget its cookie. */
const FIELDS_DROPPED = [
  'accept-ranges',
  'clear-site-data',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-range',
  'content-type',
  'etag',
  'last-modified',
  'location',
  'refresh',
  'set-cookie',
  'trailer',
  'transfer-encoding',
];

const METHODS = ['writeHead', 'write', 'end', 'flushHeaders'];

export class Curtain {
  #res;
  #cookieName;
  #explain;
  #original = {};
  #under = 0;
  /** What has failed, and was not made good since: the error of each deed, the latest last. */
  #failures = new Map();
  /** What was refused meanwhile, and concerns only an answer that did not wait to be told so. */
  #refusal = null;
  /** Undefined until somebody has signed in or out; null where no cookie is concerned. */
  #setCookie = undefined;
  #held = [];
  #heldBytes = 0;
  #head = null;
  #ended = false;
  #dropped = false;

  /** `explain(error)` sends the page that says what is so, at once and by the ordinary means of the response. */
  constructor(res, cookieName, explain) {
    this.#res = res;
    this.#cookieName = cookieName;
    this.#explain = explain;
    for (const method of METHODS) {
      this.#original[method] = res[method];
      res[method] = (...args) => this.#called(method, args);
    }
    res.writeHeader = res.writeHead;
    // What is held back counts as sent for whoever asks, such as an error handler: it cannot be taken back by its
    // sender.
    define(res, 'headersSent', () => this.#head !== null || this.hasLeft);
    define(res, 'writableEnded', () => this.#ended || inherited(res, 'writableEnded'));
  }

  /**
   * The `Set-Cookie` line of ours that goes with the head, and no other of ours; or null for none. Keeps out caches.
   */
  set cookie(line) {
    this.#setCookie = line;
  }

  /** Whether the head is on its way, with the cookie in it. */
  get hasLeft() {
    return inherited(this.#res, 'headersSent');
  }

  /**
   * Holds the response back until this deed is settled. Whoever waits for what is returned goes on after that. If it
   * fails, no answer of success leaves until a deed succeeds that `mends` what failed: `what` says what that is. Where
   * the deed `spares` an error, whoever has waited for it may say so in words of their own, with any status.
   */
  async hold(deed, { what, mends = () => false, spares = () => false }) {
    this.#under += 1;
    try {
      const result = await deed;
      for (const failed of this.#failures.keys()) if (mends(failed)) this.#failures.delete(failed);
      return result;
    } catch (error) {
      if (spares(error)) this.#refusal = error;
      else this.#fails(what, error);
      throw error;
    } finally {
      this.#under -= 1;
      if (this.#under === 0) this.#rise();
    }
  }

  #fails(what, error) {
    this.#failures.delete(what);
    this.#failures.set(what, error);
  }

  get #failure() {
    return [...this.#failures.values()].at(-1) ?? null;
  }

  #called(method, args) {
    if (this.#dropped) return this.#swallow(method, args);
    if (this.#under > 0) return this.#keep(method, args);
    const status = method === 'writeHead' ? args[0] : this.#res.statusCode;
    if (this.#failure !== null && !this.#res.headersSent && status < FIRST_OF_ERRORS) {
      this.#replace();
      return this.#swallow(method, args);
    }
    return method === 'writeHead' ? this.#sendHead(args) : this.#original[method].apply(this.#res, args);
  }

  #keep(method, args) {
    if (this.#ended) return this.#swallow(method, args);
    if (!this.#res.headersSent) this.#head = headOf(this.#res, method === 'writeHead' ? args[0] : undefined);
    const [chunk, encoding] = args;
    if (method === 'write' || method === 'end') this.#heldBytes += sizeOf(chunk, encoding);
    this.#ended = method === 'end';
    if (this.#heldBytes > HELD_BYTES_MAX) this.#held = [];
    else this.#held.push([method, args]);
    // `false` asks a source of many pieces to wait for `drain`.
    return method === 'write' ? false : this.#res;
  }

  /** Nothing is under way any more: what was held back leaves, or the truth does. */
  #rise() {
    const [head, held, ended] = [this.#head, this.#held, this.#ended];
    const tooLarge = this.#heldBytes > HELD_BYTES_MAX;
    // It was begun before it could know.
    if (this.#refusal !== null && (held.length > 0 || tooLarge)) this.#fails(this.#refusal, this.#refusal);
    [this.#head, this.#held, this.#heldBytes, this.#ended, this.#refusal] = [null, [], 0, false, null];
    // A head that had left before says success, and cannot be taken back. An answer that breaks off says nothing.
    if (this.#res.headersSent && (tooLarge || this.#failure !== null)) return this.#res.destroy();
    if (head !== null) restore(this.#res, head);
    if (tooLarge) this.#replace(this.#failure ?? new RangeError('the answer was too large to be held back'));
    else this.#play(held);
    if (held.length > 0 && !ended && !this.#dropped) this.#res.emit('drain');
    return undefined;
  }

  /** What its sender would have been told at once, such as of a status that does not exist, nobody hears now. */
  #play(held) {
    try {
      for (const [method, args] of held) this.#called(method, args);
    } catch (error) {
      if (this.#res.headersSent) this.#res.destroy();
      else this.#replace(error);
    }
  }

  #replace(error = this.#failure) {
    this.#failures.clear();
    for (const name of FIELDS_DROPPED) this.#res.removeHeader(name);
    this.#explain(error);
    this.#dropped = true;
  }

  #swallow(method, args) {
    const callback = args.find((arg) => typeof arg === 'function');
    if (callback !== undefined) process.nextTick(callback, new Error('another answer was sent instead'));
    return method === 'write' ? true : this.#res;
  }

  #sendHead(args) {
    const write = this.#original.writeHead;
    if (this.#setCookie === undefined) return write.apply(this.#res, args);
    const [status, ...rest] = args;
    const message = typeof rest[0] === 'string' ? [rest.shift()] : [];
    // Fields given to `writeHead` would otherwise win over ours.
    setAll(this.#res, pairsOf(rest[0]));
    const others = [this.#res.getHeader('set-cookie') ?? []].flat().filter((line) => !this.#isOurs(line));
    if (this.#setCookie !== null) this.#res.setHeader('Set-Cookie', [...others, this.#setCookie]);
    this.#res.setHeader('Cache-Control', 'no-store');
    return write.call(this.#res, status, ...message);
  }

  #isOurs(line) {
    return String(line).startsWith(`${this.#cookieName}=`);
  }
}

/** What the response itself says, as if nothing were held back. */
function inherited(res, name) {
  return Reflect.get(Object.getPrototypeOf(res), name, res);
}

function define(res, name, get) {
  Object.defineProperty(res, name, { configurable: true, enumerable: false, get });
}

/** What the head would have been if it had left now. */
function headOf(res, status = res.statusCode) {
  const fields = res.getRawHeaderNames().map((name) => [name, [res.getHeader(name)].flat()]);
  return { status, message: res.statusMessage, fields };
}

function restore(res, { status, message, fields }) {
  for (const name of res.getHeaderNames()) res.removeHeader(name);
  for (const [name, values] of fields) res.setHeader(name, values.length === 1 ? values[0] : values);
  res.statusCode = status;
  res.statusMessage = message;
}

/** As `writeHead` takes them: an object, or names and values in turn, or pairs. */
function pairsOf(fields = {}) {
  if (!Array.isArray(fields)) return Object.entries(fields);
  if (Array.isArray(fields[0])) return fields;
  return fields.flatMap((name, at) => (at % 2 === 0 ? [[name, fields[at + 1]]] : []));
}

function setAll(res, pairs) {
  for (const [name] of pairs) res.removeHeader(name);
  for (const [name, value] of pairs) if (value !== undefined) res.appendHeader(name, value);
}

function sizeOf(chunk, encoding) {
  if (typeof chunk === 'string') return Buffer.byteLength(chunk, typeof encoding === 'string' ? encoding : undefined);
  return chunk?.byteLength ?? 0;
}
