// What waits for the reader: of each subject the next timepoint.

import { list } from "../api/client.js";
import { h } from "../components/element.js";
import { dataTable } from "../components/table.js";
import { dayName, instantName, timepointName } from "./words.js";

/** @typedef {import("../api/types.js").WorklistItem} WorklistItem */

/** @param {import("../shell/router.js").PageContext} context */
export async function mount({ host, keys }) {
  /** @type {WorklistItem[]} */
  const items = await list("/worklist");
  const hasTrials = new Set(items.map((item) => item.trial_id)).size > 1;
  /** @type {import("../components/table.js").Column<WorklistItem>[]} */
  const columns = [
    { title: "Subject", cell: (item) => item.reading_id, sortBy: (item) => item.reading_id, isHeading: true },
    { title: "Timepoint", cell: (item) => timepointName(item.number), sortBy: (item) => item.number ?? 1000 },
    { title: "Imaged on", cell: (item) => dayName(item.imaged_on), sortBy: (item) => item.imaged_on },
    { title: "Read", cell: standing, sortBy: (item) => item.opened_at ?? "" },
    { title: "Open", cell: openLink },
  ];
  if (hasTrials) columns.splice(1, 0, { title: "Trial", cell: (item) => item.trial_id, sortBy: (item) => item.trial_id });
  host.append(
    h(
      "div",
      { class: "office" },
      h("h1", {}, "Worklist"),
      dataTable({
        caption: `${items.length} ${items.length === 1 ? "timepoint waits" : "timepoints wait"} for you, one of each subject. The next one opens when this one is signed.`,
        columns,
        rows: items,
        empty: "Nothing waits for you. A timepoint appears here when its images have arrived and it is its turn.",
      }),
    ),
  );
  const first = host.querySelector("tbody a");
  const unbind = keys.add([
    {
      keys: ["j", "k"],
      does: "go to the next and to the previous line",
      group: "Worklist",
      run: (_event, key) => step(host, key === "j" ? 1 : -1),
    },
  ]);
  if (first instanceof HTMLElement) first.focus();
  return { title: "Worklist", unmount: unbind };
}

/** @param {WorklistItem} item */
function standing(item) {
  if (!item.opened_at) return h("span", { class: "muted" }, "not begun");
  const again = item.revision > 1 ? `, revision ${item.revision}` : "";
  return `draft${again}, opened ${instantName(item.opened_at)}`;
}

/** @param {WorklistItem} item */
function openLink(item) {
  const label = `${item.read_id ? "Continue" : "Begin"} ${item.reading_id}, ${timepointName(item.number)}`;
  return h(
    "a",
    { class: "button", href: `#/timepoints/${item.timepoint_id}/read`, "aria-label": label },
    item.read_id ? "Continue" : "Begin",
  );
}

/**
 * @param {HTMLElement} host
 * @param {number} by
 */
function step(host, by) {
  const links = /** @type {HTMLElement[]} */ ([...host.querySelectorAll("tbody a")]);
  const place = links.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  links[Math.min(links.length - 1, Math.max(0, place + by))]?.focus();
}
