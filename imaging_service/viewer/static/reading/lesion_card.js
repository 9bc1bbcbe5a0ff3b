// The selected lesion: its state, what is drawn, why, and what the rules find.

import { choice, field, fill, h } from "../components/element.js";
import { lengthMm } from "../geometry/calipers.js";
import { STATES, axesFor, emptyBody, hasAxes, needsReason } from "./entry.js";
import { stateName } from "./words.js";

/** @typedef {import("./entry.js").LesionBody} LesionBody */
/** @typedef {import("./entry.js").AxisBody} AxisBody */
/** @typedef {import("./lesion_row.js").LesionRow} LesionRow */
/** @typedef {import("./read_model.js").ReadModel} ReadModel */
/** @typedef {import("../drawing/session.js").AxisName} AxisName */

/**
 * @typedef {object} Doings
 * @property {(axes: AxisName[], fragment: number) => void} draw
 * @property {(lesionId: string) => void} decideConflict
 * @property {(axis: AxisBody) => import("../geometry/plane.js").Plane | null} planeOf
 */

/**
 * Draw the card.
 *
 * @param {HTMLElement} host
 * @param {ReadModel} model
 * @param {Doings} doings
 */
export function drawLesionCard(host, model, doings) {
  const id = model.selected;
  if (!id) {
    fill(host, h("p", { class: "muted none" }, model.rows().length ? "Choose a lesion." : ""));
    return;
  }
  const row = model.row(id);
  const gaps = model.read.gaps.filter((gap) => gap.lesion_id === id && row.standing === "empty");
  fill(
    host,
    h("header", {}, h("h2", {}, `${row.id} · ${row.location}${row.isNodal ? " (node)" : ""}`)),
    model.isSigned ? lockedFacts(row, doings) : editor(row, model, doings),
    troubles(row, model, doings),
    h(
      "ul",
      { class: "findings" },
      gaps.map((gap) => h("li", { class: "note warn" }, gap.sentence)),
      row.findings.map((finding) => h("li", { class: "note warn" }, finding.sentence)),
    ),
  );
}

/**
 * @param {LesionRow} row
 * @param {Doings} doings
 */
function lockedFacts(row, doings) {
  const reason = row.body?.reason;
  return h(
    "div",
    { class: "card-body" },
    h("p", {}, row.body ? `Signed as ${stateName(row.body.state)}.` : "Not answered in this read."),
    row.body && lengths(row.body, 0, doings),
    reason && h("p", { class: "muted" }, reason),
  );
}

/**
 * @param {LesionRow} row
 * @param {ReadModel} model
 * @param {Doings} doings
 */
function editor(row, model, doings) {
  const body = row.body ?? emptyBody(row.role, "");
  const mayChoose = !(model.isBaseline && row.isFollowed === false);
  return h(
    "div",
    { class: "card-body" },
    mayChoose ? stateChoice(row, body, model) : null,
    drawingPart(row, body, doings, model),
    body.state === "merged" ? mergeChoice(row, body, model) : null,
    body.state && (needsReason(row.role, body.state) || body.reason) ? reasonField(row, body, model) : null,
    removal(row, model),
  );
}

/**
 * @param {LesionRow} row
 * @param {LesionBody} body
 * @param {ReadModel} model
 */
function stateChoice(row, body, model) {
  return h(
    "fieldset",
    { class: "states" },
    h("legend", {}, "State"),
    STATES[row.role].map((state) => {
      const isChosen = body.state === state;
      const enter = () => model.enter(row.id, inState(body, state));
      return h("button", { type: "button", class: "small", "aria-pressed": String(isChosen), "data-focus": `state ${state}`, onclick: enter }, stateName(state));
    }),
  );
}

/**
 * Return the entry in another state: what does not belong to that state goes.
 *
 * @param {LesionBody} body
 * @param {string} state
 * @returns {LesionBody}
 */
export function inState(body, state) {
  const kept = hasAxes(body.role, state) && state !== "split";
  return {
    ...body,
    state,
    long_axis: kept ? body.long_axis : null,
    short_axis: kept ? body.short_axis : null,
    fragments: state === "split" ? (body.fragments.length ? body.fragments : [nothing(), nothing()]) : [],
    merged_into: state === "merged" ? body.merged_into : null,
    reason: needsReason(body.role, state) ? body.reason : null,
  };
}

function nothing() {
  return { long_axis: null, short_axis: null };
}

/**
 * @param {LesionRow} row
 * @param {LesionBody} body
 * @param {Doings} doings
 * @param {ReadModel} model
 */
function drawingPart(row, body, doings, model) {
  if (body.state === "split") return fragmentsPart(row, body, doings, model);
  const isOpen = body.state === "" && row.role === "target";
  if (!isOpen && !hasAxes(row.role, body.state)) return null;
  return h("div", { class: "drawn" }, drawButtons(row, body, 0, doings), lengths(body, 0, doings));
}

/**
 * @param {LesionRow} row
 * @param {LesionBody} body
 * @param {number} fragment
 * @param {Doings} doings
 */
