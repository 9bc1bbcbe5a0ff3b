// Kaplan-Meier curves with their intervals, censoring marks and the numbers at risk.

import { FAINT, line, polyline, round, text } from "./drawing.js";
import { axes, MARGIN, WIDTH } from "./frame.js";
import { READER_COLOURS } from "./responses.js";
import { linear, multiples } from "./scale.js";

/** @typedef {import("../api/trial_types.js").Survival} Survival */
/** @typedef {import("./drawing.js").Shape} Shape */

const PLOT = 380;
const ROW = 18;
const LEFT = 120;

/**
 * @param {Survival[]} curves Of one endpoint.
 * @param {number} stepDays
 * @param {(curve: Survival) => string} nameOf
 * @returns {import("./drawing.js").Drawing}
 */
export function survival(curves, stepDays, nameOf) {
  const [right, top, bottom] = [WIDTH - MARGIN.right, MARGIN.top + 10, PLOT];
  const last = Math.max(stepDays, ...curves.flatMap((curve) => curve.steps.map((step) => step.days)));
  const days = multiples(last, stepDays, 10);
  const x = { ...linear([0, last], [LEFT, right]), ticks: days, name: "Days since the start" };
  const y = { ...linear([0, 1], [bottom, top]), name: "Probability without event", tell: (/** @type {number} */ value) => `${Math.round(value * 100)} %` };
  const table = bottom + 64;
  return {
    width: WIDTH,
    height: table + ROW * (curves.length + 1),
    title: curves[0] ? `Kaplan-Meier estimate, ${curves[0].endpoint}` : "Kaplan-Meier estimate",
    description: curves.map((curve) => summary(curve, nameOf)).join(" "),
    frame: [
      ...axes({ x, y, left: LEFT, right, top, bottom }),
      line(LEFT, y.at(0.5), right, y.at(0.5), { stroke: FAINT, dashes: [5, 4] }),
      text(LEFT - 8, table, "At risk", { anchor: "end", fill: FAINT }),
      ...curves.flatMap((curve, index) => atRiskRow(curve, index, days, x.at, table + ROW * (index + 1), nameOf)),
    ],
    items: curves.map((curve, index) => ({
      about: summary(curve, nameOf),
      shapes: curveShapes(curve, x.at, y.at, READER_COLOURS[index % READER_COLOURS.length] ?? "#000"),
    })),
  };
}

/**
 * How many have neither had the event nor left before a day.
 *
 * @param {Survival} curve
 * @param {number} day
 */
export function atRisk(curve, day) {
  return curve.steps.find((step) => step.days >= day)?.at_risk ?? 0;
}

/**
 * @param {Survival} curve
 * @param {(curve: Survival) => string} nameOf
 */
function summary(curve, nameOf) {
  const median =
    curve.median_days === null
      ? "median not reached"
      : `median ${curve.median_days} days (${limit(curve.lower_days)} to ${limit(curve.upper_days)})`;
  return `${nameOf(curve)}: ${curve.subjects} subjects, ${curve.events} events, ${median}.`;
}

/** @param {number | null} value */
function limit(value) {
  return value === null ? "not reached" : String(value);
}

/**
 * @param {Survival} curve
 * @param {number} index
 * @param {number[]} days
 * @param {(day: number) => number} at
 * @param {number} y
 * @param {(curve: Survival) => string} nameOf
 * @returns {Shape[]}
 */
function atRiskRow(curve, index, days, at, y, nameOf) {
  const colour = READER_COLOURS[index % READER_COLOURS.length] ?? "#000";
  return [
    text(LEFT - 8, y, nameOf(curve), { anchor: "end", fill: colour }),
    ...days.map((day) => text(at(day), y, String(atRisk(curve, day)), { anchor: "middle" })),
  ];
}

/**
 * @param {Survival} curve
 * @param {(day: number) => number} x
 * @param {(share: number) => number} y
 * @param {string} colour
 * @returns {Shape[]}
 */
function curveShapes(curve, x, y, colour) {
  /** @type {[number, number][]} */
  const stairs = [[x(0), y(1)]];
  /** @type {Shape[]} */
  const marks = [];
  let height = 1;
  for (const step of curve.steps) {
    stairs.push([x(step.days), y(height)], [x(step.days), y(step.survival)]);
    height = step.survival;
    if (step.censored) marks.push(line(x(step.days), y(height) - 5, x(step.days), y(height) + 5, { stroke: colour, width: 1.5 }));
  }
  return [
    { kind: "path", d: band(curve, x, y), fill: `${colour}22`, stroke: "none" },
    polyline(stairs, { stroke: colour, width: 2.25 }),
    ...marks,
  ];
}

/**
 * The area between the limits, where both are defined.
 *
 * @param {Survival} curve
 * @param {(day: number) => number} x
 * @param {(share: number) => number} y
 */
function band(curve, x, y) {
  /** @type {[number, number][]} */
  const above = [];
  /** @type {[number, number][]} */
  const below = [];
  let before = { lower: 1, upper: 1 };
  for (const step of curve.steps) {
    const at = x(step.days);
    above.push([at, y(before.upper)]);
    below.push([at, y(before.lower)]);
    if (step.lower === null || step.upper === null) break;
    before = { lower: step.lower, upper: step.upper };
    above.push([at, y(before.upper)]);
    below.push([at, y(before.lower)]);
  }
  const points = [/** @type {[number, number]} */ ([x(0), y(1)]), ...above, ...below.reverse()];
  return `${points.map(([px, py], index) => `${index ? "L" : "M"}${round(px)} ${round(py)}`).join("")}Z`;
}
