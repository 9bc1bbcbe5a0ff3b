// Rates with their exact intervals, and the line of each subject.

import { get } from "../api/client.js";
import { h } from "../components/element.js";
import { dataTable } from "../components/table.js";
import { csvButton } from "../office/rows_file.js";
import { laterPanel } from "./later.js";
import { intervalName, shareName } from "./numbers.js";

/** @typedef {import("../api/trial_types.js").ReaderCohort} ReaderCohort */
/** @typedef {import("../api/trial_types.js").CohortLine} CohortLine */
/** @typedef {import("../api/trial_types.js").Rate} Rate */

const AT_ONCE = 200;
const COLUMNS = ["subject_id", "site_id", "slot", "standing", "is_accepted", "best_response", "confirmed_best_response", "is_responder", "has_clinical_benefit", "pfs_days", "pfs_is_event", "pfs_ending", "doubt"];

/**
 * @param {string} root
 * @param {string} asked
 */
export function cohortPanel(root, asked) {
  return laterPanel(async () => {
    const readers = await allLines(root, asked);
    return readers.flatMap((reader) => [ratesTable(reader), listing(reader)]);
  });
}

/**
 * @param {string} root
 * @param {string} asked
 * @returns {Promise<ReaderCohort[]>}
 */
async function allLines(root, asked) {
  let page = await get(`${root}/outcomes?${asked}&limit=${AT_ONCE}`);
  /** @type {ReaderCohort[]} */
  const readers = page.readers;
  while (page.next_cursor) {
    page = await get(`${root}/outcomes?${asked}&limit=${AT_ONCE}&cursor=${encodeURIComponent(page.next_cursor)}`);
    readers.forEach((reader, index) => reader.listing.push(...page.readers[index].listing));
  }
  return readers;
}

/** @param {ReaderCohort} reader */
function ratesTable(reader) {
  /** @type {[string, Rate][]} */
  const rows = [
    ["Objective response, confirmed", reader.objective_response_rate],
    ["Clinical benefit", reader.clinical_benefit_rate],
    ["Disease control", reader.disease_control_rate],
  ];
  const accepted = reader.accepted === null ? "" : `; the reads of ${reader.accepted} are accepted, the others provisional`;
  return dataTable({
    caption: `${nameOf(reader)}: ${reader.subjects} subjects${accepted}`,
    columns: [
      { title: "Rate", cell: ([name]) => name, isHeading: true },
      { title: "Estimate", cell: ([, rate]) => shareName(rate), isNumber: true },
      { title: "Exact interval", cell: ([, rate]) => intervalName(rate), isNumber: true },
      { title: "Level", cell: ([, rate]) => `${Math.round(rate.level * 100)} %`, isNumber: true },
    ],
    rows,
    empty: "",
  });
}

/** @param {ReaderCohort} reader */
function listing(reader) {
  const table = dataTable({
    caption: `${nameOf(reader)}: each subject`,
    columns: [
      { title: "Subject", cell: (row) => row.subject_id, sortBy: (row) => row.subject_id, isHeading: true },
      { title: "Site", cell: (row) => row.site_id, sortBy: (row) => row.site_id },
      { title: "Review", cell: (row) => (row.standing ?? "").replaceAll("_", " "), sortBy: (row) => row.standing ?? "" },
      { title: "Best response", cell: (row) => row.best_response, sortBy: (row) => row.best_response },
      { title: "Confirmed", cell: (row) => row.confirmed_best_response, sortBy: (row) => row.confirmed_best_response },
      { title: "PFS, days", cell: (row) => row.pfs_days, sortBy: (row) => row.pfs_days ?? -1, isNumber: true },
      { title: "Ended by", cell: (row) => row.doubt ?? row.pfs_ending, sortBy: (row) => row.pfs_ending ?? "" },
    ],
    rows: reader.listing,
    empty: "No subject is enrolled yet.",
  });
  const name = reader.slot === null ? "cohort.csv" : `cohort_reader_${reader.slot}.csv`;
  return h("div", {}, table, h("div", { class: "files" }, csvButton(name, COLUMNS, () => reader.listing)));
}

/** @param {ReaderCohort} reader */
function nameOf(reader) {
  return reader.slot === null ? "Of record" : `Reader ${reader.slot}`;
}
