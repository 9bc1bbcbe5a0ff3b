// The page on which somebody signs in.

import { field, fill, h } from "../components/element.js";
import { SIGN_IN, hasProvider } from "./provider.js";
import { signIn } from "./session.js";

/** @param {import("./router.js").PageContext} context */
export async function mount({ host, navigate }) {
  const account = h("input", { autocomplete: "username", required: true, autocapitalize: "none", spellcheck: "false" });
  const password = h("input", { type: "password", autocomplete: "current-password", required: true });
  const trouble = h("div", { role: "alert" });
  const button = h("button", { type: "submit", class: "primary" }, "Sign in");
  const elsewhere = h("div", { class: "elsewhere" });
  const form = h(
    "form",
    { novalidate: true },
    h("div", {}, h("h1", {}, "Sign in"), h("p", { class: "muted" }, "Central imaging review")),
    field("Account", account),
    field("Password", password),
    trouble,
    button,
    elsewhere,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    fill(trouble);
    if (!account.value.trim() || !password.value) {
      fill(trouble, h("p", { class: "note bad" }, "Both the account and the password are needed."));
      (account.value.trim() ? password : account).focus();
      return;
    }
    button.disabled = true;
    try {
      await signIn(account.value.trim(), password.value);
      navigate("/");
    } catch (error) {
      fill(trouble, h("p", { class: "note bad" }, error instanceof Error ? error.message : String(error)));
      password.select();
    } finally {
      button.disabled = false;
    }
  });
  host.append(h("div", { class: "sign-in" }, form));
  account.focus();
  hasProvider()
    .then((has) => has && fill(elsewhere, h("a", { class: "button", href: SIGN_IN }, "Sign in at the identity provider")))
    .catch(() => undefined); // the password remains
  return { title: "Sign in" };
}
