// Which trial a page is about: the only one, or the one chosen, kept in the address.

import { list } from "../api/client.js";
import { choice, field, h } from "../components/element.js";

/** @typedef {import("../api/trial_types.js").Trial} Trial */

/**
 * Return the trial of the page, and a field to choose another where there are several.
 *
 * @param {import("../shell/router.js").PageContext} context
 * @param {string} path Of the page.
 * @returns {Promise<{ trial: Trial | null, chooser: HTMLElement | null }>}
 */
export async function chosenTrial(context, path) {
  /** @type {Trial[]} */
  const trials = await list("/trials");
  const trial = trials.find((each) => each.trial_id === context.parameters["trial"]) ?? trials[0] ?? null;
  if (trials.length < 2) return { trial, chooser: null };
  const options = trials.map((each) => /** @type {[string, string]} */ ([each.trial_id, each.trial_id]));
  const select = choice(options, {}, trial?.trial_id);
  select.addEventListener("change", () => context.navigate(addressOf(path, { trial: select.value })));
  return { trial, chooser: field("Trial", select) };
}

/**
 * An address below the #, with what is chosen.
 *
 * @param {string} path
 * @param {Record<string, string | null | undefined>} chosen What is empty is left out.
 */
export function addressOf(path, chosen) {
  const kept = Object.entries(chosen).filter(([, value]) => value);
  const query = new URLSearchParams(/** @type {[string, string][]} */ (kept)).toString();
  return query ? `${path}?${query}` : path;
}

/** What stands on a page of a trial for who has none. */
export function noTrial() {
  return h("div", { class: "office" }, h("h1", {}, "No trial"), h("p", {}, "Your account has no trial yet; an administrator grants one."));
}
