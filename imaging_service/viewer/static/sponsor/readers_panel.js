// How well the readers agree, as of now.

import { send } from "../api/client.js";
import { h } from "../components/element.js";
import { dataTable } from "../components/table.js";
import { saveFile } from "../charts/download.js";
import { rowsOf } from "./csv_rows.js";
import { laterPanel } from "./later.js";

/** @typedef {import("../api/trial_types.js").StatisticRow} StatisticRow */
/** @typedef {{ by: string, name: string, figures: Map<string, StatisticRow> }} Group */

const GROUPINGS = ["timepoint", "organ", "slice_thickness", "quarter"];
const SINGLE = "diameter_";

/** @param {string} root */
export function readersPanel(root) {
  return laterPanel(async () => {
    const query = GROUPINGS.map((each) => `by=${each}`).join("&");
    const text = await (
      await send("GET", `${root}/readers/statistics?${query}`, { headers: { Accept: "text/csv" } })
    ).text();
    const rows = /** @type {StatisticRow[]} */ (/** @type {unknown} */ (rowsOf(text)));
    const save = () => saveFile("readers.csv", new Blob([text], { type: "text/csv;charset=utf-8" }));
    return [
      agreementTable(rows.filter((row) => !row.statistic.startsWith(SINGLE))),
      diametersTable(groupsOf(rows.filter((row) => row.statistic.startsWith(SINGLE)))),
      h("div", { class: "files" }, h("button", { type: "button", onclick: save }, "CSV")),
    ];
  });
}

/** @param {StatisticRow[]} rows */
function agreementTable(rows) {
  return dataTable({
    caption: "Agreement of the readers",
    columns: [
      { title: "Figure", cell: (row) => words(row.statistic), sortBy: (row) => row.statistic, isHeading: true },
      { title: "About", cell: (row) => words(row.about ?? ""), sortBy: (row) => row.about ?? "" },
      { title: "Count", cell: (row) => (row.count ? `${row.count} of ${row.of}` : row.of), isNumber: true },
      { title: "Estimate", cell: (row) => told(row.estimate), isNumber: true },
      { title: "Interval", cell: (row) => (row.lower ? `${told(row.lower)} to ${told(row.upper)}` : "–"), isNumber: true },
    ],
    rows,
    empty: "Nothing has been read twice yet.",
  });
}

/** @param {Group[]} groups */
function diametersTable(groups) {
  return dataTable({
    caption: "Single diameters of the same lesions, reader 1 less reader 2, mm",
    columns: [
      { title: "By", cell: (group) => words(group.by), sortBy: (group) => group.by },
      { title: "Group", cell: (group) => words(group.name), sortBy: (group) => group.name, isHeading: true },
      { title: "Pairs", cell: (group) => group.figures.get("bias_mm")?.of ?? "–", isNumber: true },
      { title: "Bias", cell: (group) => withInterval(group, "bias_mm"), isNumber: true },
      { title: "Lower limit", cell: (group) => withInterval(group, "lower_limit_mm"), isNumber: true },
      { title: "Upper limit", cell: (group) => withInterval(group, "upper_limit_mm"), isNumber: true },
      { title: "ICC(A,1)", cell: (group) => withInterval(group, "intraclass_correlation"), isNumber: true },
    ],
    rows: groups,
    empty: "No lesion has been measured by both readers yet.",
  });
}

/**
 * @param {StatisticRow[]} rows
 * @returns {Group[]}
 */
function groupsOf(rows) {
  /** @type {Map<string, Group>} */
  const found = new Map();
  for (const row of rows) {
    const about = row.about ?? "";
    const cut = about.indexOf(" ");
    const group = found.get(about) ?? { by: about.slice(0, cut), name: about.slice(cut + 1), figures: new Map() };
    group.figures.set(row.statistic.slice(SINGLE.length), row);
    found.set(about, group);
  }
  return [...found.values()];
}

/**
 * @param {Group} group
 * @param {string} figure
 */
function withInterval(group, figure) {
  const row = group.figures.get(figure);
  if (row === undefined || row.estimate === "") return "–";
  return `${told(row.estimate)} (${told(row.lower)} to ${told(row.upper)})`;
}

/** @param {string} name */
function words(name) {
  return name.replaceAll("_", " ");
}

/** @param {string} value */
function told(value) {
  return value === "" ? "–" : Number(value).toFixed(3);
}
