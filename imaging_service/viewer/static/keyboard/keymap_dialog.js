// The visible key map.

import { openDialog } from "../components/dialog.js";
import { h, tick } from "../components/element.js";
import { keys } from "./keys.js";

const NAMES = new Map([
  ["ArrowUp", "↑"], ["ArrowDown", "↓"], ["ArrowLeft", "←"], ["ArrowRight", "→"],
  ["PageUp", "Page ↑"], ["PageDown", "Page ↓"], ["Escape", "Esc"], ["Backspace", "⌫"], ["Delete", "Del"],
]);

/** Show every key that does something on this page. */
export function showKeyMap() {
  /** @type {Map<string, import("./keymap.js").Command[]>} */
  const groups = new Map();
  for (const command of keys.commands) {
    groups.set(command.group, [...(groups.get(command.group) ?? []), command]);
  }
  const box = h("input", { type: "checkbox" });
  box.checked = keys.hasSingleKeys;
  box.addEventListener("change", () => {
    keys.hasSingleKeys = box.checked;
  });
  openDialog({
    title: "Keys on this page",
    isWide: true,
    body: [
      tick("Single keys do something (keys with Ctrl always do)", box),
      h(
        "div",
        { class: "key-map" },
        [...groups].map(([group, commands]) =>
          h(
            "section",
            {},
            h("h3", {}, group),
            h("dl", {}, commands.flatMap((command) => [h("dt", {}, keyCaps(command.keys)), h("dd", {}, command.does)])),
          ),
        ),
      ),
    ],
  });
}

/**
 * Draw keys; a modifier that all of them share is drawn once.
 *
 * @param {string[]} names
 * @returns {import("../components/element.js").Child[]}
 */
function keyCaps(names) {
  const shared = sharedModifier(names);
  const rest = names.map((name) => name.slice(shared.length));
  const caps = (/** @type {string} */ name) =>
    name.split(/(?<=.)\+/).flatMap((part, place) => [place ? " + " : "", h("kbd", {}, NAMES.get(part) ?? capital(part))]);
  return [
    ...(shared ? [h("kbd", {}, shared.slice(0, -1)), " + "] : []),
    ...rest.flatMap((name, index) => [index ? " " : "", ...caps(name)]),
  ];
}

/** @param {string[]} names */
function sharedModifier(names) {
  return ["Ctrl+Shift+", "Ctrl+", "Shift+"].find((modifier) => names.length > 1 && names.every((name) => name.startsWith(modifier))) ?? "";
}

/** @param {string} part */
function capital(part) {
  return part.length === 1 ? part.toUpperCase() : part;
}
