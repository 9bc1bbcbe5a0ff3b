// Accounts: who may do what, in which trial, at which site, in which reader slot.

import { write } from "../api/client.js";
import { openDialog } from "../components/dialog.js";
import { field, h, tick } from "../components/element.js";
import { note, problem } from "../components/status.js";
import { instantName } from "../reading/words.js";
import { pagedTable } from "./paged_table.js";
import { reasonDialog } from "./reason_dialog.js";

/** @typedef {import("../api/office_types.js").Account} Account */
/** @typedef {import("../api/office_types.js").HeldGrant} HeldGrant */

const ROLES = ["reader", "adjudicator", "coordinator", "sponsor", "site", "administrator", "service"];

/** @param {import("../shell/router.js").PageContext} context */
export async function mount({ host }) {
  const reload = () => table.reload().catch(problem);
  const table = await pagedTable({
    path: "/accounts",
    caption: (count, hasMore) => `${count}${hasMore ? " of the" : ""} accounts`,
    columns: columns(reload),
    empty: "There is no account.",
  });
  const create = () => newAccount().then((isDone) => (isDone ? reload() : undefined)).catch(problem);
  host.append(
    h(
      "div",
      { class: "office" },
      h("h1", {}, "People"),
      h("div", { class: "filters" }, h("button", { type: "button", class: "primary", onclick: create }, "New account")),
      table.element,
    ),
  );
  return { title: "People" };
}

/**
 * @param {() => void} reload
 * @returns {import("../components/table.js").Column<Account>[]}
 */
function columns(reload) {
  const act = (/** @type {Promise<boolean>} */ done) => done.then((isDone) => isDone && reload()).catch(problem);
  return [
    { title: "Account", cell: (row) => row.account, sortBy: (row) => row.account, isHeading: true },
    { title: "Name", cell: (row) => row.name, sortBy: (row) => row.name },
    { title: "Roles", cell: (row) => row.roles.join(", "), sortBy: (row) => row.roles.join() },
    { title: "May act on", cell: (row) => row.grants.map((grant) => grantLine(row, grant, act)) },
    { title: "Created", cell: (row) => instantName(row.created_at), sortBy: (row) => row.created_at },
    {
      title: "Do",
      cell: (row) =>
        row.closed_at
          ? h("span", { class: "muted" }, `closed ${instantName(row.closed_at)}`)
          : h(
              "div",
              { class: "files" },
              h("button", { type: "button", onclick: () => act(addGrant(row)) }, "Grant"),
              h("button", { type: "button", onclick: () => endSessions(row).catch(problem) }, "Sign out everywhere"),
              h("button", { type: "button", onclick: () => act(closeAccount(row)) }, "Close"),
            ),
    },
  ];
}

/**
 * @param {Account} account
 * @param {HeldGrant} grant
 * @param {(done: Promise<boolean>) => void} act
 */
function grantLine(account, grant, act) {
  const what = [grant.trial_id, grant.site_id && `site ${grant.site_id}`, grant.reader_slot && `reader ${grant.reader_slot}`].filter(Boolean).join(", ");
  const end = h("button", { type: "button", class: "quiet small", "aria-label": `End: ${account.account}, ${what}`, onclick: () => act(endGrant(account, grant, what)) }, "End");
  return h("div", { class: "grant" }, h("span", {}, what), account.closed_at ? null : end);
}

/** @returns {Promise<boolean>} */
function newAccount() {
  const account = h("input", { required: true, autocomplete: "off", autocapitalize: "none", spellcheck: "false" });
  const name = h("input", { required: true, autocomplete: "off" });
  const password = h("input", { type: "password", autocomplete: "new-password" });
  const boxes = ROLES.map((role) => h("input", { type: "checkbox", value: role }));
  return openDialog({
    title: "New account",
    submit: "Create",
    body: [
      field("Account", account, "The name to sign in with."),
      field("Printed name", name, "As it stands under a signature."),
      field("Password", password, "Empty for a machine, or for who signs in at an identity provider."),
      h("fieldset", {}, h("legend", {}, "Roles"), boxes.map((box) => tick(box.value, box))),
    ],
    onSubmit: () =>
      write("POST", "/accounts", {
        body: {
          account: account.value.trim(),
          name: name.value.trim(),
          roles: boxes.filter((box) => box.checked).map((box) => box.value),
          ...(password.value && { password: password.value }),
        },
      }),
  }).closed;
}

/** @param {Account} account */
function addGrant(account) {
  const trial = h("input", { required: true, autocomplete: "off" });
  const site = h("input", { autocomplete: "off" });
  const slot = h("input", { type: "number", min: 1, max: 9 });
  return openDialog({
    title: `Let ${account.name} act`,
    submit: "Grant",
    body: [field("Trial", trial), field("Only this site", site, "Empty: every site."), field("Reader slot", slot, "For readers: 1 or 2. Who reads sees nothing but its own reads.")],
    onSubmit: () =>
      write("POST", `/accounts/${account.account_id}/grants`, {
        body: {
          trial_id: trial.value.trim(),
          ...(site.value.trim() && { site_id: site.value.trim() }),
          ...(slot.value && { reader_slot: Number(slot.value) }),
        },
      }),
  }).closed;
}

/**
 * @param {Account} account
 * @param {HeldGrant} grant
 * @param {string} what
 */
function endGrant(account, grant, what) {
  return reasonDialog({
    title: `End what ${account.name} may do`,
    submit: "End",
    before: [h("p", {}, what)],
    onSubmit: (reason) => write("POST", `/accounts/${account.account_id}/grants/${grant.grant_id}/ending`, { body: { reason } }),
  });
}

/** @param {Account} account */
function closeAccount(account) {
  return reasonDialog({
    title: `Close the account of ${account.name}`,
    submit: "Close for good",
    before: [h("p", {}, "Its sessions and keys end now, and it is never opened again. What it has signed stays.")],
    onSubmit: (reason) => write("POST", `/accounts/${account.account_id}/closure`, { body: { reason } }),
  });
}

/** @param {Account} account */
async function endSessions(account) {
  const isDone = await reasonDialog({
    title: `Sign ${account.name} out everywhere`,
    submit: "Sign out",
    onSubmit: (reason) => write("POST", `/accounts/${account.account_id}/sessions/ending`, { body: { reason } }),
  });
  if (isDone) note(`${account.name} is signed out everywhere.`, "good");
}
