// The colour of each response; each is told in words as well, never by colour alone.

/** @type {Record<string, string>} */
const COLOURS = {
  CR: "#1b7837",
  PR: "#5aae61",
  SD: "#8c96a3",
  "NON-CR/NON-PD": "#8c96a3",
  NED: "#1b7837",
  PD: "#c0392b",
  NE: "#c9ced4",
};

const MINUS = "\u2212";

export const READER_COLOURS = ["#0b5cad", "#b35c00", "#5b3a9b"];

/** @param {string} response */
export function colourOf(response) {
  return COLOURS[response] ?? "#c9ced4";
}

/**
 * The legend's entries for the responses that occur, in the order of the criteria.
 *
 * @param {string[]} found
 * @returns {[string, string][]}
 */
export function legendOf(found) {
  return Object.entries(COLOURS).filter(([name]) => found.includes(name));
}

/** @param {number} percent */
export function percentName(percent) {
  return `${percent > 0 ? "+" : percent < 0 ? MINUS : ""}${Math.abs(percent).toFixed(1)} %`;
}

/** @param {number} value */
export function signed(value) {
  return value < 0 ? `${MINUS}${-value}` : String(value);
}
