// The cross that the keyboard draws with.

import { announce } from "../components/status.js";
import { moved } from "../geometry/calipers.js";

/** @typedef {import("../api/types.js").Pixel} Pixel */

export class Cross {
  /** @param {import("./drawing_desk.js").DrawingDesk} desk */
  constructor(desk) {
    this.desk = desk;
  }

  /**
   * Move it.
   *
   * @param {[number, number]} by
   */
  move(by) {
    const { session, grid } = this.desk;
    const viewport = grid.drawable;
    const frame = viewport?.steadyFrame;
    if (!session || !viewport || !frame) return false;
    viewport.cross = moved(viewport.cross ?? firstPlace(viewport), by, frame);
    if (session.start) session.moveTo(viewport.cross);
    viewport.drawOverlay();
    return true;
  }

  /** Set a point where it is. */
  setPoint() {
    const { session, grid } = this.desk;
    const viewport = grid.drawable;
    if (!session || !viewport) return false;
    const frame = viewport.steadyFrame;
    if (!frame || !session.takes(frame)) {
      this.desk.refuseFrame();
      return true;
    }
    const point = viewport.cross ?? firstPlace(viewport);
    viewport.cross = point;
    announce(`Column ${point[0]}, row ${point[1]}.`);
    session.setPoint(frame, point);
    return true;
  }
}

/**
 * Where it begins: in the middle of what is seen, on a pixel.
 *
 * @param {import("../viewport/viewport.js").Viewport} viewport
 * @returns {Pixel}
 */
function firstPlace(viewport) {
  const [column, row] = viewport.view.toPixel(viewport.stage.clientWidth / 2, viewport.stage.clientHeight / 2);
  return [Math.round(column), Math.round(row)];
}
