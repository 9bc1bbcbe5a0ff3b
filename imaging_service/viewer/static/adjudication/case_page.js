// One case: both readers' reads side by side, each measurement on its image, and the decision.

import { get } from "../api/client.js";
import { fill, h } from "../components/element.js";
import { tabs } from "../components/tabs.js";
import { dayName, instantName, stateName, timepointName } from "../reading/words.js";
import { told } from "./cases_page.js";
import { decideCase } from "./decision_dialog.js";
import { measuredImage } from "./measured_image.js";

/** @typedef {import("../api/case_types.js").Case} Case */
/** @typedef {import("../api/case_types.js").CaseRead} CaseRead */
/** @typedef {import("../api/case_types.js").CaseReader} CaseReader */
/** @typedef {import("../api/types.js").LesionAnswer} LesionAnswer */

/** @param {import("../shell/router.js").PageContext} context */
export async function mount({ host, parameters, navigate }) {
  const path = `/trials/${encodeURIComponent(parameters["trial_id"] ?? "")}/adjudications/${encodeURIComponent(parameters["reading_id"] ?? "")}`;
  /** @type {Case} */
  const found = await get(path);
  const decide = async () => {
    if (await decideCase(path, found)) navigate("/adjudications");
  };
  const isOpen = found.standing === "to_adjudicate";
  host.append(
    h(
      "div",
      { class: "office" },
      h("h1", {}, `Adjudication of ${found.reading_id}`),
      h("ul", {}, found.differences.map((each) => h("li", {}, told(each)))),
      verdicts(found.readers),
      tabs("Timepoints", timepointsOf(found.readers).map((each) => ({ title: timepointName(each.number), panel: sideBySide(found.readers, each) }))),
      found.decisions.map((each) => h("p", { class: "note" }, `Reader ${each.chosen_reader} was chosen by ${each.printed_name} on ${instantName(each.signed_at)}: ${each.reason}`)),
      isOpen ? h("div", { class: "files" }, h("button", { type: "button", class: "primary", onclick: decide }, "Decide …")) : h("p", { class: "muted" }, "Nothing is to be decided here now."),
    ),
  );
  return { title: `Adjudication of ${found.reading_id}` };
}

/** @param {CaseReader[]} readers */
function verdicts(readers) {
  return h(
    "table",
    {},
    h("caption", {}, "What follows from each reader's reads"),
    h("thead", {}, h("tr", {}, ["Reader", "Best response", "Confirmed", "Progression"].map((title) => h("th", { scope: "col" }, title)))),
    h(
      "tbody",
      {},
      readers.map(({ reader, verdict }) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, `Reader ${reader}`),
          h("td", {}, best(verdict.best_overall)),
          h("td", {}, best(verdict.confirmed_best_overall)),
          h("td", {}, verdict.progression ? dayName(verdict.progression.progressed_on) : "none"),
        ),
      ),
    ),
  );
}

/** @param {import("../api/case_types.js").Best} found */
function best(found) {
  return found.responded_on ? `${found.response}, ${dayName(found.responded_on)}` : found.response;
}

/**
 * @param {CaseReader[]} readers
 * @returns {CaseRead[]} One of each timepoint, in the order of imaging.
 */
function timepointsOf(readers) {
  const all = readers.flatMap(({ reads }) => reads);
  const first = new Map(all.map((read) => [read.timepoint_id, read]));
  return [...first.values()].sort((one, other) => one.imaged_on.localeCompare(other.imaged_on));
}

/**
 * @param {CaseReader[]} readers
 * @param {CaseRead} timepoint
 */
function sideBySide(readers, timepoint) {
  return h(
    "div",
    { class: "side-by-side" },
    readers.map(({ reader, reads }) => {
      const read = reads.find((each) => each.timepoint_id === timepoint.timepoint_id);
      return h("section", {}, h("h2", {}, `Reader ${reader}`), read ? readPart(read) : h("p", { class: "muted" }, "Not read."));
    }),
  );
}

/** @param {CaseRead} read */
function readPart(read) {
  const place = h("div", { class: "measured" });
  const show = (/** @type {LesionAnswer} */ lesion) => fill(place, measuredImage(lesion));
  const first = read.lesions.find((lesion) => lesion.axes.length);
  if (first) show(first);
  const responses = [read.target_response, read.non_target_response, read.new_lesion].map((each) => each ?? "–").join(" · ");
  return h(
    "div",
    {},
    h("p", {}, dayName(read.imaged_on), " · ", h("strong", {}, read.overall_response ?? "Baseline"), ` (${responses})`, read.sum_mm ? ` · sum ${read.sum_mm} mm` : ""),
    h(
      "ul",
      { class: "plain" },
      read.lesions.map((lesion) =>
        h(
          "li",
          {},
          lesion.axes.length
            ? h("button", { type: "button", class: "quiet", onclick: () => show(lesion) }, `${lesion.lesion_id} ${lesion.location}`)
            : h("span", {}, `${lesion.lesion_id} ${lesion.location}`),
          ` ${stateName(lesion.state)}${lesion.diameter_mm ? `, ${lesion.diameter_mm} mm` : ""}${lesion.reason ? `: ${lesion.reason}` : ""}`,
        ),
      ),
    ),
    place,
  );
}
