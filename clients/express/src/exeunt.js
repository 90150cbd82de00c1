// Owns how the parts are put together for an app. It holds no session.

import { Client } from './client.js';
import { Context } from './context.js';
import { Cookie } from './cookie.js';
import { deviceOf } from './device.js';
import { crossOrigin, ExeuntError, ExeuntMisuse } from './errors.js';
import { approachOf, approachOfDeed, FOREIGN } from './guard.js';
import { isLoopback } from './loopback.js';
import { offeredBy } from './offered.js';
import { optionsOfExeunt, originOf } from './options.js';
import { answer } from './page.js';
import { Seats } from './seats.js';
import { ExeuntStrategy, SessionStrategy } from './strategy.js';
import { Watches } from './watches.js';

const LOOPBACK_ADDRESS = /^(::ffff:)?127\.|^::1$/;
/** With any of these there is a proxy in between, and the world sees another address than we do. */
const PROXY_FIELDS = ['forwarded', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-for'];

export class Exeunt {
  #contexts = new WeakMap();
  #origin;
  #shared;

  /**
   * `server` is the address of the exeunt server; `origin` how the world sees the app, such as `https://app.example`.
   * Without `origin` the app is served on loopback only.
   */
  constructor(options = {}) {
    const { server, origin, user = idAndName, answer: show = answer, ...wire } = optionsOfExeunt(options);
    this.#origin = originOf(origin);
    const client = new Client({ server, ...wire });
    const cookie = new Cookie({ secure: this.#origin?.startsWith('https:') ?? false });
    const [watches, seats] = [new Watches(client), new Seats()];
    this.#shared = { client, cookie, watches, seats, userOf: user, answer: show };
  }

  /** The middleware: asks the session server about every request that offers something, and gives it its verbs. */
  session() {
    return async (req, res, next) => {
      if (!this.#contexts.has(req)) await this.#begin(req, res);
      next();
    };
  }

  /** The middleware for errors, to put last: shows ours as a page or as JSON, and passes others on. */
  errors() {
    return (error, req, res, next) => {
      // What is wrong with the app itself is for its log.
      const ours = error instanceof ExeuntError && !(error instanceof ExeuntMisuse);
      if (!ours || res.headersSent) return next(error);
      return this.#shared.answer(error, req, res);
    };
  }

  /** Passport's strategy for a name and a password. */
  strategy(options) {
    return new ExeuntStrategy(this, options);
  }

  /** Gives Passport the strategy, and lets an app keep its `passport.session()`. */
  plugInto(passport, options) {
    passport.use(this.strategy(options));
    passport.use(new SessionStrategy(this));
    return passport;
  }

  /** For a socket: the same check at a server's event `upgrade`, where no middleware runs. */
  async upgrade(req) {
    // A browser lets any site open a socket, with our cookie.
    if (approachOfDeed(req.headers, this.#origin) === FOREIGN) throw crossOrigin();
    await this.#begin(req, undefined);
    return req.exeunt;
  }

  /**
   * A new user, where registration is open at the server. Nobody is signed in by it. `from` is the request that asks.
   */
  async register(username, password, { from } = {}) {
    if (from !== undefined) this.#contexts.get(from)?.refuseForeign();
    await this.#shared.client.register(String(username), String(password), deviceOf(from));
  }

  /** What is known of a request that has passed `session()`. */
  contextOf(req) {
    return this.#contexts.get(req);
  }

  /** Lets idle connections go, when the app stops. */
  close() {
    this.#shared.client.close();
  }

  async #begin(req, res) {
    if (req.exeunt !== undefined) throw new ExeuntMisuse('this request has passed the session() of another Exeunt');
    if (this.#origin === undefined) refuseOthersThanLoopback(req);
    const { token, carrier, isWrapped } = offeredBy(req, this.#shared.cookie);
    const approach = approachOf(req, this.#origin);
    const context = new Context(this.#shared, { req, res, approach, carrier, isWrapped });
    await context.check(token);
    this.#contexts.set(req, context);
    give(req, context);
    // A page for one person is for nobody else's cache, nor for the same browser later. A handler may say otherwise.
    if (context.session !== null) res?.setHeader('Cache-Control', 'no-store');
  }
}

/** Under the names that Passport has: it keeps those that a request has already. */
function give(req, context) {
  req.exeunt = context;
  req.login = req.logIn = (user, options, done) => context.login(user, options, done);
  req.logout = req.logOut = (options, done) => context.logout(options, done);
  req.isAuthenticated = () => Boolean(req.user);
  req.isUnauthenticated = () => !req.user;
  req.untilRevoked = (...closables) => context.untilRevoked(...closables);
  req.onRevoked = (listener) => context.onRevoked(listener);
}

function idAndName({ userId, username }) {
  return { id: userId, username };
}

/** Elsewhere the cookie without `Secure` could be read on the way. */
function refuseOthersThanLoopback(req) {
  const address = req.socket.localAddress ?? '';
  const proxied = PROXY_FIELDS.some((field) => field in req.headers);
  if (proxied || !isLoopback(req.headers.host ?? '') || !LOOPBACK_ADDRESS.test(address)) {
    throw new ExeuntMisuse(
      'set `origin` to how the world sees the app, such as https://app.example: this is not loopback',
    );
  }
}
