// Linked scrolling: which slice of one stack goes with a slice of another.

import { dot } from "./vector.js";

/** @typedef {import("./stack.js").Stack} Stack */

/**
 * Two slices that belong together: of the same lesion, or as they stood when the link was made.
 *
 * @typedef {{ from: number, to: number }} Anchor
 */

/**
 * Return the slice of `to` that goes with the slice `index` of `from`.
 *
 * In one frame of reference the position in the patient decides. Otherwise both stacks move by the same distance
 * along their own normals, away from the anchor.
 *
 * @param {Stack} from
 * @param {number} index
 * @param {Stack} to
 * @param {Anchor | null} anchor
 * @returns {number | null} Null when nothing links them.
 */
export function linkedIndex(from, index, to, anchor) {
  const plane = from.frames[index]?.plane;
  const reference = to.frames[0]?.plane;
  if (!plane || !reference) return anchor ? bounded(anchor.to + index - anchor.from, to) : null;
  if (from.frameOfReference !== null && from.frameOfReference === to.frameOfReference) {
    const centre = plane.toPatient([((from.frames[index]?.columns ?? 1) - 1) / 2, ((from.frames[index]?.rows ?? 1) - 1) / 2]);
    return nearestOffset(to, dot(centre, reference.normal), reference.normal, centreOffset);
  }
  const start = from.frames[anchor?.from ?? -1]?.plane;
  const goal = to.frames[anchor?.to ?? -1]?.plane;
  if (!start || !goal) return null;
  const sense = Math.sign(dot(start.normal, goal.normal)) || 1;
  const moved = dot(plane.position, start.normal) - start.offset;
  return nearestOffset(to, goal.offset + sense * moved, goal.normal, cornerOffset);
}

/**
 * @param {import("./stack.js").FrameRef} frame
 * @param {import("./vector.js").Vector} normal
 */
function centreOffset(frame, normal) {
  return frame.plane ? dot(frame.plane.toPatient([(frame.columns - 1) / 2, (frame.rows - 1) / 2]), normal) : Infinity;
}

/**
 * @param {import("./stack.js").FrameRef} frame
 * @param {import("./vector.js").Vector} normal
 */
function cornerOffset(frame, normal) {
  return frame.plane ? dot(frame.plane.position, normal) : Infinity;
}

/**
 * @param {Stack} stack
 * @param {number} offset
 * @param {import("./vector.js").Vector} normal
 * @param {(frame: import("./stack.js").FrameRef, normal: import("./vector.js").Vector) => number} measure
 */
function nearestOffset(stack, offset, normal, measure) {
  const distances = stack.frames.map((frame) => Math.abs(measure(frame, normal) - offset));
  return distances.indexOf(Math.min(...distances));
}

/**
 * @param {number} index
 * @param {Stack} stack
 */
function bounded(index, stack) {
  return Math.min(stack.frames.length - 1, Math.max(0, index));
}
