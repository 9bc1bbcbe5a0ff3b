// The line over the images: what the next act is.

import { SeedSession } from "../drawing/seed_session.js";

/** @typedef {import("../drawing/session.js").DrawingSession} DrawingSession */
/** @typedef {import("./read_model.js").ReadModel} ReadModel */

/**
 * @param {DrawingSession | SeedSession | null} session
 * @param {ReadModel} model
 */
export function guideOf(session, model) {
  if (session instanceof SeedSession) return session.guide;
  return session?.current ? drawingGuide(session) : restingGuide(model);
}

/**
 * Say what the next act of a drawing is.
 *
 * @param {DrawingSession} session
 */
function drawingGuide({ lesionId, fragment, start, current, drawn }) {
  const part = fragment ? `, fragment ${fragment}` : "";
  const leave = drawn.long ? "leaves it with the long axis" : "ends";
  return `${lesionId}${part}: set the ${start ? "end" : "start"} of the ${current} axis, by the mouse or by arrows and Enter. Esc ${leave}.`;
}

/**
 * Say what can be done with the lesion that is chosen.
 *
 * @param {ReadModel} model
 */
function restingGuide(model) {
  if (model.isSigned) return "The read is signed; nothing in it changes.";
  const add = model.isBaseline ? "N adds a target, M a non-target" : "N adds a new lesion";
  return model.selected
    ? `${model.selected}: B draws both axes, D the one that counts, X goes to its states, J to the next lesion. ${add}. ? shows every key.`
    : `${add}. ? shows every key.`;
}
