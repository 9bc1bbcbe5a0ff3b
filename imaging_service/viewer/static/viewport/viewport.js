// One viewport: an image of a stack, how it is shown, what is drawn over it, and the pointer on it.

import { choice, fill, h, s, setAttributes } from "../components/element.js";
import { inside } from "../geometry/calipers.js";
import { View } from "../geometry/view.js";
import { Painter } from "../image/paint.js";
import { subtract } from "../image/subtraction.js";
import { moved, presetsOf, wholeRange, windowName } from "../image/window.js";
import { drawOverlay } from "./overlay.js";

/** @typedef {import("../api/types.js").Pixel} Pixel */
/** @typedef {import("../drawing/session.js").DrawingSession | import("../drawing/seed_session.js").SeedSession} DrawingSession */
/** @typedef {import("../geometry/stack.js").FrameRef} FrameRef */
/** @typedef {import("../image/frame.js").Frame} Frame */
/** @typedef {import("../image/header.js").Window} Window */
/** @typedef {import("../image/source.js").ImageSource} ImageSource */
/** @typedef {import("../image/store.js").FrameStore} FrameStore */
/** @typedef {import("./overlay.js").Mark} Mark */
/** @typedef {"window" | "pan" | "zoom"} Tool */

const DRAG_BEGINS = 3;
const SMALLEST_ZOOM = 0.25;
const LARGEST_ZOOM = 40;

/**
 * What the viewport asks its page.
 *
 * @typedef {object} Surroundings
 * @property {FrameStore} store
 * @property {() => Tool} tool What the left button does when nothing is drawn.
 * @property {() => DrawingSession | null} session
 * @property {(viewport: Viewport, frame: FrameRef) => Mark[]} marks
 * @property {(viewport: Viewport, frame: FrameRef) => import("../reading/suggestions.js").Suggested[]} suggested
 */

/**
 * Tells `shown` (a frame is on the screen), `scrolled` (by the reader), `active`, `timepoint`, `source`, and
 * `handle` with what was moved.
 */
