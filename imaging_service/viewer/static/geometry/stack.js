// The frames of a series in the order in which they lie in the patient.

import { dot } from "./vector.js";
import { planeOf } from "./plane.js";

/** @typedef {import("../api/types.js").SeriesAnswer} SeriesAnswer */
/** @typedef {import("./plane.js").Plane} Plane */

/**
 * One frame, wherever it is kept.
 *
 * @typedef {object} FrameRef
 * @property {string} key
 * @property {string} study
 * @property {string} series
 * @property {string} instance
 * @property {number} frame From 1.
 * @property {number} rows
 * @property {number} columns
 * @property {Plane | null} plane
 * @property {string | null} refused Why nothing can be measured on it.
 * @property {number | null} thickness mm
 * @property {boolean} isAlone Whether its instance is the only one of its series.
 */

/**
 * @typedef {object} Stack
 * @property {FrameRef[]} frames
 * @property {string | null} frameOfReference
 */

/**
 * Return a series as one stack, or as several where it holds the same places more than once, as the phases of a
 * dynamic acquisition do. Frames are sorted by position · normal, never by a single coordinate.
 *
 * @param {SeriesAnswer} series
 * @returns {Stack[]}
 */
export function stacksOf(series) {
  const frames = framesOf(series);
  const placed = frames.filter((each) => each.plane);
  const first = placed[0]?.plane;
  const isStack = first && placed.length === frames.length && frames.every((each) => isParallel(first, each.plane));
  if (!isStack) return [{ frames, frameOfReference: series.frame_of_reference_uid }];
  const phases = phasesOf(frames, first);
  return phases.map((each) => ({ frames: each, frameOfReference: series.frame_of_reference_uid }));
}

/**
 * Deal frames out to phases: the first frame at each place to the first phase, the second to the second.
 *
 * @param {FrameRef[]} frames In the order of their numbers.
 * @param {Plane} first
 */
function phasesOf(frames, first) {
  /** @type {Map<number, FrameRef[]>} */
  const places = new Map();
  for (const frame of frames) {
    const place = Math.round(offsetOn(first, frame) * 100);
    places.set(place, [...(places.get(place) ?? []), frame]);
  }
  const ordered = [...places.entries()].sort(([one], [other]) => one - other).map(([, each]) => each);
  const count = Math.max(...ordered.map((each) => each.length));
  if (ordered.some((each) => each.length !== count)) return [ordered.flat()];
  return Array.from({ length: count }, (_, phase) => ordered.map((each) => /** @type {FrameRef} */ (each[phase])));
}

/**
 * @param {SeriesAnswer} series
 * @returns {FrameRef[]}
 */
function framesOf(series) {
  const instances = [...series.instances].sort(
    (one, other) =>
      (one.instance_number ?? 0) - (other.instance_number ?? 0) || (one.sop_instance_uid < other.sop_instance_uid ? -1 : 1),
  );
  return instances.flatMap((instance) =>
    instance.frames.map((frame) => ({
      key: `${instance.sop_instance_uid}/${frame.frame}`,
      study: series.study_instance_uid,
      series: series.series_instance_uid,
      instance: instance.sop_instance_uid,
      frame: frame.frame,
      rows: instance.rows ?? 1,
      columns: instance.columns ?? 1,
      plane: planeOf(frame),
      refused: frame.refused,
      thickness: frame.slice_thickness,
      isAlone: instances.length === 1,
    })),
  );
}

/**
 * @param {Plane} first
 * @param {Plane | null} other
 */
function isParallel(first, other) {
  return other !== null && dot(first.normal, other.normal) > 0.999;
}

/**
 * Where a frame lies along the normal of a stack, mm.
 *
 * @param {Plane} first
 * @param {FrameRef} frame
 */
function offsetOn(first, frame) {
  return frame.plane ? dot(frame.plane.position, first.normal) : 0;
}

/**
 * Return the place of the frame that is nearest to a point of the patient, or null when the stack has no geometry.
 *
 * @param {Stack} stack
 * @param {import("./vector.js").Vector} point
 */
export function nearestIndex(stack, point) {
  let best = -1;
  let least = Infinity;
  stack.frames.forEach((frame, index) => {
    if (!frame.plane) return;
    const distance = Math.abs(dot(point, frame.plane.normal) - frame.plane.offset);
    if (distance < least) [best, least] = [index, distance];
  });
  return best < 0 ? null : best;
}

/**
 * Whether two stacks show the same places, so that one can be taken from the other.
 *
 * @param {Stack} one
 * @param {Stack} other
 */
export function isSamePlace(one, other) {
  if (one.frames.length !== other.frames.length || one.frameOfReference !== other.frameOfReference) return false;
  return one.frames.every((frame, index) => {
    const twin = /** @type {FrameRef} */ (other.frames[index]);
    if (!frame.plane || !twin.plane || frame.rows !== twin.rows || frame.columns !== twin.columns) return false;
    const corner = /** @type {import("../api/types.js").Pixel} */ ([frame.columns - 1, frame.rows - 1]);
    return near(frame.plane.position, twin.plane.position) && near(frame.plane.toPatient(corner), twin.plane.toPatient(corner));
  });
}

const SAME_PLACE_MM = 0.05;

/**
 * @param {import("./vector.js").Vector} one
 * @param {import("./vector.js").Vector} other
 */
function near(one, other) {
  return Math.hypot(one[0] - other[0], one[1] - other[1], one[2] - other[2]) < SAME_PLACE_MM;
}
