// A table that grows by a page of the list at a time.

import { get } from "../api/client.js";
import { fill, h } from "../components/element.js";
import { problem } from "../components/status.js";
import { dataTable } from "../components/table.js";

const AT_ONCE = 100;

/**
 * @template Row
 * @typedef {object} PagedTable
 * @property {HTMLElement} element
 * @property {() => Promise<void>} reload Ask for everything shown anew.
 */

/**
 * @template Row
 * @param {{ path: string, caption: (count: number, hasMore: boolean) => string, columns: import("../components/table.js").Column<Row>[], empty: string }} parts
 *   `path` is the list's address below the REST root, with its filters.
 * @returns {Promise<PagedTable<Row>>}
 */
export async function pagedTable({ path, caption, columns, empty }) {
  const element = h("div", { class: "paged" });
  /** @type {Row[]} */
  let rows = [];
  /** @type {string | null} */
  let cursor = null;

  const draw = () => {
    const more = cursor && h("button", { type: "button", onclick: () => grow().catch(problem) }, "Show more");
    fill(element, dataTable({ caption: caption(rows.length, cursor !== null), columns, rows, empty }), more);
  };
  const grow = async () => {
    const after = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
    const page = await get(`${path}${path.includes("?") ? "&" : "?"}limit=${AT_ONCE}${after}`);
    rows = [...rows, ...page.items];
    cursor = page.next_cursor;
    draw();
  };
  const reload = async () => {
    const wanted = rows.length;
    rows = [];
    cursor = null;
    do await grow();
    while (cursor && rows.length < wanted);
  };
  await grow();
  return { element, reload };
}

/**
 * A list's address with its filters; what is empty is left out.
 *
 * @param {string} path
 * @param {Record<string, string | undefined>} filters
 */
export function filtered(path, filters) {
  const kept = Object.entries(filters).filter(([, value]) => value);
  const query = new URLSearchParams(/** @type {[string, string][]} */ (kept)).toString();
  return query ? `${path}?${query}` : path;
}
