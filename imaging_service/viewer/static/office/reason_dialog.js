// A decision with its reason, which goes on the record.

import { openDialog } from "../components/dialog.js";
import { field, h } from "../components/element.js";

/**
 * Ask for a reason and send the decision; resolves to whether it was made.
 *
 * @param {object} parts
 * @param {string} parts.title
 * @param {string} parts.submit
 * @param {import("../components/element.js").Child[]} [parts.before]
 * @param {string} [parts.label]
 * @param {boolean} [parts.isOptional]
 * @param {(reason: string) => Promise<unknown>} parts.onSubmit
 */
export function reasonDialog({ title, submit, before = [], label = "Reason", isOptional = false, onSubmit }) {
  const reason = h("textarea", { rows: 3, required: !isOptional, maxlength: 2000 });
  const { closed } = openDialog({
    title,
    submit,
    body: [...before, field(isOptional ? `${label} (optional)` : label, reason, "It is kept on the record and cannot be changed.")],
    onSubmit: async () => {
      const said = reason.value.trim();
      if (!said && !isOptional) {
        reason.focus();
        throw new Error(`${label} is missing: say why, so that others can follow it later.`);
      }
      await onSubmit(said);
    },
  });
  if (!before.length) reason.focus();
  return closed;
}
