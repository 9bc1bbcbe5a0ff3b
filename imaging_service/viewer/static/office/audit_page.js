// Who did what, when and why; and whether the chain is whole.

import { get } from "../api/client.js";
import { openDialog } from "../components/dialog.js";
import { field, fill, h } from "../components/element.js";
import { problem } from "../components/status.js";
import { instantName } from "../reading/words.js";
import { has } from "../shell/session.js";
import { filtered, pagedTable } from "./paged_table.js";
import { addressOf, chosenTrial, noTrial } from "./trial_choice.js";

/** @typedef {import("../api/office_types.js").AuditEntry} AuditEntry */

const PATH = "/audit";

/** @param {import("../shell/router.js").PageContext} context */
export async function mount(context) {
  const isAdministrator = has(["administrator"]);
  const { trial, chooser } = isAdministrator ? { trial: null, chooser: null } : await chosenTrial(context, PATH);
  if (!isAdministrator && !trial) {
    context.host.append(noTrial());
    return { title: "Audit" };
  }
  const root = trial ? `/trials/${encodeURIComponent(trial.trial_id)}/audit` : "/audit";
  const { entity = "", entity_id = "", actor = "", action = "" } = context.parameters;
  const wanted = { entity, entity_id, actor, action };
  const table = await pagedTable({
    path: filtered(root, wanted),
    caption: (count, hasMore) => `${count}${hasMore ? " of the" : ""} entries, the oldest first`,
    columns: COLUMNS,
    empty: "No entry is like this.",
  });
  context.host.append(
    h(
      "div",
      { class: "office" },
      h("h1", {}, "Audit"),
      filters(context, trial?.trial_id, chooser, wanted),
      isAdministrator && chain(),
      table.element,
    ),
  );
  return { title: "Audit" };
}

/** @type {import("../components/table.js").Column<AuditEntry>[]} */
const COLUMNS = [
  { title: "No.", cell: (row) => row.sequence, sortBy: (row) => row.sequence, isNumber: true, isHeading: true },
  { title: "When", cell: (row) => instantName(row.at), sortBy: (row) => row.at },
  { title: "Who", cell: (row) => row.actor, sortBy: (row) => row.actor },
  { title: "Did", cell: (row) => row.action, sortBy: (row) => row.action },
  { title: "With", cell: (row) => [h("span", {}, row.entity), " ", h("code", {}, row.entity_id)], sortBy: (row) => row.entity },
  { title: "Reason", cell: (row) => row.reason ?? "" },
  { title: "Content", cell: (row) => h("button", { type: "button", class: "quiet small", "aria-label": `Show the content of entry ${row.sequence}`, onclick: () => showEntry(row) }, "Show") },
];

/** @param {AuditEntry} row */
function showEntry(row) {
  openDialog({
    title: `Entry ${row.sequence}: ${row.action}`,
    isWide: true,
    body: [
      h("h3", {}, "Before"),
      content(row.before),
      h("h3", {}, "After"),
      content(row.after),
      h("p", { class: "muted" }, "SHA-256 ", h("code", {}, row.hash)),
    ],
  });
}

/** @param {Record<string, unknown> | null} value */
function content(value) {
  return value ? h("pre", { class: "content", tabindex: "0" }, JSON.stringify(value, null, 2)) : h("p", { class: "muted" }, "nothing");
}

/** A button that checks the whole chain, and what it found. */
function chain() {
  const said = h("div", { role: "status" });
  const check = async () => {
    fill(said, h("p", { class: "muted" }, "Checking every entry …"));
    try {
      const found = await get("/audit/verification");
      fill(
        said,
        found.is_whole
          ? h("p", { class: "note good" }, `The chain of ${found.head.sequence} entries is whole.`)
          : h("div", { class: "note bad" }, h("p", {}, `The chain is damaged in ${found.findings.length} places.`), h("ul", {}, found.findings.map((/** @type {{ sentence: string }} */ each) => h("li", {}, each.sentence)))),
      );
    } catch (error) {
      fill(said);
      problem(error);
    }
  };
  return h(
    "div",
    { class: "files" },
    h("button", { type: "button", onclick: check }, "Verify the chain"),
    h("a", { class: "button", href: "/api/v1/audit/export?format=csv", download: "audit.csv" }, "CSV"),
    h("a", { class: "button", href: "/api/v1/audit/export?format=jsonl", download: "audit.jsonl" }, "JSON Lines"),
    said,
  );
}

/**
 * @param {import("../shell/router.js").PageContext} context
 * @param {string | undefined} trialId
 * @param {HTMLElement | null} chooser
 * @param {Record<string, string>} chosen
 */
function filters(context, trialId, chooser, chosen) {
  const inputs = Object.entries({ actor: "Who", action: "Did", entity: "With", entity_id: "Its key" }).map(([name, title]) => ({
    name,
    title,
    input: h("input", { value: chosen[name] ?? "", size: 14 }),
  }));
  const go = () =>
    context.navigate(addressOf(PATH, { trial: trialId, ...Object.fromEntries(inputs.map((each) => [each.name, each.input.value.trim()])) }));
  const form = h("form", { class: "filters", role: "search" }, chooser, inputs.map((each) => field(each.title, each.input)), h("button", { type: "submit" }, "Search"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    go();
  });
  return form;
}
