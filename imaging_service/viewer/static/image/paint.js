// Paint a frame into image data: one look-up a pixel, so that 1024 × 1024 pixels take a few milliseconds.

import { greyLevel, lookUpTable } from "./window.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("./header.js").Window} Window */

/** Keeps the table of the last window, which most frames of a series share. */
export class Painter {
  constructor() {
    this.name = "";
    /** @type {import("./look_up.js").LookUp | undefined} */
    this.voi = undefined;
    this.table = new Uint32Array(0);
  }

  /**
   * @param {Frame} frame
   * @param {Window} window
   * @param {boolean} isInverted
   * @param {ImageData} target As large as the frame.
   */
  paint(frame, window, isInverted, target) {
    const out = new Uint32Array(target.data.buffer);
    if (frame.isColour) paintColour(frame, isInverted, out);
    else if (frame.pixels instanceof Float32Array) paintValues(frame, window, isInverted, out);
    else this.#paintStored(frame, frame.pixels, window, isInverted, out);
  }

  /**
   * @param {Frame} frame
   * @param {import("./frame.js").Stored} pixels
   * @param {Window} window
   * @param {boolean} isInverted
   * @param {Uint32Array} out
   */
  #paintStored(frame, pixels, window, isInverted, out) {
    const kind = pixels.constructor.name;
    const name = [kind, frame.slope, frame.intercept, frame.isDarkHigh, window.centre, window.width, window.shape, isInverted].join();
    if (name !== this.name || window.table !== this.voi) {
      this.table = lookUpTable(frame, window, isInverted);
      this.name = name;
      this.voi = window.table;
    }
    const table = this.table;
    for (let index = 0; index < pixels.length; index += 1) {
      out[index] = /** @type {number} */ (table[/** @type {number} */ (pixels[index]) & 0xffff]);
    }
  }
}

/**
 * @param {Frame} frame
 * @param {Window} window
 * @param {boolean} isInverted
 * @param {Uint32Array} out
 */
function paintValues(frame, window, isInverted, out) {
  const isTurned = frame.isDarkHigh !== isInverted;
  for (let index = 0; index < frame.pixels.length; index += 1) {
    const level = greyLevel(/** @type {number} */ (frame.pixels[index]) * frame.slope + frame.intercept, window);
    const grey = isTurned ? 255 - level : level;
    out[index] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
  }
}

/**
 * @param {Frame} frame
 * @param {boolean} isInverted
 * @param {Uint32Array} out
 */
function paintColour({ pixels, rows, columns }, isInverted, out) {
  const turn = isInverted ? 0xffffff : 0;
  for (let index = 0, at = 0; index < rows * columns; index += 1, at += 3) {
    const [red, green, blue] = [pixels[at] ?? 0, pixels[at + 1] ?? 0, pixels[at + 2] ?? 0];
    out[index] = 0xff000000 | (((blue << 16) | (green << 8) | red) ^ turn);
  }
}
