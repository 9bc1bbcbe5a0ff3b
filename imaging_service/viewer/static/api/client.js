// Requests to the service. The session is a cookie that scripts cannot read; a change carries a header that
// another site's page cannot add.

import { ProblemError, UnreachableError, problemOf } from "./problem.js";

const ROOT = "/api/v1";
const NOT_NOW = new Set([429, 502, 503, 504]);
/** Codes that say that the session is over; another 401 is about a password that was entered again. */
const SESSION_OVER = new Set(["unauthenticated", "token_invalid", "session_idle"]);
const PATIENCE_MS = 60_000;

/** @type {() => Promise<void>} */
let signInAgain = () => Promise.reject(new Error("Nobody is signed in."));

/**
 * Say what to do when the session has ended: it resolves once somebody is signed in again.
 *
 * @param {() => Promise<void>} handler
 */
export function whenSessionEnds(handler) {
  signInAgain = handler;
}

/**
 * @typedef {object} Asking
 * @property {unknown} [body] Sent as JSON.
 * @property {Record<string, string>} [headers]
 * @property {AbortSignal} [signal]
 * @property {boolean} [isSigningIn] A 401 is then the answer, not the end of a session.
 * @property {RequestPriority} [priority]
 */

/**
 * Send a request and return the answer of success.
 *
 * @param {string} method
 * @param {string} path Below the REST root.
 * @param {Asking} [asking]
 * @returns {Promise<Response>}
 * @throws {ProblemError} The service refused.
 * @throws {UnreachableError} Nobody answered.
 */
export async function send(method, path, asking = {}) {
  for (;;) {
    const answer = await attempt(method, path, asking);
    if (answer.ok) return answer;
    if (NOT_NOW.has(answer.status)) throw new UnreachableError((await problemOf(answer)).message);
    const problem = await problemOf(answer);
    if (asking.isSigningIn || !SESSION_OVER.has(problem.code)) throw problem;
    await signInAgain();
  }
}

/**
 * @param {string} method
 * @param {string} path
 * @param {Asking} asking
 */
async function attempt(method, path, { body, headers = {}, signal, priority }) {
  /** @type {Record<string, string>} */
  const sent = { Accept: "application/json", ...headers };
  if (method !== "GET") sent["X-Requested-With"] = "viewer";
  if (body !== undefined) sent["Content-Type"] = "application/json";
  const patience = AbortSignal.timeout(PATIENCE_MS);
  try {
    return await fetch(ROOT + path, {
      method,
      headers: sent,
      body: body === undefined ? null : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      signal: signal ? AbortSignal.any([signal, patience]) : patience,
      priority: priority ?? "auto",
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new UnreachableError();
  }
}

/**
 * Get JSON.
 *
 * @param {string} path
 * @param {Asking} [asking]
 * @returns {Promise<any>}
 */
export async function get(path, asking) {
  return (await send("GET", path, asking)).json();
}

/**
 * Get every item of a list, page by page.
 *
 * @param {string} path
 * @param {Asking} [asking]
 * @returns {Promise<any[]>}
 */
export async function list(path, asking) {
  const items = [];
  let cursor = "";
  do {
    const parameters = `limit=500${cursor && `&cursor=${encodeURIComponent(cursor)}`}`;
    const page = await get(`${path}${path.includes("?") ? "&" : "?"}${parameters}`, asking);
    items.push(...page.items);
    cursor = page.next_cursor ?? "";
  } while (cursor);
  return items;
}

/**
 * Write, once however often it is sent, and return the answer's JSON, or null when it has none.
 *
 * @param {string} method
 * @param {string} path
 * @param {Asking} [asking]
 * @returns {Promise<any>}
 */
export async function write(method, path, asking = {}) {
  const headers = { "Idempotency-Key": crypto.randomUUID(), ...asking.headers };
  const answer = await send(method, path, { ...asking, headers });
  return answer.status === 204 ? null : answer.json();
}

export { ProblemError, UnreachableError };
