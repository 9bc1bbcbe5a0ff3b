// What is drawn over an image: axes with their lengths, handles, the cross of the keyboard, a scale, the sides.

import { fill, s } from "../components/element.js";
import { lengthMm } from "../geometry/calipers.js";
import { opposite, sideOf } from "../geometry/orientation.js";

/** @typedef {import("../api/types.js").Pixel} Pixel */
/** @typedef {import("../geometry/calipers.js").Line} Line */
/** @typedef {import("../geometry/view.js").View} View */
/** @typedef {import("../geometry/plane.js").Plane} Plane */

/**
 * One axis on a frame.
 *
 * @typedef {object} Mark
 * @property {string} lesionId
 * @property {number} fragment
 * @property {"long" | "short"} axis
 * @property {Line} line
 * @property {string} label
 * @property {boolean} isLocked Signed, or of another timepoint.
 * @property {boolean} isSelected
 */

/**
 * @typedef {object} Scene
 * @property {View} view
 * @property {number} width
 * @property {number} height
 * @property {Plane | null} plane
 * @property {Mark[]} marks
 * @property {import("../reading/suggestions.js").Suggested[]} suggested
 * @property {boolean} hasHandles Not while something is drawn: a hand that begins there means a new line.
 * @property {Pixel | null} cross
 * @property {{ line: Line | null, axis: "long" | "short", point: Pixel | null } | null} drawing
 */

/** Handles are small to look at and large to grasp. In sixteenths of the page's own measure, as all that follows. */
const SEEN = 4.5;
const GRASPED = 13;
/** Around a place that is only expected. */
const RING = 16;
/** Width of a letter of a label, at most. */
const LETTER = 8.4;

/** CSS pixels for a sixteenth of the page's own measure: large screens have larger letters. */
function unit() {
  return parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
}

/**
 * Draw a scene.
 *
 * @param {SVGSVGElement} svg
 * @param {Scene} scene
 */
export function drawOverlay(svg, scene) {
  const focused = document.activeElement instanceof SVGElement ? document.activeElement.dataset["handle"] : undefined;
  fill(
    svg,
    scene.suggested.map((each) => suggestedShape(each, scene)),
    scene.marks.map((mark) => markShape(mark, scene)),
    scene.drawing && drawingShape(scene.drawing, scene),
    scene.cross && crossShape(scene.view.toScreen(scene.cross)),
    scene.plane && sides(scene.plane, scene),
    scene.plane && scaleBar(scene.plane, scene),
  );
  if (focused) {
    const again = svg.querySelector(`[data-handle="${focused}"]`);
    if (again instanceof SVGElement) again.focus({ preventScroll: true });
  }
}

/**
 * @param {Mark} mark
 * @param {Scene} scene
 */
function markShape(mark, { view, width, height, hasHandles }) {
  const [[x1, y1], [x2, y2]] = [view.toScreen(mark.line[0]), view.toScreen(mark.line[1])];
  const kind = `axis ${mark.axis} ${mark.isLocked ? "locked" : ""} ${mark.isSelected ? "selected" : ""}`;
  const isLabelled = mark.label !== "";
  const [x, y] = x2 >= x1 ? [x2, y2] : [x1, y1];
  const one = unit();
  const room = width - LETTER * one * mark.label.length;
  const place = { x: Math.max(4, Math.min(room, x + 10 * one)), y: Math.min(height - 6, Math.max(14 * one, y - 8 * one)) };
  return s(
    "g",
    { class: kind },
    s("line", { class: "halo", x1, y1, x2, y2 }),
    s("line", { x1, y1, x2, y2 }),
    isLabelled && s("text", place, mark.label),
    hasHandles && mark.isSelected && !mark.isLocked && /** @type {const} */ ([0, 1]).map((end) => handleShape(mark, end, view)),
  );
}

/**
 * @param {Mark} mark
 * @param {0 | 1} end
 * @param {View} view
 */
