// The foot of the panel: how the read stands, and the way out of it by signing.

import { fill, h } from "../components/element.js";
import { instantName } from "./words.js";

/** @typedef {import("./read_model.js").ReadModel} ReadModel */

/**
 * @param {HTMLElement} host
 * @param {ReadModel} model
 * @param {() => void} sign
 */
export function drawClosing(host, model, sign) {
  const { signature, gaps } = model.read;
  if (signature) {
    fill(
      host,
      h("p", { class: "note good" }, `Signed by ${signature.printed_name}, ${instantName(signature.signed_at)}: ${signature.meaning}`),
      h("a", { class: "button", href: "#/worklist", "data-focus": "worklist" }, "Back to the worklist"),
    );
    return;
  }
  const count = gaps.length;
  fill(
    host,
    h("strong", { class: "brief" }, briefly(model)),
    h("span", { class: "muted" }, count ? `${count} ${count === 1 ? "gap" : "gaps"} before it can be signed` : "nothing is missing"),
    h("button", { type: "button", class: "primary", "data-focus": "sign", title: "Sign (Ctrl + Enter)", onclick: sign }, "Sign …"),
  );
}

/**
 * The response and the sum in a few letters, which stay in sight while the panel scrolls.
 *
 * @param {ReadModel} model
 */
function briefly({ verdict }) {
  const timepoint = verdict?.timepoint;
  const sum = (timepoint ?? verdict?.baseline)?.sum_of_diameters?.mm;
  return [timepoint?.overall_response, sum && `${sum} mm`].filter(Boolean).join(" · ");
}
