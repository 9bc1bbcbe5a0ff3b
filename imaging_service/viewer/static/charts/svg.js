// A drawing as SVG: shown on the page, each item reachable by mouse and keyboard, or written into a file.

import { h, newId, s } from "../components/element.js";
import { FONT } from "./drawing.js";

/** @typedef {import("./drawing.js").Drawing} Drawing */
/** @typedef {import("./drawing.js").Shape} Shape */

/**
 * Show a drawing. Arrow keys go from item to item; what is told of one stands below the drawing.
 *
 * @param {Drawing} drawing
 */
export function shownDrawing(drawing) {
  const readout = h("p", { class: "readout", role: "status" }, drawing.description);
  const [title, description] = [newId("drawing"), newId("drawing")];
  const items = drawing.items.map((item, index) => {
    const group = s("g", { class: "item", role: "listitem", tabindex: index ? "-1" : "0", "aria-label": item.about }, item.shapes.map(shapeOf));
    const tell = () => {
      readout.textContent = item.about;
    };
    group.addEventListener("pointerenter", tell);
    group.addEventListener("focus", tell);
    return group;
  });
  const list = s("g", { role: "list", "aria-labelledby": title }, items);
  list.addEventListener("keydown", (event) => step(items, event));
  const svg = s(
    "svg",
    { class: "drawing", viewBox: `0 0 ${drawing.width} ${drawing.height}`, role: "group", "aria-labelledby": title, "aria-describedby": description, "font-family": FONT },
    s("title", { id: title }, drawing.title),
    s("desc", { id: description }, drawing.description),
    drawing.frame.map(shapeOf),
    list,
  );
  return h("div", { class: "drawing-holder" }, svg, readout);
}

/**
 * A drawing as the text of an SVG file, which needs nothing of the page.
 *
 * @param {Drawing} drawing
 */
export function svgText(drawing) {
  const svg = s(
    "svg",
    { xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 ${drawing.width} ${drawing.height}`, width: drawing.width, height: drawing.height, "font-family": FONT },
    s("title", {}, drawing.title),
    s("desc", {}, drawing.description),
    s("rect", { width: drawing.width, height: drawing.height, fill: "#ffffff" }),
    drawing.frame.map(shapeOf),
    drawing.items.map((item) => s("g", {}, s("title", {}, item.about), item.shapes.map(shapeOf))),
  );
  return new XMLSerializer().serializeToString(svg);
}

/** @param {Shape} shape */
function shapeOf(shape) {
  const look = {
    fill: shape.fill ?? "none",
    stroke: shape.stroke ?? "none",
    "stroke-width": shape.stroke ? (shape.width ?? 1) : null,
    "stroke-dasharray": shape.dashes?.join(" "),
  };
  switch (shape.kind) {
    case "rect":
      return s("rect", { x: shape.x, y: shape.y, width: shape.w, height: shape.h, ...look });
    case "circle":
      return s("circle", { cx: shape.x, cy: shape.y, r: shape.r, ...look });
    case "path":
      return s("path", { d: shape.d, ...look });
    default: {
      const turn = shape.turned ? `rotate(-90 ${shape.x} ${shape.y})` : null;
      return s("text", { x: shape.x, y: shape.y, "font-size": shape.size, "text-anchor": shape.anchor, transform: turn, ...look }, shape.text);
    }
  }
}

/**
 * @param {SVGGElement[]} items
 * @param {KeyboardEvent} event
 */
function step(items, event) {
  const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const place = items.indexOf(/** @type {SVGGElement} */ (/** @type {unknown} */ (document.activeElement)));
  if (!by || place < 0) return;
  event.preventDefault();
  const next = items[Math.min(items.length - 1, Math.max(0, place + by))];
  items.forEach((each) => each.setAttribute("tabindex", each === next ? "0" : "-1"));
  next?.focus();
}
