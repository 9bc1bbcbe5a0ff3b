// Questions to sites: a coordinator's whole list, a site's own.

import { choice, field, h, tick } from "../components/element.js";
import { problem } from "../components/status.js";
import { dayName } from "../reading/words.js";
import { has } from "../shell/session.js";
import { filtered, pagedTable } from "./paged_table.js";
import { askSite, sayAbout, showQuery } from "./query_dialogs.js";
import { stateTag } from "./state_tag.js";
import { addressOf, chosenTrial, noTrial } from "./trial_choice.js";
import { plain } from "./words.js";

/** @typedef {import("../api/office_types.js").SiteQuery} SiteQuery */

const PATH = "/queries";
const STAFF = ["coordinator", "administrator"];

/** @param {import("../shell/router.js").PageContext} context */
export async function mount(context) {
  const { trial, chooser } = await chosenTrial(context, PATH);
  if (!trial) {
    context.host.append(noTrial());
    return { title: "Site queries" };
  }
  const { state = "", overdue = "" } = context.parameters;
  const root = `/trials/${encodeURIComponent(trial.trial_id)}`;
  const reload = () => table.reload().catch(problem);
  const table = await pagedTable({
    path: filtered(`${root}/site_queries`, { state, overdue }),
    caption: (count, hasMore) => `${count}${hasMore ? " of the" : ""} questions`,
    columns: columns(root, reload),
    empty: "No question is like this.",
  });
  const ask = () => askSite(root, {}).then((isDone) => (isDone ? reload() : undefined)).catch(problem);
  context.host.append(
    h(
      "div",
      { class: "office" },
      h("h1", {}, "Site queries"),
      h("div", { class: "filters" }, chooser, ...filters(context, trial.trial_id, { state, overdue }), has(STAFF) && h("button", { type: "button", class: "primary", onclick: ask }, "Ask a site")),
      table.element,
    ),
  );
  return { title: "Site queries" };
}

/**
 * @param {string} root
 * @param {() => void} reload
 * @returns {import("../components/table.js").Column<SiteQuery>[]}
 */
function columns(root, reload) {
  /** @type {(row: SiteQuery, what: "answer" | "follow_up" | "closure" | "reopening", title: string, submit: string) => HTMLElement} */
  const deed = (row, what, title, submit) =>
    h("button", { type: "button", onclick: () => sayAbout(root, row, { what, title, submit }).then((isDone) => isDone && reload()).catch(problem) }, submit);
  return [
    { title: "No.", cell: (row) => row.number, sortBy: (row) => row.number, isHeading: true },
    { title: "Site", cell: (row) => row.site_id, sortBy: (row) => row.site_id },
    { title: "Subject", cell: (row) => row.subject_id ?? "", sortBy: (row) => row.subject_id ?? "" },
    { title: "About", cell: (row) => plain(row.code), sortBy: (row) => row.code },
    { title: "Question", cell: (row) => row.text },
    { title: "State", cell: (row) => stateTag(row.state), sortBy: (row) => row.state },
    {
      title: "Answer by",
      cell: (row) => [dayName(row.due_on), row.days_overdue ? h("span", { class: "tag bad" }, `${row.days_overdue} days overdue`) : null],
      sortBy: (row) => row.due_on,
    },
    {
      title: "Do",
      cell: (row) =>
        h(
          "div",
          { class: "files" },
          row.state === "open" && has([...STAFF, "site"]) && deed(row, "answer", "Answer this question", "Answer"),
          row.state !== "closed" && has(STAFF) && deed(row, "follow_up", "Ask once more", "Ask again"),
          row.state !== "closed" && has(STAFF) && deed(row, "closure", "Close this question", "Close"),
          row.state === "closed" && has(STAFF) && deed(row, "reopening", "Open this question again", "Open again"),
          h("button", { type: "button", class: "quiet", onclick: () => showQuery(root, row).catch(problem) }, "History"),
        ),
    },
  ];
}

/**
 * @param {import("../shell/router.js").PageContext} context
 * @param {string} trialId
 * @param {{ state: string, overdue: string }} chosen
 */
function filters(context, trialId, { state, overdue }) {
  const states = choice([["", "any"], ["open", "open"], ["answered", "answered"], ["closed", "closed"]], {}, state);
  const late = h("input", { type: "checkbox", checked: overdue === "true" });
  const go = () => context.navigate(addressOf(PATH, { trial: trialId, state: states.value, overdue: late.checked ? "true" : "" }));
  states.addEventListener("change", go);
  late.addEventListener("change", go);
  return [field("State", states), tick("Overdue only", late)];
}
