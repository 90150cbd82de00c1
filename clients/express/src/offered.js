// Owns what a request offers to show who is asking: our cookie, a bearer token, or nothing. It verifies nothing; the
// session server does.

import { twoCredentials, unclear } from './errors.js';

export const BY_COOKIE = 'cookie';
export const BY_BEARER = 'bearer';

/** What may follow `Bearer` (RFC 6750 section 2.1). Anything else is no token, and could not be sent on as one. */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;
/** What every token of ours begins with; nothing in base64 does. */
const TOKEN_PREFIX = 'exn_';
/** A token of ours, wherever it stands. */
const OURS = /exn_[A-Za-z0-9_-]{43}/;
const EXACTLY_OURS = /^exn_[A-Za-z0-9_-]{43}$/;
/** Letters of base64 that stand for three bytes together. */
const GROUP = 4;
/** Longer than any token: 47 characters today. What is longer is not sent on. */
const TOKEN_LENGTH_MAX = 256;

/**
 * The token and its carrier; `token` is null where what was offered can be no token. `isWrapped`: it is none, but holds
 * one, in quotes, say, or with a sign too many. That opens nothing, and the session lives.
 * Throws where two different ones were sent, for one of them is somebody else's, and where a bearer token cannot be read.
 */
export function offeredBy(req, cookie) {
  const lines = (field) => req.headersDistinct[field] ?? [];
  const bearers = lines('authorization').map(bearerOf);
  if (bearers.length > 1) throw twoCredentials();
  const bearer = bearers[0];
  const values = new Set(cookie.valuesIn(lines('cookie')));
  if (bearer !== undefined) values.add(bearer);
  if (values.size > 1) throw twoCredentials();
  const [value] = values;
  const carrier = bearer === undefined ? BY_COOKIE : BY_BEARER;
  return { token: isToken(value) ? value : null, carrier, isWrapped: value !== undefined && isWrapped(value) };
}

/** Other schemes are the app's own affair; but whoever shows a token of ours by one is not told that it is over. */
function bearerOf(line) {
  // A scheme ends where no letter of a scheme follows (RFC 9110 section 5.6.2).
  if (!/^bearer(?![\w!#$%&'*+.^`|~-])/i.test(line)) {
    if (line.includes(TOKEN_PREFIX) || hidesToken(line)) throw unclear();
    return undefined;
  }
  const token = /^bearer (.*)$/i.exec(line)?.[1];
  if (token === undefined || !TOKEN.test(token)) throw unclear();
  return token;
}

function isWrapped(value) {
  return !EXACTLY_OURS.test(value) && (OURS.test(value) || hidesToken(value));
}

/** In base64, as the name or the password of `Basic`: wherever a word could begin, for spaces and commas are read leniently by some. */
function hidesToken(line) {
  const letters = line.replace(/[^A-Za-z0-9+/_-]/g, '');
  return [...Array(GROUP).keys()].some((start) => OURS.test(Buffer.from(letters.slice(start), 'base64').toString('latin1')));
}

function isToken(value) {
  return value !== undefined && value.length <= TOKEN_LENGTH_MAX && TOKEN.test(value);
}
