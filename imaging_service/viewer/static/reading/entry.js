// What a reader enters about a lesion, as the service takes it, and what it lacks.

import { lengthMm } from "../geometry/calipers.js";

/** @typedef {import("../api/types.js").AxisAnswer} AxisAnswer */
/** @typedef {import("../api/types.js").LesionAnswer} LesionAnswer */
/** @typedef {import("../api/types.js").Pixel} Pixel */
/** @typedef {import("../api/types.js").Role} Role */
/** @typedef {import("../geometry/calipers.js").Line} Line */

/**
 * @typedef {object} AxisBody
 * @property {string} sop_instance_uid
 * @property {number} frame
 * @property {Line} points
 * @property {number | null} claimed_mm
 */

/** @typedef {{ long_axis: AxisBody | null, short_axis: AxisBody | null }} Axes */

/**
 * @typedef {object} LesionBody
 * @property {Role} role
 * @property {string} [location]
 * @property {boolean} [is_nodal]
 * @property {string} [nature]
 * @property {boolean} [is_irradiated]
 * @property {boolean} [progressed_since_irradiation]
 * @property {string} state
 * @property {string | null} reason
 * @property {string | null} merged_into
 * @property {AxisBody | null} long_axis
 * @property {AxisBody | null} short_axis
 * @property {Axes[]} fragments
 */

/** States of each role after baseline, in the order in which they are offered. */
export const STATES = /** @type {const} */ ({
  target: ["measured", "too_small", "absent", "not_evaluable", "split", "merged"],
  non_target: ["present", "absent", "progressed", "not_evaluable"],
  new: ["equivocal", "unequivocal", "refuted"],
});

const NEEDS_REASON = new Set(["target not_evaluable", "non_target not_evaluable", "non_target progressed", "new refuted"]);
const HAS_AXES = new Set([
  "target measured", "target too_small", "target split",
  "non_target present", "non_target progressed", "new equivocal", "new unequivocal",
]);

/** Natures of a lesion that the rules of measurability tell apart, with the reader's words for them. */
export const NATURES = /** @type {[string, string][]} */ ([
  ["soft_tissue", "soft tissue"],
  ["lytic_or_mixed_bone", "bone, lytic or mixed"],
  ["blastic_bone", "bone, blastic"],
  ["simple_cyst", "simple cyst"],
  ["effusion", "effusion"],
  ["ascites", "ascites"],
  ["leptomeningeal", "leptomeningeal"],
  ["lymphangitic", "lymphangitic"],
  ["inflammatory_breast", "inflammatory breast"],
]);

/**
 * @param {Role} role
 * @param {string} state
 */
export function needsReason(role, state) {
  return NEEDS_REASON.has(`${role} ${state}`);
}

/**
 * @param {Role} role
 * @param {string} state
 */
export function hasAxes(role, state) {
  return HAS_AXES.has(`${role} ${state}`);
}

/**
 * Return the role that a lesion's name says.
 *
 * @param {string} lesionId
 * @returns {Role}
 */
export function roleOf(lesionId) {
  if (lesionId.startsWith("NEW")) return "new";
  return lesionId.startsWith("NT") ? "non_target" : "target";
}

/**
 * An entry without anything drawn.
 *
 * @param {Role} role
 * @param {string} state
 * @returns {LesionBody}
 */
export function emptyBody(role, state) {
  return { role, state, reason: null, merged_into: null, long_axis: null, short_axis: null, fragments: [] };
}

/** The state that a lesion is in once something is drawn on it. */
const DRAWN = { target: "measured", non_target: "present", new: "equivocal" };

/**
 * Return an entry that axes may be drawn for, from what is there.
 *
 * @param {Role} role
 * @param {LesionBody | null} body
 * @returns {LesionBody}
 */
export function bodyToDraw(role, body) {
  const before = body ?? emptyBody(role, "");
  return hasAxes(role, before.state) ? before : { ...before, state: DRAWN[role] };
}

/**
 * Return an axis as it is entered.
 *
 * @param {import("../geometry/stack.js").FrameRef} frame
 * @param {import("../geometry/plane.js").Plane} plane The frame's.
 * @param {Line} line
 * @returns {AxisBody}
 */
export function axisOn(frame, plane, line) {
  return { sop_instance_uid: frame.instance, frame: frame.frame, points: line, claimed_mm: Number(lengthMm(plane, line).toFixed(2)) };
}

/**
 * Return what was entered, from what the service answers about it.
 *
 * @param {LesionAnswer} lesion
 * @returns {LesionBody}
 */
