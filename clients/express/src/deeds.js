// Owns how the deeds of one request are done: one after another, while its answer waits, and told as Passport tells it. It
// knows nothing of sessions.

import { Curtain } from './curtain.js';
import { ExeuntMisuse } from './errors.js';

/** What a deed is about, if it is not the public name of another session. */
export const HERE = 'here';
export const OTHERS = 'others';
export const EVERYWHERE = 'everywhere';
export const PASSWORD = 'password';

/** A deed that makes good what of the same has failed before, and nothing else. */
export function only(what) {
  return { what, mends: (failed) => failed === what };
}

export class Deeds {
  #res;
  #cookieName;
  #explain;
  #curtain = null;
  /** What is under way, if anything is. */
  #last = null;

  /** As a `Curtain` takes them. `res` is missing where a socket is all there is. */
  constructor(res, cookieName, explain) {
    this.#res = res;
    this.#cookieName = cookieName;
    this.#explain = explain;
  }

  /** What the answer waits behind. */
  get curtain() {
    this.#curtain ??= new Curtain(this.#res, this.#cookieName, this.#explain);
    return this.#curtain;
  }

  refuseSocket() {
    if (this.#res === undefined)
      throw new ExeuntMisuse('over a socket nobody can sign in or out: there is no response');
  }

  /** A callback is called as Passport's are: what it throws is its own. */
  begin(act, { done, ...about }) {
    this.refuseSocket();
    // Before it begins: nothing that its caller does meanwhile may leave.
    const { curtain } = this;
    const settled = curtain.hold(this.#inTurn(act), about);
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
}
