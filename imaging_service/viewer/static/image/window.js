// From values to grey levels: window centre and width (PS3.3 C.11.2.1.2.1).

/** @typedef {import("./header.js").Window} Window */
/** @typedef {import("./frame.js").Frame} Frame */

const OPAQUE = 0xff000000;

/**
 * Return the grey level of a value, 0 to 255, by the linear function of the standard.
 *
 * @param {number} value In output units.
 * @param {Window} window
 */
export function greyLevel(value, { centre, width }) {
  const level = ((value - (centre - 0.5)) / Math.max(width - 1, 1e-9) + 0.5) * 255;
  return level <= 0 ? 0 : level >= 255 ? 255 : Math.round(level);
}

/**
 * Return a table from every stored value of 16 bits to an opaque grey; a signed value is looked up by its low 16 bits.
 *
 * @param {Pick<Frame, "slope" | "intercept" | "isDarkHigh" | "pixels">} frame
 * @param {Window} window
 * @param {boolean} isInverted
 */
export function lookUpTable({ slope, intercept, isDarkHigh, pixels }, window, isInverted) {
  const isSigned = pixels instanceof Int16Array || pixels instanceof Int8Array;
  const isTurned = isDarkHigh !== isInverted;
  const table = new Uint32Array(65536);
  for (let index = 0; index < 65536; index += 1) {
    const stored = isSigned && index > 32767 ? index - 65536 : index;
    const level = greyLevel(stored * slope + intercept, window);
    const grey = isTurned ? 255 - level : level;
    table[index] = OPAQUE | (grey << 16) | (grey << 8) | grey;
  }
  return table;
}

/**
 * Return the window that shows nearly the whole range of a frame.
 *
 * @param {Frame} frame
 * @param {number} [darkest] Share of the pixels that may be black.
 * @param {number} [brightest] Share that is not white.
 * @returns {Window}
 */
export function wholeRange({ pixels, slope, intercept }, darkest = 0.005, brightest = 0.995) {
  const step = Math.max(1, Math.floor(pixels.length / 16384));
  const values = new Float32Array(Math.ceil(pixels.length / step));
  for (let index = 0, at = 0; at < pixels.length; index += 1, at += step) {
    values[index] = /** @type {number} */ (pixels[at]) * slope + intercept;
  }
  values.sort();
  const low = values[Math.floor(darkest * (values.length - 1))] ?? 0;
  const high = values[Math.ceil(brightest * (values.length - 1))] ?? 1;
  return { centre: (low + high) / 2 + 0.5, width: Math.max(high - low + 1, 1) };
}

/**
 * @typedef {object} Preset
 * @property {string} name
 * @property {(frame: Frame) => Window} of
 */

/** @type {Preset[]} */
const FOR_EVERYTHING = [
  { name: "As sent", of: (frame) => frame.window ?? wholeRange(frame) },
  { name: "Whole range", of: (frame) => wholeRange(frame, 0.001, 0.999) },
  { name: "Bright", of: (frame) => scaled(frame.window ?? wholeRange(frame), 0.75, 0.6) },
  { name: "Soft", of: (frame) => scaled(frame.window ?? wholeRange(frame), 1.15, 1.6) },
];

/** @type {Preset[]} */
const FOR_CT = [
  { name: "Soft tissue", of: () => ({ centre: 40, width: 400 }) },
  { name: "Liver", of: () => ({ centre: 60, width: 160 }) },
  { name: "Lung", of: () => ({ centre: -600, width: 1500 }) },
  { name: "Bone", of: () => ({ centre: 400, width: 1800 }) },
];

/**
 * Return the presets of a modality, in the order of their keys.
 *
 * @param {string | null} modality
 */
export function presetsOf(modality) {
  return modality === "CT" ? [...FOR_EVERYTHING.slice(0, 2), ...FOR_CT] : FOR_EVERYTHING;
}

/**
 * @param {Window} window
 * @param {number} centre
 * @param {number} width
 * @returns {Window}
 */
function scaled(window, centre, width) {
  return { centre: window.centre * centre, width: Math.max(1, window.width * width) };
}
