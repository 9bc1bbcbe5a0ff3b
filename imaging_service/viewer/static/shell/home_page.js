// Where somebody lands whose roles have no page of their own.

import { h } from "../components/element.js";
import { whoAmI } from "./session.js";

/** @param {import("./router.js").PageContext} context */
export async function mount({ host }) {
  const roles = whoAmI()?.roles.join(", ") || "no role";
  host.append(
    h(
      "div",
      { class: "office" },
      h("h1", {}, "Nothing to do here"),
      h("p", {}, `Your account has ${roles}, for which there is no page yet.`),
      h("p", {}, h("a", { href: "/docs" }, "The routes for programs"), " have everything that your role may do."),
    ),
  );
  return { title: "Home" };
}
