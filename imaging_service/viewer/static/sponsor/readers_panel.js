// How well the readers agree, as of now.

import { send } from "../api/client.js";
import { h } from "../components/element.js";
import { dataTable } from "../components/table.js";
import { saveFile } from "../charts/download.js";
import { rowsOf } from "./csv_rows.js";
import { laterPanel } from "./later.js";

/** @typedef {import("../api/trial_types.js").StatisticRow} StatisticRow */

/** @param {string} root */
export function readersPanel(root) {
  return laterPanel(async () => {
    const text = await (await send("GET", `${root}/readers/statistics`, { headers: { Accept: "text/csv" } })).text();
    const rows = /** @type {StatisticRow[]} */ (/** @type {unknown} */ (rowsOf(text)));
    const save = () => saveFile("readers.csv", new Blob([text], { type: "text/csv;charset=utf-8" }));
    return [
      dataTable({
        caption: "Agreement of the readers",
        columns: [
          { title: "Figure", cell: (row) => row.statistic.replaceAll("_", " "), sortBy: (row) => row.statistic, isHeading: true },
          { title: "About", cell: (row) => (row.about ?? "").replaceAll("_", " "), sortBy: (row) => row.about ?? "" },
          { title: "Count", cell: (row) => (row.count ? `${row.count} of ${row.of}` : row.of), isNumber: true },
          { title: "Estimate", cell: (row) => told(row.estimate), isNumber: true },
          { title: "Interval", cell: (row) => (row.lower ? `${told(row.lower)} to ${told(row.upper)}` : "–"), isNumber: true },
        ],
        rows,
        empty: "Nothing has been read twice yet.",
      }),
      h("div", { class: "files" }, h("button", { type: "button", onclick: save }, "CSV")),
    ];
  });
}

/** @param {string} value */
function told(value) {
  return value === "" ? "–" : Number(value).toFixed(3);
}