export class Viewport extends EventTarget {
  /**
   * @param {Surroundings} surroundings
   * @param {string} name
   */
  constructor(surroundings, name) {
    super();
    this.surroundings = surroundings;
    this.name = name;
    /** @type {ImageSource | null} */
    this.source = null;
    this.timepointId = "";
    this.index = 0;
    this.direction = 1;
    /** The frame on the screen, which may lag behind `index` while it is fetched. @type {FrameRef | null} */
    this.shown = null;
    /** @type {Frame | null} */
    this.frame = null;
    /** @type {Window} */
    this.window = { centre: 127, width: 255 };
    this.hasOwnWindow = false;
    this.isInverted = false;
    this.zoom = 1;
    /** @type {[number, number]} */
    this.pan = [0, 0];
    this.painter = new Painter();
    this.isPixelsStale = true;
    this.isDrawWanted = false;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.cine = undefined;
    this.framesPerSecond = 12;
    this.turn = 0;
    /** @type {ImageData | null} */
    this.image = null;
    /** Where the keyboard's cross stands while something is drawn. @type {Pixel | null} */
    this.cross = null;
    this.canvas = h("canvas", { role: "img", "aria-label": "No image yet" });
    this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d", { alpha: false }));
    this.buffer = new OffscreenCanvas(1, 1);
    this.svg = s("svg", { class: "overlay" });
    this.slice = h("span");
    this.shownAs = h("span");
    this.crossPlace = h("span");
    this.note = h("div", { class: "stage-note" });
    this.timepointChoice = choice([], { "aria-label": `Timepoint, ${this.name}` });
    this.sourceChoice = choice([], { "aria-label": `Series, ${this.name}` });
    this.slider = h("input", { type: "range", min: "0", max: "0", value: "0", "aria-label": `Slice, ${this.name}` });
    this.stage = h(
      "div",
      { class: "stage" },
      this.canvas,
      this.svg,
      h("div", { class: "corner lower-left" }, this.slice),
      h("div", { class: "corner lower-right" }, this.shownAs),
      h("div", { class: "corner upper-left" }, this.crossPlace),
      this.note,
    );
    this.element = h(
      "section",
      { class: "viewport", tabindex: "0", role: "group", "aria-roledescription": "image viewport", "aria-label": this.name },
      h("header", {}, this.timepointChoice, this.sourceChoice),
      h("div", { class: "stage-holder" }, this.stage, this.slider),
    );
    this.timepointChoice.addEventListener("change", () => this.#tell("timepoint", this.timepointChoice.value));
    this.sourceChoice.addEventListener("change", () => this.#tell("source", this.sourceChoice.value));
    this.slider.addEventListener("input", () => this.scrollTo(Number(this.slider.value)));
    this.element.addEventListener("focusin", () => this.#tell("active"));
    this.resizing = new ResizeObserver(() => this.draw());
    this.resizing.observe(this.stage);
    this.#listenToPointer();
  }

  /**
   * @param {string} name
   * @param {unknown} [detail]
   */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  /**
   * Offer timepoints to choose from.
   *
   * @param {[string, string][]} options
   * @param {string} chosen
   */
  offerTimepoints(options, chosen) {
    this.timepointId = chosen;
    fill(this.timepointChoice, ...options.map(([value, title]) => h("option", { value, selected: value === chosen }, title)));
    const title = options.find(([value]) => value === chosen)?.[1] ?? "";
    this.element.setAttribute("aria-label", `${this.name}: ${title}`);
  }

  /**
   * Offer series to choose from.
   *
   * @param {ImageSource[]} sources
   */
  offerSources(sources) {
    const option = (/** @type {ImageSource} */ each) => h("option", { value: each.key }, each.title);
    const subtractions = sources.filter((each) => each.minus);
    fill(
      this.sourceChoice,
      sources.filter((each) => !each.minus).map(option),
      subtractions.length ? h("optgroup", { label: "Subtraction" }, subtractions.map(option)) : null,
    );
  }

  /**
   * Show a source, at the slice given or in its middle.
   *
   * @param {ImageSource | null} source
   * @param {number} [index]
   */
  show(source, index) {
    const isOther = source?.key !== this.source?.key;
    this.stop();
    this.source = source;
    if (isOther) {
      this.hasOwnWindow = false;
      this.frame = null;
      this.shown = null;
      this.svg.replaceChildren();
    }
    if (!source) {
      this.say("This timepoint has no images that can be shown.");
      this.draw();
      return;
    }
    this.sourceChoice.value = source.key;
    this.slider.max = String(source.stack.frames.length - 1);
    this.goTo(index ?? Math.floor(source.stack.frames.length / 2));
  }

  /** @param {string} sentence */
  say(sentence) {
    fill(this.note, sentence && h("p", {}, sentence));
  }

  /** The frame that is looked at, or is being fetched. */
  get ref() {
    return this.source?.stack.frames[this.index] ?? null;
  }

  /** The frame on the screen, when it is the one that is looked at: only then may anything be drawn. */
  get steadyFrame() {
    return this.shown && this.shown.key === this.ref?.key ? this.shown : null;
  }

  /**
   * Show a slice, as the reader wants.
   *
   * @param {number} index
   */
  scrollTo(index) {
    const before = this.index;
    this.goTo(index);
    if (this.index !== before) this.#tell("scrolled");
  }

  /**
   * Show a slice.
   *
   * @param {number} index
   */
  goTo(index) {
    if (!this.source) return;
    const { frames } = this.source.stack;
    const wanted = Math.min(frames.length - 1, Math.max(0, index));
    this.direction = wanted < this.index ? -1 : 1;
    this.index = wanted;
    this.slider.value = String(wanted);
    this.slider.setAttribute("aria-valuetext", `slice ${wanted + 1} of ${frames.length}`);
    void this.#fetch();
  }

  async #fetch() {
    const { source, ref, index } = this;
    if (!source || !ref) return;
    this.turn += 1;
    const mine = this.turn;
    const { store } = this.surroundings;
    const minus = source.minus?.frames[index] ?? null;
    try {
      const ready = store.peek(ref);
      const readyMinus = minus && store.peek(minus);
      if (!ready || (minus && !readyMinus)) this.#wait(mine);
      const frame = ready ?? (await store.frame(ref));
      const other = minus && (readyMinus ?? (await store.frame(minus)));
      if (mine !== this.turn) return;
      this.#take(ref, other ? subtract(frame, other) : frame);
      store.prefetch(source.stack.frames, index, this.direction);
      if (source.minus) store.prefetch(source.minus.frames, index, this.direction);
    } catch (error) {
      if (mine === this.turn) this.say(error instanceof Error ? error.message : String(error));
    }
  }

  /** @param {number} mine */
  #wait(mine) {
    setTimeout(() => {
      if (mine === this.turn && this.shown !== this.ref) this.say("Loading …");
    }, 150);
  }

  /**
   * @param {FrameRef} ref
   * @param {Frame} frame
   */
  #take(ref, frame) {
    if (!this.hasOwnWindow && !frame.isColour && this.frame === null) {
      this.window = frame.window ?? wholeRange(frame);
    }
    this.shown = ref;
    this.frame = frame;
    this.isPixelsStale = true;
    this.say(ref.plane ? "" : `Nothing can be measured on this frame. ${ref.refused ?? "Its geometry is not known."}`);
    this.note.classList.toggle("lower", !ref.plane);
    this.draw();
    this.#tell("shown");
  }

