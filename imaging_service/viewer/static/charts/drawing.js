// A drawing as a list of marks, apart from where it is shown: the page draws it as SVG, a download as SVG or PNG.

/**
 * @typedef {object} Look
 * @property {string} [fill]
 * @property {string} [stroke]
 * @property {number} [width] Of the stroke.
 * @property {number[]} [dashes]
 *
 * @typedef {{ kind: "rect", x: number, y: number, w: number, h: number } & Look} Rect
 * @typedef {{ kind: "path", d: string } & Look} Path
 * @typedef {{ kind: "circle", x: number, y: number, r: number } & Look} Circle
 * @typedef {{ kind: "text", x: number, y: number, text: string, size?: number, anchor?: "start" | "middle" | "end", turned?: boolean } & Look} Text
 * @typedef {Rect | Path | Circle | Text} Shape
 *
 * @typedef {object} Item Shapes that belong together and are told in one sentence.
 * @property {string} about
 * @property {Shape[]} shapes
 *
 * @typedef {object} Drawing
 * @property {number} width
 * @property {number} height
 * @property {string} title
 * @property {string} description What it shows, for who cannot see it.
 * @property {Shape[]} frame Axes, grid, legend.
 * @property {Item[]} items
 */

export const INK = "#17202a";
export const FAINT = "#505c69";
export const GRID = "#dfe4e9";
export const FONT = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif";
export const TEXT_SIZE = 13;

/**
 * @param {number} x1
 * @param {number} y1
 * @param {number} x2
 * @param {number} y2
 * @param {Look} [look]
 * @returns {Path}
 */
export function line(x1, y1, x2, y2, look = {}) {
  return { kind: "path", d: `M${round(x1)} ${round(y1)}L${round(x2)} ${round(y2)}`, stroke: INK, width: 1, ...look };
}

/**
 * @param {[number, number][]} points
 * @param {Look} look
 * @returns {Path}
 */
export function polyline(points, look) {
  return { kind: "path", d: points.map(([x, y], index) => `${index ? "L" : "M"}${round(x)} ${round(y)}`).join(""), width: 1.5, ...look };
}

/**
 * @param {number} x
 * @param {number} y
 * @param {string} content
 * @param {Partial<Text>} [more]
 * @returns {Text}
 */
export function text(x, y, content, more = {}) {
  return { kind: "text", x, y, text: content, fill: INK, size: TEXT_SIZE, anchor: "start", ...more };
}

/** @param {number} value */
export function round(value) {
  return Math.round(value * 100) / 100;
}
