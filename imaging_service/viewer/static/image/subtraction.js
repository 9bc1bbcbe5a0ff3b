// One phase of a dynamic acquisition minus another, in output units: each phase has a rescale of its own.

import { FrameRefusedError } from "./refused.js";

/** @typedef {import("./frame.js").Frame} Frame */

/**
 * @param {Frame} later
 * @param {Frame} earlier
 * @returns {Frame}
 * @throws {FrameRefusedError} Colours have no difference that means anything.
 */
export function subtract(later, earlier) {
  if (later.isColour || earlier.isColour) throw new FrameRefusedError("One of the phases is in colour; only grey frames are subtracted.");
  const count = Math.min(later.pixels.length, earlier.pixels.length);
  const pixels = new Float32Array(count);
  const between = later.intercept - earlier.intercept;
  for (let index = 0; index < count; index += 1) {
    pixels[index] =
      /** @type {number} */ (later.pixels[index]) * later.slope -
      /** @type {number} */ (earlier.pixels[index]) * earlier.slope +
      between;
  }
  return { ...later, pixels, isDarkHigh: false, slope: 1, intercept: 0, window: null, bytes: pixels.byteLength };
}
