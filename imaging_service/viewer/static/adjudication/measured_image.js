// The frame that a lesion was measured on, with the reader's axes over it.

import { h, s } from "../components/element.js";
import { problem } from "../components/status.js";

/** @typedef {import("../api/types.js").LesionAnswer} LesionAnswer */

/** @param {LesionAnswer} lesion */
export function measuredImage(lesion) {
  const [first] = lesion.axes;
  if (!first) return h("p", { class: "muted" }, "Nothing is drawn.");
  const lengths = lesion.axes.map((each) => `${each.axis} axis ${each.length_mm.toFixed(1)} mm`).join(", ");
  const image = h("img", {
    src: `/api/v1/instances/${encodeURIComponent(first.sop_instance_uid)}/frames/${first.frame}.png`,
    alt: `The frame on which ${lesion.lesion_id} was measured: ${lengths}`,
  });
  const marks = s("svg", { "aria-hidden": "true", preserveAspectRatio: "none" });
  image.addEventListener("load", () => {
    // pixel (0, 0) is the centre of the first pixel, so the image begins half a pixel before it
    marks.setAttribute("viewBox", `-0.5 -0.5 ${image.naturalWidth} ${image.naturalHeight}`);
    marks.append(
      ...lesion.axes
        .filter((each) => each.sop_instance_uid === first.sop_instance_uid && each.frame === first.frame)
        .map(({ axis, points: [start, end] }) => s("line", { class: axis, x1: start[0], y1: start[1], x2: end[0], y2: end[1], "vector-effect": "non-scaling-stroke" })),
    );
  });
  image.addEventListener("error", () => problem("The image of this measurement could not be loaded."));
  return h("figure", { class: "measured-image" }, h("div", {}, image, marks), h("figcaption", {}, `${lesion.lesion_id}: ${lengths}`));
}
