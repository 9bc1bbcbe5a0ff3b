// A drawing as a picture.

import { FONT } from "./drawing.js";

/** @typedef {import("./drawing.js").Shape} Shape */

const FINER = 2; // pixels to each unit of the drawing: sharp in print as on a dense screen

/**
 * @param {import("./drawing.js").Drawing} drawing
 * @returns {Promise<Blob>}
 */
export function pngOf(drawing) {
  const canvas = new OffscreenCanvas(drawing.width * FINER, drawing.height * FINER);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser cannot draw pictures.");
  context.scale(FINER, FINER);
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, drawing.width, drawing.height);
  for (const shape of [...drawing.frame, ...drawing.items.flatMap((item) => item.shapes)]) paint(context, shape);
  return canvas.convertToBlob({ type: "image/png" });
}

/**
 * @param {OffscreenCanvasRenderingContext2D} context
 * @param {Shape} shape
 */
function paint(context, shape) {
  if (shape.kind === "text") return write(context, shape);
  const path = new Path2D(shape.kind === "path" ? shape.d : "");
  if (shape.kind === "rect") path.rect(shape.x, shape.y, shape.w, shape.h);
  if (shape.kind === "circle") path.arc(shape.x, shape.y, shape.r, 0, 2 * Math.PI);
  if (shape.fill && shape.fill !== "none") {
    context.fillStyle = shape.fill;
    context.fill(path);
  }
  if (shape.stroke && shape.stroke !== "none") {
    context.strokeStyle = shape.stroke;
    context.lineWidth = shape.width ?? 1;
    context.setLineDash(shape.dashes ?? []);
    context.stroke(path);
  }
}

/**
 * @param {OffscreenCanvasRenderingContext2D} context
 * @param {import("./drawing.js").Text} shape
 */
function write(context, shape) {
  context.save();
  context.translate(shape.x, shape.y);
  if (shape.turned) context.rotate(-Math.PI / 2);
  context.font = `${shape.size ?? 13}px ${FONT}`;
  context.textAlign = shape.anchor === "middle" ? "center" : (shape.anchor ?? "start");
  context.fillStyle = shape.fill ?? "#000000";
  context.fillText(shape.text, 0, 0);
  context.restore();
}
