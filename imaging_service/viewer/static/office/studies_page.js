// Studies that belong to no timepoint yet, each with what it looks like and why it waits.

import { get } from "../api/client.js";
import { choice, field, h } from "../components/element.js";
import { openDialog } from "../components/dialog.js";
import { problem } from "../components/status.js";
import { dayName, instantName } from "../reading/words.js";
import { filtered, pagedTable } from "./paged_table.js";
import { stateTag } from "./state_tag.js";
import { assignStudy, rejectStudy } from "./study_dialogs.js";
import { addressOf, chosenTrial, noTrial } from "./trial_choice.js";
import { plain } from "./words.js";

/** @typedef {import("../api/office_types.js").Study} Study */
/** @typedef {import("../api/office_types.js").StudyDecision} StudyDecision */

const PATH = "/studies";

/** @param {import("../shell/router.js").PageContext} context */
export async function mount(context) {
  const { trial, chooser } = await chosenTrial(context, PATH);
  if (!trial) {
    context.host.append(noTrial());
    return { title: "Studies" };
  }
  const state = context.parameters["state"] ?? "unmatched";
  const root = `/trials/${encodeURIComponent(trial.trial_id)}/studies`;
  const reload = () => table.reload().catch(problem);
  const table = await pagedTable({
    path: filtered(root, { state }),
    caption: (count, hasMore) => `${count}${hasMore ? " of the" : ""} ${state} studies`,
    columns: columns(root, reload),
    empty: state === "unmatched" ? "No study waits: all that arrived have found their timepoint." : `No study is ${state}.`,
  });
  const states = choice([["unmatched", "waiting for a decision"], ["matched", "on a timepoint"], ["rejected", "rejected"]], {}, state);
  states.addEventListener("change", () => context.navigate(addressOf(PATH, { trial: trial.trial_id, state: states.value })));
  context.host.append(
    h("div", { class: "office" }, h("h1", {}, "Studies"), h("div", { class: "filters" }, chooser, field("Show", states)), table.element),
  );
  return { title: "Studies" };
}

/**
 * @param {string} root
 * @param {() => void} reload
 * @returns {import("../components/table.js").Column<Study>[]}
 */
function columns(root, reload) {
  const act = (/** @type {Promise<boolean>} */ done) => done.then((isDone) => isDone && reload()).catch(problem);
  return [
    { title: "Image", cell: thumbnail },
    { title: "Study", cell: about, sortBy: (row) => row.study_date ?? "", isHeading: true },
    { title: "Why", cell: why, sortBy: (row) => row.code },
    { title: "Received", cell: (row) => instantName(row.received_at), sortBy: (row) => row.received_at },
    {
      title: "Decide",
      cell: (row) =>
        h(
          "div",
          { class: "files" },
          h("button", { type: "button", onclick: () => act(assignStudy(root, row)) }, row.timepoint_id ? "Re-assign" : "Assign"),
          row.state !== "rejected" && h("button", { type: "button", onclick: () => act(rejectStudy(root, row)) }, "Reject"),
          h("button", { type: "button", class: "quiet", onclick: () => showDecisions(root, row).catch(problem) }, "History"),
        ),
    },
  ];
}

/** @param {Study} row */
function thumbnail(row) {
  return row.thumbnail
    ? h("img", { class: "thumbnail", src: row.thumbnail, alt: `One image of the study of ${row.study_date ?? "an unknown day"}`, width: 96, height: 96, loading: "lazy" })
    : h("span", { class: "muted" }, "no image");
}

/** @param {Study} row */
function about(row) {
  const lines = [
    row.study_date ? dayName(row.study_date) : "no date",
    `${row.modalities.join(", ") || "no modality"}: ${row.series} series, ${row.instances} instances`,
    `Site ${row.site_id ?? "unknown"} · PatientID ${row.patient_ids.join(", ") || "none"}`,
    row.subject_tag && `Subject tag ${row.subject_tag}`,
    row.conflicts && `${row.conflicts} instances kept apart as conflicts`,
  ];
  return lines.filter(Boolean).map((each) => h("div", {}, each));
}

/** @param {Study} row */
function why(row) {
  return [stateTag(row.state), " ", h("span", {}, row.reason), row.confidence && h("div", { class: "muted" }, `confidence: ${plain(row.confidence)}`)];
}

/**
 * @param {string} root
 * @param {Study} row
 */
async function showDecisions(root, row) {
  /** @type {StudyDecision[]} */
  const found = await get(`${root}/${encodeURIComponent(row.study_instance_uid)}/decisions`);
  openDialog({
    title: "What was decided about this study",
    isWide: true,
    body: [
      h(
        "ol",
        { class: "history" },
        found.map((each) =>
          h("li", {}, h("div", {}, stateTag(each.state), ` ${each.subject_id ?? ""} ${each.reason}`), h("div", { class: "muted" }, `${each.decided_by}, ${instantName(each.decided_at)}`)),
        ),
      ),
    ],
  });
}
