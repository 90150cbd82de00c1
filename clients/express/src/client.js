// Owns what is said to the session server and what its answers mean. It remembers no answer: whoever asks is told what
// is so now. Whatever is not clearly a yes or a no of that server is "could not look".

import {
  ExeuntUnreachable,
  tooManyAttempts,
  tooManySessions,
  tooMuchOpen,
  unacceptable,
  wrongCurrentPassword,
} from './errors.js';
import { ANYTHING, ENDS, LIST_BYTES_MAX, MAY_END, Wire } from './wire.js';

/** How an exeunt server challenges whoever is not signed in: other software speaks problem+json, too. */
const CHALLENGE = 'Bearer realm="exeunt"';
/** Characters of a reason that is shown to somebody: a sentence. */
const DETAIL_CHARS_MAX = 300;
/** What may be the name of a session: it goes into a path. The server says whether it is one; today's are 32 digits. */
const SID = /^[A-Za-z0-9_-]{1,64}$/;

export class Client {
  #wire;

  constructor(options) {
    this.#wire = new Wire(options);
  }

  /**
   * The session that this token opens, or null where the server says that it opens none. `mayEnd`: it is asked for
   * somebody who may be about to sign out.
   */
  async check(token, mayEnd = false) {
    const worth = mayEnd ? MAY_END : ANYTHING;
    const answer = await this.#wire.ask({ method: 'GET', path: '/api/session', token, worth });
    if (answer.status === 200) return sessionOf(read(answer));
    if (isRefusal(answer)) return null;
    throw unclear(answer);
  }

  /** A new session and its token, or null where the name or the password is wrong. */
  async login(username, password, device) {
    // Not repeated on another connection: it could open two.
    const json = { username, password };
    const answer = await this.#wire.ask({ method: 'POST', path: '/api/login', json, device, fresh: true });
    if (answer.status === 201) return openedOf(read(answer));
    if (isRefusal(answer)) return null;
    throw whyNotIn(answer);
  }

  /** Returns when it is over: the names of what has ended by it, which is nothing where it had ended before. */
  async logout(token, device) {
    const answer = await this.#wire.ask({ method: 'POST', path: '/api/logout', token, device, worth: ENDS });
    return endedBy(answer);
  }

  /** The sessions of whoever has this token, newest first; null where it opens none. */
  async sessions(token, device) {
    const list = { method: 'GET', path: '/api/sessions', token, device, bytesMax: LIST_BYTES_MAX };
    const answer = await this.#wire.ask(list);
    if (answer.status === 200) return listOf(read(answer));
    if (isRefusal(answer)) return null;
    throw unclear(answer);
  }

  /** Ends one of theirs: its name when that is over, nothing where they have none of that name; null as above. */
  async endOne(token, sid, device) {
    if (typeof sid !== 'string' || !SID.test(sid)) return [];
    return this.#endMany(`/api/sessions/${sid}`, token, device);
  }

  /** Ends all of theirs but this one. */
  endOthers(token, device) {
    return this.#endMany('/api/sessions?keep=current', token, device);
  }

  /** Ends all of theirs, this one included. */
  endAll(token, device) {
    return this.#endMany('/api/sessions', token, device);
  }

  /** A new password: what has ended by it, and the session that goes on with its token; null where this one opens none. */
  async changePassword(token, [current, next], device) {
    // Not repeated on another connection: the first may have changed it.
    const json = { current, new: next };
    const answer = await this.#wire.ask({ method: 'POST', path: '/api/password', token, json, device, fresh: true, worth: ENDS });
    if (answer.status === 200) return { ended: endedBy(answer), ...openedOf(read(answer)) };
    const code = isProblem(answer) ? read(answer).code : undefined;
    // Servers before this one answered as to whoever is not signed in.
    const isWrong = answer.status === 403 || isRefusal(answer);
    if (isWrong && code === 'wrong-current-password') throw wrongCurrentPassword();
    if (isRefusal(answer)) return null;
    throw whyNotChanged(answer);
  }

  /** Returns when the user exists; nobody is signed in by it. */
  async register(username, password, device) {
    const json = { username, password };
    const answer = await this.#wire.ask({ method: 'POST', path: '/api/register', json, device, fresh: true });
    if (answer.status !== 201) throw whyNotRegistered(answer);
  }

  /** An answer that goes on until the session ends; null where the server says that the token opens none. */
  async events(token) {
    const { response, answer } = await this.#wire.open('/api/events', token);
    if (response !== undefined) return response;
    if (isRefusal(answer)) return null;
    throw answer.status === 429 && isProblem(answer) ? tooMuchOpen() : unclear(answer);
  }

  /** Lets idle connections go. */
  close() {
    this.#wire.close();
  }

  /** Not repeated either: the second time there would be nothing left to end, or nobody who asks. */
  async #endMany(path, token, device) {
    const answer = await this.#wire.ask({ method: 'DELETE', path, token, device, fresh: true, worth: ENDS });
    if (isRefusal(answer)) return null;
    if (answer.status === 404 && isProblem(answer) && read(answer).code === 'no-such-session') return [];
    return endedBy(answer);
  }
}

