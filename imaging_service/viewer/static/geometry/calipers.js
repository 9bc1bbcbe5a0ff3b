// Lengths on one frame. They are shown while a line is drawn; what counts is the service's own computation.

/** @typedef {import("../api/types.js").Pixel} Pixel */
/** @typedef {[Pixel, Pixel]} Line */

/**
 * Return the length of a line in mm.
 *
 * @param {{ rowSpacing: number, columnSpacing: number }} plane
 * @param {Line} line
 */
export function lengthMm(plane, [start, end]) {
  const [across, down] = spanMm(plane, [start, end]);
  return Math.hypot(across, down);
}

/**
 * Return the angle between two lines, 0 to 90 degrees.
 *
 * @param {{ rowSpacing: number, columnSpacing: number }} plane
 * @param {Line} one
 * @param {Line} other
 */
export function angleDegrees(plane, one, other) {
  const [a, b] = spanMm(plane, one);
  const [c, d] = spanMm(plane, other);
  return (Math.atan2(Math.abs(a * d - b * c), Math.abs(a * c + b * d)) * 180) / Math.PI;
}

/**
 * Move a point by some pixels, and keep it inside the image, which ends half a pixel outside the outermost centres.
 *
 * @param {Pixel} pixel
 * @param {[column: number, row: number]} by
 * @param {{ columns: number, rows: number }} size
 * @returns {Pixel}
 */
export function moved([column, row], [across, down], size) {
  return inside([column + across, row + down], size);
}

/**
 * Return the nearest point inside the image.
 *
 * @param {Pixel} pixel
 * @param {{ columns: number, rows: number }} size
 * @returns {Pixel}
 */
export function inside([column, row], { columns, rows }) {
  const clamp = (/** @type {number} */ value, /** @type {number} */ count) => Math.min(count - 0.5, Math.max(-0.5, value));
  return [hundredth(clamp(column, columns)), hundredth(clamp(row, rows))];
}

/**
 * @param {{ rowSpacing: number, columnSpacing: number }} plane
 * @param {Line} line
 */
function spanMm(plane, [start, end]) {
  return /** @type {const} */ ([(end[0] - start[0]) * plane.columnSpacing, (end[1] - start[1]) * plane.rowSpacing]);
}

/** A hundredth of a pixel is finer than any hand, and keeps what is sent short. */
function hundredth(/** @type {number} */ value) {
  return Math.round(value * 100) / 100;
}
