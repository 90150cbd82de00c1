// Owns what can go wrong, by what the caller can do. "Refused" and "could not look" never turn into one another. No
// message and no field repeats what was sent: it may be a secret.

/** Seconds after which to try again when the session server cannot be reached: as the server itself says. */
const RETRY_AFTER_S = 2;

/** What all errors of this package have. `status` and `headers` are what Express goes by. */
export class ExeuntError extends Error {
  constructor(message, { status, code, retryAfterS, cause }) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.status = status;
    this.code = code;
    this.headers = { 'Cache-Control': 'no-store' };
    if (retryAfterS !== undefined) this.headers['Retry-After'] = String(retryAfterS);
  }
}

/** Nothing could be seen, or nothing can be said to be done. Nobody is signed out by it, and the cookie is kept. */
export class ExeuntUnreachable extends ExeuntError {
  constructor(message, { retryAfterS = RETRY_AFTER_S, cause } = {}) {
    super(message, { status: 503, code: 'unreachable', retryAfterS, cause });
  }
}

/** The request was understood, and the answer is no. `code` says why. */
export class ExeuntRefused extends ExeuntError {}

/** The session has ended. The reason with which the signal of what was open for it aborts. */
export class ExeuntEnded extends ExeuntError {
  constructor() {
    super('the session has ended', { status: 401, code: 'ended' });
  }
}

/** The app is put together wrongly. The message says what to change. */
export class ExeuntMisuse extends ExeuntError {
  constructor(message) {
    super(message, { status: 500, code: 'misuse' });
  }
}

const refused = (status, code, message) => () => new ExeuntRefused(message, { status, code });

export const notSignedIn = refused(401, 'not-signed-in', 'nobody is signed in');

/** To choose one of them would be to guess. */
export const twoCredentials = refused(
  400,
  'two-credentials',
  "two different sessions were sent; clear this site's cookies and sign in again",
);

/** To say "signed out" to somebody whose token was not understood would leave it alive. */
export const unclear = refused(
  400,
  'unclear-credentials',
  'the Authorization header or the cookie shows a token in no way that can be read: send `Bearer`, one space and the token',
);

/** Another site made the request; or whichever made it, no person saw it: an image, a frame, a script, a prefetch. */
export const crossOrigin = refused(
  403,
  'cross-origin',
  'refused: this request did not come from a click or a form on this site',
);

/** A person was sent to sign out by another site. */
export const unconfirmed = refused(
  403,
  'unconfirmed',
  'another site sent you here to sign out; nothing has ended: confirm it on this site',
);

/** A person mistyped it, or is not who signed in: ask again. Whoever is not signed in any more is `notSignedIn`. */
export const wrongCurrentPassword = refused(
  403,
  'wrong-current-password',
  'nothing was changed: that is not the current password',
);

export const tooManySessions = refused(
  409,
  'too-many-sessions',
  'too many sessions are open; sign out somewhere first',
);

export const tooMuchOpen = refused(429, 'too-much-open', 'too much is open for this session at once');

export function tooManyAttempts(retryAfterS) {
  const wait = retryAfterS === undefined ? 'wait a while' : `wait ${retryAfterS} s`;
  return new ExeuntRefused(`too many attempts; ${wait}`, { status: 429, code: 'too-many-attempts', retryAfterS });
}

/** What the session server does not accept from a person: they can choose otherwise. */
export function unacceptable(status, code, message) {
  return new ExeuntRefused(message, { status, code });
}

/** Whichever page was asked for: it may have been the one that signs out. */
export function couldNotLook(cause) {
  return unknown('the session server cannot be asked who you are, and you are NOT signed out by this; try again', cause);
}

/** Of one's own session, or of all. */
export function notOver(cause) {
  return unknown('you are NOT signed out: the session server cannot say that it is over; try again', cause);
}

/** Of other sessions of the same person. */
export function notEnded(cause) {
  return unknown('what you wanted to end is NOT known to be over: the session server cannot say so; try again', cause);
}

/** Whoever has lost the answer has lost the new token with it, and is signed in no more if it is so. */
export function notKnownToBeChanged(cause) {
  const message =
    'the session server cannot say whether the password is changed: sign in with the new one, and if that fails with the old';
  return unknown(message, cause);
}

function unknown(message, cause) {
  return new ExeuntUnreachable(message, { retryAfterS: cause.headers?.['Retry-After'], cause });
}
