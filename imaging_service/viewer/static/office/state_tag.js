// A state in words, with a tone beside it.

import { h } from "../components/element.js";
import { stateTitle, toneOf } from "./words.js";

/** @param {string | null} code */
export function stateTag(code) {
  return code === null ? h("span", { class: "muted" }, "none") : h("span", { class: `tag ${toneOf(code)}` }, stateTitle(code));
}
