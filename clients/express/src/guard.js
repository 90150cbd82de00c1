// Owns where a request comes from, by what the browser says of it: the same judgement as
// `crates/exeunt-axum/src/guard.rs`. It looks at no credential. A request that says nothing of itself is not from a
// browser of these years, so there is no cookie in it that another site could have used.

/** From our own pages, from a person directly, or from a program. */
export const OWN = 'own';
/** A person was sent here by another site: ask before anything ends. */
export const SENT = 'sent';
/** Another site acts, or nobody watches: an image, a script, a frame, a prefetch. */
export const FOREIGN = 'foreign';

/** What a browser says of requests that come from our own pages, or from a person directly. */
const OWN_SITES = ['same-origin', 'none'];
const PREFETCH_FIELDS = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'];
/** These ask what GET would answer, and do nothing. Express sends HEAD to the handlers of GET. */
const IDLE_METHODS = ['HEAD', 'OPTIONS', 'TRACE'];

/** `origin` is how the world sees the app, where that is configured. */
export function approachOf({ method, headers }, origin) {
  if (method === 'GET') return approachOfGet(headers);
  return IDLE_METHODS.includes(method) ? FOREIGN : approachOfDeed(headers, origin);
}

/**
 * Fetch metadata first, for a browser cannot be made to lie in it; else `Origin`. What is said in words that we do not
 * know, or twice, is no pass. Also for a WebSocket's handshake.
 */
export function approachOfDeed(headers, origin) {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return OWN_SITES.includes(site) ? OWN : FOREIGN;
  const from = headers.origin;
  if (from === undefined) return OWN;
  const ours = origin === undefined ? isHostOf(headers, from) : from === origin;
  return ours ? OWN : FOREIGN;
}

/** GET is what links, images, frames and prefetches do; only a person going to the page counts. */
function approachOfGet(headers) {
  const prefetches = PREFETCH_FIELDS.some((field) => /prefetch|^preview$/.test(headers[field] ?? ''));
  const mode = headers['sec-fetch-mode'] ?? 'navigate';
  const dest = headers['sec-fetch-dest'] ?? 'document';
  if (prefetches || mode !== 'navigate' || dest !== 'document') return FOREIGN;
  return OWN_SITES.includes(headers['sec-fetch-site'] ?? 'none') ? OWN : SENT;
}

/** The scheme is not known here; the host and port must be those that the request was sent to. */
function isHostOf(headers, from) {
  return /^https?:\/\/(.+)$/.exec(from)?.[1] === (headers.host ?? '');
}
