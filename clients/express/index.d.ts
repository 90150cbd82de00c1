// Owns the types of what an app may import. They are written by hand, and a test holds the names to the program.

import type { Request, Response, RequestHandler, ErrorRequestHandler } from 'express';
import type { IncomingMessage } from 'node:http';
import type { SecureContextOptions } from 'node:tls';

/** What the server says of a session. It opens nothing. */
export interface ExeuntSession {
  /** Its public name. */
  readonly sid: string;
  /** Whose it is: a number that never changes and is never given again, though a name may be. */
  readonly userId: number;
  /** The name, as typed at registration. */
  readonly username: string;
  /** When it ends, however much it is used. */
  readonly expiresAt: Date;
  /** When it ends if it is not used again. */
  readonly idleExpiresAt: Date;
}

/** One of a person's sessions, for the list of their devices. */
export interface ExeuntListedSession {
  /** Its public name, for `end`. */
  readonly sid: string;
  /** Whether it is the one that asks. */
  readonly current: boolean;
  /** What the device calls itself; may be empty, and is never to be trusted. */
  readonly agent: string;
  /** The network address it signed in from; may be empty. */
  readonly address: string;
  readonly openedAt: Date;
  /** When it was last used, as far as that was noted: to ten minutes. */
  readonly seenAt: Date;
  readonly expiresAt: Date;
  /** Where it is not used again; missing where an older server does not tell. */
  readonly idleExpiresAt?: Date;
}

/** A changed password. */
export interface ExeuntPasswordChanged {
  /** The public names of what has ended by it; at most 1,000 are named. */
  readonly ended: string[];
  /** For a program that came with a bearer token: the new one. A browser has it in its cookie. */
  readonly token?: string;
}

/** What can be closed: a response, a socket, a WebSocket. */
export type Closable =
  { writeHead: unknown; end(): unknown } | { terminate(): unknown } | { destroy(): unknown } | { close(): unknown };

/** `req.exeunt`: what is known of a request. */
export interface ExeuntContext {
  /** The session that is signed in, or null. */
  readonly session: ExeuntSession | null;
  /**
   * Aborts when the session has ended (`ExeuntEnded`), or when that would not be heard of (`ExeuntUnreachable`; or
   * `ExeuntRefused`, `too-much-open`, where the server takes no more streams).
   */
  readonly signal: AbortSignal;
  /** Asks the server anew. Rejects with `ExeuntUnreachable` where it could not look. */
  isStillLive(): Promise<boolean>;
  /** All sessions of whoever is signed in, newest first. */
  sessions(): Promise<ExeuntListedSession[]>;
  /** Ends the session of theirs with this public name. False: they have none of that name. Of this one: `req.logout`. */
  end(sid: string): Promise<boolean>;
  /** Ends everything of theirs but this session: the public names of what has ended; at most 1,000 are named. */
  endOthers(): Promise<string[]>;
  /** Ends everything of theirs, this session included, as `req.logout` ends this one. */
  logoutEverywhere(): Promise<string[]>;
  /**
   * Gives them a new password, if `current` is right. Everything of theirs ends, and this browser or program goes on with a
   * new token. Rejects with `ExeuntRefused` where nothing was changed: `wrong-current-password` (403), or the server's word
   * for a password that cannot be (422).
   */
  changePassword(current: string, next: string): Promise<ExeuntPasswordChanged>;
  /** Resolves when the end is sure to be heard of; from then on what is given closes with the session. */
  untilRevoked(...closables: Closable[]): Promise<AbortSignal>;
  onRevoked(listener: (reason: ExeuntEnded | ExeuntUnreachable | ExeuntRefused) => void): AbortSignal;
}

export interface ExeuntOptions {
  /** The address of the exeunt server, by scheme, host and port: https, or http on loopback. */
  server: string;
  /** How the world sees the app, by scheme, host and port, such as `https://app.example`. Without it the app is served on loopback only. */
  origin?: string;
  /** The app's own user for a session, in place of `deserializeUser`. Nothing: nobody is signed in at this app. */
  user?: (session: ExeuntSession, req: IncomingMessage) => unknown;
  /** Shows an error to whoever asked, at once. */
  answer?: (error: Error, req: Request, res: Response) => void;
  /** Milliseconds for a whole exchange with the server; 5,000 if not said. */
  answerWaitMs?: number;
  /** The network between the app and the server is nobody else's, so tokens may cross it in the clear. */
  plainHttpToServer?: boolean;
  /** For the connections to the server: a CA of one's own, a client certificate. */
  tls?: SecureContextOptions;
}

export interface StrategyOptions {
  /** `exeunt` if not said. */
  name?: string;
  usernameField?: string;
  passwordField?: string;
}

export declare class Exeunt {
  constructor(options: ExeuntOptions);
  /** The middleware that checks every request. Before everything that needs to know who is asking. */
  session(): RequestHandler;
  /** The middleware that shows our errors. Last. */
  errors(): ErrorRequestHandler;
  strategy(options?: StrategyOptions): ExeuntStrategy;
  /** `passport.use(strategy)`, and Passport's `session()` made harmless. */
  plugInto<Passport extends { use(strategy: never): unknown }>(passport: Passport, options?: StrategyOptions): Passport;
  /** The check for a server's event `upgrade`. Throws what `session()` passes on. */
  upgrade(req: IncomingMessage): Promise<ExeuntContext>;
  /** A new user, where registration is open. Nobody is signed in by it. */
  register(username: string, password: string, options?: { from?: IncomingMessage }): Promise<void>;
  contextOf(req: IncomingMessage): ExeuntContext | undefined;
  /** Lets idle connections go. */
  close(): void;
}

export declare class ExeuntStrategy {
  constructor(exeunt: Exeunt, options?: StrategyOptions);
  readonly name: string;
  authenticate(req: Request): void;
}

/** What all errors have. Express goes by `status` and `headers`. */
export declare class ExeuntError extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Record<string, string>;
}

/** 503: nothing could be seen, or nothing can be said to be done. Nobody is signed out by it. */
export declare class ExeuntUnreachable extends ExeuntError {}

/** 400, 401, 403, 409, 422 or 429: the answer is no, and `code` says why. */
export declare class ExeuntRefused extends ExeuntError {}

/** The session has ended. */
export declare class ExeuntEnded extends ExeuntError {}

/** 500: the app is put together wrongly, and the message says what to change. */
export declare class ExeuntMisuse extends ExeuntError {}

declare global {
  namespace Express {
    interface Request {
      exeunt: ExeuntContext;
      /** When it is passed, the session is over. A response below 400 does not leave before, nor if it fails. */
      logout(): Promise<void>;
      logOut(): Promise<void>;
      login(user: unknown): Promise<void>;
      logIn(user: unknown): Promise<void>;
      untilRevoked: ExeuntContext['untilRevoked'];
      onRevoked: ExeuntContext['onRevoked'];
    }
  }
}
