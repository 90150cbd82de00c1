// Owns what is said to the session server and what its answers mean. It remembers no answer: whoever asks is told what
// is so now. Whatever is not clearly a yes or a no of that server is "could not look".

import { ExeuntUnreachable, tooManyAttempts, tooManySessions, unacceptable } from './errors.js';
import { Wire } from './wire.js';

/** How an exeunt server challenges whoever is not signed in: other software speaks problem+json, too. */
const CHALLENGE = 'Bearer realm="exeunt"';
/** Characters of a reason that is shown to somebody: a sentence. */
const DETAIL_CHARS_MAX = 300;

export class Client {
  #wire;

  constructor(options) {
    this.#wire = new Wire(options);
  }

  /** The session that this token opens, or null where the server says that it opens none. */
  async check(token) {
    const answer = await this.#wire.ask({ method: 'GET', path: '/api/session', token });
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

  /** Returns when it is over: that the session has ended now, or had before. */
  async logout(token, device) {
    const answer = await this.#wire.ask({ method: 'POST', path: '/api/logout', token, device });
    const said = answer.status === 200 ? read(answer) : {};
    if (!Array.isArray(said.ended)) throw unclear(answer);
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
    throw whyNotIn(answer);
  }

  /** Lets idle connections go. */
  close() {
    this.#wire.close();
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

function openedOf({ token, session }) {
  if (typeof token !== 'string' || token === '') throw notOurs();
  return { token, session: sessionOf(Object(session)) };
}

function sessionOf({ sid, user, user_id: userId, expires_at: expires, idle_expires_at: idleExpires }) {
  const times = [expires, idleExpires].map((time) => new Date(time));
  const named = [sid, user].every((text) => typeof text === 'string' && text !== '') && Number.isSafeInteger(userId);
  if (!named || times.some((time) => Number.isNaN(time.getTime()))) throw notOurs();
  const [expiresAt, idleExpiresAt] = times;
  return Object.freeze({ sid, userId, username: user, expiresAt, idleExpiresAt });
}

function notOurs() {
  return new ExeuntUnreachable('what answers at the address of the session server is not an exeunt server');
}
