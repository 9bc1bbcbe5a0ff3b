// Which side of the patient an edge of the image shows.

/** @typedef {import("./vector.js").Vector} Vector */

const LETTERS = /** @type {const} */ ([["L", "R"], ["P", "A"], ["H", "F"]]);
const COUNTS = 0.25;

/**
 * Name a direction by the patient's sides, the main one first: "L", "PL".
 *
 * @param {Vector} direction
 */
export function sideOf(direction) {
  return direction
    .map((value, axis) => ({ size: Math.abs(value), letter: LETTERS[/** @type {0 | 1 | 2} */ (axis)][value < 0 ? 1 : 0] }))
    .filter((each) => each.size > COUNTS)
    .sort((one, other) => other.size - one.size)
    .slice(0, 2)
    .map((each) => each.letter)
    .join("");
}

/**
 * @param {Vector} direction
 * @returns {Vector}
 */
export function opposite([x, y, z]) {
  return [-x, -y, -z];
}