export function bodyOf(lesion) {
  const numbers = [...new Set(lesion.axes.map((axis) => axis.fragment).filter(Boolean))].sort((one, other) => one - other);
  return {
    role: lesion.role,
    location: lesion.location,
    is_nodal: lesion.is_nodal,
    nature: lesion.nature,
    is_irradiated: lesion.is_irradiated,
    progressed_since_irradiation: lesion.progressed_since_irradiation,
    state: lesion.state,
    reason: lesion.reason,
    merged_into: lesion.merged_into,
    ...axesOf(lesion, 0),
    fragments: numbers.map((number) => axesOf(lesion, number)),
  };
}

/**
 * @param {LesionAnswer} lesion
 * @param {number} fragment
 * @returns {Axes}
 */
function axesOf(lesion, fragment) {
  const found = (/** @type {"long" | "short"} */ name) => {
    const axis = lesion.axes.find((each) => each.axis === name && each.fragment === fragment);
    return axis ? axisBody(axis) : null;
  };
  return { long_axis: found("long"), short_axis: found("short") };
}

/**
 * @param {AxisAnswer} axis
 * @returns {AxisBody}
 */
function axisBody({ sop_instance_uid, frame, points, claimed_mm }) {
  return { sop_instance_uid, frame, points, claimed_mm };
}

/**
 * Whether two entries say the same; who claims which length does not matter.
 *
 * @param {LesionBody | null} one
 * @param {LesionBody | null} other
 */
export function isSame(one, other) {
  const differs = FACTS.some((name) => one?.[name] !== undefined && other?.[name] !== undefined && one[name] !== other[name]);
  return !differs && comparable(one) === comparable(other);
}

const FACTS = /** @type {const} */ (["location", "is_nodal", "nature", "is_irradiated", "progressed_since_irradiation"]);

/** @param {LesionBody | null} body */
function comparable(body) {
  if (!body) return "";
  const axis = (/** @type {AxisBody | null} */ each) => each && [each.sop_instance_uid, each.frame, each.points];
  const axes = (/** @type {Axes} */ each) => [axis(each.long_axis), axis(each.short_axis)];
  return JSON.stringify([body.state, body.reason ?? null, body.merged_into ?? null, axes(body), body.fragments.map(axes)]);
}

/**
 * Return why an entry cannot be sent yet, or null when it can.
 *
 * @param {string} lesionId
 * @param {LesionBody} body
 * @param {boolean} isNodal
 * @returns {string | null}
 */
export function lacks(lesionId, body, isNodal) {
  const wanted = isNodal ? "its short axis" : "its longest diameter";
  const isDrawn = (/** @type {Axes} */ axes) => (isNodal ? axes.short_axis : axes.long_axis) !== null;
  if (needsReason(body.role, body.state) && (body.reason ?? "").trim().length < 3) {
    return `${lesionId} is not saved yet: say why.`;
  }
  if (body.state === "merged" && !body.merged_into) return `${lesionId} is not saved yet: say into which target it has merged.`;
  if (body.state === "split") {
    const drawn = body.fragments.filter(isDrawn).length;
    return body.fragments.length >= 2 && drawn === body.fragments.length
      ? null
      : `${lesionId} is not saved yet: ${drawn} of ${Math.max(2, body.fragments.length)} fragments are measured.`;
  }
  const isAnythingDrawn = body.long_axis !== null || body.short_axis !== null;
  if ((body.role === "target" && body.state === "measured") || isAnythingDrawn) {
    if (!isDrawn(body)) return `${lesionId} is not saved yet: draw ${wanted}.`;
  }
  return null;
}

/**
 * Return the axes of the whole lesion, or of one fragment.
 *
 * @param {LesionBody} body
 * @param {number} fragment 0 for the whole lesion.
 * @returns {Axes}
 */
export function axesFor(body, fragment) {
  return fragment ? (body.fragments[fragment - 1] ?? { long_axis: null, short_axis: null }) : body;
}

/**
 * Return an entry with other axes.
 *
 * @param {LesionBody} body
 * @param {number} fragment
 * @param {Axes} axes
 * @returns {LesionBody}
 */
export function withAxes(body, fragment, axes) {
  if (!fragment) return { ...body, ...axes };
  const fragments = Array.from({ length: Math.max(fragment, body.fragments.length) }, (_, index) => axesFor(body, index + 1));
  fragments[fragment - 1] = axes;
  return { ...body, fragments };
}
