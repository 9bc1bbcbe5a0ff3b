// Colours: whatever a frame keeps them as, RGB comes out (PS3.3 C.7.6.3.1.2).

import { entryOf } from "./look_up.js";
import { FrameRefusedError } from "./refused.js";

/** @typedef {import("./header.js").PixelDescription} PixelDescription */
/** @typedef {import("./look_up.js").LookUp} LookUp */

const COMPRESSED = { samplesOf: 3, turn: false };
/** How native pixels are kept: bytes for a pixel, and whether they are luminance and chrominance. */
const KEPT = /** @type {Record<string, { samplesOf: number, turn: boolean }>} */ ({
  RGB: { samplesOf: 3, turn: false },
  YBR_FULL: { samplesOf: 3, turn: true },
  YBR_FULL_422: { samplesOf: 2, turn: true },
});

/**
 * Return how the three samples of a pixel are kept. A compressed frame was made RGB where it was decoded.
 *
 * @param {PixelDescription} description
 * @throws {FrameRefusedError}
 */
function keptAs({ photometric, isCompressed }) {
  const kept = isCompressed ? COMPRESSED : KEPT[photometric];
  if (!kept) {
    throw new FrameRefusedError(`The frame's colours are ${photometric || "not named"}; ${Object.keys(KEPT).join(", ")} can be shown.`);
  }
  return kept;
}

/**
 * How many bytes a pixel of three samples has.
 *
 * @param {PixelDescription} description
 */
export function bytesOfPixel(description) {
  return keptAs(description).samplesOf;
}

/**
 * Return pixels of three samples as RGB, pixel by pixel.
 *
 * @param {Uint8Array} bytes
 * @param {PixelDescription} description
 */
export function rgbOf(bytes, description) {
  const { samplesOf, turn } = keptAs(description);
  const count = description.rows * description.columns;
  const isPlanar = description.isPlanar && !description.isCompressed && samplesOf === 3;
  const pixels = samplesOf === 2 ? everyPixel(bytes, count) : isPlanar ? interleaved(bytes, count) : bytes.slice(0, count * 3);
  return turn ? turned(pixels) : pixels;
}

/**
 * Give two neighbours the chrominance that they share.
 *
 * @param {Uint8Array} bytes Two luminances, then blue and red chrominance.
 * @param {number} count
 */
function everyPixel(bytes, count) {
  const pixels = new Uint8Array(count * 3);
  for (let index = 0; index < count; index += 1) {
    const pair = (index >> 1) * 4;
    pixels[index * 3] = bytes[pair + (index & 1)] ?? 0;
    pixels[index * 3 + 1] = bytes[pair + 2] ?? 0;
    pixels[index * 3 + 2] = bytes[pair + 3] ?? 0;
  }
  return pixels;
}

/**
 * @param {Uint8Array} bytes One plane for each sample.
 * @param {number} count
 */
function interleaved(bytes, count) {
  const pixels = new Uint8Array(count * 3);
  for (let index = 0; index < count; index += 1) {
    for (let sample = 0; sample < 3; sample += 1) pixels[index * 3 + sample] = bytes[sample * count + index] ?? 0;
  }
  return pixels;
}

/**
 * Turn luminance and chrominance into red, green and blue (the equations of YBR_FULL, solved), in place.
 *
 * @param {Uint8Array} pixels
 */
function turned(pixels) {
  const rounded = new Uint8ClampedArray(3);
  for (let at = 0; at < pixels.length; at += 3) {
    const [y, cb, cr] = [pixels[at] ?? 0, (pixels[at + 1] ?? 0) - 128, (pixels[at + 2] ?? 0) - 128];
    rounded[0] = y + 1.402 * cr;
    rounded[1] = y - 0.344136 * cb - 0.714136 * cr;
    rounded[2] = y + 1.772 * cb;
    pixels.set(rounded, at);
  }
  return pixels;
}

/**
 * Return the colours that stored values stand for.
 *
 * @param {ArrayLike<number>} stored
 * @param {[LookUp, LookUp, LookUp]} palette Red, green, blue.
 */
export function fromPalette(stored, palette) {
  const pixels = new Uint8Array(stored.length * 3);
  for (let index = 0; index < stored.length; index += 1) {
    palette.forEach((table, sample) => {
      const entry = entryOf(table, /** @type {number} */ (stored[index]));
      pixels[index * 3 + sample] = table.bits > 8 ? entry >> 8 : entry;
    });
  }
  return pixels;
}
