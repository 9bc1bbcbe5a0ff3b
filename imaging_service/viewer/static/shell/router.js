// Which page is shown: the part of the address after the # is matched with the table of pages.

import { closeDialogs } from "../components/dialog.js";
import { fill, h } from "../components/element.js";
import { announce } from "../components/status.js";
import { drawMasthead } from "./masthead.js";
import { PAGES } from "./pages.js";
import { has, whoAmI } from "./session.js";

/**
 * @typedef {object} PageContext
 * @property {HTMLElement} host Where the page draws itself.
 * @property {HTMLElement} place A part of the masthead that is the page's.
 * @property {Record<string, string>} parameters From the address.
 * @property {(path: string) => void} navigate
 * @property {import("../keyboard/keymap.js").KeyMap} keys
 */

/**
 * @typedef {object} Mounted
 * @property {string} title
 * @property {() => void} [unmount]
 * @property {() => string | null} [mayLeave] A sentence when leaving would lose something.
 */

/**
 * @typedef {object} PageRow
 * @property {string} path With `:name` for each parameter.
 * @property {string} title
 * @property {string[] | null} roles Who may open it: none named means everybody who is signed in, null anybody.
 * @property {"dark" | "light"} theme
 * @property {boolean} [isInMenu]
 * @property {() => Promise<{ mount: (context: PageContext) => Promise<Mounted> }>} load
 */

/** @type {Mounted | null} */
let shown = null;
let turn = 0;

/**
 * Show the page of the present address, now and whenever it changes.
 *
 * @param {import("../keyboard/keymap.js").KeyMap} keys
 */
export function startRouter(keys) {
  addEventListener("hashchange", () => showPage(keys));
  return showPage(keys);
}

/** @param {string} path */
export function navigate(path) {
  if (location.hash === `#${path}`) dispatchEvent(new HashChangeEvent("hashchange"));
  else location.hash = `#${path}`;
}

/** @param {import("../keyboard/keymap.js").KeyMap} keys */
async function showPage(keys) {
  turn += 1;
  const mine = turn;
  const found = pageOf(location.hash.slice(1) || "/");
  shown?.unmount?.();
  shown = null;
  closeDialogs();
  const host = h("div", { class: "page" });
  const main = /** @type {HTMLElement} */ (document.getElementById("main"));
  document.documentElement.dataset["theme"] = found.row.theme;
  const place = drawMasthead(found.row);
  fill(main, h("p", { class: "waiting" }, "Loading …"));
  try {
    const module = await found.row.load();
    if (mine !== turn) return;
    fill(main, host);
    const mounted = await module.mount({ host, place, parameters: found.parameters, navigate, keys });
    if (mine !== turn) {
      mounted.unmount?.();
      return;
    }
    shown = mounted;
    document.title = `${mounted.title} · Imaging service`;
    announce(mounted.title);
  } catch (error) {
    if (mine === turn) fill(main, trouble(error, keys));
  }
  if (mine === turn && !main.contains(document.activeElement)) main.focus();
}

/**
 * @param {unknown} error
 * @param {import("../keyboard/keymap.js").KeyMap} keys
 */
function trouble(error, keys) {
  const sentence =
    error instanceof TypeError
      ? "A part of the page could not be loaded. It may have been renewed meanwhile: load it again."
      : error instanceof Error
        ? error.message
        : String(error);
  return h(
    "div",
    { class: "office" },
    h("h1", {}, "This page cannot be shown"),
    h("p", { class: "note bad", role: "alert" }, sentence),
    h(
      "p",
      {},
      h("button", { type: "button", class: "primary", onclick: () => (error instanceof TypeError ? location.reload() : showPage(keys)) }, "Try again"),
      " ",
      h("a", { href: "#/", class: "button" }, "Go to the first page"),
    ),
  );
}

/**
 * @param {string} address
 * @returns {{ row: PageRow, parameters: Record<string, string> }}
 */
function pageOf(address) {
  const path = address.split("?")[0] ?? "/";
  const asked = Object.fromEntries(new URLSearchParams(address.split("?")[1] ?? ""));
  for (const row of PAGES) {
    const parameters = match(row.path, path);
    if (!parameters) continue;
    if (row.roles === null || has(row.roles)) return { row, parameters: { ...asked, ...parameters } };
    if (!whoAmI()) break;
  }
  return { row: whoAmI() ? firstPage() : pageAt("/sign-in"), parameters: asked };
}

/** The first page that is for this person. */
function firstPage() {
  return PAGES.find((row) => row.isInMenu && row.roles && has(row.roles)) ?? pageAt("/home");
}

/** @param {string} path */
function pageAt(path) {
  return /** @type {PageRow} */ (PAGES.find((row) => row.path === path));
}

/**
 * @param {string} pattern
 * @param {string} path
 * @returns {Record<string, string> | null}
 */
function match(pattern, path) {
  const [wanted, given] = [pattern.split("/"), path.split("/")];
  if (wanted.length !== given.length) return null;
  /** @type {Record<string, string>} */
  const parameters = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? "";
    if (part.startsWith(":")) parameters[part.slice(1)] = decodeURIComponent(value);
    else if (part !== value) return null;
  }
  return parameters;
}
