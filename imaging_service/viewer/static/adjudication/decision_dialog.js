// An adjudicator's decision: one of the readers, with a reason, signed.

import { write } from "../api/client.js";
import { openDialog } from "../components/dialog.js";
import { field, h, newId } from "../components/element.js";
import { confirmation } from "../shell/confirmation.js";

/**
 * Decide a case; resolves to whether it was decided.
 *
 * @param {string} path Of the case.
 * @param {import("../api/case_types.js").Case} found As it was looked at: another one is refused.
 */
export async function decideCase(path, found) {
  const name = newId("reader");
  const choices = found.readers.map(({ reader }) => h("input", { type: "radio", name, value: reader, required: true }));
  const reason = h("textarea", { rows: 3, required: true, maxlength: 2000 });
  const meaning = h("input", { value: "I confirm this adjudication.", maxlength: 200, required: true });
  const again = await confirmation();
  return openDialog({
    title: `Decide ${found.reading_id}`,
    submit: "Sign",
    body: [
      h("fieldset", {}, h("legend", {}, "Whose reads count"), choices.map((each) => h("label", { class: "check" }, each, `Reader ${each.value}`))),
      field("Reason", reason),
      field("Meaning of the signature", meaning),
      again.element,
    ],
    onSubmit: async () => {
      const chosen = choices.find((each) => each.checked);
      if (!chosen) throw new Error("Neither reader is chosen.");
      if (!reason.value.trim()) throw new Error("The reason is missing: say why this reader is right.");
      const proof = await again.prove();
      return write("POST", `${path}/decision`, {
        body: {
          ...proof,
          meaning: meaning.value.trim(),
          chosen_reader: Number(chosen.value),
          reason: reason.value.trim(),
          evidence_sha256: found.evidence_sha256,
        },
      });
    },
  }).closed;
}
