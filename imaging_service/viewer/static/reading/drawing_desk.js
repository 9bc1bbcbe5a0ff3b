// What is being drawn on the page: begun, entered axis by axis, and left.

import { announce, note } from "../components/status.js";
import { DrawingSession } from "../drawing/session.js";
import { axesFor, axisOn, bodyToDraw, withAxes } from "./entry.js";

/** @typedef {import("../drawing/seed_session.js").SeedSession} SeedSession */
/** @typedef {import("../drawing/session.js").AxisName} AxisName */
/** @typedef {import("./read_model.js").ReadModel} ReadModel */

/** Tells `moved` when the guide and what lies over the images are to be drawn anew. */
export class DrawingDesk extends EventTarget {
  /**
   * @param {ReadModel} model
   * @param {import("./viewport_grid.js").ViewportGrid} grid
   * @param {import("./timepoint_images.js").ImageLibrary} library
   */
  constructor(model, grid, library) {
    super();
    this.model = model;
    this.grid = grid;
    this.library = library;
    /** @type {DrawingSession | SeedSession | null} */
    this.session = null;
    grid.addEventListener("misplaced", () => this.refuseFrame());
  }

  /** Return the viewport to draw in; without one the reader is told. */
  findViewport() {
    const { drawable } = this.grid;
    if (!drawable) note("No viewport shows the timepoint that is read. Choose it in one of them.", "warn");
    return drawable;
  }

  /** Draw the axis that counts alone. */
  drawCounted() {
    const id = this.model.selected;
    if (id) this.start([this.model.row(id).isNodal ? "short" : "long"], this.#openFragment(id));
  }

  drawBoth() {
    const id = this.model.selected;
    if (id) this.start(["long", "short"], this.#openFragment(id));
  }

  /**
   * The first fragment of a split lesion that is not measured; 0 for a whole one.
   *
   * @param {string} lesionId
   */
  #openFragment(lesionId) {
    const body = this.model.body(lesionId);
    if (body?.state !== "split") return 0;
    const place = body.fragments.findIndex((each) => !each.long_axis && !each.short_axis);
    return place < 0 ? 1 : place + 1;
  }

  /**
   * Begin to draw the selected lesion.
   *
   * @param {AxisName[]} axes
   * @param {number} fragment
   */
  start(axes, fragment) {
    const lesionId = this.model.selected;
    if (!lesionId || this.model.isSigned) return;
    const viewport = this.findViewport();
    if (!viewport) return;
    this.stop();
    const body = this.model.body(lesionId);
    const long = body && axesFor(body, fragment).long_axis;
    const isAfterLong = axes.length === 1 && axes[0] === "short" && long !== null;
    const frame = isAfterLong && long ? this.library.frameOf(long) : null;
    const session = new DrawingSession({ lesionId, fragment, axes, frame });
    session.addEventListener("axis", (event) => this.#enterAxis(session, /** @type {CustomEvent} */ (event).detail));
    if (frame) {
      const index = viewport.source?.stack.frames.findIndex((each) => each.key === frame.key) ?? -1;
      if (index >= 0) viewport.scrollTo(index);
    }
    this.take(session, viewport);
    if (viewport.steadyFrame && !viewport.steadyFrame.plane) this.refuseFrame();
  }

  /**
   * Let the reader draw, or point.
   *
   * @param {DrawingSession | SeedSession} session
   * @param {import("../viewport/viewport.js").Viewport} viewport
   */
  take(session, viewport) {
    session.addEventListener("moved", () => this.#tellMoved());
    session.addEventListener("ended", () => this.stop());
    this.session = session;
    this.grid.session = session;
    viewport.element.focus({ preventScroll: true });
    this.#tellMoved();
  }

  stop() {
    this.session = null;
    this.grid.session = null;
    for (const each of this.grid.viewports) each.cross = null;
    this.#tellMoved();
  }

  /** Take back the point that is set; without one, leave the drawing. Tells whether there was anything to leave. */
  leave() {
    if (this.session?.start) this.session.takeBack();
    else if (this.session) this.stop();
    else return false;
    return true;
  }

  /** Say why nothing can be set on the frame that is looked at. */
  refuseFrame() {
    const frame = this.grid.drawable?.steadyFrame;
    if (!frame) return;
    note(
      frame.plane
        ? "The other axis lies on another slice; both are wanted on one. G goes there."
        : `Nothing can be measured on this frame. ${frame.refused ?? "Its geometry is not known."}`,
      "warn",
    );
  }

  /**
   * @param {DrawingSession} session
   * @param {AxisName} name
   */
  #enterAxis(session, name) {
    const { frame, drawn, lesionId, fragment, axes } = session;
    const line = drawn[name];
    if (!frame?.plane || !line) return;
    const before = bodyToDraw(this.model.row(lesionId).role, this.model.body(lesionId));
    const axis = axisOn(frame, frame.plane, line);
    const old = axesFor(before, fragment);
    const isLater = axes[0] !== name || (axes.length === 1 && name === "short" && old.long_axis?.sop_instance_uid === frame.instance && old.long_axis.frame === frame.frame);
    const kept = isLater ? old : { long_axis: null, short_axis: null };
    this.model.enter(lesionId, withAxes(before, fragment, { ...kept, [`${name}_axis`]: axis }));
    announce(`${lesionId}, ${name} axis ${axis.claimed_mm?.toFixed(1)} millimetres.`);
  }

  #tellMoved() {
    this.dispatchEvent(new Event("moved"));
  }
}
