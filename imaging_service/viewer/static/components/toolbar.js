// A toolbar with one place in the tab order: arrow keys go from button to button (ARIA Authoring Practices).

import { h } from "./element.js";

/**
 * @param {string} label
 * @param {...(import("./element.js").Child | import("./element.js").Child[])} items
 */
export function toolbar(label, ...items) {
  const bar = h("div", { role: "toolbar", "aria-label": label }, ...items);
  const stops = () =>
    /** @type {HTMLElement[]} */ ([...bar.querySelectorAll("button:not(:disabled), select, input")]).filter(
      (each) => each.offsetParent !== null,
    );
  const keepOne = (/** @type {Element | null} */ chosen) => {
    for (const stop of stops()) stop.tabIndex = stop === (chosen ?? stops()[0]) ? 0 : -1;
  };
  bar.addEventListener("focusin", (event) => keepOne(/** @type {Element} */ (event.target)));
  bar.addEventListener("keydown", (event) => {
    if (event.target instanceof HTMLSelectElement && !event.ctrlKey && event.key.startsWith("Arrow")) {
      if (event.key === "ArrowUp" || event.key === "ArrowDown") return;
    }
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!step || event.shiftKey || event.ctrlKey || event.altKey) return;
    const all = stops();
    const place = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    if (place < 0) return;
    event.preventDefault();
    event.stopPropagation();
    all.at((place + step) % all.length)?.focus();
  });
  requestAnimationFrame(() => keepOne(null));
  return bar;
}

/** A thin line between groups of buttons. */
export function gap() {
  return h("span", { class: "gap", role: "presentation" });
}

/**
 * A button that stays down.
 *
 * @param {string} label
 * @param {string} hint Shown on hover: what it does, and its key.
 * @param {(isDown: boolean) => void} onChange
 */
export function toggle(label, hint, onChange) {
  const button = h("button", { type: "button", "aria-pressed": "false", title: hint }, label);
  button.addEventListener("click", () => onChange(button.getAttribute("aria-pressed") !== "true"));
  return button;
}

/**
 * @param {HTMLButtonElement} button
 * @param {boolean} isDown
 */
export function press(button, isDown) {
  button.setAttribute("aria-pressed", String(isDown));
}
