// Requests in the order of their urgency, a few at a time: what is looked at goes before what may be looked at.

/**
 * @typedef {object} Waiting
 * @property {string} key
 * @property {() => Promise<unknown>} run
 * @property {number} urgency The smallest goes first.
 */

/** A browser opens six connections to a host; one is left for what the reader enters. */
const AT_ONCE = 5;

export class RequestQueue {
  constructor() {
    /** @type {Map<string, Waiting>} */
    this.waiting = new Map();
    this.running = 0;
    /** What is less urgent than this waits. */
    this.bound = Infinity;
  }

  /** @param {number} bound */
  holdBack(bound) {
    this.bound = bound;
    this.#runNext();
  }

  /** @param {Waiting} wanted */
  add(wanted) {
    const known = this.waiting.get(wanted.key);
    if (known) known.urgency = Math.min(known.urgency, wanted.urgency);
    else this.waiting.set(wanted.key, wanted);
    this.#runNext();
  }

  /**
   * Forget what nobody waits for any more.
   *
   * @param {(waiting: Waiting) => boolean} isUnwanted
   */
  drop(isUnwanted) {
    for (const each of this.waiting.values()) if (isUnwanted(each)) this.waiting.delete(each.key);
  }

  #runNext() {
    while (this.running < AT_ONCE && this.waiting.size) {
      let next = /** @type {Waiting | null} */ (null);
      for (const each of this.waiting.values()) if (each.urgency < (next?.urgency ?? this.bound)) next = each;
      if (!next) return;
      this.waiting.delete(next.key);
      this.running += 1;
      next.run().finally(() => {
        this.running -= 1;
        this.#runNext();
      });
    }
  }
}