  /** The mapping between pixels and the screen as it is now. */
  get view() {
    const ref = this.shown ?? this.ref;
    return new View({
      width: this.stage.clientWidth || 1,
      height: this.stage.clientHeight || 1,
      columns: ref?.columns ?? 1,
      rows: ref?.rows ?? 1,
      columnSpacing: ref?.plane?.columnSpacing ?? 1,
      rowSpacing: ref?.plane?.rowSpacing ?? 1,
      zoom: this.zoom,
      pan: this.pan,
    });
  }

  /** Draw before the next picture of the screen. */
  draw() {
    if (this.isDrawWanted) return;
    this.isDrawWanted = true;
    requestAnimationFrame(() => {
      this.isDrawWanted = false;
      this.#drawNow();
    });
  }

  #drawNow() {
    const { canvas, context, stage } = this;
    if (!stage.clientWidth) return;
    const ratio = devicePixelRatio;
    const [width, height] = [Math.round(stage.clientWidth * ratio), Math.round(stage.clientHeight * ratio)];
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, height);
    if (this.frame && this.shown) {
      this.#paintPixels(this.frame);
      const { left, top, scaleX, scaleY } = this.view;
      context.imageSmoothingEnabled = true;
      context.imageSmoothingQuality = "low";
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.drawImage(this.buffer, left, top, this.frame.columns * scaleX, this.frame.rows * scaleY);
      this.drawOverlay();
    }
    this.#drawTexts();
  }

  /** @param {Frame} frame */
  #paintPixels(frame) {
    const { buffer } = this;
    if (!this.isPixelsStale) return;
    if (buffer.width !== frame.columns || buffer.height !== frame.rows || !this.image) {
      [buffer.width, buffer.height] = [frame.columns, frame.rows];
      this.image = new ImageData(frame.columns, frame.rows);
    }
    this.painter.paint(frame, this.window, this.isInverted, this.image);
    const context = buffer.getContext("2d", { willReadFrequently: true, alpha: false });
    /** @type {OffscreenCanvasRenderingContext2D} */ (context).putImageData(this.image, 0, 0);
    this.isPixelsStale = false;
  }

  /** Draw what lies over the image. */
  drawOverlay() {
    const ref = this.shown;
    if (!ref) return;
    fill(this.crossPlace, this.cross && `column ${this.cross[0].toFixed(1)}, row ${this.cross[1].toFixed(1)}`);
    const session = this.surroundings.session();
    const isHere = session !== null && session.frame?.key === ref.key;
    drawOverlay(this.svg, {
      view: this.view,
      width: this.stage.clientWidth,
      height: this.stage.clientHeight,
      plane: ref.plane,
      marks: this.surroundings.marks(this, ref),
      suggested: this.surroundings.suggested(this, ref),
      hasHandles: session === null,
      cross: this.cross,
      drawing: session?.current && isHere ? { line: session.rubberBand, axis: session.current, point: session.start } : null,
    });
  }

  #drawTexts() {
    const { source, ref } = this;
    if (!source || !ref) return;
    const place = ref.plane ? ` · ${ref.plane.offset.toFixed(1)} mm` : "";
    const thick = ref.thickness ? ` · ${ref.thickness} mm thick` : "";
    fill(this.slice, `${this.index + 1} / ${source.stack.frames.length}${place}${thick}`);
    const turned = this.isInverted ? " · inverted" : "";
    fill(this.shownAs, `${this.frame?.isColour ? "colour" : windowName(this.window)} · ${Math.round(this.zoom * 100)} %${turned}`);
    setAttributes(this.canvas, { "aria-label": `${source.title}, slice ${this.index + 1} of ${source.stack.frames.length}` });
  }

  // ---- how it is shown ----

  /** @param {Window} window */
  setWindow(window) {
    this.window = window;
    this.hasOwnWindow = true;
    this.isPixelsStale = true;
    this.draw();
  }

  /**
   * @param {number} centre By how much more.
   * @param {number} width
   */
  adjustWindow(centre, width) {
    this.setWindow(moved(this.window, this.window.centre + centre, this.window.width + width));
  }

  /** @param {number} place From 0. */
  usePreset(place) {
    const preset = presetsOf(this.source?.modality ?? null)[place];
    if (!preset || !this.frame || this.frame.isColour) return null;
    this.setWindow(preset.of(this.frame));
    return preset.name;
  }

  invert() {
    this.isInverted = !this.isInverted;
    this.isPixelsStale = true;
    this.draw();
  }

  /**
   * Zoom, with the point of the image that lies at a place of the stage staying there.
   *
   * @param {number} factor
   * @param {[x: number, y: number]} [at]
   */
  zoomBy(factor, at = [this.stage.clientWidth / 2, this.stage.clientHeight / 2]) {
    const pixel = this.view.toPixel(...at);
    this.zoom = Math.min(LARGEST_ZOOM, Math.max(SMALLEST_ZOOM, this.zoom * factor));
    const [x, y] = this.view.toScreen(pixel);
    this.panBy(at[0] - x, at[1] - y);
  }

  /**
   * @param {number} x In CSS pixels.
   * @param {number} y
   */
  panBy(x, y) {
    this.pan = [this.pan[0] + x / this.zoom, this.pan[1] + y / this.zoom];
    this.draw();
  }

  reset() {
    this.zoom = 1;
    this.pan = [0, 0];
    this.isInverted = false;
    this.hasOwnWindow = false;
    if (this.frame && !this.frame.isColour) this.window = this.frame.window ?? wholeRange(this.frame);
    this.isPixelsStale = true;
    this.draw();
  }

  get isPlaying() {
    return this.cine !== undefined;
  }

  /** Begin or end cine. */
  play() {
    if (this.isPlaying) return this.stop();
    this.cine = setInterval(() => {
      const count = this.source?.stack.frames.length ?? 1;
      if (this.shown?.key !== this.ref?.key) return; // wait for a frame rather than skip it
      this.scrollTo((this.index + 1) % count);
    }, 1000 / this.framesPerSecond);
    return undefined;
  }

  stop() {
    clearInterval(this.cine);
    this.cine = undefined;
  }

  // ---- the pointer ----

  #listenToPointer() {
    const stage = this.stage;
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    stage.addEventListener("pointerdown", (event) => this.#pointerDown(event));
    stage.addEventListener("pointermove", (event) => this.#hover(event));
    stage.addEventListener("contextmenu", (event) => event.preventDefault());
    stage.addEventListener("dblclick", (event) => event.preventDefault());
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    this.#tell("active");
    if (event.ctrlKey) this.zoomBy(event.deltaY < 0 ? 1.15 : 1 / 1.15, this.#placeOf(event));
    else if (event.deltaY) this.scrollTo(this.index + Math.sign(event.deltaY));
  }

  /**
   * @param {MouseEvent} event
   * @returns {[x: number, y: number]}
   */
  #placeOf(event) {
    const box = this.stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  /** @param {MouseEvent} event */
  #pixelOf(event) {
    const ref = /** @type {FrameRef} */ (this.shown);
    return inside(this.view.toPixel(...this.#placeOf(event)), ref);
  }

  /** @param {PointerEvent} event */
  #hover(event) {
    const session = this.surroundings.session();
    const ref = this.steadyFrame;
    if (session?.start && ref && session.takes(ref) && !event.buttons) session.moveTo(this.#pixelOf(event));
  }

  /** @param {PointerEvent} event */
  #pointerDown(event) {
    if (!this.source) return;
    const handle = event.target instanceof SVGElement ? event.target.closest("[data-handle]") : null;
    if (!handle || this.surroundings.session()) this.element.focus({ preventScroll: true });
    event.preventDefault();
    const session = this.surroundings.session();
    if (event.button === 0 && session) this.#draw(event, session);
    else if (event.button === 0 && handle instanceof SVGElement) this.#dragHandle(event, handle);
    else this.#dragView(event, event.button === 1 ? "pan" : event.button === 2 ? "zoom" : this.surroundings.tool());
  }

  /**
   * Follow the pointer until its button is let go.
   *
   * @param {PointerEvent} begin
   * @param {(event: PointerEvent) => void} move
   * @param {(event: PointerEvent) => void} [end]
   */
  #follow(begin, move, end = () => undefined) {
    const stage = this.stage;
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
    const step = this.window.width / 300;
    this.#follow(begin, (event) => {
      const [dx, dy] = [event.clientX - x, event.clientY - y];
      [x, y] = [event.clientX, event.clientY];
      if (tool === "pan") this.panBy(dx, dy);
      else if (tool === "zoom") this.zoomBy(1.01 ** -dy, at);
      else this.adjustWindow(dy * step, dx * step);
    });
  }

  /**
   * Set points by dragging from end to end, or by a click on each.
   *
   * @param {PointerEvent} begin
   * @param {DrawingSession} session
   */
  #draw(begin, session) {
    const ref = this.steadyFrame;
    if (!ref || !session.takes(ref)) {
      this.#tell("misplaced");
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
    if (!this.steadyFrame) return;
    const name = handle.dataset["handle"];
    handle.focus({ preventScroll: true });
    // the hand grasps beside the point: the distance stays as it is
    const mark = handle.querySelector("circle");
    const grasp = this.#placeOf(begin);
    const off = [Number(mark?.getAttribute("cx")) - grasp[0], Number(mark?.getAttribute("cy")) - grasp[1]];
    const pixel = (/** @type {PointerEvent} */ event) => {
      const [x, y] = this.#placeOf(event);
      return inside(this.view.toPixel(x + (off[0] ?? 0), y + (off[1] ?? 0)), /** @type {FrameRef} */ (this.shown));
    };
    let isMoved = false;
    this.#follow(
      begin,
      (event) => {
        isMoved = true;
        this.#tell("handle", { name, pixel: pixel(event), isFinal: false });
      },
      (event) => {
        if (isMoved) this.#tell("handle", { name, pixel: pixel(event), isFinal: true });
      },
    );
  }

  close() {
    this.stop();
    this.turn += 1;
    this.resizing.disconnect();
  }
}
