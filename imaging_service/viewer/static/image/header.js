// What the header of an instance says about its pixels (PS3.3 C.7.6.3, C.7.6.16, C.11), from the DICOM JSON model.

import { readLookUp } from "./look_up.js";

/** @typedef {{ vr: string, Value?: any[], InlineBinary?: string }} DicomElement */
/** @typedef {Record<string, DicomElement>} DicomJson */
/** @typedef {import("./look_up.js").LookUp} LookUp */

/**
 * How output units become grey levels.
 *
 * @typedef {object} Window
 * @property {number} centre
 * @property {number} width
 * @property {"LINEAR_EXACT" | "SIGMOID"} [shape] VOI LUT Function; without it LINEAR.
 * @property {LookUp} [table] VOI LUT, which then counts; centre and width are what it spans.
 */

/**
 * @typedef {object} PixelDescription
 * @property {number} rows
 * @property {number} columns
 * @property {number} bitsAllocated
 * @property {number} bitsStored
 * @property {boolean} isSigned
 * @property {number} samples
 * @property {string} photometric Photometric Interpretation.
 * @property {boolean} isPlanar
 * @property {boolean} isCompressed As it is kept; the service decodes it, and makes its colours RGB.
 * @property {boolean} isDarkHigh MONOCHROME1: high values are dark.
 * @property {number} slope
 * @property {number} intercept
 * @property {LookUp | null} modality Modality LUT, in whose place slope and intercept stand otherwise.
 * @property {[LookUp, LookUp, LookUp] | null} palette Red, green, blue.
 * @property {Window | null} window
 */

const TAG = {
  syntax: "00083002",
  samples: "00280002",
  photometric: "00280004",
  planar: "00280006",
  rows: "00280010",
  columns: "00280011",
  bitsAllocated: "00280100",
  bitsStored: "00280101",
  representation: "00280103",
  centre: "00281050",
  width: "00281051",
  shape: "00281056",
  intercept: "00281052",
  slope: "00281053",
  modality: "00283000",
  voiTables: "00283010",
  descriptor: "00283002",
  data: "00283006",
  palette: ["00281101", "00281102", "00281103"],
  paletteData: ["00281201", "00281202", "00281203"],
  shared: "52009229",
  perFrame: "52009230",
  voi: "00289132",
  transformation: "00289145",
};
/** Transfer syntaxes whose pixels are native: implicit, explicit, deflated, big endian. */
const NATIVE = new Set(["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"]);
const SHAPES = /** @type {const} */ (["LINEAR_EXACT", "SIGMOID"]);

/**
 * Keep of a header what `describe` reads: a series of 600 headers is several megabytes otherwise.
 *
 * @param {DicomJson} header
 * @returns {DicomJson}
 */
export function lean(header) {
  return Object.fromEntries(Object.entries(header).filter(([tag]) => tag.startsWith("0028") || tag.startsWith("5200") || tag === TAG.syntax));
}

/**
 * Describe the pixels of one frame; what differs from frame to frame stands in the functional groups.
 *
 * @param {DicomJson} header
 * @param {number} frame From 1.
 * @returns {PixelDescription}
 */
export function describe(header, frame) {
  const groups = [item(header, TAG.perFrame, frame - 1), item(header, TAG.shared, 0)];
  const within = (/** @type {string} */ sequence) =>
    groups.map((group) => group && item(group, sequence, 0)).find(Boolean) ?? header;
  const transformation = within(TAG.transformation);
  const modality = item(header, TAG.modality, 0);
  const bitsAllocated = number(header, TAG.bitsAllocated) ?? 16;
  return {
    rows: number(header, TAG.rows) ?? 0,
    columns: number(header, TAG.columns) ?? 0,
    bitsAllocated,
    bitsStored: number(header, TAG.bitsStored) ?? bitsAllocated,
    isSigned: number(header, TAG.representation) === 1,
    samples: number(header, TAG.samples) ?? 1,
    photometric: text(header, TAG.photometric),
    isPlanar: number(header, TAG.planar) === 1,
    isCompressed: !NATIVE.has(text(header, TAG.syntax) || "1.2.840.10008.1.2.1"),
    isDarkHigh: text(header, TAG.photometric) === "MONOCHROME1",
    slope: number(transformation, TAG.slope) ?? 1,
    intercept: number(transformation, TAG.intercept) ?? 0,
    modality: modality ? readLookUp(modality[TAG.descriptor], modality[TAG.data]) : null,
    palette: paletteOf(header),
    window: windowOf(within(TAG.voi)),
  };
}

/**
 * Return how a header wants its values shown: by its first table, else by its first window (PS3.3 C.11.2).
 *
 * @param {DicomJson} voi
 * @returns {Window | null}
 */
function windowOf(voi) {
  const first = item(voi, TAG.voiTables, 0);
  const table = first ? readLookUp(first[TAG.descriptor], first[TAG.data]) : null;
  if (table) return { centre: table.first + table.entries.length / 2, width: table.entries.length, table };
  const [centre, width] = [number(voi, TAG.centre), number(voi, TAG.width)];
  if (centre === null || width === null) return null;
  const shape = SHAPES.find((each) => each === text(voi, TAG.shape));
  if (shape) return width > 0 ? { centre, width, shape } : null;
  return width >= 1 ? { centre, width } : null;
}

/**
 * @param {DicomJson} header
 * @returns {[LookUp, LookUp, LookUp] | null}
 */
function paletteOf(header) {
  const [red, green, blue] = TAG.palette.map((tag, sample) => readLookUp(header[tag], header[TAG.paletteData[sample] ?? ""]));
  return red && green && blue ? [red, green, blue] : null;
}

/**
 * @param {DicomJson} header
 * @param {string} tag
 * @returns {string}
 */
function text(header, tag) {
  return String(header[tag]?.Value?.[0] ?? "");
}

/**
 * @param {DicomJson} header
 * @param {string} tag
 */
function number(header, tag) {
  const value = Number(header[tag]?.Value?.[0] ?? NaN);
  return Number.isFinite(value) ? value : null;
}

/**
 * @param {DicomJson} header
 * @param {string} sequence
 * @param {number} index
 * @returns {DicomJson | undefined}
 */
function item(header, sequence, index) {
  return header[sequence]?.Value?.[index];
}
