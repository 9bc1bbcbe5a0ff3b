// What a coordinator decides about a study.

import { list, write } from "../api/client.js";
import { field, h, newId, tick } from "../components/element.js";
import { reasonDialog } from "./reason_dialog.js";

/** @typedef {import("../api/office_types.js").Study} Study */

/**
 * Put a study on a timepoint; resolves to whether it was.
 *
 * @param {string} root
 * @param {Study} study
 */
export async function assignStudy(root, study) {
  /** @type {{ subject_id: string, site_id: string }[]} */
  const subjects = await list(root.replace(/\/studies$/, "/subjects"));
  const known = h("datalist", { id: newId("subjects") }, subjects.map((each) => h("option", { value: each.subject_id }, `site ${each.site_id}`)));
  const subject = h("input", { list: known.id, required: true, value: study.subject_id ?? study.subject_tag, autocomplete: "off" });
  const timepoint = h("input", { inputmode: "numeric", required: true, size: 6 });
  const isUnscheduled = h("input", { type: "checkbox" });
  const imagedOn = h("input", { type: "date" });
  const joins = h("input", { type: "checkbox" });
  isUnscheduled.addEventListener("change", () => {
    timepoint.disabled = isUnscheduled.checked;
  });
  return reasonDialog({
    title: "Assign this study",
    submit: "Assign",
    before: [
      known,
      h("p", { class: "note" }, study.reason),
      field("Subject", subject),
      field("Timepoint", timepoint, "0 is baseline."),
      tick("An unscheduled timepoint", isUnscheduled),
      study.study_date === null ? field("Imaged on", imagedOn, "The study has no usable date.") : null,
      tick("It may stand beside a study that the timepoint has already", joins),
    ],
    onSubmit: (reason) => {
      if (!subject.value.trim()) throw new Error("The subject is missing.");
      if (!isUnscheduled.checked && !/^\d{1,3}$/.test(timepoint.value.trim())) {
        throw new Error("The timepoint is missing: a number, 0 for baseline, or unscheduled.");
      }
      return write("POST", `${root}/${encodeURIComponent(study.study_instance_uid)}/assignment`, {
        body: {
          subject_id: subject.value.trim(),
          timepoint: isUnscheduled.checked ? "unscheduled" : Number(timepoint.value),
          reason,
          joins_other_study: joins.checked,
          version: study.version,
          ...(imagedOn.value && { imaged_on: imagedOn.value }),
        },
      });
    },
  });
}

/**
 * @param {string} root
 * @param {Study} study
 */
export function rejectStudy(root, study) {
  return reasonDialog({
    title: "Reject this study",
    submit: "Reject",
    before: [h("p", {}, "It belongs to no timepoint. Nothing of it is thrown away, and it can be assigned later.")],
    onSubmit: (reason) =>
      write("POST", `${root}/${encodeURIComponent(study.study_instance_uid)}/rejection`, { body: { reason, version: study.version } }),
  });
}

