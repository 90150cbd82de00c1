// Owns what all requests with one token have in common here: which session follows theirs while the password is changed.
// Whoever signs out meanwhile means that one too (`docs/decisions/0019`): else the answer with the new token, which is on
// its way, would sign the browser in again. It keeps a token only while a request is open that it may concern.

export class Seats {
  #byToken = new Map();

  /** The seat of whoever shows this token, until `res` has closed. Whoever holds it keeps it. */
  take(token, res) {
    const seat = this.#byToken.get(token) ?? this.#newSeat(token);
    seat.takers += 1;
    const leave = () => {
      seat.takers -= 1;
      if (seat.takers === 0) seat.forget();
    };
    if (res.closed) leave();
    else res.once('close', leave);
    return seat;
  }

  #newSeat(token) {
    const forget = () => {
      // One that was taken anew since is another one.
      if (this.#byToken.get(token) === seat) this.#byToken.delete(token);
    };
    const seat = new Seat(forget);
    this.#byToken.set(token, seat);
    return seat;
  }
}

class Seat {
  /** Requests that are open. */
  takers = 0;
  /** From now on whoever comes with this token has another seat: what follows was handed out, and is none of theirs. */
  forget;
  #next = null;
  #underWay = Promise.resolve();

  constructor(forget) {
    this.forget = forget;
  }

  /** A change of password is under way, of somebody who sits here: it resolves to where they go, or to null. */
  async leaveFor(going) {
    const gone = going.then((next) => {
      this.#next = next ?? this.#next;
      return next;
    });
    this.#underWay = Promise.allSettled([this.#underWay, gone]);
    return gone;
  }

  /** What follows, with its token and its seat, as soon as it is known; or null. */
  async next() {
    await this.#underWay;
    return this.#next;
  }
}
