// Beside the chosen lesion: ask for an outline, then take it over or reject it; and where the lesion is expected.

import { fill, h } from "../components/element.js";

/** @typedef {import("./suggestions.js").Suggestions} Suggestions */

/**
 * @typedef {object} Doings
 * @property {(points: 1 | 2) => void} point
 * @property {() => void} accept
 * @property {() => void} reject
 * @property {() => void} goToPlace
 * @property {() => void} uptake
 */

/**
 * @param {HTMLElement} host
 * @param {Suggestions} suggestions
 * @param {{ lesionId: string | null, mayPropose: boolean, isDrawn: boolean }} about
 * @param {Doings} doings
 */
export function drawSuggestionCard(host, suggestions, { lesionId, mayPropose, isDrawn }, doings) {
  const { proposal, isAsking } = suggestions;
  const place = lesionId && !isDrawn ? suggestions.places.get(lesionId) : undefined;
  fill(
    host,
    place && placePart(place, doings),
    proposal && proposal.lesion_id === lesionId
      ? proposalPart(proposal, doings)
      : lesionId && mayPropose && askPart(isAsking, doings),
  );
}

/**
 * @param {boolean} isAsking
 * @param {Doings} doings
 */
function askPart(isAsking, doings) {
  const button = (/** @type {1 | 2} */ points, /** @type {string} */ label, /** @type {string} */ hint) =>
    h("button", { type: "button", class: "small", disabled: isAsking, "data-focus": `propose ${points}`, title: hint, onclick: () => doings.point(points) }, label);
  return h(
    "div",
    { class: "card-body" },
    h("h3", {}, "Suggestion"),
    h("div", { class: "buttons" }, button(1, isAsking ? "Looking …" : "Propose an outline", "Point into the lesion (A)"), button(2, "… from a box", "Draw a rough box around the lesion (Shift + A)"), h("button", { type: "button", class: "small", "data-focus": "uptake", title: "Functional tumour volume of the dynamic series (F)", onclick: doings.uptake }, "Tumour volume …")),
  );
}

/**
 * @param {import("./suggestions.js").Proposal} proposal
 * @param {Doings} doings
 */
function proposalPart(proposal, doings) {
  const isDoubtful = proposal.confidence === "doubtful";
  return h(
    "div",
    { class: "card-body" },
    h("h3", {}, "Suggestion"),
    h("p", {}, `${proposal.long_mm.toFixed(1)} × ${proposal.short_mm.toFixed(1)} mm, `, h("span", { class: isDoubtful ? "doubtful" : "confident" }, isDoubtful ? "in doubt" : "two methods agree"), ". It is no measurement until you take it over."),
    proposal.doubts.length ? h("ul", { class: "findings" }, proposal.doubts.map((each) => h("li", { class: "note warn" }, each))) : null,
    h(
      "div",
      { class: "buttons" },
      h("button", { type: "button", class: "small primary", "data-focus": "accept", title: "Take the axes over; they can be moved afterwards (Shift + Enter)", onclick: doings.accept }, "Take over"),
      h("button", { type: "button", class: "small", "data-focus": "reject", title: "Nothing of it is wanted (Shift + Backspace)", onclick: doings.reject }, "Reject"),
    ),
  );
}

/**
 * @param {import("./suggestions.js").Place} place
 * @param {Doings} doings
 */
function placePart(place, doings) {
  const doubts = place.doubts.length ? h("ul", { class: "findings" }, place.doubts.map((each) => h("li", { class: "note" }, each))) : null;
  if (!place.point) return h("div", { class: "card-body" }, h("p", { class: "muted" }, "It is not known where to look for it."), doubts);
  return h(
    "div",
    { class: "card-body" },
    h("div", { class: "buttons" }, h("button", { type: "button", class: "small", "data-focus": "place", title: "Go to where the same tissue lies in this study (E)", onclick: doings.goToPlace }, "Show where it is expected")),
    doubts,
  );
}
