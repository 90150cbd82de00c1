// Owns what is known of one request: who is asking, and the verbs to sign in and out. It decides nothing: the session
// server does. The token stays in here, where neither a log nor an inspector finds it.

import { Curtain } from './curtain.js';
import {
  crossOrigin,
  ExeuntMisuse,
  ExeuntRefused,
  ExeuntUnreachable,
  notSignedIn,
  unclear,
  unconfirmed,
} from './errors.js';
import { FOREIGN, SENT } from './guard.js';
import { BY_BEARER, BY_COOKIE } from './offered.js';

const MS_PER_S = 1_000;

export class Context {
  #shared;
  #req;
  #res;
  #approach;
  #carrier;
  /** What was offered holds a token and more. */
  #isWrapped;
  #token = null;
  #session = null;
  /** What was offered and opens nothing. It may be that not every node has heard of its end. */
  #refused = null;
  /** Whoever wanted to sign out of that was told that it cannot be known. */
  #unsettled = false;
  /** What a name and a password have opened in this request, before `req.login` takes it. */
  #opened = null;
  #curtain = null;
  #member = null;
  /** What is under way, if anything is. */
  #last = null;

  /** `res` is missing where a socket is all there is: then nobody can sign in or out. */
  constructor(shared, { req, res, approach, carrier, isWrapped }) {
    this.#shared = shared;
    this.#req = req;
    this.#res = res;
    this.#approach = approach;
    this.#carrier = carrier;
    this.#isWrapped = isWrapped;
  }

