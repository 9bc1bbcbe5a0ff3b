// Where the sites' own evaluations and the central review differ.

import { get } from "../api/client.js";
import { h } from "../components/element.js";
import { dataTable } from "../components/table.js";
import { csvButton } from "../office/rows_file.js";
import { timepointName } from "../reading/words.js";
import { laterPanel } from "./later.js";
import { intervalName, shareName } from "./numbers.js";

/** @typedef {import("../api/trial_types.js").Comparison} Comparison */
/** @typedef {import("../api/trial_types.js").SiteDifference} SiteDifference */

const COLUMNS = ["site_id", "subject_id", "variable", "number", "imaged_on", "site", "central", "reader", "is_accepted"];

/** @param {string} root */
export function comparisonPanel(root) {
  return laterPanel(async () => {
    const found = await allDifferences(root);
    return [agreement(found), differences(found.discordances)];
  });
}

/**
 * @param {string} root
 * @returns {Promise<Comparison>}
 */
async function allDifferences(root) {
  const path = `${root}/evaluations/comparison?limit=200`;
  let page = await get(path);
  const first = page;
  while (page.next_cursor) {
    page = await get(`${path}&cursor=${encodeURIComponent(page.next_cursor)}`);
    first.discordances.push(...page.discordances);
  }
  return first;
}

/** @param {Comparison} found */
function agreement(found) {
  const kappa = found.response_kappa.value;
  return dataTable({
    caption: `How often site and central review agree${kappa === null ? "" : `; kappa of overall responses ${kappa.toFixed(2)}`}`,
    columns: [
      { title: "About", cell: (row) => row.variable.replaceAll("_", " "), isHeading: true },
      { title: "Agreement", cell: (row) => shareName(row.agreement), isNumber: true },
      { title: "Interval", cell: (row) => intervalName(row.agreement), isNumber: true },
    ],
    rows: found.agreement.filter((row) => row.agreement.of > 0),
    empty: "No site has entered an evaluation yet.",
  });
}

/** @param {SiteDifference[]} rows */
function differences(rows) {
  const table = dataTable({
    caption: `${rows.length} differences`,
    columns: [
      { title: "Subject", cell: (row) => row.subject_id, sortBy: (row) => row.subject_id, isHeading: true },
      { title: "Site", cell: (row) => row.site_id, sortBy: (row) => row.site_id },
      { title: "Timepoint", cell: (row) => (row.imaged_on ? timepointName(row.number) : "Subject"), sortBy: (row) => row.imaged_on ?? "" },
      { title: "About", cell: (row) => row.variable.replaceAll("_", " "), sortBy: (row) => row.variable },
      { title: "Site says", cell: (row) => row.site, sortBy: (row) => row.site },
      { title: "Central review", cell: (row) => `${row.central}${row.is_accepted ? "" : " (provisional)"}`, sortBy: (row) => row.central },
    ],
    rows,
    empty: "Site and central review do not differ anywhere.",
  });
  return h("div", {}, table, h("div", { class: "files" }, csvButton("site_and_central.csv", COLUMNS, () => rows)));
}
