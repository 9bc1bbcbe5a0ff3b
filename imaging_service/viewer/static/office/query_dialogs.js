// Questions to sites: asking, answering, and what was said.

import { get, write } from "../api/client.js";
import { openDialog } from "../components/dialog.js";
import { choice, field, h } from "../components/element.js";
import { dayName, instantName } from "../reading/words.js";
import { reasonDialog } from "./reason_dialog.js";
import { stateTag } from "./state_tag.js";
import { plain } from "./words.js";

/** @typedef {import("../api/office_types.js").SiteQuery} SiteQuery */
/** @typedef {import("../api/office_types.js").WholeQuery} WholeQuery */

const CODES = ["series_missing", "acquisition", "coverage", "identity", "study_date", "study_missing", "not_done", "clinical", "other"];

/**
 * Ask a site; resolves to whether it was asked.
 *
 * @param {string} root
 * @param {{ site_id?: string, subject_id?: string, timepoint_id?: string, study_instance_uid?: string }} about
 * @param {string} [suggestion]
 */
export function askSite(root, about, suggestion = "") {
  const code = choice(CODES.map((each) => /** @type {[string, string]} */ ([each, plain(each)])), {}, "acquisition");
  const site = h("input", { value: about.site_id ?? "", size: 12 });
  const subject = h("input", { value: about.subject_id ?? "", size: 20 });
  const due = h("input", { type: "date" });
  const isOpen = !about.timepoint_id && !about.study_instance_uid;
  return reasonDialog({
    title: "Ask the site",
    submit: "Ask",
    label: "Question",
    before: [
      suggestion && h("p", { class: "note" }, suggestion),
      isOpen ? field("Site", site) : null,
      isOpen ? field("Subject", subject, "Empty for a question about the site.") : null,
      field("About", code),
      field("To be answered by", due, "Empty: as the protocol says."),
    ],
    onSubmit: (text) => {
      const named = isOpen ? { ...(subject.value.trim() ? { subject_id: subject.value.trim() } : { site_id: site.value.trim() }) } : about;
      return write("POST", `${root}/site_queries`, { body: { ...named, code: code.value, text, ...(due.value && { due_on: due.value }) } });
    },
  });
}

/**
 * Say something about a question; resolves to whether it was said.
 *
 * @param {string} root
 * @param {SiteQuery} query
 * @param {{ what: "answer" | "follow_up" | "closure" | "reopening", title: string, submit: string }} deed
 */
export function sayAbout(root, query, { what, title, submit }) {
  return reasonDialog({
    title,
    submit,
    label: what === "answer" ? "Answer" : "What there is to say",
    before: [h("p", { class: "note" }, query.text)],
    onSubmit: (text) => write("POST", `${root}/site_queries/${query.query_id}/${what}`, { body: { text, version: query.version } }),
  });
}

/**
 * @param {string} root
 * @param {SiteQuery} query
 */
export async function showQuery(root, query) {
  /** @type {WholeQuery} */
  const whole = await get(`${root}/site_queries/${query.query_id}`);
  openDialog({
    title: `Question ${whole.number} to site ${whole.site_id}`,
    isWide: true,
    body: [
      h(
        "ol",
        { class: "history" },
        whole.entries.map((each) =>
          h(
            "li",
            {},
            h("div", {}, h("strong", {}, plain(each.deed)), ` ${each.text}`),
            h("div", { class: "muted" }, stateTag(each.state), ` ${each.said_by_name}, ${instantName(each.said_at)}; to be answered by ${dayName(each.due_on)}`),
          ),
        ),
      ),
    ],
  });
}