  /** Asks the session server whom this token belongs to. */
  async check(token) {
    const session = token === null ? null : await this.#shared.client.check(token).catch(couldNotLook);
    if (session === null) {
      this.#refused = token;
      return;
    }
    // Where the app knows no such user the session lives nevertheless, and can be ended.
    const user = (await this.#shared.userOf(session, this.#req)) || undefined;
    this.#become({ token, session, user });
  }

  /** The session that is signed in, or null: its public name, whose it is, and until when. */
  get session() {
    return this.#session;
  }

  /** Asks anew. For a handler that worked long and is about to do what cannot be undone. */
  async isStillLive() {
    return this.#token !== null && (await this.#shared.client.check(this.#token)) !== null;
  }

  /** Aborts when the session has ended, or when that would not be heard of. */
  get signal() {
    return this.#watch().signal;
  }

  /** Returns when the end is sure to be heard of; from then on `closables` close with the session. */
  async untilRevoked(...closables) {
    const member = this.#watch();
    await member.ready;
    // Not before: a response that is closed cannot say any more why there is nothing to hear.
    member.signal.throwIfAborted();
    for (const closable of closables) member.add(closable);
    return member.signal;
  }

  onRevoked(listener) {
    const { signal } = this;
    const tell = () => listener(signal.reason);
    if (signal.aborted) process.nextTick(tell);
    else signal.addEventListener('abort', tell, { once: true });
    return signal;
  }

  /** Opens a session for a name and a password; `false` where they are wrong. `req.login` makes it this browser's. */
  async open(username, password) {
    this.#refuseSocket();
    this.refuseForeign();
    const opened = await this.#shared.client.login(username, password, deviceOf(this.#req));
    if (opened === null) return false;
    this.#keepUntilTaken(opened);
    if (this.#opened === null) return false;
    const user = await this.#shared.userOf(opened.session, this.#req);
    if (!user) return false;
    opened.user = user;
    return user;
  }

  /** `req.login`: the session that was opened becomes this browser's, and the one that it had ends. */
  login(user, options, done) {
    [options, done] = typeof options === 'function' ? [{}, options] : [options ?? {}, done];
    const remembered = options.session !== false;
    // A proof ends nothing but what it has opened, so it makes no failed logout good.
    return this.#deed(() => (remembered ? this.#enter(user) : this.#prove(user)), { done, mends: remembered });
  }

  /** `req.logout`: when it is passed, the session is over. */
  logout(options, done) {
    return this.#deed(() => this.#leave(), { done: typeof options === 'function' ? options : done, mends: true });
  }

  /** To sign somebody in with another's credentials is an attack as well as to sign somebody out. */
  refuseForeign() {
    if (this.#approach === FOREIGN) throw crossOrigin();
  }

  /** One after another, and the response waits. A callback is called as Passport's are: what it throws is its own. */
  #deed(act, { done, mends }) {
    this.#refuseSocket();
    this.#curtain ??= new Curtain(this.#res, this.#shared.cookie.name, (error) => this.#explain(error));
    const settled = this.#curtain.hold(this.#inTurn(act), { mends });
    if (typeof done !== 'function') {
      // Whoever does not wait for it is answered by the curtain.
      settled.catch(() => {});
      return settled;
    }
    settled.then(
      () => process.nextTick(done),
      (error) => process.nextTick(done, error),
    );
    return undefined;
  }

  /** At once where nothing is under way: whoever does not wait for `req.logout()` has no `req.user` from then on. */
  #inTurn(act) {
    const turn = this.#last === null ? act() : this.#last.then(act);
    const settled = () => {
      if (this.#last === last) this.#last = null;
    };
    const last = turn.then(settled, settled);
    this.#last = last;
    return turn;
  }

  #refuseSocket() {
    if (this.#res === undefined)
      throw new ExeuntMisuse('over a socket nobody can sign in or out: there is no response');
  }

  #explain(error) {
    // A person is not told what is wrong with the app; whoever runs it is.
    if (!(error instanceof ExeuntUnreachable || error instanceof ExeuntRefused)) process.emitWarning(error);
    this.#shared.answer(error, this.#req, this.#res);
  }

  async #enter(user) {
    this.refuseForeign();
    const opened = this.#take(user);
    try {
      if (this.#token !== null) await this.#end(this.#token);
      else if (this.#unsettled) await this.#settle();
    } catch (error) {
      this.#abandon(opened.token);
      throw error;
    }
    this.#become(opened);
    this.#carrier = BY_COOKIE;
    const livesS = (opened.session.expiresAt.getTime() - Date.now()) / MS_PER_S;
    this.#curtain.cookie = this.#shared.cookie.set(opened.token, livesS);
  }

  /** For this request only: what was opened to find out ends at once. */
  async #prove(user) {
    await this.#end(this.#take(user).token);
    this.#req.user = user;
  }

  async #leave() {
    const byCookie = this.#carrier !== BY_BEARER;
    if (this.#isWrapped && this.#token === null) throw unclear();
    if (byCookie && this.#req.method !== 'GET') this.refuseForeign();
    if (this.#token !== null) await this.#endOwn(byCookie);
    else if (this.#refused !== null) await this.#settle();
    this.#curtain.cookie = byCookie ? this.#shared.cookie.clear() : null;
  }

  async #endOwn(byCookie) {
    if (byCookie && this.#approach === SENT) throw unconfirmed();
    if (byCookie) this.refuseForeign();
    const [token, { sid }, user] = [this.#token, this.#session, this.#req.user];
    // A page that is made meanwhile is for somebody who is signed out. It does not leave if that comes to nothing.
    this.#req.user = null;
    try {
      await this.#end(token);
    } catch (error) {
      this.#req.user = user;
      throw error;
    }
    this.#member?.leave();
    this.#become(null);
    await this.#shared.watches.end(sid);
  }

  /** The check has only said that one node has heard of the end. The server answers this when every node has. */
  async #settle() {
    this.#unsettled = true;
    await this.#end(this.#refused);
    [this.#refused, this.#unsettled] = [null, false];
  }

  async #end(token) {
    try {
      await this.#shared.client.logout(token, deviceOf(this.#req));
    } catch (error) {
      throw notOver(error);
    }
  }

  #become(known) {
    this.#token = known?.token ?? null;
    this.#session = known?.session ?? null;
    this.#req.user = known?.user ?? null;
  }

  #keepUntilTaken(opened) {
    if (this.#opened !== null) this.#abandon(this.#opened.token);
    this.#opened = opened;
    const abandon = () => this.#opened === opened && this.#abandon(opened.token);
    // Whoever asked may be gone by now.
    if (this.#res.closed) abandon();
    else this.#res.once('close', abandon);
  }

  #take(user) {
    const opened = this.#opened;
    if (opened === null || opened.user !== user) {
      throw new ExeuntMisuse(
        'req.login takes the very user that ExeuntStrategy has given in this request: exeunt opens a session for a name ' +
          'and a password, and for nothing else',
      );
    }
    this.#opened = null;
    return opened;
  }

  /** A session whose token nobody holds opens nothing. It is tidied away where that can be done. */
  #abandon(token) {
    this.#opened = null;
    this.#shared.client.logout(token).catch(() => {});
  }

  #watch() {
    if (this.#token === null) throw notSignedIn();
    if (this.#member === null) {
      const member = this.#shared.watches.join(this.#session.sid, this.#token);
      const anchor = this.#res ?? this.#req.socket;
      // Whoever asked may be gone by now.
      if (anchor.destroyed) process.nextTick(() => member.leave());
      else anchor.once('close', () => member.leave());
      this.#member = member;
    }
    return this.#member;
  }
}

/** Whichever page was asked for: it may have been the one that signs out. */
function couldNotLook(cause) {
  const message = 'the session server cannot be asked who you are, and you are NOT signed out by this; try again';
  throw new ExeuntUnreachable(message, { retryAfterS: retryAfterOf(cause), cause });
}

function notOver(cause) {
  const message = 'you are NOT signed out: the session server cannot say that it is over; try again';
  return new ExeuntUnreachable(message, { retryAfterS: retryAfterOf(cause), cause });
}

function retryAfterOf({ headers }) {
  return headers?.['Retry-After'];
}

/** What the list of sessions shows, and what wrong passwords are counted by. */
export function deviceOf(req) {
  const device = {};
  const agent = req?.headers['user-agent'];
  const address = req?.ip ?? req?.socket?.remoteAddress;
  if (agent !== undefined) device['user-agent'] = agent;
  if (address !== undefined) device['x-forwarded-for'] = address;
  return device;
}
