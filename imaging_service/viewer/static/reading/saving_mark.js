// The mark beside the subject: whether everything is saved.

import { fill } from "../components/element.js";

/** @typedef {import("./read_model.js").ReadModel} ReadModel */

/**
 * @param {HTMLElement} mark
 * @param {ReadModel} model
 */
export function drawSaving(mark, model) {
  const [text, kind] = standing(model);
  if (mark.textContent !== text) fill(mark, text);
  mark.className = `saving ${kind}`;
}

/**
 * The gravest of what there is to say, and how grave it is.
 *
 * @param {ReadModel} model
 * @returns {[text: string, kind: "good" | "warn" | "bad"]}
 */
function standing({ outbox, unsavedCount, isSigned }) {
  const unfinished = Object.keys(outbox.box.unfinished).length;
  if (isSigned) return ["Signed and locked", "good"];
  if (outbox.conflicts.size) return ["Changed in another window", "bad"];
  if (outbox.isUnreachable && outbox.count) return [`${unsavedCount} not saved: no connection`, "bad"];
  if (outbox.count) return ["Saving …", "warn"];
  if (Object.keys(outbox.box.refused).length) return ["Not accepted", "bad"];
  if (unfinished) return [`${unfinished} not finished`, "warn"];
  return ["All saved", "good"];
}
