// The adjudicator's worklist: cases in which both readers have finished and differ.

import { list } from "../api/client.js";
import { h } from "../components/element.js";
import { dataTable } from "../components/table.js";
import { plain } from "../office/words.js";

/** @typedef {import("../api/case_types.js").CaseItem} CaseItem */

/** @param {import("../shell/router.js").PageContext} context */
export async function mount({ host }) {
  /** @type {CaseItem[]} */
  const items = await list("/adjudications");
  host.append(
    h(
      "div",
      { class: "office" },
      h("h1", {}, "Adjudication"),
      dataTable({
        caption: `${items.length} ${items.length === 1 ? "case waits" : "cases wait"} for a third opinion`,
        columns: [
          { title: "Subject", cell: (row) => row.reading_id, sortBy: (row) => row.reading_id, isHeading: true },
          { title: "Trial", cell: (row) => row.trial_id, sortBy: (row) => row.trial_id },
          { title: "The readers differ in", cell: (row) => row.differences.map((each) => h("div", {}, told(each))) },
          { title: "Earlier decisions", cell: (row) => row.edition - 1 || "none", sortBy: (row) => row.edition },
          { title: "Open", cell: open },
        ],
        rows: items,
        empty: "No case waits. One appears here when both readers have finished a subject and differ.",
      }),
    ),
  );
  return { title: "Adjudication" };
}

/** @param {import("../api/case_types.js").Difference} each */
export function told(each) {
  return `${plain(each.variable)}: ${each.reader_1 ?? "none"} or ${each.reader_2 ?? "none"}`;
}

/** @param {CaseItem} row */
function open(row) {
  const address = `#/trials/${encodeURIComponent(row.trial_id)}/adjudications/${encodeURIComponent(row.reading_id)}`;
  return h("a", { class: "button", href: address, "aria-label": `Open ${row.reading_id}` }, "Open");
}
