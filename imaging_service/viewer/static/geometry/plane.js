// One frame's place in the patient: pixels to millimetres and back, by the formulas of the service.

import { along, cross, dot, minus } from "./vector.js";

/** @typedef {import("./vector.js").Vector} Vector */
/** @typedef {import("../api/types.js").Pixel} Pixel */

/** The plane of one frame. Pixels are (column, row); (0, 0) is the centre of the first one. */
export class Plane {
  /**
   * @param {object} facts
   * @param {Vector} facts.position Centre of the first pixel, mm.
   * @param {Vector} facts.rowDirection Along the first row: growing column index.
   * @param {Vector} facts.columnDirection Along the first column: growing row index.
   * @param {number} facts.rowSpacing From row to row, mm.
   * @param {number} facts.columnSpacing From column to column, mm.
   */
  constructor({ position, rowDirection, columnDirection, rowSpacing, columnSpacing }) {
    this.position = position;
    this.rowDirection = rowDirection;
    this.columnDirection = columnDirection;
    this.rowSpacing = rowSpacing;
    this.columnSpacing = columnSpacing;
    /** @type {Vector} */
    this.normal = cross(rowDirection, columnDirection);
    /** Along the normal, mm: what slices are sorted by. */
    this.offset = dot(position, this.normal);
  }

  /**
   * @param {Pixel} pixel
   * @returns {Vector}
   */
  toPatient([column, row]) {
    const across = along(this.position, column * this.columnSpacing, this.rowDirection);
    return along(across, row * this.rowSpacing, this.columnDirection);
  }

  /**
   * Return the pixel below a point; how far the point is off the plane is not told.
   *
   * @param {Vector} point
   * @returns {Pixel}
   */
  toPixel(point) {
    const from = minus(point, this.position);
    return [dot(from, this.rowDirection) / this.columnSpacing, dot(from, this.columnDirection) / this.rowSpacing];
  }
}

/**
 * Return the plane of a frame, or null when it has no calibrated geometry.
 *
 * @param {import("../api/types.js").FrameAnswer} frame
 */
export function planeOf(frame) {
  if (!frame.is_measurable || !frame.position || !frame.row_direction || !frame.column_direction) return null;
  if (!frame.row_spacing || !frame.column_spacing) return null;
  return new Plane({
    position: frame.position,
    rowDirection: frame.row_direction,
    columnDirection: frame.column_direction,
    rowSpacing: frame.row_spacing,
    columnSpacing: frame.column_spacing,
  });
}
