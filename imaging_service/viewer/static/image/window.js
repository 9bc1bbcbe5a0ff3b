// From values to grey levels: windows and look-up tables (PS3.3 C.11.2).

import { entryOf } from "./look_up.js";

/** @typedef {import("./header.js").Window} Window */
/** @typedef {import("./frame.js").Frame} Frame */

const OPAQUE = 0xff000000;
const NARROWEST = 1e-3;

/**
 * The functions of the standard, from a value and a window to a share of the brightest (C.11.2.1.2, C.11.2.1.3).
 *
 * @type {Record<string, (value: number, window: Window) => number>}
 */
const FUNCTIONS = {
  LINEAR: (value, { centre, width }) => (value - (centre - 0.5)) / Math.max(width - 1, 1e-9) + 0.5,
  LINEAR_EXACT: (value, { centre, width }) => (value - centre) / width + 0.5,
  SIGMOID: (value, { centre, width }) => 1 / (1 + Math.exp((-4 * (value - centre)) / width)),
};

/**
 * Return the grey level of a value, 0 to 255.
 *
 * @param {number} value In output units.
 * @param {Window} window
 */
export function greyLevel(value, window) {
  const { shape = "LINEAR", table } = window;
  const share = table ? entryOf(table, value) / (2 ** table.bits - 1) : /** @type {Function} */ (FUNCTIONS[shape])(value, window);
  return share <= 0 ? 0 : share >= 1 ? 255 : Math.round(share * 255);
}

/**
 * Return a window whose centre and width are others; a table gives way to a straight line.
 *
 * @param {Window} window
 * @param {number} centre
 * @param {number} width
 * @returns {Window}
 */
export function moved({ shape }, centre, width) {
  return shape ? { centre, width: Math.max(NARROWEST, width), shape } : { centre, width: Math.max(1, width) };
}

/**
 * Name a window as a reader knows it.
 *
 * @param {Window} window
 */
export function windowName({ centre, width, shape, table }) {
  if (table) return "VOI LUT";
  const digits = width < 10 ? 2 : 0;
  return `C ${Number(centre.toFixed(digits))} W ${Number(width.toFixed(digits))}${shape === "SIGMOID" ? " sigmoid" : ""}`;
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
 */
function scaled(window, centre, width) {
  return moved(window, window.centre * centre, window.width * width);
}
