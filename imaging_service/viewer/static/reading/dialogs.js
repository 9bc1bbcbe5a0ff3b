// The dialogs of a read: a new lesion, a conflict between two windows, the signature.

import { write } from "../api/client.js";
import { openDialog } from "../components/dialog.js";
import { choice, field, h, newId, tick } from "../components/element.js";
import { confirmation } from "../shell/confirmation.js";
import { NATURES, bodyOf, emptyBody } from "./entry.js";
import { stateName, timepointName } from "./words.js";

/** @typedef {import("../api/types.js").LesionAnswer} LesionAnswer */
/** @typedef {import("./entry.js").LesionBody} LesionBody */
/** @typedef {import("./read_model.js").ReadModel} ReadModel */

const PLACES = [
  "Liver segment I", "Liver segment II", "Liver segment III", "Liver segment IV", "Liver segment V", "Liver segment VI",
  "Liver segment VII", "Liver segment VIII", "Lung, right upper lobe", "Lung, right middle lobe", "Lung, right lower lobe",
  "Lung, left upper lobe", "Lung, left lower lobe", "Breast, right", "Breast, left", "Axillary lymph node, right",
  "Axillary lymph node, left", "Mediastinal lymph node", "Retroperitoneal lymph node", "Pleura", "Peritoneum", "Bone",
  "Brain", "Adrenal, right", "Adrenal, left", "Chest wall", "Skin",
];

/**
 * Ask what a new lesion is, and enter it as far as it is known.
 *
 * @param {ReadModel} model
 * @param {import("../api/types.js").Role} role
 * @returns {Promise<string | null>} Its name.
 */
export async function askForLesion(model, role) {
  const name = model.nextName(role);
  const words = { target: "target", non_target: "non-target", new: "new lesion" }[role];
  const known = h("datalist", { id: newId("places") }, PLACES.map((place) => h("option", { value: place })));
  const place = h("input", { list: known.id, required: true, maxlength: "200", autocomplete: "off" });
  const isNode = h("input", { type: "checkbox" });
  const nature = choice(NATURES);
  const isIrradiated = h("input", { type: "checkbox" });
  const hasGrown = h("input", { type: "checkbox" });
  const certainty = choice([["equivocal", "equivocal: to be looked at again"], ["unequivocal", "unequivocal"]]);
  const { closed } = openDialog({
    title: `${name}: a ${words}`,
    body: [
      h("div", {}, field("Where it is", place, "In your words; the organ that it counts for follows from them."), known),
      tick("It is a lymph node", isNode),
      ...(role === "new" ? [field("How certain", certainty)] : [field("What it is made of", nature)]),
      ...(role === "target" ? [tick("It was irradiated", isIrradiated), tick("It has grown since it was irradiated", hasGrown)] : []),
      ...(role === "target" ? [h("p", { class: "muted" }, "Its axes are drawn next; it counts once they are.")] : []),
    ],
    submit: role === "target" ? "Draw it" : "Add",
    onSubmit: () => {
      if (!place.value.trim()) {
        place.focus();
        throw new Error("Where it is was wanted; nothing is entered.");
      }
      model.enter(name, {
        ...emptyBody(role, role === "target" ? "measured" : role === "non_target" ? "present" : certainty.value),
        location: place.value.trim(),
        is_nodal: isNode.checked,
        nature: role === "new" ? "soft_tissue" : nature.value,
        is_irradiated: isIrradiated.checked,
        progressed_since_irradiation: hasGrown.checked,
      });
    },
  });
  place.focus();
  return (await closed) ? name : null;
}

/**
 * Let the reader decide which of two changes of one lesion counts.
 *
 * @param {ReadModel} model
 * @param {string} lesionId
 */
