// Frames in memory, up to a number of bytes; the one that was not looked at longest gives way.

/** @template Value */
export class BoundedCache {
  /** @param {number} limit In bytes. */
  constructor(limit) {
    this.limit = limit;
    this.bytes = 0;
    /** @type {Map<string, { value: Value, bytes: number }>} In the order of use, the oldest first. */
    this.entries = new Map();
  }

  /** @param {string} key */
  get(key) {
    const entry = this.entries.get(key);
    if (!entry) return undefined;
    this.entries.delete(key);
    this.entries.set(key, entry);
    return entry.value;
  }

  /** @param {string} key */
  has(key) {
    return this.entries.has(key);
  }

  /**
   * @param {string} key
   * @param {Value} value
   * @param {number} bytes
   */
  set(key, value, bytes) {
    this.bytes += bytes - (this.entries.get(key)?.bytes ?? 0);
    this.entries.delete(key);
    this.entries.set(key, { value, bytes });
    for (const [oldest, entry] of this.entries) {
      if (this.bytes <= this.limit || oldest === key) break;
      this.entries.delete(oldest);
      this.bytes -= entry.bytes;
    }
  }
}
