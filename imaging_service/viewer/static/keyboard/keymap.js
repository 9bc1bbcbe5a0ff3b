// Which key does what. Keys without Ctrl can be switched off (WCAG 2.1.4).

import { isDialogOpen } from "../components/dialog.js";

const SWITCH = "keys.single";

/**
 * @typedef {object} Command
 * @property {string[]} keys Such as "b", "Shift+ArrowUp", "Ctrl+z"; a letter stands for both cases.
 * @property {string} does A few words for the key map.
 * @property {string} group Heading in the key map.
 * @property {(event: KeyboardEvent, key: string) => unknown} run Returning false lets the key go on.
 * @property {() => boolean} [when]
 */

/** The keys of the page that is shown. */
export class KeyMap {
  constructor() {
    /** @type {Set<Command>} */
    this.commands = new Set();
    addEventListener("keydown", (event) => this.#press(event));
  }

  /**
   * Add commands; the function returned takes them away again.
   *
   * @param {Command[]} commands
   */
  add(commands) {
    for (const command of commands) this.commands.add(command);
    return () => {
      for (const command of commands) this.commands.delete(command);
    };
  }

  get hasSingleKeys() {
    return localStorage.getItem(SWITCH) !== "off";
  }

  /** @param {boolean} isOn */
  set hasSingleKeys(isOn) {
    localStorage.setItem(SWITCH, isOn ? "on" : "off");
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.defaultPrevented || isDialogOpen()) return;
    const key = keyOf(event);
    const isPlain = !event.ctrlKey && !event.metaKey;
    if (isPlain && (isWriting(event.target) || (!this.hasSingleKeys && key.length === 1))) return;
    if (isPlain && isWorkedByKeys(event.target, event.key)) return;
    for (const command of [...this.commands].reverse()) {
      if (!command.keys.includes(key) || (command.when && !command.when())) continue;
      if (command.run(event, key) === false) continue;
      event.preventDefault();
      return;
    }
  }
}

/**
 * Name a key press as the tables do.
 *
 * @param {KeyboardEvent} event
 */
export function keyOf(event) {
  const isLetter = /^[a-z]$/i.test(event.key);
  const isNamed = event.key.length > 1;
  const parts = [];
  if (event.ctrlKey || event.metaKey) parts.push("Ctrl");
  if (event.altKey) parts.push("Alt");
  if (event.shiftKey && (isNamed || isLetter)) parts.push("Shift");
  parts.push(isLetter ? event.key.toLowerCase() : event.key === " " ? "Space" : event.key);
  return parts.join("+");
}

/** @param {EventTarget | null} target */
function isWriting(target) {
  if (target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !["checkbox", "radio", "range", "button"].includes(target.type);
}

/**
 * Whether the focused control has its own use for a key.
 *
 * @param {EventTarget | null} target
 * @param {string} key
 */
function isWorkedByKeys(target, key) {
  if (!(target instanceof HTMLElement)) return false;
  if (key === "Enter" || key === " ") return target.matches("button, a[href], input, summary");
  if (target instanceof HTMLInputElement) return ["range", "radio"].includes(target.type) && /^(Arrow|Page|Home|End)/.test(key);
  return /^(Arrow|Home|End)/.test(key) && target.closest("[role=toolbar], [role=tablist], [role=radiogroup]") !== null;
}
