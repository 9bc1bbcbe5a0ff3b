// Each subject as a lane: how long without progression, which response when, and how it ended.

import { FAINT, INK, text } from "./drawing.js";
import { axes, legend, WIDTH } from "./frame.js";
import { colourOf, legendOf } from "./responses.js";
import { linear, multiples } from "./scale.js";

/** @typedef {import("../api/trial_types.js").CourseFigure} CourseFigure */

const LANE = 20;
const LEFT = 150;
const TOP = 40;

/**
 * @param {CourseFigure[]} courses
 * @param {number} stepDays
 * @returns {import("./drawing.js").Drawing}
 */
export function swimmer(courses, stepDays) {
  const shown = courses
    .filter((each) => each.days !== null)
    .map((each) => ({ ...each, lasts: Number(each.days) }))
    .sort((one, other) => other.lasts - one.lasts || one.subject_id.localeCompare(other.subject_id));
  const [right, bottom] = [WIDTH - 24, TOP + LANE * shown.length];
  const last = Math.max(stepDays, ...shown.flatMap((each) => [each.lasts, ...each.points.map((point) => point.days)]));
  const x = { ...linear([0, last], [LEFT, right]), ticks: multiples(last, stepDays, 12), name: "Days since the start" };
  const y = { at: () => 0, ticks: /** @type {number[]} */ ([]), name: "" };
  return {
    width: WIDTH,
    height: bottom + 48,
    title: "Time without progression, and responses",
    description: `${shown.length} subjects, ${shown.filter((each) => each.is_event).length} with an event. A triangle points on where follow-up continues.`,
    frame: [
      ...axes({ x, y, left: LEFT, right, top: TOP, bottom }),
      ...legend(legendOf(shown.flatMap((each) => each.points.map((point) => point.overall_response))), LEFT, 16),
      ...shown.map((each, index) => text(LEFT - 8, TOP + index * LANE + 14, each.subject_id, { anchor: "end", fill: FAINT })),
    ],
    items: shown.map((each, index) => {
      const middle = TOP + index * LANE + LANE / 2;
      const end = x.at(each.lasts);
      const responses = each.points.map((point) => `day ${point.days} ${point.overall_response}`).join(", ") || "not assessed";
      return {
        about: `${each.subject_id}: ${each.lasts} days, ${each.ending}; ${responses}`,
        shapes: [
          { kind: "rect", x: LEFT, y: middle - 6, w: Math.max(1, end - LEFT), h: 12, fill: "#cfe0f1" },
          ...each.points.map((point) => ({
            kind: /** @type {const} */ ("circle"),
            x: x.at(point.days),
            y: middle,
            r: 5,
            fill: colourOf(point.overall_response),
            stroke: "#ffffff",
            width: 1,
          })),
          {
            kind: "path",
            d: each.is_event
              ? `M${end + 3} ${middle - 5}L${end + 13} ${middle + 5}M${end + 3} ${middle + 5}L${end + 13} ${middle - 5}`
              : `M${end + 2} ${middle - 6}L${end + 11} ${middle}L${end + 2} ${middle + 6}Z`,
            stroke: each.is_event ? INK : "none",
            fill: each.is_event ? "none" : FAINT,
            width: 2,
          },
        ],
      };
    }),
  };
}
