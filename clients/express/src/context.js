// Owns what is known of one request: who is asking, and the verbs to sign in and out. It decides nothing: the session
// server does. The token stays in here, where neither a log nor an inspector finds it.

import { EVERYWHERE, Deeds, HERE, only, OTHERS, PASSWORD } from './deeds.js';
import { deviceOf } from './device.js';
import { ExeuntMisuse, ExeuntRefused, ExeuntUnreachable } from './errors.js';
import { couldNotLook, notEnded, notKnownToBeChanged, notOver } from './errors.js';
import { crossOrigin, notSignedIn, unclear, unconfirmed } from './errors.js';
import { FOREIGN, OWN, SENT } from './guard.js';
import { BY_BEARER, BY_COOKIE } from './offered.js';
import { giveUser, userOf } from './user.js';

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
  #deeds;
  #member = null;
  /** What it shares with others that were let in with the same token. */
  #seat = null;

  /** `res` is missing where a socket is all there is: then nobody can sign in or out. */
  constructor(shared, { req, res, approach, carrier, isWrapped }) {
    this.#shared = shared;
    this.#req = req;
    this.#res = res;
    this.#approach = approach;
    this.#carrier = carrier;
    this.#isWrapped = isWrapped;
    this.#deeds = new Deeds(res, shared.cookie.name, (error) => this.#explain(error));
  }

  /** Asks the session server whom this token belongs to. */
  async check(token) {
    // Before it is asked: the password may change meanwhile.
    if (token !== null && this.#res !== undefined) this.#seat = this.#shared.seats.take(token, this.#res);
    const mayEnd = !['GET', 'HEAD', 'OPTIONS'].includes(this.#req.method);
    const session = token === null ? null : await this.#ask('check', token, couldNotLook, mayEnd);
    if (session === null) {
      this.#refused = token;
      return;
    }
    // Where the app knows no such user, or cannot say, the session lives nevertheless, and can be ended.
    this.#become({ token, session });
    const user = () => this.#shared.userOf(session, this.#req);
    // Over a socket nobody can sign out, so nothing goes on there without an answer.
    if (this.#res === undefined) this.#req.user = (await user()) || null;
    else await giveUser(this.#req, user);
  }

  /** The session that is signed in, or null: its public name, whose it is, and until when. */
  get session() {
    return this.#session;
  }

  /** All sessions of whoever is signed in, newest first; this one is `current`. */
  async sessions() {
    if (this.#token === null) throw notSignedIn();
    const token = this.#token;
    const sessions = await this.#shared.client.sessions(token, deviceOf(this.#req));
    if (sessions === null) throw this.#hasEnded(token);
    return sessions;
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

  /**
   * Opens a session for a name and a password; null where they are wrong. `req.login` makes it this browser's. `user` is
   * missing where they are right, and the app knows no such user: then it is ended again.
   */
  async open(username, password) {
    this.#deeds.refuseSocket();
    this.refuseForeign();
    const opened = await this.#shared.client.login(username, password, deviceOf(this.#req));
    if (opened === null) return null;
    this.#keepUntilTaken(opened);
    if (this.#opened === null) return null;
    opened.user = (await this.#shared.userOf(opened.session, this.#req)) || undefined;
    if (opened.user === undefined && this.#opened === opened) this.#abandon(opened.token);
    return { user: opened.user };
  }

  /** `req.login`: the session that was opened becomes this browser's, and the one that it had ends. */
  login(user, options, done) {
    [options, done] = typeof options === 'function' ? [{}, options] : [options ?? {}, done];
    const remembered = options.session !== false;
    // A proof ends nothing but what it has opened, so it makes no failed logout good.
    const about = remembered ? only(HERE) : { what: HERE };
    return this.#deeds.begin(() => (remembered ? this.#enter(user) : this.#prove(user)), { done, ...about });
  }

  /** `req.logout`: when it is passed, the session is over. */
  logout(options, done) {
    const leave = async () => void (await this.#leave());
    return this.#deeds.begin(leave, { done: typeof options === 'function' ? options : done, ...only(HERE) });
  }

  /** Ends everything of whoever is signed in, this session included, as `req.logout` ends this one: the names of all. */
  logoutEverywhere() {
    const mends = (failed) => failed !== PASSWORD;
    return this.#deeds.begin(() => this.#leaveEverywhere(), { what: EVERYWHERE, mends });
  }

  /** Ends everything of theirs but this session: the names of what has ended. */
  endOthers() {
    const ask = (token) => this.#ask('endOthers', token, notEnded);
    return this.#deeds.begin(() => this.#endOf(ask), only(OTHERS));
  }

  /** Ends the session of theirs with this public name, and says whether one has ended by it. Of this one: `req.logout`. */
  end(sid) {
    const isThis = () => sid === this.#session?.sid;
    const ask = (token) => this.#ask('endOne', token, notEnded, sid);
    const act = async () => (await (isThis() ? this.#leave() : this.#endOf(ask))).length > 0;
    return this.#deeds.begin(act, only(isThis() ? HERE : sid));
  }

  /**
   * Gives whoever is signed in a new password, if `current` is right. Everything of theirs ends, and this browser or
   * program goes on with a new token: a browser in its cookie, a program in what this resolves to.
   */
  changePassword(current, next) {
    const passwords = [current, next].map((text) => String(text ?? ''));
    const spares = (error) => error instanceof ExeuntRefused;
    return this.#deeds.begin(() => this.#change(passwords), { ...only(PASSWORD), spares });
  }

  /** To sign somebody in with another's credentials is an attack as well as to sign somebody out. */
  refuseForeign() {
    if (this.#approach === FOREIGN) throw crossOrigin();
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
    this.#seat = this.#shared.seats.take(opened.token, this.#res);
    this.#setCookie(opened);
  }

  /** For this request only: what was opened to find out ends at once. */
  async #prove(user) {
    await this.#end(this.#take(user).token);
    this.#req.user = user;
  }

  async #leave() {
    if (this.#isWrapped && this.#token === null) throw unclear();
    if (this.#isByCookie && this.#req.method !== 'GET') this.refuseForeign();
    if (this.#token !== null) this.#refuseUnasked();
    const ended = await (this.#token === null ? this.#settle() : this.#endOwn((token) => this.#endFully(token)));
    this.#deeds.curtain.cookie = this.#isByCookie ? this.#shared.cookie.clear() : null;
    return ended;
  }

  async #leaveEverywhere() {
    this.#refuseUnmeant();
    const ended = await this.#endOwn(async (token) => {
      const all = await this.#ask('endAll', token, notOver);
      if (all !== null) return all;
      // A change of password may have been quicker. Whoever was let in before it means the session that follows, too.
      const next = await this.#seat.next();
      return next && this.#ask('endAll', next.token, notOver);
    });
    this.#deeds.curtain.cookie = this.#isByCookie ? this.#shared.cookie.clear() : null;
    return ended;
  }

  /** Ends what is not this session. What is open for it here is closed when this returns. */
  async #endOf(ask) {
    this.#refuseUnmeant();
    const token = this.#token;
    const ended = await ask(token);
    if (ended === null) throw this.#hasEnded(token);
    await this.#closed(ended);
    return ended;
  }

  async #endOwn(end) {
    const [token, { sid }, putBack] = [this.#token, this.#session, userOf(this.#req)];
    // A page that is made meanwhile is for somebody who is signed out. It does not leave if that comes to nothing.
    this.#req.user = null;
    let ended;
    try {
      ended = await end(token);
    } catch (error) {
      putBack();
      throw error;
    }
    if (ended === null) throw this.#hasEnded(token);
    this.#member?.leave();
    this.#become(null);
    await this.#closed([sid, ...ended]);
    return ended;
  }

  /** The check has only said that one node has heard of the end. The server answers this when every node has. */
  async #settle() {
    if (this.#refused === null) return [];
    this.#unsettled = true;
    const ended = await this.#endFully(this.#refused);
    [this.#refused, this.#unsettled] = [null, false];
    await this.#closed(ended);
    return ended;
  }

  /** With what followed it, where a change of password was quicker: its token may be on its way to this browser. */
  async #endFully(token, seat = this.#seat) {
    const ended = await this.#end(token);
    // Whoever has ended something was first: no change of password goes on from it any more.
    const next = ended.length > 0 ? null : await seat.next();
    return next === null ? ended : this.#endFully(next.token, next.seat);
  }

  #end(token) {
    return this.#ask('logout', token, notOver);
  }

  /** Of the session server, whose answer cannot be known: `otherwise` says what that means. */
  async #ask(verb, token, otherwise, ...more) {
    try {
      return await this.#shared.client[verb](token, ...more, deviceOf(this.#req));
    } catch (error) {
      throw error instanceof ExeuntUnreachable ? otherwise(error) : error;
    }
  }

  async #change(passwords) {
    if (this.#isByCookie && this.#approach !== OWN) throw crossOrigin();
    this.#refuseUnmeant();
    // The new token would reach nobody.
    if (this.#isByCookie && this.#deeds.curtain.hasLeft)
      throw new ExeuntMisuse('change the password before the answer begins: its head takes the new cookie along');
    const [token, left] = [this.#token, this.#seat];
    const going = this.#ask('changePassword', token, notKnownToBeChanged, passwords).then(
      (next) => next && { ...next, seat: this.#shared.seats.take(next.token, this.#res) },
    );
    const next = await left.leaveFor(going);
    if (next === null) throw this.#hasEnded(token);
    this.#goOn(next, left);
    await this.#closed(next.ended);
    return this.#isByCookie ? { ended: next.ended } : { ended: next.ended, token: next.token };
  }

  /** With the session that follows the one that was: what was open for that closes, and this answer does not. */
  #goOn(next, left) {
    this.#member?.leave();
    [this.#member, this.#seat] = [null, next.seat];
    [this.#token, this.#session] = [next.token, next.session];
    if (this.#isByCookie) this.#setCookie(next);
    else this.#deeds.curtain.cookie = null;
    const handOut = () => {
      left.forget();
      // Then nobody has it.
      if (!this.#deeds.curtain.hasLeft) this.#abandon(next.token);
    };
    // Whoever asked may be gone by now.
    if (this.#res.closed) handOut();
    else this.#res.once('close', handOut);
  }

  get #isByCookie() {
    return this.#carrier !== BY_BEARER;
  }

  #setCookie({ token, session }) {
    const livesS = (session.expiresAt.getTime() - Date.now()) / MS_PER_S;
    this.#deeds.curtain.cookie = this.#shared.cookie.set(token, livesS);
  }

  /** A person whom another site has sent here is asked first; what no person sees ends nothing. */
  #refuseUnasked() {
    if (!this.#isByCookie) return;
    if (this.#approach === SENT) throw unconfirmed();
    this.refuseForeign();
  }

  /** A deed on one's own sessions is for whoever is signed in and means it. */
  #refuseUnmeant() {
    if (this.#isWrapped && this.#token === null) throw unclear();
    if (this.#isByCookie) this.refuseForeign();
    if (this.#token === null) throw notSignedIn();
    this.#refuseUnasked();
  }

  /** The server says so while this request goes on. Not every node may have heard of it: as where a check is refused. */
  #hasEnded(token) {
    if (this.#token === token) {
      this.#refused = token;
      this.#become(null);
    }
    return notSignedIn();
  }

  /** What is open here for these sessions is closed when this returns. */
  #closed(sids) {
    return Promise.all(sids.map((sid) => this.#shared.watches.end(sid)));
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
