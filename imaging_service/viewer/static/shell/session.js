// Who is signed in. The token itself is in a cookie that no script can read.

import { get, send, whenSessionEnds } from "../api/client.js";
import { ProblemError } from "../api/problem.js";
import { openDialog } from "../components/dialog.js";
import { problem } from "../components/status.js";
import { field, h } from "../components/element.js";
import { hasProvider, visit } from "./provider.js";

/** @typedef {import("../api/types.js").Me} Me */

/** @type {Me | null} */
let me = null;

/** Who is signed in, or null. */
export function whoAmI() {
  return me;
}

/**
 * Whether the person has one of these roles; none asked for means anybody who is signed in.
 *
 * @param {string[]} roles
 */
export function has(roles) {
  return me !== null && (!roles.length || roles.some((role) => me?.roles.includes(role)));
}

/** Ask the service whose cookie this is; null when it is nobody's. */
export async function resume() {
  try {
    me = await get("/accounts/me", { isSigningIn: true });
  } catch (error) {
    if (!(error instanceof ProblemError) || error.status !== 401) throw error;
    me = null;
  }
  return me;
}

/**
 * @param {string} account
 * @param {string} password
 */
export async function signIn(account, password) {
  await send("POST", "/sessions", { body: { account, password }, isSigningIn: true });
  me = await get("/accounts/me", { isSigningIn: true });
}

/** Sign out; a session that has ended already counts as ended. */
export async function signOut() {
  try {
    await send("DELETE", "/sessions/current", { isSigningIn: true });
  } catch (error) {
    if (!(error instanceof ProblemError) || error.status !== 401) throw error;
  }
  me = null;
}

/** @type {Promise<void> | null} */
let signingInAgain = null;

whenSessionEnds(() => {
  signingInAgain ??= askToSignInAgain().finally(() => {
    signingInAgain = null;
  });
  return signingInAgain;
});

/**
 * Go on with a session that was begun in another window, if it is the same person's.
 *
 * @param {string} account
 */
async function takeUp(account) {
  const found = /** @type {Me} */ (await get("/accounts/me", { isSigningIn: true }));
  if (found.account !== account) throw new Error(`The identity provider let in ${found.account}; ${account} was wanted.`);
  me = found;
}

/** Ask for the password where the reader is, so that the page and everything on it stays. */
async function askToSignInAgain() {
  if (!me) {
    location.hash = "#/sign-in";
    throw new Error("Nobody is signed in; please sign in.");
  }
  const account = me.account;
  const password = h("input", { type: "password", autocomplete: "current-password", required: true });
  const provider = (await hasProvider().catch(() => false)) ? h("button", { type: "button" }, "Sign in at the identity provider") : null;
  const { closed, close } = openDialog({
    title: "Your session has ended",
    body: [
      h("p", {}, "Nothing is lost: what you have entered is still here, and is sent once you have signed in again."),
      field("Account", h("input", { value: account, readonly: true, autocomplete: "username" })),
      field("Password", password),
      provider && h("div", { class: "buttons" }, provider),
    ],
    submit: "Sign in again",
    cancel: "",
    onSubmit: () => signIn(account, password.value),
  });
  provider?.addEventListener("click", () => void visit("sign-in").then(() => takeUp(account)).then(close, problem));
  password.focus();
  await closed;
}
