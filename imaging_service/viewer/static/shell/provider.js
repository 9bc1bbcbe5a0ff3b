// Signing in, and entering the password again, at the identity provider, where the service has one.

import { get } from "../api/client.js";

const ROOT = "/api/v1/openid";
const CHANNEL = "provider";
const ARRIVAL = "arrival";
const NAME = "authentication_id=";

/** Where a link leads that signs in in this window. */
export const SIGN_IN = `${ROOT}/sign-in?return_to=/viewer/`;

/** Whether somebody may sign in at a provider. */
export async function hasProvider() {
  return Boolean((await get("/sessions/methods", { isSigningIn: true })).openid);
}

/** Whether this session was begun at the provider, which then asks for the password of a signature too. */
export async function isSessionOfProvider() {
  const sessions = /** @type {{ is_current: boolean, method: string }[]} */ (await get("/sessions"));
  return sessions.some((each) => each.is_current && each.method === "openid");
}

/**
 * Open the provider in a window of its own, so that this page and everything on it stays, and wait for its return.
 *
 * @param {"sign-in" | "reauthentication"} errand
 * @returns {Promise<string>} What a signature names of a password that was entered again; empty after signing in.
 */
export function visit(errand) {
  const way = `${ROOT}/${errand}?return_to=${encodeURIComponent(`/viewer/?${ARRIVAL}`)}`;
  const channel = new BroadcastChannel(CHANNEL);
  const returned = new Promise((/** @type {(found: string) => void} */ resolve) => {
    channel.onmessage = ({ data }) => {
      if (data.errand !== errand) return;
      channel.close();
      resolve(data.authenticationId);
    };
  });
  if (open(way, "_blank", "popup,width=640,height=760")) return returned;
  channel.close();
  return Promise.reject(new Error("The browser did not open the provider's window; allow this page to open windows, and try again."));
}

/** Whether this window is one that `visit` opened, back from the provider. */
export function isArrival() {
  return new URLSearchParams(location.search).has(ARRIVAL);
}

/** Tell the page that waits, and go. */
export function tellArrival() {
  const authenticationId = location.hash.startsWith(`#${NAME}`) ? location.hash.slice(NAME.length + 1) : "";
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage({ errand: authenticationId ? "reauthentication" : "sign-in", authenticationId });
  channel.close();
  close();
}
