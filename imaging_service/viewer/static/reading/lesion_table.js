// The lesions with what they were, what they are, and how they changed.

import { fill, h } from "../components/element.js";
import { currentDiameter, pastDiameter } from "./lesion_row.js";
import { sparkline } from "./sparkline.js";
import { stateName } from "./words.js";

/** @typedef {import("./lesion_row.js").LesionRow} LesionRow */
/** @typedef {import("./read_model.js").ReadModel} ReadModel */

const TITLES = /** @type {const} */ ({ target: "Targets", non_target: "Non-targets", new: "New lesions" });

/** @type {Record<import("./lesion_row.js").Standing, string>} */
const STANDINGS = {
  empty: "open",
  unfinished: "not finished",
  unsaved: "not saved yet",
  saved: "saved",
  refused: "not accepted",
  conflict: "conflict",
};

/**
 * @typedef {object} Doings
 * @property {(lesionId: string) => void} select
 * @property {(role: import("../api/types.js").Role) => void} add
 * @property {(axis: import("./entry.js").AxisBody) => import("../geometry/plane.js").Plane | null} planeOf
 */

/**
 * Draw the table.
 *
 * @param {HTMLElement} host
 * @param {ReadModel} model
 * @param {Doings} doings
 */
export function drawLesionTable(host, model, doings) {
  const rows = model.rows();
  const all = /** @type {const} */ (["target", "non_target", "new"]);
  const roles = all.filter((role) => role !== "new" || !model.isBaseline);
  fill(host, ...roles.map((role) => section(role, rows.filter((row) => row.role === role), model, doings)));
}

/**
 * @param {"target" | "non_target" | "new"} role
 * @param {LesionRow[]} rows
 * @param {ReadModel} model
 * @param {Doings} doings
 */
function section(role, rows, model, doings) {
  const mayAdd = !model.isSigned && (model.isBaseline ? role !== "new" : role === "new");
  const word = { target: "target", non_target: "non-target", new: "new lesion" }[role];
  const add = mayAdd && h("button", { type: "button", class: "small", "data-focus": `add ${role}`, onclick: () => doings.add(role) }, `Add ${word}`);
  return h(
    "section",
    { class: "lesions" },
    h("header", {}, h("h2", {}, TITLES[role]), add),
    rows.length
      ? table(role, rows, model, doings)
      : h("p", { class: "muted none" }, role === "new" ? "None seen." : "None chosen."),
  );
}

/**
 * @param {"target" | "non_target" | "new"} role
 * @param {LesionRow[]} rows
 * @param {ReadModel} model
 * @param {Doings} doings
 */
function table(role, rows, model, doings) {
  const isMeasured = role === "target";
  const heads = model.isBaseline
    ? ["Lesion", isMeasured ? "mm" : "State"]
    : isMeasured
      ? ["Lesion", "Base", "Prior", "Now", "Change", "Course"]
      : ["Lesion", "Prior", "Now"];
  return h(
    "table",
    { class: "lesion-table" },
    h("caption", { class: "unseen" }, TITLES[role]),
    h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col", class: head === "Lesion" || !isMeasured ? null : "number" }, head)))),
    h("tbody", {}, rows.map((row) => (isMeasured ? targetRow(row, model, doings) : otherRow(row, model, doings)))),
  );
}

/**
 * @param {LesionRow} row
 * @param {ReadModel} model
 * @param {Doings} doings
 */
function nameCell(row, model, doings) {
  const isSelected = model.selected === row.id;
  const mark = h("span", { class: `standing ${row.standing}`, title: STANDINGS[row.standing] }, h("span", { class: "unseen" }, STANDINGS[row.standing]));
  return h(
    "th",
    { scope: "row" },
    h(
      "button",
      { type: "button", class: "quiet lesion-name", "aria-pressed": String(isSelected), "data-focus": `row ${row.id}`, onclick: () => doings.select(row.id) },
      mark,
      h("span", { class: "id" }, row.id),
      h("span", { class: "where" }, row.location + (row.isNodal ? " (node)" : "")),
    ),
  );
}

/**
 * @param {LesionRow} row
 * @param {ReadModel} model
 * @param {Doings} doings
 */
function targetRow(row, model, doings) {
  const now = currentDiameter(row, doings.planeOf);
  const state = row.body?.state;
  const shown = now.mm ?? (state && state !== "measured" ? stateName(state) : "–");
  const current = h("td", { class: `number now ${row.body && !now.isFromService ? "own" : ""}` }, shown);
  if (model.isBaseline) return h("tr", { class: selected(row, model) }, nameCell(row, model, doings), current);
  const [base, prior] = [pastDiameter(row, "first"), pastDiameter(row, "last")];
  return h(
    "tr",
    { class: selected(row, model) },
    nameCell(row, model, doings),
    h("td", { class: "number" }, base ?? "–"),
    h("td", { class: "number" }, prior ?? stateName(row.past.at(-1)?.lesion.state ?? "–")),
    current,
    h("td", { class: "number" }, change(prior, now.mm)),
    h("td", {}, course(row, now.mm)),
  );
}

/**
 * @param {LesionRow} row
 * @param {ReadModel} model
 * @param {Doings} doings
 */
function otherRow(row, model, doings) {
  const state = row.body ? stateName(row.body.state) : "–";
  const now = currentDiameter(row, doings.planeOf).mm;
  const current = h("td", { class: `now ${row.body && row.standing !== "saved" ? "own" : ""}` }, state + (now ? `, ${now} mm` : ""));
  const prior = row.past.at(-1)?.lesion.state;
  return h(
    "tr",
    { class: selected(row, model) },
    nameCell(row, model, doings),
    model.isBaseline ? null : h("td", {}, prior ? stateName(prior) : "–"),
    current,
  );
}

/**
 * @param {LesionRow} row
 * @param {ReadModel} model
 */
function selected(row, model) {
  return model.selected === row.id ? "is-selected" : "";
}

/**
 * @param {string | null} before
 * @param {string | null} now
 */
function change(before, now) {
  if (before === null || now === null || Number(before) === 0) return "–";
  const percent = ((Number(now) - Number(before)) / Number(before)) * 100;
  return `${percent > 0 ? "+" : percent < 0 ? "−" : ""}${Math.abs(percent).toFixed(0)} %`;
}

/**
 * @param {LesionRow} row
 * @param {string | null} now
 */
function course(row, now) {
  const values = [...row.past.map((past) => past.lesion.diameter_mm), now].map((each) => (each === null ? null : Number(each)));
  const told = values.map((value) => (value === null ? "not measured" : `${value} mm`)).join(", ");
  return sparkline(values, `${row.id}: ${told}`);
}
