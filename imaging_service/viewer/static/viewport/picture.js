// The picture of a frame on a canvas.

import { h } from "../components/element.js";
import { Painter } from "../image/paint.js";

/** @typedef {import("../image/frame.js").Frame} Frame */
/** @typedef {import("../image/header.js").Window} Window */

/**
 * @typedef {object} Look
 * @property {Frame} frame
 * @property {Window} window
 * @property {boolean} isInverted
 * @property {import("../geometry/view.js").View} view
 */

export class Picture {
  constructor() {
    this.canvas = h("canvas", { role: "img", "aria-label": "No image yet" });
    this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d", { alpha: false }));
    /** The frame's pixels, one for one. */
    this.buffer = new OffscreenCanvas(1, 1);
    this.painter = new Painter();
    /** @type {ImageData | null} */
    this.image = null;
    /** What the buffer was painted from. @type {{ frame: Frame, window: Window, isInverted: boolean } | null} */
    this.painted = null;
  }

  /**
   * Draw a frame as the view lays it, or nothing.
   *
   * @param {Look | null} look
   */
  draw(look) {
    const { canvas, context } = this;
    const ratio = devicePixelRatio;
    const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, height);
    if (!look) return;
    this.#paint(look);
    const { frame, view } = look;
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "low";
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.drawImage(this.buffer, view.left, view.top, frame.columns * view.scaleX, frame.rows * view.scaleY);
  }

  /** @param {Look} look */
  #paint({ frame, window, isInverted }) {
    const { buffer, painted } = this;
    if (painted?.frame === frame && painted.window === window && painted.isInverted === isInverted) return;
    if (buffer.width !== frame.columns || buffer.height !== frame.rows || !this.image) {
      [buffer.width, buffer.height] = [frame.columns, frame.rows];
      this.image = new ImageData(frame.columns, frame.rows);
    }
    this.painter.paint(frame, window, isInverted, this.image);
    const context = buffer.getContext("2d", { willReadFrequently: true, alpha: false });
    /** @type {OffscreenCanvasRenderingContext2D} */ (context).putImageData(this.image, 0, 0);
    this.painted = { frame, window, isInverted };
  }
}
