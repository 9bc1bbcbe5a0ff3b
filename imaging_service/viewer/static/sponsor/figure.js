// A drawing with its files: SVG, PNG and the rows it was drawn from.

import { pngOf } from "../charts/canvas.js";
import { saveFile } from "../charts/download.js";
import { shownDrawing, svgText } from "../charts/svg.js";
import { h } from "../components/element.js";
import { problem } from "../components/status.js";
import { csvButton } from "../office/rows_file.js";

/**
 * @param {string} name Of the files, without ending.
 * @param {import("../charts/drawing.js").Drawing} drawing
 * @param {string[]} columns
 * @param {Record<string, unknown>[]} rows
 */
export function figure(name, drawing, columns, rows) {
  const saveSvg = () => saveFile(`${name}.svg`, new Blob([svgText(drawing)], { type: "image/svg+xml" }));
  const savePng = async () => {
    try {
      saveFile(`${name}.png`, await pngOf(drawing));
    } catch (error) {
      problem(error);
    }
  };
  return h(
    "figure",
    { class: "plot" },
    h("figcaption", {}, drawing.title),
    shownDrawing(drawing),
    h(
      "div",
      { class: "files", role: "group", "aria-label": `Save: ${drawing.title}` },
      h("button", { type: "button", onclick: saveSvg }, "SVG"),
      h("button", { type: "button", onclick: savePng }, "PNG"),
      csvButton(`${name}.csv`, columns, () => rows),
    ),
  );
}
