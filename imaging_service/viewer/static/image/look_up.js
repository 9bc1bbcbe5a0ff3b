// Look-up tables of a header, from values in to values out (PS3.3 C.11.1.1, C.11.2.1.1, C.7.6.3.1.5).

/** @typedef {import("./header.js").DicomElement} DicomElement */

/**
 * @typedef {object} LookUp
 * @property {number} first The value that the first entry is for; smaller ones get it too.
 * @property {number} bits Of an entry.
 * @property {Uint16Array | Uint8Array} entries Values beyond the last get the last.
 */

/**
 * Read a table, or return null where the header has none that can be used.
 *
 * @param {DicomElement | undefined} descriptor How many entries (0 says 65536), the first value, bits of an entry.
 * @param {DicomElement | undefined} data Numbers, or words of 16 bits; also bytes, when no more fit in.
 * @returns {LookUp | null}
 */
export function readLookUp(descriptor, data) {
  const [count, first, bits] = (descriptor?.Value ?? []).map(Number);
  if (count === undefined || first === undefined || bits === undefined || !data) return null;
  const entries = entriesOf(data, count || 65536).subarray(0, count || 65536);
  return entries.length ? { first, bits, entries } : null;
}

/**
 * @param {DicomElement} data
 * @param {number} count
 */
function entriesOf({ Value, InlineBinary }, count) {
  if (Value) return Uint16Array.from(Value);
  const bytes = Uint8Array.from(atob(InlineBinary ?? ""), (each) => each.charCodeAt(0));
  if (bytes.length < count * 2) return bytes;
  const view = new DataView(bytes.buffer);
  return Uint16Array.from({ length: count }, (_, index) => view.getUint16(index * 2, true));
}

/**
 * Return the entry of a value.
 *
 * @param {LookUp} table
 * @param {number} value
 */
export function entryOf({ first, entries }, value) {
  const place = Math.min(entries.length - 1, Math.max(0, Math.round(value) - first));
  return /** @type {number} */ (entries[place]);
}
