// Vectors in patient coordinates: mm to the left, to the back, to the head (PS3.3 C.7.6.2.1.1).

/** @typedef {[x: number, y: number, z: number]} Vector */

/**
 * @param {Vector} one
 * @param {Vector} other
 */
export function dot(one, other) {
  return one[0] * other[0] + one[1] * other[1] + one[2] * other[2];
}

/**
 * @param {Vector} one
 * @param {Vector} other
 * @returns {Vector}
 */
export function cross(one, other) {
  return [
    one[1] * other[2] - one[2] * other[1],
    one[2] * other[0] - one[0] * other[2],
    one[0] * other[1] - one[1] * other[0],
  ];
}

/**
 * @param {Vector} one
 * @param {Vector} other
 * @returns {Vector}
 */
export function minus(one, other) {
  return [one[0] - other[0], one[1] - other[1], one[2] - other[2]];
}

/**
 * Return `from` plus `by` times `direction`.
 *
 * @param {Vector} from
 * @param {number} by
 * @param {Vector} direction
 * @returns {Vector}
 */
export function along(from, by, direction) {
  return [from[0] + by * direction[0], from[1] + by * direction[1], from[2] + by * direction[2]];
}
