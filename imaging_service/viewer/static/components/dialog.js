// Dialogs, on the browser's own element: it keeps the focus inside, gives it back, and closes on Escape.

import { fill, h, newId } from "./element.js";

/**
 * @typedef {object} DialogParts
 * @property {string} title
 * @property {import("./element.js").Child[]} body
 * @property {string} [submit] Label of the button that does it; without one the dialog only informs.
 * @property {(dialog: HTMLDialogElement) => Promise<unknown> | unknown} [onSubmit]
 *   Does it; the dialog closes when it returns anything but false, and shows the message of what it throws.
 * @property {string} [cancel] Label of the button that leaves; an empty one leaves no way out.
 * @property {boolean} [isWide]
 */

/**
 * Open a dialog.
 *
 * @param {DialogParts} parts
 * @returns {{ element: HTMLDialogElement, closed: Promise<boolean>, close: () => void, submitButton: HTMLButtonElement | null }}
 *   `closed` tells whether it was submitted.
 */
export function openDialog({ title, body, submit, onSubmit, cancel = submit ? "Cancel" : "Close", isWide = false }) {
  const heading = h("h2", { id: newId("dialog-title") }, title);
  const trouble = h("div", { role: "alert" });
  const submitButton = submit ? h("button", { class: "primary", type: "submit" }, submit) : null;
  const cancelButton = cancel ? h("button", { type: "button" }, cancel) : null;
  const form = h(
    "form",
    { method: "dialog", novalidate: true },
    h("header", {}, heading),
    h("div", { class: "dialog-body" }, ...body),
    trouble,
    h("footer", {}, cancelButton, submitButton),
  );
  const element = h("dialog", { "aria-labelledby": heading.id, class: isWide ? "wide" : "" }, form);
  let wasSubmitted = false;

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!submitButton || submitButton.disabled) return;
    submitButton.disabled = true;
    fill(trouble);
    try {
      const answer = onSubmit ? await onSubmit(element) : true;
      if (answer !== false) {
        wasSubmitted = true;
        element.close();
      }
    } catch (error) {
      fill(trouble, h("p", { class: "note bad" }, error instanceof Error ? error.message : String(error)));
    } finally {
      submitButton.disabled = false;
    }
  });
  cancelButton?.addEventListener("click", () => element.close());
  element.addEventListener("cancel", (event) => {
    if (!cancelButton) event.preventDefault();
  });
  document.body.append(element);
  const closed = new Promise((/** @type {(wasSubmitted: boolean) => void} */ resolve) => {
    element.addEventListener("close", () => {
      element.remove();
      resolve(wasSubmitted);
    });
  });
  element.showModal();
  return { element, closed, close: () => element.close(), submitButton };
}

/**
 * Ask before doing something that cannot be taken back.
 *
 * @param {string} title
 * @param {string} sentence
 * @param {string} does
 */
export function ask(title, sentence, does) {
  return openDialog({ title, body: [h("p", {}, sentence)], submit: does }).closed;
}

/** Whether a dialog is open, which then has the keyboard. */
export function isDialogOpen() {
  return document.querySelector("dialog[open]") !== null;
}

/** Close every dialog: what it was about is not on the page any more. */
export function closeDialogs() {
  for (const open of /** @type {NodeListOf<HTMLDialogElement>} */ (document.querySelectorAll("dialog[open]"))) open.close();
}
