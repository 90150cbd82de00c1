// Owns the cookie: how it is named, set, found and cleared, as `crates/exeunt-axum/src/cookie.rs` has it. A cookie that
// is cleared repeats the attributes with which it was set, for browsers ignore a deletion that a `__Host-` name does
// not allow (RFC 6265bis section 5.7).

/** The name over HTTPS. `__Host-` makes the browser insist on `Secure`, on `Path=/` and on this very host. */
const SECURE_NAME = '__Host-exeunt';
/** The name on plain HTTP, which is for loopback only. */
const PLAIN_NAME = 'exeunt';
/** 400 days: browsers keep no cookie longer (RFC 6265bis section 5.5). */
const MAX_AGE_S = 400 * 24 * 60 * 60;

const BLANKS = ' \t';

/**
 * Spaces and tabs alone, as browsers have it. `trim` takes more away, U+00A0 among it: then a name that begins with that
 * byte, to which no browser applies the rule of `__Host-`, would be ours.
 */
function withoutBlanks(text) {
  let [start, end] = [0, text.length];
  while (start < end && BLANKS.includes(text[start])) start += 1;
  while (start < end && BLANKS.includes(text[end - 1])) end -= 1;
  return text.slice(start, end);
}

export class Cookie {
  #secure;

  constructor({ secure }) {
    this.#secure = secure;
  }

  get name() {
    return this.#secure ? SECURE_NAME : PLAIN_NAME;
  }

  /** Every value under our exact name, whatever it is. Two that differ were not both put there by us. */
  valuesIn(lines) {
    const start = `${this.name}=`;
    const pairs = lines.flatMap((line) => line.split(';')).map(withoutBlanks);
    return pairs.filter((pair) => pair.startsWith(start)).map((pair) => pair.slice(start.length));
  }

  set(token, livesS) {
    return this.#write(token, Math.max(0, Math.min(Math.floor(livesS), MAX_AGE_S)));
  }

  clear() {
    return this.#write('', 0);
  }

  #write(value, maxAgeS) {
    const secure = this.#secure ? ' Secure;' : '';
    return `${this.name}=${value}; HttpOnly; SameSite=Lax;${secure} Path=/; Max-Age=${maxAgeS}`;
  }
}
