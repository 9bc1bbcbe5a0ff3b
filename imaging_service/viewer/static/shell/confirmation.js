// The password entered again for a signature: here, or at the identity provider that the session is from.

import { field, h } from "../components/element.js";
import { isSessionOfProvider, visit } from "./provider.js";

/**
 * @typedef {object} Confirmation
 * @property {HTMLElement} element A part of the dialog.
 * @property {() => void} focus
 * @property {() => Promise<{ password: string } | { authentication_id: string }>} prove What goes into the request.
 */

/**
 * Return what asks for the password again.
 *
 * @returns {Promise<Confirmation>}
 */
export async function confirmation() {
  return (await isSessionOfProvider()) ? atProvider() : byPassword();
}

/** @returns {Confirmation} */
function byPassword() {
  const password = h("input", { type: "password", autocomplete: "current-password", required: true });
  return {
    element: field("Your password, again", password),
    focus: () => password.focus(),
    prove: () => {
      if (password.value) return Promise.resolve({ password: password.value });
      password.focus();
      return Promise.reject(new Error("The password was wanted again; nothing is entered."));
    },
  };
}

/** @returns {Confirmation} */
function atProvider() {
  return {
    element: h("p", { class: "note" }, "The identity provider asks for your password again, in a window of its own, when you sign."),
    focus: () => undefined,
    prove: async () => ({ authentication_id: await visit("reauthentication") }),
  };
}
