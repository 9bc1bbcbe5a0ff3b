// Tabs (ARIA Authoring Practices): arrow keys choose, and the panel follows.

import { h, newId } from "./element.js";

/**
 * @param {string} label
 * @param {{ title: string, panel: HTMLElement }[]} pages
 */
export function tabs(label, pages) {
  const buttons = pages.map((page, index) => {
    page.panel.id ||= newId("panel");
    const button = h("button", {
      type: "button",
      role: "tab",
      id: newId("tab"),
      "aria-controls": page.panel.id,
      onclick: () => choose(index),
    }, page.title);
    page.panel.setAttribute("role", "tabpanel");
    page.panel.setAttribute("aria-labelledby", button.id);
    page.panel.tabIndex = 0;
    return button;
  });
  const choose = (/** @type {number} */ chosen) => {
    buttons.forEach((button, index) => {
      button.setAttribute("aria-selected", String(index === chosen));
      button.tabIndex = index === chosen ? 0 : -1;
      /** @type {{ panel: HTMLElement }} */ (pages[index]).panel.hidden = index !== chosen;
    });
  };
  const list = h("div", { role: "tablist", "aria-label": label }, buttons);
  list.addEventListener("keydown", (event) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const place = buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    if (!step || place < 0) return;
    event.preventDefault();
    const next = (place + step + buttons.length) % buttons.length;
    choose(next);
    buttons[next]?.focus();
  });
  choose(0);
  return h("div", {}, list, pages.map((page) => page.panel));
}
