// Everything that the page shows about one lesion: as entered here, as the service has it, as it was before.

import { lengthMm } from "../geometry/calipers.js";
import { axesFor } from "./entry.js";

/** @typedef {import("../api/types.js").LesionAnswer} LesionAnswer */
/** @typedef {import("../api/types.js").PriorAnswer} PriorAnswer */
/** @typedef {import("../api/types.js").Finding} Finding */
/** @typedef {import("./entry.js").LesionBody} LesionBody */

/** @typedef {"empty" | "unfinished" | "unsaved" | "saved" | "refused" | "conflict"} Standing */

/** @typedef {{ timepointId: string, number: number | null, imagedOn: string, lesion: LesionAnswer }} Past */

/**
 * @typedef {object} LesionRow
 * @property {string} id
 * @property {import("../api/types.js").Role} role
 * @property {string} location
 * @property {boolean} isNodal
 * @property {LesionBody | null} body As this window has it.
 * @property {LesionAnswer | null} answer As the service has it.
 * @property {Past[]} past At earlier timepoints, the first one first.
 * @property {boolean} isFollowed Whether this read must, or may, answer it.
 * @property {Standing} standing
 * @property {string | null} trouble A sentence about why it is not saved.
 * @property {Finding[]} findings
 */

/**
 * Return the diameter of a lesion now, in mm as text, and whether the service has computed it.
 *
 * @param {LesionRow} row
 * @param {(axis: import("./entry.js").AxisBody) => import("../geometry/plane.js").Plane | null} planeOf
 * @returns {{ mm: string | null, isFromService: boolean }}
 */
export function currentDiameter(row, planeOf) {
  if (row.standing === "saved") return { mm: row.answer?.diameter_mm ?? fragmentsSum(row.answer), isFromService: true };
  if (!row.body) return { mm: null, isFromService: false };
  const parts = row.body.state === "split" ? row.body.fragments.map((_, index) => index + 1) : [0];
  let sum = 0;
  for (const part of parts) {
    const axes = axesFor(row.body, part);
    const axis = row.isNodal ? axes.short_axis : axes.long_axis;
    const plane = axis && planeOf(axis);
    if (!axis || !plane) return { mm: null, isFromService: false };
    sum += lengthMm(plane, axis.points);
  }
  return { mm: sum.toFixed(1), isFromService: false };
}

/**
 * Add up the fragments of a split lesion, as the rules do, from the lengths that the service has computed.
 *
 * @param {LesionAnswer | null} answer
 */
function fragmentsSum(answer) {
  if (answer?.state !== "split") return null;
  const counted = answer.axes.filter((axis) => axis.fragment && axis.axis === (answer.is_nodal ? "short" : "long"));
  return counted.reduce((sum, axis) => sum + Number(axis.reported_mm ?? axis.length_mm), 0).toFixed(1);
}

/**
 * Return a lesion's diameter at an earlier timepoint.
 *
 * @param {LesionRow} row
 * @param {"first" | "last"} which
 */
export function pastDiameter(row, which) {
  const lesion = (which === "first" ? row.past[0] : row.past.at(-1))?.lesion ?? null;
  return lesion?.diameter_mm ?? fragmentsSum(lesion);
}