export async function decideConflict(model, lesionId) {
  const theirs = await model.theirs(lesionId);
  const mine = model.body(lesionId);
  const takeTheirs = h("button", { type: "button" }, "Take the other one");
  const dialog = openDialog({
    title: `${lesionId} was changed in another window`,
    body: [
      h("p", {}, "Nothing was overwritten. Decide which of the two counts; what was saved stays in the audit trail."),
      h(
        "table",
        {},
        h("caption", { class: "unseen" }, "The two versions"),
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Saved by the other window"), h("th", { scope: "col" }, "Entered here"))),
        h("tbody", {}, h("tr", {}, h("td", {}, theirs ? told(bodyOf(theirs), theirs) : "taken out"), h("td", {}, mine ? told(mine, null) : "taken out"))),
      ),
      h("div", { class: "buttons" }, takeTheirs),
    ],
    submit: "Keep mine",
    cancel: "Decide later",
    onSubmit: () => model.keepMine(lesionId, theirs),
  });
  takeTheirs.addEventListener("click", () => {
    model.takeTheirs(lesionId, theirs);
    dialog.close();
  });
  await dialog.closed;
}

/**
 * @param {LesionBody} body
 * @param {LesionAnswer | null} answer
 */
function told(body, answer) {
  const mm = answer?.diameter_mm ?? body.long_axis?.claimed_mm?.toFixed(1);
  const reason = body.reason ? `: ${body.reason}` : "";
  return `${stateName(body.state)}${mm ? `, ${mm} mm` : ""}${reason}`;
}

/**
 * Sign the read.
 *
 * @param {ReadModel} model
 * @param {string} readingId
 * @returns {Promise<boolean>}
 */
export async function signRead(model, readingId) {
  await model.refresh();
  const { read } = model;
  const isEmptyBaseline = model.isBaseline && !read.lesions.length;
  const gaps = read.gaps.filter((gap) => gap.code !== "baseline_without_lesions");
  const unsaved = model.unsavedCount;
  const meaning = h("input", { value: "I confirm this read.", maxlength: "200", required: true });
  const hasNoDisease = h("input", { type: "checkbox" });
  const mayNot = gaps.length > 0 || unsaved > 0;
  const again = mayNot ? null : await confirmation();
  const { closed } = openDialog({
    title: `Sign ${readingId}, ${timepointName(read.number)}`,
    body: [
      ...(unsaved
        ? [h("p", { class: "note bad" }, `${unsaved} ${unsaved === 1 ? "lesion is" : "lesions are"} not saved yet; a read is signed as the service has it.`)]
        : []),
      ...(gaps.length
        ? [
            h("div", { class: "note bad" }, h("p", {}, `The read cannot be signed yet: ${gaps.length} ${gaps.length === 1 ? "gap" : "gaps"}.`),
              h("ul", {}, gaps.map((gap) => h("li", {}, gap.sentence)))),
          ]
        : []),
      ...(again === null
        ? []
        : [
            summary(model),
            ...(isEmptyBaseline ? [tick("There was no disease at baseline", hasNoDisease)] : []),
            h("p", {}, "Signing locks the read. A coordinator can unlock it with a reason, and the signed one stays."),
            field("Meaning of the signature", meaning),
            again.element,
          ]),
    ],
    ...(mayNot ? {} : { submit: "Sign" }),
    onSubmit: async () => {
      const proof = await again?.prove();
      const signed = await write("POST", `/reads/${read.read_id}/signature`, {
        body: { ...proof, meaning: meaning.value.trim(), version: read.version, confirms_no_disease: hasNoDisease.checked },
      });
      await model.becomeSigned(signed.read);
    },
  });
  again?.focus();
  return closed;
}

/** @param {ReadModel} model */
function summary(model) {
  const timepoint = model.verdict?.timepoint;
  const sum = (timepoint ?? model.verdict?.baseline)?.sum_of_diameters;
  const count = model.read.lesions.length;
  const response = timepoint ? `; overall response ${timepoint.overall_response}` : "";
  return h("p", { class: "note" }, `${count} ${count === 1 ? "lesion" : "lesions"}, sum of diameters ${sum?.mm ?? "incomplete"}${sum?.mm ? " mm" : ""}${response}.`);
}
