// Rows of the page as a CSV file.

import { h } from "../components/element.js";
import { csvText, saveFile } from "../charts/download.js";

/**
 * A button that saves rows.
 *
 * @param {string} name Of the file.
 * @param {string[]} columns
 * @param {() => Record<string, unknown>[]} rows
 */
export function csvButton(name, columns, rows) {
  const save = () => saveFile(name, new Blob([csvText(columns, rows())], { type: "text/csv;charset=utf-8" }));
  return h("button", { type: "button", onclick: save }, "CSV");
}
