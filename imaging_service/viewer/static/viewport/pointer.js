// The pointer on a viewport: it scrolls, sets the window, moves and zooms the image, draws, and drags handles.

import { inside } from "../geometry/calipers.js";

/** @typedef {import("../geometry/stack.js").FrameRef} FrameRef */
/** @typedef {import("./viewport.js").DrawingSession} DrawingSession */
/** @typedef {import("./viewport.js").Tool} Tool */

const DRAG_BEGINS = 3;

export class Pointer {
  /** @param {import("./viewport.js").Viewport} viewport */
  constructor(viewport) {
    this.viewport = viewport;
    const { stage } = viewport;
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    stage.addEventListener("pointerdown", (event) => this.#pointerDown(event));
    stage.addEventListener("pointermove", (event) => this.#hover(event));
    stage.addEventListener("contextmenu", (event) => event.preventDefault());
    stage.addEventListener("dblclick", (event) => event.preventDefault());
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    this.viewport.tell("active");
    if (event.ctrlKey) this.viewport.zoomBy(event.deltaY < 0 ? 1.15 : 1 / 1.15, this.#placeOf(event));
    else if (event.deltaY) this.viewport.scrollTo(this.viewport.index + Math.sign(event.deltaY));
  }

  /**
   * @param {MouseEvent} event
   * @returns {[x: number, y: number]}
   */
  #placeOf(event) {
    const box = this.viewport.stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  /** @param {MouseEvent} event */
  #pixelOf(event) {
    const ref = /** @type {FrameRef} */ (this.viewport.shown);
    return inside(this.viewport.view.toPixel(...this.#placeOf(event)), ref);
  }

  /** @param {PointerEvent} event */
  #hover(event) {
    const session = this.viewport.surroundings.session();
    const ref = this.viewport.steadyFrame;
    if (session?.start && ref && session.takes(ref) && !event.buttons) session.moveTo(this.#pixelOf(event));
  }

  /** @param {PointerEvent} event */
  #pointerDown(event) {
    if (!this.viewport.source) return;
    const handle = event.target instanceof SVGElement ? event.target.closest("[data-handle]") : null;
    if (!handle || this.viewport.surroundings.session()) this.viewport.element.focus({ preventScroll: true });
    event.preventDefault();
    const session = this.viewport.surroundings.session();
    if (event.button === 0 && session) this.#draw(event, session);
    else if (event.button === 0 && handle instanceof SVGElement) this.#dragHandle(event, handle);
    else this.#dragView(event, event.button === 1 ? "pan" : event.button === 2 ? "zoom" : this.viewport.surroundings.tool());
  }

  /**
   * Follow the pointer until its button is let go.
   *
   * @param {PointerEvent} begin
   * @param {(event: PointerEvent) => void} move
   * @param {(event: PointerEvent) => void} [end]
   */
  #follow(begin, move, end = () => undefined) {
    const stage = this.viewport.stage;
    stage.setPointerCapture(begin.pointerId);
    const finish = (/** @type {PointerEvent} */ event) => {
      stage.removeEventListener("pointermove", move);
      stage.removeEventListener("pointerup", finish);
      stage.removeEventListener("pointercancel", finish);
      end(event);
    };
    stage.addEventListener("pointermove", move);
    stage.addEventListener("pointerup", finish);
    stage.addEventListener("pointercancel", finish);
  }

  /**
   * @param {PointerEvent} begin
   * @param {Tool} tool
   */
  #dragView(begin, tool) {
    let [x, y] = [begin.clientX, begin.clientY];
    const at = this.#placeOf(begin);
    const step = this.viewport.window.width / 300;
    this.#follow(begin, (event) => {
      const [dx, dy] = [event.clientX - x, event.clientY - y];
      [x, y] = [event.clientX, event.clientY];
      if (tool === "pan") this.viewport.panBy(dx, dy);
      else if (tool === "zoom") this.viewport.zoomBy(1.01 ** -dy, at);
      else this.viewport.adjustWindow(dy * step, dx * step);
    });
  }

  /**
   * Set points by dragging from end to end, or by a click on each.
   *
   * @param {PointerEvent} begin
   * @param {DrawingSession} session
   */
  #draw(begin, session) {
    const ref = this.viewport.steadyFrame;
    if (!ref || !session.takes(ref)) {
      this.viewport.tell("misplaced");
      return;
    }
    const wasStarted = session.start !== null;
    const from = [begin.clientX, begin.clientY];
    if (!wasStarted) session.setPoint(ref, this.#pixelOf(begin));
    this.#follow(
      begin,
      (event) => session.moveTo(this.#pixelOf(event)),
      (event) => {
        const isDragged = Math.hypot(event.clientX - (from[0] ?? 0), event.clientY - (from[1] ?? 0)) >= DRAG_BEGINS;
        if (event.type === "pointerup" && (wasStarted || isDragged)) session.setPoint(ref, this.#pixelOf(event));
      },
    );
  }

  /**
   * @param {PointerEvent} begin
   * @param {SVGElement} handle
   */
  #dragHandle(begin, handle) {
    if (!this.viewport.steadyFrame) return;
    const name = handle.dataset["handle"];
    handle.focus({ preventScroll: true });
    // the hand grasps beside the point: the distance stays as it is
    const mark = handle.querySelector("circle");
    const grasp = this.#placeOf(begin);
    const off = [Number(mark?.getAttribute("cx")) - grasp[0], Number(mark?.getAttribute("cy")) - grasp[1]];
    const pixel = (/** @type {PointerEvent} */ event) => {
      const [x, y] = this.#placeOf(event);
      return inside(this.viewport.view.toPixel(x + (off[0] ?? 0), y + (off[1] ?? 0)), /** @type {FrameRef} */ (this.viewport.shown));
    };
    let isMoved = false;
    this.#follow(
      begin,
      (event) => {
        isMoved = true;
        this.viewport.tell("handle", { name, pixel: pixel(event), isFinal: false });
      },
      (event) => {
        if (isMoved) this.viewport.tell("handle", { name, pixel: pixel(event), isFinal: true });
      },
    );
  }
}
