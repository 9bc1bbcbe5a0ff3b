// The cohort as a sponsor sees it: four plots, the table behind them, site against central, the readers.

import { get } from "../api/client.js";
import { spider } from "../charts/spider.js";
import { survival } from "../charts/survival.js";
import { swimmer } from "../charts/swimmer.js";
import { waterfall } from "../charts/waterfall.js";
import { choice, field, h } from "../components/element.js";
import { tabs } from "../components/tabs.js";
import { addressOf, chosenTrial, noTrial } from "../office/trial_choice.js";
import { cohortPanel } from "./cohort_panel.js";
import { comparisonPanel } from "./comparison_panel.js";
import { figure } from "./figure.js";
import { readersPanel } from "./readers_panel.js";

/** @typedef {import("../api/trial_types.js").Plots} Plots */
/** @typedef {import("../api/trial_types.js").CourseFigure} CourseFigure */
/** @typedef {import("../api/trial_types.js").Survival} Survival */

const PATH = "/cohort";
const AT_ONCE = 200;
const MOST = 1000; // subjects that can be told apart in a drawing

const COURSE_COLUMNS = ["subject_id", "site_id", "slot", "best_response", "confirmed_best_response", "best_change_percent", "days", "is_event", "ending"];
const POINT_COLUMNS = ["subject_id", "slot", "number", "days", "change_percent", "overall_response", "has_new_lesion"];
const STEP_COLUMNS = ["reader", "endpoint", "days", "at_risk", "events", "censored", "survival", "lower", "upper"];

/** @param {import("../shell/router.js").PageContext} context */
export async function mount(context) {
  const { trial, chooser } = await chosenTrial(context, PATH);
  if (!trial) {
    context.host.append(noTrial());
    return { title: "Cohort" };
  }
  const view = context.parameters["view"] === "readers" ? "readers" : "accepted";
  const asOf = context.parameters["as_of"] ?? "";
  const root = `/trials/${encodeURIComponent(trial.trial_id)}`;
  const asked = new URLSearchParams({ view, ...(asOf && { as_of: asOf }) }).toString();
  const [plots, protocol] = await Promise.all([allPlots(root, asked), get(`${root}/protocol`)]);
  const step = stepDays(protocol);
  context.host.append(
    h(
      "div",
      { class: "office" },
      h("h1", {}, "Cohort"),
      controls(context, trial.trial_id, { chooser, view, asOf }),
      h(
        "p",
        { class: "muted" },
        `${new Set(plots.courses.map((each) => each.subject_id)).size} subjects · protocol ${plots.protocol_version} · rules ${plots.rules_version}` +
          (asOf ? ` · nothing after ${asOf} counts` : ""),
      ),
      plots.next_cursor && h("p", { class: "note warn" }, `The first ${MOST} subjects are drawn; survival is of all.`),
      tabs("Figures", [
        ...panelsOf(plots, step, view),
        { title: "Survival", panel: survivalPanel(plots.survival, step) },
        { title: "Table", panel: cohortPanel(root, asked) },
        { title: "Site and central", panel: comparisonPanel(root) },
        { title: "Readers", panel: readersPanel(root) },
      ]),
    ),
  );
  return { title: "Cohort" };
}

/**
 * @param {string} root
 * @param {string} asked
 * @returns {Promise<Plots>}
 */
async function allPlots(root, asked) {
  /** @type {Plots} */
  const first = await get(`${root}/outcomes/plots?${asked}&limit=${AT_ONCE}`);
  let page = first;
  while (page.next_cursor && first.courses.length < MOST) {
    page = await get(`${root}/outcomes/plots?${asked}&limit=${AT_ONCE}&cursor=${encodeURIComponent(page.next_cursor)}`);
    first.courses.push(...page.courses);
  }
  return { ...first, next_cursor: page.next_cursor };
}

/** @param {{ schedule?: { cycle_days?: number, cycles_per_timepoint?: number } }} protocol */
function stepDays({ schedule }) {
  return (schedule?.cycle_days ?? 21) * (schedule?.cycles_per_timepoint ?? 2);
}

/**
 * @param {import("../shell/router.js").PageContext} context
 * @param {string} trialId
 * @param {{ chooser: HTMLElement | null, view: string, asOf: string }} chosen
 */
function controls(context, trialId, { chooser, view, asOf }) {
  const views = choice([["accepted", "Of record (accepted reads)"], ["readers", "Each reader"]], {}, view);
  const cut = h("input", { type: "date", value: asOf });
  const go = () =>
    context.navigate(addressOf(PATH, { trial: trialId, view: views.value === "readers" ? "readers" : null, as_of: cut.value }));
  views.addEventListener("change", go);
  cut.addEventListener("change", go);
  return h("div", { class: "filters" }, chooser, field("Reads", views), field("Data cut", cut, "Empty: everything known."));
}

/**
 * The plots of single subjects: once of record, or once for each reader.
 *
 * @param {Plots} plots
 * @param {number} step
 * @param {string} view
 */
function panelsOf(plots, step, view) {
  const slots = view === "readers" ? [...new Set(plots.courses.map((each) => each.slot))].sort() : [null];
  /** @type {(draw: (courses: CourseFigure[]) => HTMLElement) => HTMLElement} */
  const each = (draw) =>
    h(
      "div",
      { class: "plots" },
      slots.map((slot) =>
        h("section", {}, slot !== null && h("h2", {}, `Reader ${slot}`), draw(plots.courses.filter((course) => slot === null || course.slot === slot))),
      ),
    );
  return [
    { title: "Waterfall", panel: each((courses) => figure("waterfall", waterfall(courses), COURSE_COLUMNS, courses)) },
    { title: "Spider", panel: each((courses) => figure("spider", spider(courses, step), POINT_COLUMNS, pointRows(courses))) },
    { title: "Swimmer", panel: each((courses) => figure("swimmer", swimmer(courses, step), COURSE_COLUMNS, courses)) },
  ];
}

/** @param {CourseFigure[]} courses */
function pointRows(courses) {
  return courses.flatMap((course) => course.points.map((point) => ({ subject_id: course.subject_id, slot: course.slot, ...point })));
}

/**
 * @param {Survival[]} curves
 * @param {number} step
 */
function survivalPanel(curves, step) {
  const endpoints = [...new Set(curves.map((curve) => curve.endpoint))];
  return h(
    "div",
    { class: "plots" },
    endpoints.map((endpoint) => {
      const shown = curves.filter((curve) => curve.endpoint === endpoint);
      const rows = shown.flatMap((curve) => curve.steps.map((each) => ({ reader: readerName(curve), endpoint, ...each })));
      return figure(`survival_${endpoint.toLowerCase()}`, survival(shown, step, readerName), STEP_COLUMNS, rows);
    }),
    !endpoints.length && h("p", { class: "nothing" }, "No subject has a start yet, so there is no time to draw."),
  );
}

/** @param {Survival} curve */
function readerName(curve) {
  return curve.slot === null ? "Of record" : `Reader ${curve.slot}`;
}
