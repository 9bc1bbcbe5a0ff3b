// The strip at the top: where one can go, the page's own part, who is signed in.

import { fill, h } from "../components/element.js";
import { problem } from "../components/status.js";
import { showKeyMap } from "../keyboard/keymap_dialog.js";
import { navigate } from "./router.js";
import { PAGES } from "./pages.js";
import { has, signOut, whoAmI } from "./session.js";

/**
 * Draw it and return the part that is the page's.
 *
 * @param {import("./router.js").PageRow} current
 * @returns {HTMLElement}
 */
export function drawMasthead(current) {
  const place = h("div", { class: "page-place" });
  const strip = /** @type {HTMLElement} */ (document.getElementById("masthead"));
  const me = whoAmI();
  if (!me) {
    fill(strip, h("span", { class: "brand" }, "Imaging service"), place);
    return place;
  }
  const leave = async () => {
    try {
      await signOut();
      navigate("/sign-in");
    } catch (error) {
      problem(error);
    }
  };
  const pages = PAGES.filter((row) => row.isInMenu && row.roles && has(row.roles));
  fill(
    strip,
    h("a", { class: "brand", href: "#/" }, "Imaging service"),
    h(
      "nav",
      { "aria-label": "Pages" },
      pages.map((row) => h("a", { href: `#${row.path}`, "aria-current": row === current ? "page" : null }, row.title)),
    ),
    place,
    h("button", { type: "button", class: "quiet", title: "Show the keys (?)", onclick: showKeyMap }, "Keys"),
    h("span", { class: "who" }, me.name),
    h("button", { type: "button", class: "quiet", onclick: leave }, "Sign out"),
  );
  return place;
}
