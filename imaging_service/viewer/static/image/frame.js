// A frame with its pixels, decoded from native little-endian bytes (PS3.5 8.1.1).

import { bytesOfPixel, fromPalette, rgbOf } from "./colour.js";
import { entryOf } from "./look_up.js";
import { FrameRefusedError } from "./refused.js";

/** @typedef {import("./header.js").PixelDescription} PixelDescription */
/** @typedef {Uint8Array | Int8Array | Uint16Array | Int16Array} Stored */

/**
 * @typedef {object} Frame
 * @property {number} rows
 * @property {number} columns
 * @property {Stored | Float32Array} pixels Row by row; red, green and blue of each pixel when `isColour`.
 * @property {boolean} isColour
 * @property {boolean} isDarkHigh
 * @property {number} slope From pixel value to output unit.
 * @property {number} intercept
 * @property {import("./header.js").Window | null} window As the header wants it shown.
 * @property {number} bytes
 */

/**
 * Decode a frame.
 *
 * @param {Uint8Array} bytes
 * @param {PixelDescription} description
 * @returns {Frame}
 * @throws {FrameRefusedError}
 */
export function decode(bytes, description) {
  const { rows, columns, samples, bitsAllocated } = description;
  if (![8, 16].includes(bitsAllocated) || ![1, 3].includes(samples) || (samples === 3 && bitsAllocated !== 8)) {
    throw new FrameRefusedError(
      `The frame has ${samples} samples of ${bitsAllocated} bits a pixel; 1 of 8 or 16, or 3 of 8, can be shown.`,
    );
  }
  const wanted = rows * columns * (samples === 3 ? bytesOfPixel(description) : bitsAllocated / 8);
  if (bytes.length < wanted) {
    throw new FrameRefusedError(`The frame has ${bytes.length} bytes; ${wanted} were wanted for ${columns} × ${rows} pixels.`);
  }
  const isColour = samples === 3 || description.photometric === "PALETTE COLOR";
  const pixels = isColour ? coloured(bytes, wanted, description) : grey(bytes.subarray(0, wanted), description);
  return {
    rows,
    columns,
    pixels,
    isColour,
    isDarkHigh: description.isDarkHigh,
    slope: description.modality ? 1 : description.slope,
    intercept: description.modality ? 0 : description.intercept,
    window: isColour ? null : description.window,
    bytes: pixels.byteLength,
  };
}

/**
 * @param {Uint8Array} bytes
 * @param {number} wanted
 * @param {PixelDescription} description
 */
function coloured(bytes, wanted, description) {
  if (description.samples === 3) return rgbOf(bytes, description);
  if (!description.palette) throw new FrameRefusedError("The frame's colours stand in a palette; the header has none that can be read.");
  return fromPalette(stored(bytes.subarray(0, wanted), description), description.palette);
}

/**
 * Return stored values, or the output units that a Modality LUT makes of them.
 *
 * @param {Uint8Array} bytes
 * @param {PixelDescription} description
 */
function grey(bytes, description) {
  const pixels = stored(bytes, description);
  const { modality } = description;
  return modality ? Uint16Array.from(pixels, (value) => entryOf(modality, value)) : pixels;
}

/**
 * @param {Uint8Array} bytes
 * @param {PixelDescription} description
 * @returns {Stored}
 */
function stored(bytes, { bitsAllocated, bitsStored, isSigned }) {
  const aligned = bytes.byteOffset % 2 ? bytes.slice() : bytes;
  const buffer = /** @type {ArrayBuffer} */ (aligned.buffer);
  const { byteOffset } = aligned;
  const count = aligned.length / (bitsAllocated / 8);
  const pixels =
    bitsAllocated === 16
      ? new (isSigned ? Int16Array : Uint16Array)(buffer, byteOffset, count)
      : new (isSigned ? Int8Array : Uint8Array)(buffer, byteOffset, count);
  const spare = bitsAllocated - bitsStored;
  return spare ? withoutSpareBits(pixels, spare, bitsAllocated) : pixels;
}

/**
 * Drop what stands above the stored bits: old objects keep overlays there.
 *
 * @param {Stored} pixels
 * @param {number} spare
 * @param {number} bitsAllocated
 */
function withoutSpareBits(pixels, spare, bitsAllocated) {
  const isSigned = pixels instanceof Int16Array || pixels instanceof Int8Array;
  const shift = 32 - bitsAllocated + spare;
  for (let index = 0; index < pixels.length; index += 1) {
    const value = /** @type {number} */ (pixels[index]) << shift;
    pixels[index] = isSigned ? value >> shift : value >>> shift;
  }
  return pixels;
}
