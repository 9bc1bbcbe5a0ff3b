// What the header of an instance says about its pixels (PS3.3 C.7.6.3, C.7.6.16), from the DICOM JSON model.

/** @typedef {Record<string, { vr: string, Value?: any[] }>} DicomJson */
/** @typedef {{ centre: number, width: number }} Window */

/**
 * @typedef {object} PixelDescription
 * @property {number} rows
 * @property {number} columns
 * @property {number} bitsAllocated
 * @property {number} bitsStored
 * @property {boolean} isSigned
 * @property {number} samples
 * @property {boolean} isPlanar
 * @property {boolean} isDarkHigh MONOCHROME1: high values are dark.
 * @property {number} slope
 * @property {number} intercept
 * @property {Window | null} window
 */

const TAG = {
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
  intercept: "00281052",
  slope: "00281053",
  shared: "52009229",
  perFrame: "52009230",
  voi: "00289132",
  transformation: "00289145",
};

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
  const voi = within(TAG.voi);
  const [centre, width] = [number(voi, TAG.centre), number(voi, TAG.width)];
  const bitsAllocated = number(header, TAG.bitsAllocated) ?? 16;
  return {
    rows: number(header, TAG.rows) ?? 0,
    columns: number(header, TAG.columns) ?? 0,
    bitsAllocated,
    bitsStored: number(header, TAG.bitsStored) ?? bitsAllocated,
    isSigned: number(header, TAG.representation) === 1,
    samples: number(header, TAG.samples) ?? 1,
    isPlanar: number(header, TAG.planar) === 1,
    isDarkHigh: header[TAG.photometric]?.Value?.[0] === "MONOCHROME1",
    slope: number(transformation, TAG.slope) ?? 1,
    intercept: number(transformation, TAG.intercept) ?? 0,
    window: centre !== null && width !== null && width >= 1 ? { centre, width } : null,
  };
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
