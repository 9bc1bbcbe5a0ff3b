// Images between arrival and reading: what control has found, and what is decided about it.

import { get, write } from "../api/client.js";
import { openDialog } from "../components/dialog.js";
import { choice, field, h } from "../components/element.js";
import { problem } from "../components/status.js";
import { dayName, instantName, timepointName } from "../reading/words.js";
import { filtered, pagedTable } from "./paged_table.js";
import { askSite } from "./query_dialogs.js";
import { reasonDialog } from "./reason_dialog.js";
import { stateTag } from "./state_tag.js";
import { addressOf, chosenTrial, noTrial } from "./trial_choice.js";
import { plain, stateTitle } from "./words.js";

/** @typedef {import("../api/office_types.js").Control} Control */
/** @typedef {import("../api/office_types.js").ControlStep} ControlStep */

const PATH = "/quality";
const STATES = ["received", "in_control", "query_open", "corrected", "accepted", "rejected"];

/** @param {import("../shell/router.js").PageContext} context */
export async function mount(context) {
  const { trial, chooser } = await chosenTrial(context, PATH);
  if (!trial) {
    context.host.append(noTrial());
    return { title: "Quality control" };
  }
  const { state = "", blocked = "" } = context.parameters;
  const root = `/trials/${encodeURIComponent(trial.trial_id)}`;
  const reload = () => table.reload().catch(problem);
  const table = await pagedTable({
    path: filtered(`${root}/quality`, { state, blocked }),
    caption: (count, hasMore) => `${count}${hasMore ? " of the" : ""} timepoints with images`,
    columns: columns(root, reload),
    empty: "No timepoint is like this.",
  });
  context.host.append(
    h("div", { class: "office" }, h("h1", {}, "Quality control"), filters(context, trial.trial_id, chooser, { state, blocked }), table.element),
  );
  return { title: "Quality control" };
}

/**
 * @param {string} root
 * @param {() => void} reload
 * @returns {import("../components/table.js").Column<Control>[]}
 */
function columns(root, reload) {
  const act = (/** @type {Promise<boolean>} */ done) => done.then((isDone) => isDone && reload()).catch(problem);
  return [
    { title: "Subject", cell: (row) => row.subject_id, sortBy: (row) => row.subject_id, isHeading: true },
    { title: "Site", cell: (row) => row.site_id, sortBy: (row) => row.site_id },
    { title: "Timepoint", cell: (row) => `${timepointName(row.number)}${row.imaged_on ? `, ${dayName(row.imaged_on)}` : ""}`, sortBy: (row) => row.imaged_on ?? "" },
    { title: "State", cell: (row) => [stateTag(row.state), row.late_instances ? ` ${row.late_instances} late instances` : null], sortBy: (row) => row.state ?? "" },
    { title: "Findings", cell: findings, sortBy: (row) => -row.blocking },
    {
      title: "Decide",
      cell: (row) =>
        h(
          "div",
          { class: "files" },
          row.state !== "accepted" && row.state !== "rejected" && h("button", { type: "button", onclick: () => act(accept(root, row)) }, "Accept"),
          row.state !== "rejected" && h("button", { type: "button", onclick: () => act(decide(root, row, "rejection", "Reject these images")) }, "Reject"),
          (row.state === "accepted" || row.state === "rejected") && h("button", { type: "button", onclick: () => act(decide(root, row, "reopening", "Control these images again")) }, "Control again"),
          h("button", { type: "button", onclick: () => act(askSite(root, { timepoint_id: row.timepoint_id }, row.findings[0]?.sentence ?? "")) }, "Ask the site"),
          h("button", { type: "button", class: "quiet", onclick: () => showSteps(root, row).catch(problem) }, "History"),
        ),
    },
  ];
}

/** @param {Control} row */
function findings(row) {
  if (!row.findings.length) return h("span", { class: "muted" }, row.controlled_at ? "none" : "not controlled yet");
  return h(
    "ul",
    { class: "plain" },
    row.findings.map((each) => h("li", {}, h("span", { class: `tag ${each.severity === "blocks" ? "bad" : "warn"}` }, each.severity), ` ${each.sentence}`)),
  );
}

/**
 * @param {string} root
 * @param {Control} row
 */
function accept(root, row) {
  return reasonDialog({
    title: "Accept these images",
    submit: "Accept",
    isOptional: row.blocking === 0,
    before: [h("p", {}, row.blocking ? `${row.blocking} findings block; accepting needs the reason.` : "Readers may read them from now on.")],
    onSubmit: (reason) =>
      write("POST", `${root}/timepoints/${row.timepoint_id}/quality/acceptance`, { body: { version: row.version, ...(reason && { reason }) } }),
  });
}

/**
 * @param {string} root
 * @param {Control} row
 * @param {"rejection" | "reopening"} what
 * @param {string} title
 */
function decide(root, row, what, title) {
  return reasonDialog({
    title,
    submit: what === "rejection" ? "Reject" : "Control again",
    onSubmit: (reason) => write("POST", `${root}/timepoints/${row.timepoint_id}/quality/${what}`, { body: { reason, version: row.version } }),
  });
}

/**
 * @param {string} root
 * @param {Control} row
 */
async function showSteps(root, row) {
  /** @type {ControlStep[]} */
  const found = await get(`${root}/timepoints/${row.timepoint_id}/quality/history`);
  openDialog({
    title: `Quality of ${row.subject_id}, ${timepointName(row.number)}`,
    isWide: true,
    body: [
      h(
        "ol",
        { class: "history" },
        found.map((each) =>
          h(
            "li",
            {},
            h("div", {}, stateTag(each.before), " → ", stateTag(each.after), ` ${plain(each.cause)}${each.reason ? `: ${each.reason}` : ""}`),
            h("div", { class: "muted" }, `${each.changed_by}, ${instantName(each.changed_at)}`),
          ),
        ),
      ),
    ],
  });
}

/**
 * @param {import("../shell/router.js").PageContext} context
 * @param {string} trialId
 * @param {HTMLElement | null} chooser
 * @param {{ state: string, blocked: string }} chosen
 */
function filters(context, trialId, chooser, { state, blocked }) {
  const states = choice([["", "any"], ...STATES.map((each) => /** @type {[string, string]} */ ([each, stateTitle(each)]))], {}, state);
  const blocking = choice([["", "with and without"], ["true", "with one that blocks"], ["false", "without any that blocks"]], {}, blocked);
  const go = () => context.navigate(addressOf(PATH, { trial: trialId, state: states.value, blocked: blocking.value }));
  states.addEventListener("change", go);
  blocking.addEventListener("change", go);
  return h("div", { class: "filters" }, chooser, field("State", states), field("Findings", blocking));
}
