// The calendar of all subjects: what is due, overdue, received, read, and which responses wait for confirmation.

import { get } from "../api/client.js";
import { choice, field, h } from "../components/element.js";
import { dayName } from "../reading/words.js";
import { filtered, pagedTable } from "./paged_table.js";
import { addressOf, chosenTrial, noTrial } from "./trial_choice.js";
import { plain, stateTitle, toneOf } from "./words.js";

/** @typedef {import("../api/office_types.js").SubjectCalendar} SubjectCalendar */
/** @typedef {import("../api/office_types.js").CalendarTimepoint} CalendarTimepoint */
/** @typedef {import("../api/office_types.js").Counts} Counts */

const PATH = "/calendar";
const STATUSES = ["overdue", "expected", "received", "in_reading", "read", "missed", "not_done", "closed"];

/** @param {import("../shell/router.js").PageContext} context */
export async function mount(context) {
  const { trial, chooser } = await chosenTrial(context, PATH);
  if (!trial) {
    context.host.append(noTrial());
    return { title: "Calendar" };
  }
  const root = `/trials/${encodeURIComponent(trial.trial_id)}/calendar`;
  const { status = "", site = "" } = context.parameters;
  const [counts, table] = await Promise.all([
    get(`${root}/counts`),
    pagedTable({
      path: filtered(root, { status, site }),
      caption: (count, hasMore) => `${count}${hasMore ? " of the" : ""} subjects`,
      columns: COLUMNS,
      empty: "No subject is like this.",
    }),
  ]);
  context.host.append(
    h(
      "div",
      { class: "office" },
      h("h1", {}, "Calendar"),
      tiles(counts, trial.trial_id),
      filters(context, trial.trial_id, chooser, { status, site }),
      table.element,
      h("p", { class: "muted" }, "Each box is a timepoint: its number, and its state as a letter and a colour."),
    ),
  );
  return { title: "Calendar" };
}

/** @type {import("../components/table.js").Column<SubjectCalendar>[]} */
const COLUMNS = [
  { title: "Subject", cell: (row) => row.subject_id, sortBy: (row) => row.subject_id, isHeading: true },
  { title: "Site", cell: (row) => row.site_id, sortBy: (row) => row.site_id },
  { title: "Timepoints", cell: (row) => h("ol", { class: "strip" }, row.timepoints.map(box)) },
  { title: "Next due", cell: nextDue, sortBy: (row) => row.next_due?.closes_on ?? "9999" },
  { title: "To confirm", cell: confirmations, sortBy: (row) => row.confirmations[0]?.earliest_on ?? "9999" },
  { title: "Queries", cell: (row) => row.open_queries || "", sortBy: (row) => -row.open_queries, isNumber: true },
  { title: "Ended", cell: ending, sortBy: (row) => row.closed_on ?? "9999" },
];

/** @param {CalendarTimepoint} each */
function box(each) {
  const told = [
    each.name,
    stateTitle(each.status),
    each.imaged_on ? `imaged ${dayName(each.imaged_on)}` : each.opens_on && each.closes_on && `${dayName(each.opens_on)} to ${dayName(each.closes_on)}`,
    each.placement && each.placement !== "in_window" && plain(each.placement),
    each.is_after_end && "after the end",
    each.control && each.control !== "accepted" && `quality: ${stateTitle(each.control)}`,
    each.late_instances && `${each.late_instances} late instances`,
    each.days_overdue && `${each.days_overdue} days overdue`,
    each.not_done_reason,
  ].filter(Boolean);
  const sentence = told.join(", ");
  return h(
    "li",
    { class: `box ${toneOf(each.status)} is-${each.status}`, title: sentence },
    h("span", { "aria-hidden": "true" }, `${each.number ?? "+"}${LETTERS[each.status] ?? ""}`),
    h("span", { class: "unseen" }, sentence),
  );
}

/** @type {Record<string, string>} */
const LETTERS = { expected: "", overdue: "!", missed: "✕", received: "r", in_reading: "…", read: "✓", not_done: "–", closed: "" };

/** @param {SubjectCalendar} row */
function nextDue({ next_due: next }) {
  if (!next) return h("span", { class: "muted" }, "nothing");
  const late = next.days_overdue ? h("span", { class: "tag bad" }, `${next.days_overdue} days overdue`) : null;
  const until = next.closes_on ? ` until ${dayName(next.closes_on)}` : "";
  return [`${next.name}${until} `, late];
}

/** @param {SubjectCalendar} row */
function confirmations({ confirmations: waiting }) {
  return waiting.map((each) => {
    const where = each.number === null ? "no timepoint left" : `timepoint ${each.number}`;
    return h("div", {}, `Reader ${each.slot}: ${each.response} from ${dayName(each.earliest_on)} (${where})`);
  });
}

/** @param {SubjectCalendar} row */
function ending(row) {
  const central = row.central_progression_on && row.closed_by !== "progression";
  return [
    row.closed_on && `${dayName(row.closed_on)}, ${plain(row.closed_by ?? "")}`,
    central && h("div", { class: "tag warn" }, `central progression ${dayName(row.central_progression_on ?? "")}`),
  ];
}

/**
 * @param {Counts} counts
 * @param {string} trialId
 */
function tiles(counts, trialId) {
  /** @type {(name: string, count: number, href: string) => HTMLElement} */
  const tile = (name, count, href) => h("a", { class: "tile", href: `#${href}` }, h("strong", {}, count), h("span", {}, name));
  const control = (/** @type {string[]} */ states) => states.reduce((sum, state) => sum + (counts.control[state] ?? 0), 0);
  return h(
    "div",
    { class: "tiles" },
    tile("subjects", counts.subjects, addressOf(PATH, { trial: trialId })),
    tile("overdue", counts.timepoints["overdue"] ?? 0, addressOf(PATH, { trial: trialId, status: "overdue" })),
    tile("due", counts.timepoints["expected"] ?? 0, addressOf(PATH, { trial: trialId, status: "expected" })),
    tile("received, not read", (counts.timepoints["received"] ?? 0) + (counts.timepoints["in_reading"] ?? 0), addressOf(PATH, { trial: trialId, status: "received" })),
    tile("to control", control(["received", "in_control", "corrected", "query_open"]), addressOf("/quality", { trial: trialId })),
    tile("unmatched studies", counts.unmatched_studies, addressOf("/studies", { trial: trialId })),
  );
}

/**
 * @param {import("../shell/router.js").PageContext} context
 * @param {string} trialId
 * @param {HTMLElement | null} chooser
 * @param {{ status: string, site: string }} chosen
 */
function filters(context, trialId, chooser, { status, site }) {
  const states = choice([["", "any"], ...STATUSES.map((each) => /** @type {[string, string]} */ ([each, stateTitle(each)]))], {}, status);
  const place = h("input", { value: site, size: 12 });
  const go = () => context.navigate(addressOf(PATH, { trial: trialId, status: states.value, site: place.value.trim() }));
  states.addEventListener("change", go);
  place.addEventListener("change", go);
  return h("div", { class: "filters" }, chooser, field("Has a timepoint that is", states), field("Site", place));
}

