// The ends of what is drawn, moved by the hand or nudged by keys; entered once they rest.

import { announce } from "../components/status.js";
import { moved } from "../geometry/calipers.js";
import { axesFor, axisOn, withAxes } from "./entry.js";

/** @typedef {import("../api/types.js").Pixel} Pixel */
/** @typedef {import("../drawing/session.js").AxisName} AxisName */

const NUDGE_PAUSE_MS = 400;

export class Handles {
  /**
   * @param {import("./read_model.js").ReadModel} model
   * @param {import("./viewport_grid.js").ViewportGrid} grid
   * @param {import("./timepoint_images.js").ImageLibrary} library
   */
  constructor(model, grid, library) {
    this.model = model;
    this.grid = grid;
    this.library = library;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.resting = undefined;
    grid.addEventListener("handle", (event) => this.#drag(/** @type {CustomEvent} */ (event).detail));
  }

  /** @param {{ name: string, pixel: Pixel, isFinal: boolean }} detail */
  #drag({ name, pixel, isFinal }) {
    const found = this.#find(name);
    if (!found) return;
    this.#put(found, pixel);
    if (isFinal) this.keep();
    else this.grid.drawOverlays();
  }

  /**
   * Move the focused handle, if there is one, by some pixels.
   *
   * @param {[number, number]} by
   */
  nudge(by) {
    const focused = document.activeElement;
    const name = focused instanceof SVGElement ? focused.dataset["handle"] : undefined;
    const found = name ? this.#find(name) : null;
    const frame = found && this.library.frameOf(found.drawn);
    if (!frame) return false;
    this.#put(found, moved(/** @type {Pixel} */ (found.line[found.end]), by, frame));
    this.grid.drawOverlays();
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.keep(), NUDGE_PAUSE_MS);
    return true;
  }

  /** Put the focus on the next one of the selected lesion. */
  next() {
    const handles = /** @type {SVGElement[]} */ ([...this.grid.element.querySelectorAll("[data-handle]")]);
    const place = handles.indexOf(/** @type {SVGElement} */ (document.activeElement));
    const next = handles[(place + 1) % handles.length];
    if (next) next.focus({ preventScroll: true });
    else announce("There is nothing to move on this slice.");
  }

  /** Enter the line that was moved. */
  keep() {
    clearTimeout(this.resting);
    const { moving } = this.grid;
    this.grid.moving = null;
    if (!moving) return;
    const body = this.model.body(moving.lesionId);
    const axes = body && axesFor(body, moving.fragment);
    const old = axes?.[`${moving.axis}_axis`];
    const frame = old && this.library.frameOf(old);
    if (!body || !axes || !frame?.plane) return;
    const axis = axisOn(frame, frame.plane, moving.line);
    this.model.enter(moving.lesionId, withAxes(body, moving.fragment, { long_axis: axes.long_axis, short_axis: axes.short_axis, [`${moving.axis}_axis`]: axis }));
    this.grid.drawOverlays();
  }

  /** @param {string} name As the overlay names its handles. */
  #find(name) {
    const [lesionId = "", fragment = "0", axis = "long", end = "0"] = name.split(" ");
    const body = this.model.body(lesionId);
    const kind = /** @type {AxisName} */ (axis);
    const drawn = body && axesFor(body, Number(fragment))[`${kind}_axis`];
    if (!drawn || this.model.isSigned) return null;
    const { moving } = this.grid;
    const isMoving = moving?.lesionId === lesionId && moving.fragment === Number(fragment) && moving.axis === kind;
    return { lesionId, fragment: Number(fragment), axis: kind, end: Number(end), drawn, line: isMoving ? moving.line : drawn.points };
  }

  /**
   * @param {import("./lesion_marks.js").Moving & { end: number }} found
   * @param {Pixel} pixel
   */
  #put(found, pixel) {
    this.grid.moving = { ...found, line: found.end ? [found.line[0], pixel] : [pixel, found.line[1]] };
  }
}