function drawButtons(row, body, fragment, doings) {
  const axes = axesFor(body, fragment);
  const counted = row.isNodal ? "short" : "long";
  const focus = (/** @type {string} */ name) => `draw ${fragment} ${name}`;
  return h(
    "div",
    { class: "buttons" },
    h("button", { type: "button", class: axes.long_axis || row.role !== "target" ? "small" : "primary small", "data-focus": focus("both"), title: "Long axis, then short axis (B)", onclick: () => doings.draw(["long", "short"], fragment) }, axes.long_axis ? "Draw both again" : "Draw both axes"),
    h("button", { type: "button", class: "small", "data-focus": focus("one"), title: `Only the ${counted} axis, which counts (D)`, onclick: () => doings.draw([counted], fragment) }, `Draw ${counted} axis`),
    counted === "long" && axes.long_axis
      ? h("button", { type: "button", class: "small", "data-focus": focus("short"), title: "Short axis on the same frame", onclick: () => doings.draw(["short"], fragment) }, "Draw short axis")
      : null,
  );
}

/**
 * @param {LesionBody} body
 * @param {number} fragment
 * @param {Doings} doings
 */
function lengths(body, fragment, doings) {
  const axes = axesFor(body, fragment);
  const told = (/** @type {AxisBody | null} */ axis) => {
    const plane = axis && doings.planeOf(axis);
    return axis ? (plane ? `${lengthMm(plane, axis.points).toFixed(1)} mm` : "…") : "not drawn";
  };
  if (!axes.long_axis && !axes.short_axis) return null;
  return h(
    "p",
    { class: "lengths" },
    h("span", { class: "key long" }, "long "), told(axes.long_axis), " · ",
    h("span", { class: "key short" }, "short "), told(axes.short_axis),
  );
}

/**
 * @param {LesionRow} row
 * @param {LesionBody} body
 * @param {Doings} doings
 * @param {ReadModel} model
 */
function fragmentsPart(row, body, doings, model) {
  const count = Math.max(2, body.fragments.length);
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  const add = () => model.enter(row.id, { ...body, fragments: [...body.fragments, nothing()] });
  const drop = () => model.enter(row.id, { ...body, fragments: body.fragments.slice(0, -1) });
  return h(
    "div",
    { class: "fragments" },
    numbers.map((number) =>
      h("section", {}, h("h3", {}, `Fragment ${number}`), drawButtons(row, body, number, doings), lengths(body, number, doings)),
    ),
    h(
      "div",
      { class: "buttons" },
      h("button", { type: "button", class: "small", "data-focus": "add fragment", onclick: add }, "Add a fragment"),
      count > 2 ? h("button", { type: "button", class: "small", "data-focus": "drop fragment", onclick: drop }, "Remove the last") : null,
    ),
  );
}

/**
 * @param {LesionRow} row
 * @param {LesionBody} body
 * @param {ReadModel} model
 */
function mergeChoice(row, body, model) {
  const others = model.rows().filter((each) => each.role === "target" && each.id !== row.id);
  const select = choice(
    [["", "choose a target"], ...others.map((each) => /** @type {[string, string]} */ ([each.id, `${each.id} · ${each.location}`]))],
    { "data-focus": "merged into" },
    body.merged_into ?? "",
  );
  select.addEventListener("change", () => model.enter(row.id, { ...body, merged_into: select.value || null }));
  return field("Merged into", select, "The mass is measured as that target; this one adds 0 mm.");
}

/**
 * @param {LesionRow} row
 * @param {LesionBody} body
 * @param {ReadModel} model
 */
function reasonField(row, body, model) {
  const text = h("textarea", { rows: "2", maxlength: "2000", "data-focus": "reason" });
  text.value = body.reason ?? "";
  const keep = () => model.enter(row.id, { ...body, reason: text.value.trim() || null });
  text.addEventListener("change", keep);
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.stopPropagation();
      keep();
    }
  });
  return field("Reason", text, "It goes into the record with the state. Ctrl + Enter keeps it.");
}

/**
 * @param {LesionRow} row
 * @param {ReadModel} model
 */
function removal(row, model) {
  if (!row.body) return null;
  const words = row.isFollowed ? "Clear this answer" : `Remove ${row.id}`;
  const remove = () => {
    const { id, isFollowed } = row;
    model.enter(id, null);
    if (!isFollowed) model.select(null);
  };
  return h("div", { class: "buttons" }, h("button", { type: "button", class: "quiet small", "data-focus": "remove", onclick: remove }, words));
}

/**
 * @param {LesionRow} row
 * @param {ReadModel} model
 * @param {Doings} doings
 */
function troubles(row, model, doings) {
  if (!row.trouble) return null;
  const isGrave = row.standing !== "unfinished";
  const actions =
    row.standing === "conflict"
      ? h("button", { type: "button", class: "small", "data-focus": "decide", onclick: () => doings.decideConflict(row.id) }, "Decide")
      : row.standing === "refused"
        ? h("button", { type: "button", class: "small", "data-focus": "discard", onclick: () => model.discard(row.id) }, "Let go of this change")
        : null;
  return h("div", { class: `note ${isGrave ? "bad" : "warn"}` }, h("p", {}, row.trouble), actions);
}
