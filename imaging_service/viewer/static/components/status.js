// What has happened, said where everybody notices: a short note on the screen, and aloud to a screen reader.

import { h } from "./element.js";

const LASTS_MS = 6000;

/** @param {string} id */
function region(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/**
 * Say something aloud only.
 *
 * @param {string} sentence
 */
export function announce(sentence) {
  region("polite").textContent = sentence;
}

/**
 * Show a note that goes by itself, and say it.
 *
 * @param {string} sentence
 * @param {"good" | "warn" | "plain"} kind
 */
export function note(sentence, kind = "plain") {
  announce(sentence);
  const toast = show(sentence, kind === "plain" ? "" : kind);
  setTimeout(() => toast.remove(), LASTS_MS);
}

/**
 * Show a problem that stays until it is put away, and say it at once.
 *
 * @param {unknown} error
 */
export function problem(error) {
  const sentence = error instanceof Error ? error.message : String(error);
  region("urgent").textContent = sentence;
  show(sentence, "bad");
}

/**
 * @param {string} sentence
 * @param {string} kind
 */
function show(sentence, kind) {
  for (const old of document.querySelectorAll(".toast")) {
    if (old.firstElementChild?.textContent === sentence) old.remove();
  }
  const away = h("button", { class: "quiet small", type: "button", "aria-label": "Put this note away" }, "✕");
  const toast = h("div", { class: `toast note ${kind}` }, h("p", {}, sentence), away);
  away.addEventListener("click", () => toast.remove());
  const open = [...document.querySelectorAll("dialog[open]")].at(-1);
  (open ?? region("toasts")).append(toast);
  return toast;
}
