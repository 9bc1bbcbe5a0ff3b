// Best change of each subject's sum of diameters since baseline, from the greatest rise to the deepest fall.

import { FAINT, line, text } from "./drawing.js";
import { axes, legend, MARGIN, WIDTH } from "./frame.js";
import { colourOf, legendOf, percentName, signed } from "./responses.js";
import { linear } from "./scale.js";

/** @typedef {import("../api/trial_types.js").CourseFigure} CourseFigure */

const HEIGHT = 460;
const WIDEST = 56; // of a bar with its gap
const THRESHOLDS = [20, -30]; // of progression from nadir and of partial response, for the eye

/**
 * @param {CourseFigure[]} courses
 * @returns {import("./drawing.js").Drawing}
 */
export function waterfall(courses) {
  const shown = courses
    .filter((each) => each.best_change_percent !== null)
    .map((each) => ({ ...each, change: Number(each.best_change_percent) }))
    .sort((one, other) => other.change - one.change || one.subject_id.localeCompare(other.subject_id));
  const without = courses.length - shown.length;
  const [left, right, top, bottom] = [MARGIN.left, WIDTH - MARGIN.right, MARGIN.top + 24, HEIGHT - 28];
  const highest = Math.max(20, ...shown.map((each) => each.change));
  const y = linear([-100, Math.ceil(highest / 20) * 20], [bottom, top]);
  const slot = Math.min(WIDEST, (right - left) / Math.max(shown.length, 1));
  const zero = y.at(0);
  return {
    width: WIDTH,
    height: HEIGHT,
    title: "Best change of the sum of diameters",
    description:
      `${shown.length} subjects with a measured change, ${shown.filter((each) => each.change <= -30).length} ` +
      `of them by −30 % or more; ${without} without one.`,
    frame: [
      ...axes({ y: { ...y, name: "Best change since baseline, %", tell: signed }, left, right, top, bottom }),
      ...THRESHOLDS.map((each) => line(left, y.at(each), right, y.at(each), { stroke: FAINT, dashes: [5, 4] })),
      line(left, zero, right, zero),
      ...legend(legendOf(shown.map((each) => each.best_response)), left, MARGIN.top),
      ...(without ? [text(right, HEIGHT - 8, `${without} without a measured change`, { anchor: "end", fill: FAINT })] : []),
    ],
    items: shown.map((each, index) => {
      const at = y.at(each.change);
      return {
        about: `${each.subject_id}: ${percentName(each.change)}, best response ${each.best_response}`,
        shapes: [
          {
            kind: "rect",
            x: left + index * slot + Math.min(3, slot * 0.12),
            y: Math.min(zero, at),
            w: Math.max(1, slot - 2 * Math.min(3, slot * 0.12)),
            h: Math.max(1.5, Math.abs(at - zero)),
            fill: colourOf(each.best_response),
          },
        ],
      };
    }),
  };
}
