// The way in: who is signed in, then the page of the address.

import { h, fill } from "./components/element.js";
import { keys } from "./keyboard/keys.js";
import { showKeyMap } from "./keyboard/keymap_dialog.js";
import { isArrival, tellArrival } from "./shell/provider.js";
import { startRouter } from "./shell/router.js";
import { resume } from "./shell/session.js";

keys.add([{ keys: ["?"], does: "show this map", group: "Everywhere", run: showKeyMap }]);

async function start() {
  try {
    await resume();
    await startRouter(keys);
  } catch (error) {
    const again = h("button", { type: "button", class: "primary", onclick: start }, "Try again");
    const sentence = error instanceof Error ? error.message : String(error);
    fill(
      /** @type {HTMLElement} */ (document.getElementById("main")),
      h("div", { class: "office" }, h("p", { class: "note bad", role: "alert" }, sentence), h("p", {}, again)),
    );
  }
}

if (isArrival()) {
  tellArrival();
  const main = /** @type {HTMLElement} */ (document.getElementById("main"));
  fill(main, h("p", { class: "waiting" }, "You are back from the identity provider; this window can be closed."));
} else {
  await start();
}
