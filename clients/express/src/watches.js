// Owns what is open for a session beyond one request, and that it closes when the session ends. One subscription at the
// session server serves everything that this process has open for one session. A subscription that is lost closes it
// too: whoever is not told must not go on.

import { ExeuntEnded, ExeuntError, ExeuntUnreachable, tooMuchOpen } from './errors.js';

/** Things open for one session in this process: as many as the server allows for itself. */
const OPEN_PER_SESSION_MAX = 64;
/** Milliseconds without a sign of life of a subscription: the server gives one every 15 s. Two may be lost. */
const SILENCE_MAX_MS = 40_000;
/** Milliseconds for what is open to be closed in good order; then it is cut. The server waits as long. */
const CLOSE_WAIT_MS = 1_000;
/** Characters of a line of the event stream. The longest that the server sends has twelve. */
const LINE_LENGTH_MAX = 1_024;

export class Watches {
  #client;
  #bySid = new Map();
  /** What is being closed by now: a promise for each session. */
  #closing = new Map();

  constructor(client) {
    this.#client = client;
  }

  /** Something is open for this session from now on; `leave` it when that is closed. */
  join(sid, token) {
    const watch = this.#bySid.get(sid) ?? this.#begin(sid, token);
    return watch.join();
  }

  /** The session has ended here: what is open for it is closed when this returns. */
  async end(sid) {
    this.#bySid.get(sid)?.end(new ExeuntEnded());
    // The server may have told it before it answered the logout; then it has begun already.
    await this.#closing.get(sid);
  }

  #begin(sid, token) {
    const watch = new Watch({
      forget: () => this.#bySid.delete(sid),
      closing: (closed) => this.#awaited(sid, closed),
    });
    this.#bySid.set(sid, watch);
    watch.listen(this.#client.events(token));
    return watch;
  }

  async #awaited(sid, closed) {
    const all = Promise.all([this.#closing.get(sid), closed]);
    this.#closing.set(sid, all);
    await all;
    if (this.#closing.get(sid) === all) this.#closing.delete(sid);
  }
}

/** One subscription, and who hears of it. */
class Watch {
  #members = new Set();
  #response = null;
  #over = false;
  #told;
  #ready = withResolvers();

  constructor(told) {
    this.#told = told;
    this.#ready.promise.catch(() => {});
  }

  join() {
    if (this.#members.size >= OPEN_PER_SESSION_MAX) throw tooMuchOpen();
    const member = new Member(this.#ready.promise, () => this.#left(member));
    this.#members.add(member);
    return member;
  }

  async listen(opening) {
    try {
      this.#response = await opening;
      if (this.#over) return this.#response?.destroy();
      if (this.#response === null) throw new ExeuntEnded();
      await this.#hear(this.#response);
    } catch (error) {
      const known = error instanceof ExeuntError;
      this.end(known ? error : new ExeuntUnreachable('the end of the session would not be heard of', { cause: error }));
    }
  }

  /** Tells everybody, closes everything, and is over. */
  end(reason) {
    if (this.#over) return;
    this.#stop();
    this.#ready.reject(reason);
    this.#told.closing(Promise.all([...this.#members].map((member) => member.end(reason))));
  }

  /** Returns never: what ends a subscription is thrown. */
  async #hear(response) {
    response.setTimeout(SILENCE_MAX_MS, () => response.destroy());
    let rest = '';
    for await (const chunk of response.setEncoding('latin1')) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop();
      // Said when the server has begun to watch: from now on nothing is missed.
      if (lines.includes(': open')) this.#ready.resolve();
      if (lines.includes('event: ended')) throw new ExeuntEnded();
      if (rest.length > LINE_LENGTH_MAX) break;
    }
    throw new ExeuntUnreachable('the session server has stopped telling whether the session has ended');
  }

  #left(member) {
    this.#members.delete(member);
    if (this.#members.size === 0) this.#stop();
  }

  #stop() {
    // A second time would forget the one that has begun since.
    if (this.#over) return;
    this.#over = true;
    this.#told.forget();
    this.#response?.destroy();
  }
}

/** What one request has open. */
class Member {
  #closables = new Set();
  #abort = new AbortController();
  #leave;

  constructor(ready, leave) {
    this.ready = ready;
    this.#leave = leave;
  }

  get signal() {
    return this.#abort.signal;
  }

  add(closable) {
    this.#closables.add(closable);
  }

  leave() {
    this.#closables.clear();
    this.#leave();
  }

  async end(reason) {
    // One that cannot be closed keeps no other open, and makes no logout fail that is over.
    const closed = [...this.#closables].map((closable) => close(closable).catch((error) => process.emitWarning(error)));
    this.#abort.abort(reason);
    await Promise.all(closed);
  }
}

/** A response ends, in good order if that is quick; anything else is cut. Nothing passes through it any more. */
async function close(closable) {
  if (typeof closable.writeHead === 'function') return closeResponse(closable);
  const cut = closable.terminate ?? closable.destroy ?? closable.close;
  cut.call(closable);
}

async function closeResponse(res) {
  if (res.closed || res.destroyed) return;
  const gone = new Promise((resolve) => res.once('close', resolve));
  res.end();
  // What its handler still writes is not an error, and goes nowhere.
  res.write = () => false;
  res.end = () => res;
  const patience = setTimeout(() => res.destroy(), CLOSE_WAIT_MS);
  await gone;
  clearTimeout(patience);
}

/** `Promise.withResolvers` is younger than the oldest Node that is served. */
function withResolvers() {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}