/** The server's own "no", and not that of something in between which wants a password of its own. */
function isRefusal(answer) {
  const challenges = [answer.headers['www-authenticate']].flat();
  return answer.status === 401 && isProblem(answer) && challenges.some((line) => line?.startsWith(CHALLENGE));
}

function isProblem({ headers }) {
  return (headers['content-type'] ?? '').startsWith('application/problem+json');
}

function whyNotIn(answer) {
  if (!isProblem(answer)) return unclear(answer);
  switch (answer.status) {
    case 400:
    case 413:
      return unacceptable(400, 'malformed', 'the name or the password is not one that anybody can have');
    case 409:
      return tooManySessions();
    case 429:
      return tooManyAttempts(retryAfterOf(answer));
    default:
      return unclear(answer);
  }
}

function whyNotChanged(answer) {
  if (!isProblem(answer)) return unclear(answer);
  switch (answer.status) {
    case 400:
      return unacceptable(400, 'malformed', 'one of the two is not a password that anybody can have');
    case 413:
    case 422:
      return unacceptable(422, choiceOf(answer), detailOf(answer));
    case 429:
      return tooManyAttempts(retryAfterOf(answer));
    default:
      return unclear(answer);
  }
}

function whyNotRegistered(answer) {
  if (!isProblem(answer)) return unclear(answer);
  switch (answer.status) {
    case 403:
      return unacceptable(403, 'registration-closed', 'registration is closed');
    case 409:
      return unacceptable(409, 'taken', 'this name is taken, perhaps spelled otherwise: choose another');
    case 413:
    case 422:
      return unacceptable(422, choiceOf(answer), detailOf(answer));
    case 429:
      return tooManyAttempts(retryAfterOf(answer));
    default:
      return unclear(answer);
  }
}

/** What of which of the two cannot be: the form says it beside that field. Servers before this one did not tell. */
function choiceOf(answer) {
  const { code } = read(answer);
  return /^(name|password)-[a-z-]{1,32}$/.test(code) ? code : 'choice';
}

/** What the server says of a name or a password, which it never repeats. */
function detailOf(answer) {
  const { detail } = read(answer);
  return typeof detail === 'string' ? detail.slice(0, DETAIL_CHARS_MAX) : 'choose another name or password';
}

/** The status is the server's; the text is not repeated. */
function unclear(answer) {
  const retryAfterS = retryAfterOf(answer);
  return new ExeuntUnreachable(`the session server gave no answer that can be relied on (${answer.status})`, {
    retryAfterS,
  });
}

function retryAfterOf({ headers }) {
  const seconds = Number(headers['retry-after']);
  return Number.isInteger(seconds) && seconds > 0 ? seconds : undefined;
}

function read(answer) {
  try {
    return Object(JSON.parse(answer.text));
  } catch {
    throw unclear(answer);
  }
}

/** The names of what has ended. An answer that says less says nothing. */
function endedBy(answer) {
  const { ended } = answer.status === 200 ? read(answer) : {};
  if (!Array.isArray(ended) || !ended.every(isText)) throw unclear(answer);
  return ended;
}

function listOf({ sessions }) {
  if (!Array.isArray(sessions)) throw notOurs();
  return sessions.map((session) => listedOf(Object(session)));
}

function listedOf({ sid, current, agent, address, ...times }) {
  const [openedAt, seenAt, expiresAt] = timesOf(times.opened_at, times.seen_at, times.expires_at);
  // Servers before this one did not tell.
  const { idle_expires_at: idle } = times;
  const idleExpiresAt = idle === undefined ? undefined : timesOf(idle)[0];
  const shown = [agent, address].every((text) => typeof text === 'string');
  if (!isText(sid) || typeof current !== 'boolean' || !shown) throw notOurs();
  return Object.freeze({ sid, current, agent, address, openedAt, seenAt, expiresAt, idleExpiresAt });
}

function openedOf({ token, session }) {
  if (!isText(token)) throw notOurs();
  return { token, session: sessionOf(Object(session)) };
}

function sessionOf({ sid, user, user_id: userId, expires_at: expires, idle_expires_at: idleExpires }) {
  const [expiresAt, idleExpiresAt] = timesOf(expires, idleExpires);
  if (!isText(sid) || !isText(user) || !Number.isSafeInteger(userId)) throw notOurs();
  return Object.freeze({ sid, userId, username: user, expiresAt, idleExpiresAt });
}

function timesOf(...texts) {
  const times = texts.map((text) => new Date(text));
  if (times.some((time) => Number.isNaN(time.getTime()))) throw notOurs();
  return times;
}

function isText(value) {
  return typeof value === 'string' && value !== '';
}

function notOurs() {
  return new ExeuntUnreachable('what answers at the address of the session server is not an exeunt server');
}
