// What follows from the read as it stands: sum, changes, response and its reasons, as the service derives them.

import { fill, h } from "../components/element.js";
import { responseName, timepointName } from "./words.js";

/** @typedef {import("../api/types.js").Sum} Sum */
/** @typedef {import("./read_model.js").ReadModel} ReadModel */

/**
 * Draw the panel.
 *
 * @param {HTMLElement} host
 * @param {ReadModel} model
 */
export function drawVerdict(host, model) {
  const { verdict } = model;
  const isOld = model.unsavedCount > 0;
  if (!verdict) {
    fill(host, h("h2", {}, "Response"), h("p", { class: "muted none" }, model.verdictProblem ?? "Nothing follows yet."));
    return;
  }
  const timepoint = verdict.timepoint;
  const wasOpen = host.querySelector("details")?.open ?? false;
  const queries = [...verdict.queries, ...(timepoint?.queries ?? []), ...(timepoint ? [] : (verdict.baseline?.queries ?? []))];
  const questions = new Set(queries.filter((query) => !isGap(query, model)).map((query) => sentenceOf(query, model)));
  fill(
    host,
    h(
      "header",
      {},
      h("h2", {}, timepoint ? "Response" : "Baseline"),
      isOld ? h("span", { class: "tag own" }, "without what is not saved") : null,
    ),
    timepoint ? responses(timepoint) : null,
    h(
      "dl",
      { class: "figures" },
      figure("Sum of diameters", sumText(timepoint ? timepoint.sum_of_diameters : (verdict.baseline?.sum_of_diameters ?? null))),
      timepoint ? figure("From baseline", changeText(timepoint.change_from_baseline_percent), timepoint.baseline_mm) : null,
      timepoint ? figure("From nadir", changeText(timepoint.change_from_nadir_percent, timepoint.change_from_nadir_mm), timepoint.nadir_mm) : null,
    ),
    timepoint ? reasons(timepoint.reasons, wasOpen) : null,
    model.read.findings.map((finding) => h("p", { class: "note warn" }, finding.sentence)),
    [...questions].map((sentence) => h("p", { class: "note warn" }, sentence)),
  );
}

/**
 * Whether a question is only that something is not entered yet, which stands beside the lesion.
 *
 * @param {import("../api/types.js").Query} query
 * @param {ReadModel} model
 */
function isGap(query, model) {
  const open = new Set(model.read.gaps.map((gap) => gap.lesion_id));
  return query.lesion_ids.length > 0 && query.lesion_ids.every((id) => open.has(id));
}

/**
 * @param {import("../api/types.js").Query} query
 * @param {ReadModel} model
 */
function sentenceOf(query, model) {
  const here = query.sentence.replaceAll(model.read.timepoint_id, "this timepoint");
  return model.earlier.reduce((text, read) => text.replaceAll(read.timepoint_id, timepointName(read.number)), here);
}

/** @param {import("../api/types.js").TimepointVerdict} timepoint */
function responses(timepoint) {
  const code = timepoint.overall_response;
  return h(
    "div",
    { class: "responses" },
    h("div", { class: `overall ${code === "PD" ? "bad" : ["CR", "PR"].includes(code) ? "good" : ""}` }, h("strong", {}, code), h("span", {}, responseName(code))),
    h(
      "dl",
      {},
      figure("Targets", timepoint.target_response),
      figure("Non-targets", timepoint.non_target_response),
      figure("New lesion", timepoint.new_lesion === "Y" ? "yes" : timepoint.new_lesion === "N" ? "no" : timepoint.new_lesion),
    ),
  );
}

/**
 * @param {import("../api/types.js").Reason[]} all
 * @param {boolean} isOpen
 */
function reasons(all, isOpen) {
  if (!all.length) return null;
  return h(
    "details",
    { open: isOpen },
    h("summary", { "data-focus": "reasons" }, `Why: ${all.length} ${all.length === 1 ? "reason" : "reasons"}`),
    h("ol", {}, all.map((reason) => h("li", {}, reason.sentence, " ", h("span", { class: "muted" }, `(${reason.source})`)))),
  );
}

/**
 * @param {string} name
 * @param {string} value
 * @param {string | null} [of]
 */
function figure(name, value, of) {
  return h("div", {}, h("dt", {}, name), h("dd", {}, value, of ? h("span", { class: "muted" }, ` of ${of}`) : null));
}

/** @param {Sum | null} sum */
function sumText(sum) {
  if (!sum) return "–";
  if (sum.mm !== null) return `${sum.mm} mm`;
  return `at least ${sum.at_least_mm} mm, without ${sum.missing.join(", ")}`;
}

/**
 * @param {string | null} percent
 * @param {string | null} [mm]
 */
function changeText(percent, mm = null) {
  if (percent === null) return "–";
  const signed = (/** @type {number} */ value, /** @type {number} */ digits) =>
    `${value > 0 ? "+" : value < 0 ? "−" : ""}${Math.abs(value).toFixed(digits)}`;
  return `${signed(Number(percent), 1)} %${mm === null ? "" : ` (${signed(Number(mm), 1)} mm)`}`;
}
