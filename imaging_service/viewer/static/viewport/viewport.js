// One viewport: an image of a stack, how it is shown, what is drawn over it, and the pointer on it.

import { choice, fill, h, s, setAttributes } from "../components/element.js";
import { View } from "../geometry/view.js";
import { subtract } from "../image/subtraction.js";
import { moved, presetsOf, wholeRange, windowName } from "../image/window.js";
import { Captions } from "./captions.js";
import { Cine } from "./cine.js";
import { drawOverlay } from "./overlay.js";
import { Picture } from "./picture.js";
import { Pointer } from "./pointer.js";

/** @typedef {import("../api/types.js").Pixel} Pixel */
/** @typedef {import("../drawing/session.js").DrawingSession | import("../drawing/seed_session.js").SeedSession} DrawingSession */
/** @typedef {import("../geometry/stack.js").FrameRef} FrameRef */
/** @typedef {import("../image/frame.js").Frame} Frame */
/** @typedef {import("../image/header.js").Window} Window */
/** @typedef {import("../image/source.js").ImageSource} ImageSource */
/** @typedef {import("../image/store.js").FrameStore} FrameStore */
/** @typedef {import("./overlay.js").Mark} Mark */
/** @typedef {"window" | "pan" | "zoom"} Tool */

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
    this.isDrawWanted = false;
    this.cine = new Cine(() => this.#playOn());
    this.turn = 0;
    /** Until the frame that is looked at is there, or will not be. @type {Promise<void>} */
    this.arriving = Promise.resolve();
    /** Where the keyboard's cross stands while something is drawn. @type {Pixel | null} */
    this.cross = null;
    this.picture = new Picture();
    this.svg = s("svg", { class: "overlay" });
    this.captions = new Captions();
    this.timepointChoice = choice([], { "aria-label": `Timepoint, ${this.name}` });
    this.sourceChoice = choice([], { "aria-label": `Series, ${this.name}` });
    this.slider = h("input", { type: "range", min: "0", max: "0", value: "0", "aria-label": `Slice, ${this.name}` });
    this.stage = h("div", { class: "stage" }, this.picture.canvas, this.svg, this.captions.elements);
    this.element = h(
      "section",
      { class: "viewport", tabindex: "0", role: "group", "aria-roledescription": "image viewport", "aria-label": this.name },
      h("header", {}, this.timepointChoice, this.sourceChoice),
      h("div", { class: "stage-holder" }, this.stage, this.slider),
    );
    this.timepointChoice.addEventListener("change", () => this.tell("timepoint", this.timepointChoice.value));
    this.sourceChoice.addEventListener("change", () => this.tell("source", this.sourceChoice.value));
    this.slider.addEventListener("input", () => this.scrollTo(Number(this.slider.value)));
    this.element.addEventListener("focusin", () => this.tell("active"));
    this.resizing = new ResizeObserver(() => this.draw());
    this.resizing.observe(this.stage);
    this.pointer = new Pointer(this);
  }

  /**
   * Tell whoever listens.
   *
   * @param {string} name
   * @param {unknown} [detail]
   */
  tell(name, detail) {
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
    this.cine.stop();
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
    this.captions.say(sentence);
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
    if (this.index !== before) this.tell("scrolled");
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
    this.arriving = this.#fetch();
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
    this.say(ref.plane ? "" : `Nothing can be measured on this frame. ${ref.refused ?? "Its geometry is not known."}`);
    this.captions.note.classList.toggle("lower", !ref.plane);
    this.draw();
    this.tell("shown");
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
    if (!this.stage.clientWidth) return;
    const { frame, shown, window, isInverted } = this;
    this.picture.draw(frame && shown && { frame, window, isInverted, view: this.view });
    if (frame && shown) this.drawOverlay();
    this.#drawTexts();
  }

  /** Draw what lies over the image. */
  drawOverlay() {
    const ref = this.shown;
    if (!ref) return;
    this.captions.tellCross(this.cross);
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
    const count = source.stack.frames.length;
    this.captions.tellSlice(ref, this.index, count);
    this.captions.tellLook(this.frame?.isColour ? "colour" : windowName(this.window), this.zoom, this.isInverted);
    setAttributes(this.picture.canvas, { "aria-label": `${source.title}, slice ${this.index + 1} of ${count}` });
  }

  // ---- how it is shown ----

  /** @param {Window} window */
  setWindow(window) {
    this.window = window;
    this.hasOwnWindow = true;
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
    this.draw();
  }

  /** Show the slice after this one, the first after the last; wait for a frame rather than skip it. */
  #playOn() {
    if (this.shown?.key === this.ref?.key) this.scrollTo((this.index + 1) % (this.source?.stack.frames.length ?? 1));
  }

  close() {
    this.cine.stop();
    this.turn += 1;
    this.resizing.disconnect();
  }
}
