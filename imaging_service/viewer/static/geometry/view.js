// How an image lies in its viewport: zoomed, moved, and with its pixels in their true proportions.

/** @typedef {import("../api/types.js").Pixel} Pixel */

/**
 * @typedef {object} ViewFacts
 * @property {number} width Of the viewport, in CSS pixels.
 * @property {number} height
 * @property {number} columns
 * @property {number} rows
 * @property {number} columnSpacing mm; 1 where nothing is known.
 * @property {number} rowSpacing
 * @property {number} zoom 1 shows the whole image.
 * @property {[x: number, y: number]} pan In CSS pixels at zoom 1.
 */

/** A mapping between image pixels and the viewport's CSS pixels. */
export class View {
  /** @param {ViewFacts} facts */
  constructor({ width, height, columns, rows, columnSpacing, rowSpacing, zoom, pan }) {
    const fit = Math.min(width / (columns * columnSpacing), height / (rows * rowSpacing));
    /** CSS pixels for one image pixel. */
    this.scaleX = fit * zoom * columnSpacing;
    this.scaleY = fit * zoom * rowSpacing;
    /** Upper left corner of the image, half a pixel before the first pixel's centre. */
    this.left = (width - columns * this.scaleX) / 2 + pan[0] * zoom;
    this.top = (height - rows * this.scaleY) / 2 + pan[1] * zoom;
  }

  /**
   * @param {Pixel} pixel
   * @returns {[x: number, y: number]}
   */
  toScreen([column, row]) {
    return [this.left + (column + 0.5) * this.scaleX, this.top + (row + 0.5) * this.scaleY];
  }

  /**
   * @param {number} x
   * @param {number} y
   * @returns {Pixel}
   */
  toPixel(x, y) {
    return [(x - this.left) / this.scaleX - 0.5, (y - this.top) / this.scaleY - 0.5];
  }
}