function handleShape(mark, end, view) {
  const pixel = mark.line[end];
  const [cx, cy] = view.toScreen(pixel);
  const name = `${mark.lesionId}${mark.fragment ? `, fragment ${mark.fragment}` : ""}, ${mark.axis} axis, ${end ? "end" : "start"}`;
  return s(
    "g",
    {
      class: "handle",
      role: "button",
      tabindex: "0",
      "aria-label": `${name}: column ${pixel[0].toFixed(1)}, row ${pixel[1].toFixed(1)}. Arrow keys move it.`,
      "data-handle": `${mark.lesionId} ${mark.fragment} ${mark.axis} ${end}`,
    },
    s("circle", { class: "grasp", cx, cy, r: GRASPED * unit() }),
    s("circle", { class: "seen", cx, cy, r: SEEN * unit() }),
  );
}

/**
 * @param {import("../reading/suggestions.js").Suggested} suggested
 * @param {Scene} scene
 */
function suggestedShape({ points, isClosed, label, isDoubtful }, { view }) {
  const places = points.map((point) => view.toScreen(point));
  const [first] = places;
  if (!first) return null;
  const kind = `suggested ${isDoubtful ? "is-doubtful" : ""}`;
  const text = label ? s("text", { x: first[0] + 14, y: first[1] + 18 }, label) : null;
  if (places.length === 1) return s("g", { class: kind }, s("circle", { cx: first[0], cy: first[1], r: RING }), text);
  const path = `${places.map(([x, y], index) => `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("")}${isClosed ? "Z" : ""}`;
  return s("g", { class: kind }, s("path", { d: path }), text);
}

/**
 * @param {NonNullable<Scene["drawing"]>} drawing
 * @param {Scene} scene
 */
function drawingShape({ line, axis, point }, { view, plane }) {
  if (!line) {
    if (!point) return null;
    const [cx, cy] = view.toScreen(point);
    return s("circle", { class: `axis ${axis} point`, cx, cy, r: SEEN * unit() });
  }
  const [[x1, y1], [x2, y2]] = [view.toScreen(line[0]), view.toScreen(line[1])];
  const text = plane ? `${lengthMm(plane, line).toFixed(1)} mm` : "";
  return s(
    "g",
    { class: `axis ${axis} selected drawing` },
    s("line", { class: "halo", x1, y1, x2, y2 }),
    s("line", { x1, y1, x2, y2 }),
    s("text", { x: x2 + 10, y: y2 - 8 }, text),
  );
}

/** @param {[x: number, y: number]} place */
function crossShape([x, y]) {
  const line = (/** @type {number} */ dx, /** @type {number} */ dy) =>
    [4, 14].map((from, index) => (index ? null : s("path", {
      d: `M${x + dx * from} ${y + dy * from}L${x + dx * 14} ${y + dy * 14}M${x - dx * from} ${y - dy * from}L${x - dx * 14} ${y - dy * 14}`,
    })));
  return s("g", { class: "cross" }, ...line(1, 0), ...line(0, 1));
}

/**
 * @param {Plane} plane
 * @param {Scene} scene
 */
function sides({ rowDirection, columnDirection }, { width, height }) {
  const one = unit();
  const text = (/** @type {string} */ side, /** @type {number} */ x, /** @type {number} */ y) =>
    s("text", { class: "side", x, y, "text-anchor": "middle" }, side);
  return s(
    "g",
    { "aria-hidden": "true" },
    text(sideOf(opposite(rowDirection)), 14 * one, height / 2),
    text(sideOf(rowDirection), width - 14 * one, height / 2),
    text(sideOf(opposite(columnDirection)), width / 2, 18 * one),
    text(sideOf(columnDirection), width / 2, height - 26 * one),
  );
}

/**
 * @param {Plane} plane
 * @param {Scene} scene
 */
function scaleBar({ columnSpacing }, { view, width, height }) {
  // above the slice's number, so that neither hides the other in a narrow viewport
  const perMm = view.scaleX / columnSpacing;
  const mm = [100, 50, 20, 10, 5, 2, 1].find((each) => each * perMm < width * 0.3) ?? 1;
  const [x, y] = [9 * unit(), height - 30 * unit()];
  return s(
    "g",
    { class: "scale" },
    s("path", { d: `M${x} ${y - 4}v4h${mm * perMm}v-4` }),
    s("text", { x: x + mm * perMm + 6, y: y + 2 }, `${mm} mm`),
  );
}
