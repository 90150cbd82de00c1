// Owns the connections to the session server, and every limit on them. It knows methods, fields and bytes, and not what
// they mean. It follows no redirect: a token goes to the one server it is for.

import http from 'node:http';
import https from 'node:https';

import { ExeuntUnreachable } from './errors.js';
import { addressOf } from './options.js';

/**
 * Connections that are kept for checks. A check takes well under a millisecond, so these carry some 10,000 a second.
 */
const SOCKETS_MAX = 64;
/** Requests that are being answered or wait for a connection. More would wait longer than anybody looks at a page. */
const UNDERWAY_MAX = 1_024;
/**
 * Beside these, as many for who may be about to sign out, and beside these as many that end something: strangers bring
 * checks about with made-up tokens, as many as they like, and must keep nobody in by them.
 */
const KEPT_FREE = 64;
/** What a request is worth: the more, the fuller it may be already. */
export const [ANYTHING, MAY_END, ENDS] = [0, KEPT_FREE, 2 * KEPT_FREE];
/** Milliseconds for a whole exchange, waiting for a connection included. The server's own longest wait is shorter. */
const ANSWER_WAIT_MS = 5_000;
/** Milliseconds for which a connection may lie idle: less than the 20 s after which the server closes it. */
const IDLE_WAIT_MS = 10_000;
/** Bytes of an answer. A session is 200, a problem some hundreds. */
const ANSWER_BYTES_MAX = 64 * 1024;
/** Bytes of a list of sessions: 5,000, which is all that a server lists, of 1 KiB: a device of 256, an address of 64. */
export const LIST_BYTES_MAX = 5_000 * 1024;
/**
 * Streams that wait for the end of a session, one for each session. The server gives at most half of its connections to all
 * apps together, which is 5,000, and 256 to a user, 64 to a session; so two processes that are full are more than it gives.
 */
const STREAMS_MAX = 4_096;

export class Wire {
  #base;
  #module;
  #waitMs;
  #kept;
  #single;
  #underway = 0;
  #streams = 0;

  /** `tls` goes to the connections as it is: a CA of one's own, a client certificate. */
  constructor({ server, answerWaitMs = ANSWER_WAIT_MS, plainHttpToServer = false, tls = {} }) {
    this.#base = addressOf(server, plainHttpToServer);
    this.#module = this.#base.protocol === 'https:' ? https : http;
    this.#waitMs = answerWaitMs;
    this.#kept = new this.#module.Agent({ ...tls, keepAlive: true, maxSockets: SOCKETS_MAX, timeout: IDLE_WAIT_MS });
    this.#single = new this.#module.Agent({ ...tls, keepAlive: false });
  }

  /**
   * Sends one request and reads its whole answer. `fresh` takes a new connection. On a kept one that the server closed
   * in the same moment nothing was read, and the request, which can be repeated without harm, is sent once more. `worth`
   * says whether it has a place where there is none for others.
   */
  async ask({ fresh = false, bytesMax = ANSWER_BYTES_MAX, worth = ANYTHING, ...request }) {
    if (this.#underway >= UNDERWAY_MAX + worth) throw new ExeuntUnreachable('too many requests wait for the session server');
    this.#underway += 1;
    const signal = AbortSignal.timeout(this.#waitMs);
    try {
      const exchange = async (agent) => whole(await answered(this.#send(request, agent, signal)), bytesMax);
      if (fresh) return await exchange(this.#single);
      return await exchange(this.#kept).catch((error) => {
        if (!error.stale) throw error;
        return exchange(this.#single);
      });
    } catch (error) {
      throw asUnreachable(error);
    } finally {
      this.#underway -= 1;
    }
  }

  /** Opens an answer that goes on: `{ response }` if it is 200, otherwise `{ answer }`, read. */
  async open(path, token) {
    if (this.#streams >= STREAMS_MAX) throw new ExeuntUnreachable('too many streams wait for the session server');
    const abort = new AbortController();
    const patience = setTimeout(() => abort.abort(), this.#waitMs);
    try {
      const request = this.#send({ method: 'GET', path, token }, this.#single, abort.signal);
      this.#streams += 1;
      request.once('close', () => (this.#streams -= 1));
      const response = await answered(request);
      return response.statusCode === 200 ? { response } : { answer: await whole(response) };
    } catch (error) {
      throw asUnreachable(error);
    } finally {
      clearTimeout(patience);
    }
  }

  close() {
    this.#kept.destroy();
  }

  #send({ method, path, token, json, device }, agent, signal) {
    const body = json === undefined ? undefined : JSON.stringify(json);
    const headers = { accept: 'application/json', ...device };
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    if (json !== undefined) headers['content-type'] = 'application/json';
    headers['content-length'] = Buffer.byteLength(body ?? '');
    const request = this.#module.request(new URL(path.slice(1), this.#base), { method, headers, agent, signal });
    request.end(body);
    return request;
  }
}

function answered(request) {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', (error) => {
      error.stale = request.reusedSocket && request.res === null && ['ECONNRESET', 'EPIPE'].includes(error.code);
      reject(error);
    });
    // Whoever answers in another protocol is hung up on, without an answer and without an error. Too late after either.
    request.once('close', () => reject(new Error('the connection was closed without an answer')));
  });
}

async function whole(response, bytesMax = ANSWER_BYTES_MAX) {
  const { statusCode: status, headers } = response;
  const chunks = [];
  let bytes = 0;
  for await (const chunk of response) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new ExeuntUnreachable('the session server answered more than can be right');
    chunks.push(chunk);
  }
  return { status, headers, text: Buffer.concat(chunks).toString('utf8') };
}

/** Errors of the network name an address and a port, and no field of the request. */
function asUnreachable(error) {
  if (error instanceof ExeuntUnreachable) return error;
  const late = error.name === 'AbortError' || error.name === 'TimeoutError';
  const why = late ? 'did not answer in time' : 'cannot be reached';
  return new ExeuntUnreachable(`the session server ${why}: nothing is claimed; try again`, { cause: error });
}
