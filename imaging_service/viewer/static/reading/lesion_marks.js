// The axes of all lesions as marks on a frame, and where a lesion lies.

import { lengthMm } from "../geometry/calipers.js";
import { nearestIndex } from "../geometry/stack.js";
import { axesFor, bodyOf } from "./entry.js";

/** @typedef {import("../api/types.js").Pixel} Pixel */
/** @typedef {import("../geometry/calipers.js").Line} Line */
/** @typedef {import("../geometry/stack.js").FrameRef} FrameRef */
/** @typedef {import("../image/source.js").ImageSource} ImageSource */
/** @typedef {import("../viewport/overlay.js").Mark} Mark */
/** @typedef {import("./entry.js").AxisBody} AxisBody */
/** @typedef {import("./entry.js").LesionBody} LesionBody */
/** @typedef {import("./read_model.js").ReadModel} ReadModel */

/** @typedef {{ lesionId: string, fragment: number, axis: "long" | "short", line: Line }} Moving */

/**
 * Return the marks of a frame.
 *
 * @param {ReadModel} model
 * @param {string} timepointId
 * @param {FrameRef} frame
 * @param {Moving | null} moving A line while a hand moves one of its ends.
 * @returns {Mark[]}
 */
export function marksOn(model, timepointId, frame, moving) {
  return bodiesAt(model, timepointId).flatMap(({ id, body, isLocked }) => {
    const isOn = (/** @type {AxisBody} */ axis) => axis.sop_instance_uid === frame.instance && axis.frame === frame.frame;
    const here = axesIn(body)
      .filter(({ axis }) => isOn(axis))
      .map(({ name, fragment, axis }) => {
        const isMoving = moving && moving.lesionId === id && moving.fragment === fragment && moving.axis === name && !isLocked;
        return { name, fragment, line: isMoving ? moving.line : axis.points, isOwn: isLocked || Boolean(isMoving) };
      });
    return here.map(({ name, fragment, line, isOwn }) => {
      const lineOf = (/** @type {"long" | "short"} */ axis) =>
        here.find((each) => each.fragment === fragment && each.name === axis)?.line ?? null;
      const lines = { long: lineOf("long"), short: lineOf("short") };
      return {
        lesionId: id,
        fragment,
        axis: name,
        line,
        label: labelOf(model, { id, fragment, name, isOwn: isOwn || (moving?.lesionId === id && !isLocked) }, lines, frame),
        isLocked,
        isSelected: model.selected === id,
      };
    });
  });
}

/**
 * Say what a lesion measures: both axes beside the long one, so that two labels never lie on each other.
 *
 * @param {ReadModel} model
 * @param {{ id: string, fragment: number, name: "long" | "short", isOwn: boolean }} which
 * @param {{ long: Line | null, short: Line | null }} lines
 * @param {FrameRef} frame
 */
function labelOf(model, { id, fragment, name, isOwn }, lines, frame) {
  if (name === "short" && lines.long) return "";
  const row = model.row(id);
  const told = (/** @type {"long" | "short"} */ axis) => {
    const line = lines[axis];
    const answered = row.answer?.axes.find((each) => each.axis === axis && each.fragment === fragment);
    const mm = !isOwn && row.standing === "saved" && answered ? answered.length_mm : line && frame.plane ? lengthMm(frame.plane, line) : null;
    return line && mm !== null ? [mm.toFixed(1)] : [];
  };
  const both = [...told("long"), ...told("short")].join(" × ");
  return `${id}${fragment ? `/${fragment}` : ""}${both && ` ${both} mm`}`;
}

/**
 * Return every lesion as it is at a timepoint.
 *
 * @param {ReadModel} model
 * @param {string} timepointId
 * @returns {{ id: string, body: LesionBody, isLocked: boolean }[]}
 */
function bodiesAt(model, timepointId) {
  if (timepointId === model.read.timepoint_id) {
    return model.rows().flatMap((row) => (row.body ? [{ id: row.id, body: row.body, isLocked: model.isSigned }] : []));
  }
  const earlier = model.earlier.find((read) => read.timepoint_id === timepointId);
  return (earlier?.lesions ?? []).map((lesion) => ({ id: lesion.lesion_id, body: bodyOf(lesion), isLocked: true }));
}

/**
 * @param {LesionBody} body
 * @returns {{ name: "long" | "short", fragment: number, axis: AxisBody }[]}
 */
function axesIn(body) {
  return [0, ...body.fragments.map((_, index) => index + 1)].flatMap((fragment) => {
    const { long_axis, short_axis } = axesFor(body, fragment);
    return [
      ...(long_axis ? [{ name: /** @type {const} */ ("long"), fragment, axis: long_axis }] : []),
      ...(short_axis ? [{ name: /** @type {const} */ ("short"), fragment, axis: short_axis }] : []),
    ];
  });
}

/**
 * Return the slice on which a lesion is seen: its own, or the nearest to where it was last measured.
 *
 * @param {ReadModel} model
 * @param {string} lesionId
 * @param {string} timepointId
 * @param {ImageSource} source
 * @param {(axis: AxisBody) => FrameRef | null} frameOf
 * @returns {{ index: number, isOwn: boolean } | null}
 */
export function sliceOf(model, lesionId, timepointId, source, frameOf) {
  const here = axisAt(model, lesionId, timepointId);
  const frame = here && frameOf(here);
  if (frame) {
    const index = source.stack.frames.findIndex((each) => each.key === frame.key);
    if (index >= 0) return { index, isOwn: true };
  }
  const others = [timepointId, model.read.timepoint_id, ...model.earlier.map((read) => read.timepoint_id).reverse()];
  for (const other of others) {
    const axis = axisAt(model, lesionId, other);
    const on = axis && frameOf(axis);
    if (!axis || !on?.plane) continue;
    const [[c1, r1], [c2, r2]] = axis.points;
    const index = nearestIndex(source.stack, on.plane.toPatient([(c1 + c2) / 2, (r1 + r2) / 2]));
    if (index !== null) return { index, isOwn: other === timepointId };
  }
  return null;
}

/**
 * @param {ReadModel} model
 * @param {string} lesionId
 * @param {string} timepointId
 */
function axisAt(model, lesionId, timepointId) {
  const found = bodiesAt(model, timepointId).find((each) => each.id === lesionId);
  return (found && axesIn(found.body)[0]?.axis) ?? null;
}
