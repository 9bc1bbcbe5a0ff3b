// A second window with images alone, for a second screen. It follows the reading page: the same lesion is chosen,
// and what is measured there is seen here.

import { write } from "../api/client.js";
import { choice, fill, h } from "../components/element.js";
import { whoAmI } from "../shell/session.js";
import { ReadModel } from "./read_model.js";
import { joinWindows } from "./windows.js";
import { ImageLibrary } from "./timepoint_images.js";
import { LAYOUTS, ViewportGrid } from "./viewport_grid.js";
import { timepointName } from "./words.js";

/** @param {import("../shell/router.js").PageContext} context */
export async function mount({ host, place, parameters, keys }) {
  const timepointId = parameters["timepoint_id"] ?? "";
  const library = new ImageLibrary();
  const read = await write("POST", `/timepoints/${timepointId}/reads`);
  const [model, { readingId }] = await Promise.all([ReadModel.open(read, whoAmI()?.account_id ?? ""), library.of(timepointId)]);
  const grid = new ViewportGrid(model, library, "images");
  const layout = choice(LAYOUTS, { "aria-label": "Layout" }, grid.layout);
  layout.addEventListener("change", () => void grid.setLayout(/** @type {import("./viewport_grid.js").Layout} */ (layout.value)));
  const title = `Images of ${readingId}, ${timepointName(read.number)}`;
  fill(place, h("h1", { class: "subject" }, title), layout);
  fill(host, h("section", { class: "images alone", "aria-label": "Images" }, grid.element));
  model.addEventListener("changed", () => grid.drawOverlays());
  model.addEventListener("selected", () => grid.goToLesion());
  const windows = joinWindows(read.read_id, {
    selected: (lesionId) => model.select(lesionId),
    changed: () => void model.refresh(),
  });
  const unbind = keys.add([
    { keys: ["ArrowUp", "ArrowDown"], does: "previous, next slice", group: "Images", run: (_event, key) => grid.active.scrollTo(grid.active.index + (key === "ArrowUp" ? -1 : 1)) },
    { keys: ["i"], does: "invert", group: "Images", run: () => grid.active.invert() },
    { keys: ["+", "=", "-"], does: "zoom in, out", group: "Images", run: (_event, key) => grid.active.zoomBy(key === "-" ? 1 / 1.25 : 1.25) },
    { keys: ["r"], does: "reset", group: "Images", run: () => grid.active.reset() },
  ]);
  await grid.hang();
  grid.active.element.focus({ preventScroll: true });
  const unmount = () => {
    unbind();
    windows.leave();
    grid.close();
    void model.close();
  };
  return { title, unmount };
}
