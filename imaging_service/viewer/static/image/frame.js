// A frame with its pixels, decoded from native little-endian bytes (PS3.5 8.1.1).

/** @typedef {import("./header.js").PixelDescription} PixelDescription */
/** @typedef {Uint8Array | Int8Array | Uint16Array | Int16Array} Stored */

/**
 * @typedef {object} Frame
 * @property {number} rows
 * @property {number} columns
 * @property {Stored | Float32Array} pixels Row by row; three samples a pixel when `isColour`.
 * @property {boolean} isColour
 * @property {boolean} isDarkHigh
 * @property {number} slope From stored value to output unit.
 * @property {number} intercept
 * @property {import("./header.js").Window | null} window As the header wants it shown.
 * @property {number} bytes
 */

/** The pixels of a frame cannot be shown, for a reason that the reader is told. */
export class FrameRefusedError extends Error {}

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
  const wanted = rows * columns * samples * (bitsAllocated / 8);
  if (bytes.length < wanted) {
    throw new FrameRefusedError(`The frame has ${bytes.length} bytes; ${wanted} were wanted for ${columns} × ${rows} pixels.`);
  }
  const pixels = samples === 3 ? interleaved(bytes, description) : stored(bytes.subarray(0, wanted), description);
  return {
    rows,
    columns,
    pixels,
    isColour: samples === 3,
    isDarkHigh: description.isDarkHigh,
    slope: description.slope,
    intercept: description.intercept,
    window: description.window,
    bytes: pixels.byteLength,
  };
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

/**
 * @param {Uint8Array} bytes
 * @param {PixelDescription} description
 */
function interleaved(bytes, { rows, columns, isPlanar }) {
  const count = rows * columns;
  if (!isPlanar) return bytes.slice(0, count * 3);
  const pixels = new Uint8Array(count * 3);
  for (let index = 0; index < count; index += 1) {
    for (let sample = 0; sample < 3; sample += 1) pixels[index * 3 + sample] = bytes[sample * count + index] ?? 0;
  }
  return pixels;
}
