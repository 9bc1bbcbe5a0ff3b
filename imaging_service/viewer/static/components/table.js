// A table of rows, sortable by its columns.

import { fill, h } from "./element.js";

/**
 * @template Row
 * @typedef {object} Column
 * @property {string} title
 * @property {(row: Row) => import("./element.js").Child | import("./element.js").Child[]} cell
 * @property {(row: Row) => string | number} [sortBy] Makes the column sortable.
 * @property {boolean} [isNumber]
 * @property {boolean} [isHeading] The cell names its row.
 */

/**
 * Make a table.
 *
 * @template Row
 * @param {{ caption: string, columns: Column<Row>[], rows: Row[], empty: string }} parts
 * @returns {HTMLElement}
 */
export function dataTable({ caption, columns, rows, empty }) {
  if (!rows.length) return h("p", { class: "nothing" }, empty);
  const body = h("tbody");
  const heads = columns.map((column) => h("th", { scope: "col", class: column.isNumber ? "number" : null }));
  /** @type {{ column: Column<Row>, isFalling: boolean } | null} */
  let order = null;

  const draw = () => {
    const sorted = [...rows];
    const by = order?.column.sortBy;
    if (order && by) {
      const sign = order.isFalling ? -1 : 1;
      sorted.sort((one, other) => sign * compare(by(one), by(other)));
    }
    fill(body, ...sorted.map((row) => h("tr", {}, columns.map((column) => cellOf(column, row)))));
    heads.forEach((head, index) => {
      const column = /** @type {Column<Row>} */ (columns[index]);
      const isSorted = order?.column === column;
      if (column.sortBy) head.setAttribute("aria-sort", isSorted ? (order?.isFalling ? "descending" : "ascending") : "none");
    });
  };
  columns.forEach((column, index) => {
    const head = /** @type {HTMLElement} */ (heads[index]);
    if (!column.sortBy) return fill(head, column.title);
    const sort = () => {
      order = { column, isFalling: order?.column === column && !order.isFalling };
      draw();
    };
    return fill(head, h("button", { type: "button", onclick: sort }, column.title));
  });
  draw();
  return h(
    "div",
    { class: "table-holder", tabindex: "0", role: "region", "aria-label": caption },
    h("table", {}, h("caption", {}, caption), h("thead", {}, h("tr", {}, heads)), body),
  );
}

/**
 * @template Row
 * @param {Column<Row>} column
 * @param {Row} row
 */
function cellOf(column, row) {
  const made = column.cell(row);
  const children = Array.isArray(made) ? made : [made];
  const attributes = { class: column.isNumber ? "number" : null };
  return column.isHeading ? h("th", { scope: "row", ...attributes }, children) : h("td", attributes, children);
}

/**
 * @param {string | number} one
 * @param {string | number} other
 */
function compare(one, other) {
  return typeof one === "number" && typeof other === "number"
    ? one - other
    : String(one).localeCompare(String(other), "en", { numeric: true });
}
