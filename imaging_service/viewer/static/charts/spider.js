// Change of each subject's sum of diameters over its own days.

import { FAINT, line, polyline } from "./drawing.js";
import { axes, legend, MARGIN, WIDTH } from "./frame.js";
import { colourOf, legendOf, percentName, signed } from "./responses.js";
import { linear, multiples } from "./scale.js";

/** @typedef {import("../api/trial_types.js").CourseFigure} CourseFigure */

const HEIGHT = 480;

/**
 * @param {CourseFigure[]} courses
 * @param {number} stepDays Between two timepoints of the protocol.
 * @returns {import("./drawing.js").Drawing}
 */
export function spider(courses, stepDays) {
  const shown = courses
    .map((each) => ({ ...each, measured: each.points.filter((point) => point.change_percent !== null) }))
    .filter((each) => each.measured.length);
  const [left, right, top, bottom] = [MARGIN.left, WIDTH - MARGIN.right, MARGIN.top + 24, HEIGHT - MARGIN.bottom];
  const all = shown.flatMap((each) => each.measured);
  const last = Math.max(stepDays, ...all.map((point) => point.days));
  const highest = Math.max(20, ...all.map((point) => Number(point.change_percent)));
  const x = { ...linear([0, last], [left, right]), ticks: multiples(last, stepDays, 12), name: "Days since the start" };
  const y = { ...linear([-100, Math.ceil(highest / 20) * 20], [bottom, top]), name: "Change since baseline, %", tell: signed };
  return {
    width: WIDTH,
    height: HEIGHT,
    title: "Change of the sum of diameters over time",
    description: `${shown.length} subjects with a measured change, over ${last} days.`,
    frame: [
      ...axes({ x, y, left, right, top, bottom }),
      ...[20, -30].map((each) => line(left, y.at(each), right, y.at(each), { stroke: FAINT, dashes: [5, 4] })),
      line(left, y.at(0), right, y.at(0)),
      ...legend(legendOf(shown.map((each) => each.best_response)), left, MARGIN.top),
    ],
    items: shown.map((each) => {
      const colour = colourOf(each.best_response);
      /** @type {[number, number][]} */
      const points = [[x.at(0), y.at(0)], ...each.measured.map((point) => /** @type {[number, number]} */ ([x.at(point.days), y.at(Number(point.change_percent))]))];
      const told = each.measured.map((point) => `day ${point.days} ${percentName(Number(point.change_percent))}`).join(", ");
      return {
        about: `${each.subject_id}: ${told}; best response ${each.best_response}`,
        shapes: [
          polyline(points, { stroke: colour, width: 1.75 }),
          ...points.slice(1).map(([cx, cy], index) => ({
            kind: /** @type {const} */ ("circle"),
            x: cx,
            y: cy,
            r: each.measured[index]?.has_new_lesion ? 5 : 3,
            fill: each.measured[index]?.has_new_lesion ? "#ffffff" : colour,
            stroke: colour,
            width: 1.75,
          })),
        ],
      };
    }),
  };
}
