// What a plot stands in: its two axes with ticks, grid lines and names.

import { FAINT, GRID, INK, line, text } from "./drawing.js";

/** @typedef {import("./scale.js").Scale} Scale */
/** @typedef {import("./drawing.js").Shape} Shape */

export const WIDTH = 960;
export const MARGIN = { left: 64, right: 20, top: 16, bottom: 48 };

/**
 * @param {{ x?: Scale & { name: string, tell?: (value: number) => string }, y: Scale & { name: string, tell?: (value: number) => string }, left: number, right: number, top: number, bottom: number }} parts
 * @returns {Shape[]}
 */
export function axes({ x, y, left, right, top, bottom }) {
  /** @type {Shape[]} */
  const shapes = [];
  for (const tick of y.ticks) {
    const at = y.at(tick);
    shapes.push(line(left, at, right, at, { stroke: GRID }));
    shapes.push(text(left - 8, at + 4, (y.tell ?? String)(tick), { anchor: "end", fill: FAINT }));
  }
  shapes.push(text(16, (top + bottom) / 2, y.name, { anchor: "middle", turned: true, fill: FAINT }));
  shapes.push(line(left, top, left, bottom, { stroke: INK }));
  if (x) {
    for (const tick of x.ticks) {
      const at = x.at(tick);
      shapes.push(line(at, bottom, at, bottom + 5));
      shapes.push(text(at, bottom + 19, (x.tell ?? String)(tick), { anchor: "middle", fill: FAINT }));
    }
    shapes.push(line(left, bottom, right, bottom, { stroke: INK }));
    shapes.push(text((left + right) / 2, bottom + 38, x.name, { anchor: "middle", fill: FAINT }));
  }
  return shapes;
}

/**
 * A row of coloured squares with their names.
 *
 * @param {[name: string, colour: string][]} entries
 * @param {number} x
 * @param {number} y
 * @returns {Shape[]}
 */
export function legend(entries, x, y) {
  let at = x;
  return entries.flatMap(([name, colour]) => {
    const start = at;
    at += 30 + name.length * 7.5;
    return /** @type {Shape[]} */ ([
      { kind: "rect", x: start, y: y - 10, w: 12, h: 12, fill: colour },
      text(start + 17, y, name),
    ]);
  });
}
