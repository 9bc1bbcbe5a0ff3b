// A panel that asks for its content when it is first shown.

import { fill, h } from "../components/element.js";

/**
 * @param {() => Promise<import("../components/element.js").Child[]>} load
 * @returns {HTMLElement}
 */
export function laterPanel(load) {
  const panel = h("div", { class: "plots" }, h("p", { class: "waiting" }, "Loading …"));
  const show = async () => {
    try {
      fill(panel, ...(await load()));
    } catch (error) {
      const sentence = error instanceof Error ? error.message : String(error);
      fill(panel, h("p", { class: "note bad", role: "alert" }, sentence), h("button", { type: "button", onclick: show }, "Try again"));
    }
  };
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    seen.disconnect();
    void show();
  });
  seen.observe(panel);
  return panel;
}
