// The viewports: how many, what each shows, and how they scroll together.

import { fill, h } from "../components/element.js";
import { linkedIndex } from "../geometry/link.js";
import { firstChoice } from "../image/source.js";
import { Viewport } from "../viewport/viewport.js";
import { marksOn, sliceOf } from "./lesion_marks.js";
import { dayName, timepointName } from "./words.js";

/** @typedef {import("../drawing/session.js").DrawingSession | import("../drawing/seed_session.js").SeedSession} DrawingSession */
/** @typedef {import("../image/source.js").ImageSource} ImageSource */
/** @typedef {import("../viewport/viewport.js").Tool} Tool */
/** @typedef {import("./read_model.js").ReadModel} ReadModel */
/** @typedef {import("./timepoint_images.js").ImageLibrary} ImageLibrary */

/** @typedef {"1x1" | "1x2" | "1x3" | "2x2"} Layout */

export const LAYOUTS = /** @type {[Layout, string][]} */ ([
  ["1x1", "1 × 1"], ["1x2", "1 × 2"], ["1x3", "1 × 3"], ["2x2", "2 × 2"],
]);
const COUNTS = { "1x1": 1, "1x2": 2, "1x3": 3, "2x2": 4 };
const NAMES = ["First", "Second", "Third", "Fourth"];
const WIDE = 1900;

/** Tells `active` when another viewport is, `handle` when a point was moved, and `misplaced`. */
export class ViewportGrid extends EventTarget {
  /**
   * @param {ReadModel} model
   * @param {ImageLibrary} library
   * @param {string} [purpose] What the layout is remembered for.
   */
  constructor(model, library, purpose = model.isBaseline ? "baseline" : "follow-up") {
    super();
    this.purpose = purpose;
    this.model = model;
    this.library = library;
    this.store = library.store;
    /** @type {Tool} */
    this.tool = "window";
    /** @type {DrawingSession | null} */
    this.session = null;
    /** @type {import("./lesion_marks.js").Moving | null} */
    this.moving = null;
    /** What is suggested on a frame of the timepoint that is read. @type {(frame: import("../geometry/stack.js").FrameRef) => import("./suggestions.js").Suggested[]} */
    this.suggestedOn = () => [];
    this.isLinked = true;
    /** @type {Viewport[]} */
    this.viewports = [];
    /** Slices that belong together, one for each viewport. @type {Map<Viewport, number>} */
    this.anchors = new Map();
    /** Of the series that was measured on last time. @type {string | null} */
    this.likeness = null;
    this.element = h("div", { class: "grid" });
    /** @type {Layout} */
    this.layout = this.#firstLayout();
    /** @type {Viewport} */
    this.active = /** @type {Viewport} */ (/** @type {unknown} */ (null));
  }

  get #key() {
    return `layout.${this.purpose}`;
  }

  /** @returns {Layout} */
  #firstLayout() {
    const kept = localStorage.getItem(this.#key);
    const known = LAYOUTS.find(([name]) => name === kept)?.[0];
    if (known) return known;
    if (!this.model.earlier.length) return "1x1";
    return innerWidth >= WIDE && this.model.earlier.length > 1 ? "1x3" : "1x2";
  }

  /** Timepoints from left to right: the baseline, those between, this one. */
  get #timepoints() {
    const { read, earlier } = this.model;
    return [...earlier, read].map((each) => ({
      id: each.timepoint_id,
      title: `${each.timepoint_id === read.timepoint_id ? "Now" : timepointName(each.number)} · ${dayName(each.imaged_on)}`,
    }));
  }

  /**
   * Which timepoint each viewport shows at first: the one read now is always the last.
   *
   * @param {number} count
   */
  #hanging(count) {
    const ids = this.#timepoints.map((each) => each.id);
    const now = /** @type {string} */ (ids.at(-1));
    if (count === 1) return [now];
    const prior = ids.at(-2) ?? now;
    if (count === 2) return [prior, now];
    const baseline = ids.length > 2 ? ids[0] : undefined;
    if (count === 3) return baseline ? [baseline, prior, now] : [prior, now, now];
    return baseline ? [baseline, prior, now, now] : [prior, now, prior, now];
  }

  /** @param {Layout} layout */
  async setLayout(layout) {
    this.layout = layout;
    localStorage.setItem(this.#key, layout);
    await this.hang();
  }

  /** Put up the viewports of the layout. */
  async hang() {
    for (const viewport of this.viewports) viewport.close();
    const hanging = this.#hanging(COUNTS[this.layout]);
    this.element.dataset["layout"] = this.layout;
    this.viewports = hanging.map((_, place) => this.#viewport(place));
    this.active = /** @type {Viewport} */ (this.viewports.at(-1));
    this.viewports.forEach((each, place) => this.#offer(each, hanging[place] ?? ""));
    fill(this.element, ...this.viewports.map((each) => each.element));
    void this.library.of(this.model.read.timepoint_id).catch(() => undefined); // begins while the other is awaited
    this.likeness ??= await this.#lastLikeness().catch(() => null);
    // the one that is read now comes first, so that its first image is asked for first
    const order = [...this.viewports.keys()].reverse();
    const ready = order.map((place) => this.#hangOne(/** @type {Viewport} */ (this.viewports[place]), hanging[place] ?? "", null));
    const hung = Promise.all(ready).then(() => {
      this.makeActive(this.active);
      this.goToLesion();
    });
    this.store.waitFor(hung.then(() => this.shown()));
    await hung;
  }

  /** Wait until every viewport shows its image, or says why not. */
  async shown() {
    await Promise.all(this.viewports.map((each) => each.arriving));
  }

  /** @param {number} place */
  #viewport(place) {
    /** @type {Viewport} */
    const viewport = new Viewport(
      {
        store: this.store,
        tool: () => this.tool,
        session: () => (this.session && viewport.timepointId === this.model.read.timepoint_id ? this.session : null),
        marks: (asking, frame) => marksOn(this.model, asking.timepointId, frame, this.moving),
        suggested: (asking, frame) => (asking.timepointId === this.model.read.timepoint_id ? this.suggestedOn(frame) : []),
      },
      `${NAMES[place]} viewport`,
    );
    viewport.addEventListener("active", () => this.makeActive(viewport));
    viewport.addEventListener("scrolled", () => this.#follow(viewport));
    viewport.addEventListener("misplaced", () => this.dispatchEvent(new Event("misplaced")));
    viewport.addEventListener("handle", (event) => {
      this.dispatchEvent(new CustomEvent("handle", { detail: /** @type {CustomEvent} */ (event).detail }));
    });
    viewport.addEventListener("timepoint", (event) => {
      const { detail } = /** @type {CustomEvent} */ (event);
      void this.#hangOne(viewport, detail, viewport.source?.likeness ?? null).then(() => this.#anchor());
    });
    viewport.addEventListener("source", (event) => void this.#changeSource(viewport, /** @type {CustomEvent} */ (event).detail));
    return viewport;
  }

  /**
   * @param {Viewport} viewport
   * @param {string} timepointId
   */
  #offer(viewport, timepointId) {
    viewport.offerTimepoints(this.#timepoints.map((each) => [each.id, each.title]), timepointId);
    viewport.say("Loading …");
  }

  /**
   * @param {Viewport} viewport
   * @param {string} timepointId
   * @param {string | null} likeness
   */
  async #hangOne(viewport, timepointId, likeness) {
    this.#offer(viewport, timepointId);
    try {
      const { sources } = await this.library.of(timepointId);
      if (viewport.timepointId !== timepointId) return;
      viewport.offerSources(sources);
      viewport.show(this.#choose(viewport, sources, likeness));
    } catch (error) {
      viewport.say(error instanceof Error ? error.message : String(error));
    }
  }

  /**
   * What to show first: the like of what the reader measured on last time; beside it, of the same timepoint, its
   * subtraction.
   *
   * @param {Viewport} viewport
   * @param {ImageSource[]} sources
   * @param {string | null} likeness
   */
  #choose(viewport, sources, likeness) {
    const chosen = firstChoice(sources, likeness ?? this.likeness);
    const before = this.viewports.slice(0, this.viewports.indexOf(viewport));
    const isSecond = likeness === null && before.some((each) => each.timepointId === viewport.timepointId);
    if (!isSecond || !chosen) return chosen;
    return sources.find((each) => each.minus && each.dynamic === chosen.dynamic) ?? sources.find((each) => each.key !== chosen.key) ?? chosen;
  }

  /** Return the likeness of the series that the reader measured on last time. */
  async #lastLikeness() {
    for (const read of [...this.model.earlier].reverse()) {
      const axis = read.lesions.flatMap((lesion) => lesion.axes)[0];
      if (!axis) continue;
      const { sources } = await this.library.of(read.timepoint_id);
      const isOn = (/** @type {ImageSource} */ source) => source.stack.frames.some((each) => each.series === axis.series_instance_uid);
      return sources.find((each) => !each.minus && isOn(each))?.likeness ?? null;
    }
    return null;
  }

  /**
   * Show another series, at the same place of the patient.
   *
   * @param {Viewport} viewport
   * @param {string} key
   */
  async #changeSource(viewport, key) {
    const { sources } = await this.library.of(viewport.timepointId);
    const wanted = sources.find((each) => each.key === key);
    if (wanted) this.showSource(viewport, wanted);
  }

  /**
   * @param {Viewport} viewport
   * @param {ImageSource} source
   */
  showSource(viewport, source) {
    const before = viewport.source;
    const index = before ? linkedIndex(before.stack, viewport.index, source.stack, null) : null;
    viewport.show(source, index ?? undefined);
    this.#anchor();
  }

  /** @param {Viewport} viewport */
  makeActive(viewport) {
    const isOther = this.active !== viewport;
    this.active = viewport;
    for (const each of this.viewports) each.element.classList.toggle("is-active", each === viewport);
    if (isOther) this.dispatchEvent(new Event("active"));
  }

  /** The viewport in which the reader draws: the active one, or the first that shows this timepoint. */
  get drawable() {
    const isNow = (/** @type {Viewport} */ each) => each.timepointId === this.model.read.timepoint_id;
    return isNow(this.active) ? this.active : (this.viewports.find(isNow) ?? null);
  }

  /** @param {boolean} isLinked */
  link(isLinked) {
    this.isLinked = isLinked;
    if (isLinked) this.#anchor();
  }

  /** Remember the slices as they stand as belonging together. */
  #anchor() {
    this.anchors = new Map(this.viewports.map((each) => [each, each.index]));
  }

  /**
   * Let the others follow a viewport.
   *
   * @param {Viewport} leader
   */
  #follow(leader) {
    if (!this.isLinked || !leader.source) return;
    for (const each of this.viewports) {
      if (each === leader || !each.source) continue;
      const from = this.anchors.get(leader);
      const to = this.anchors.get(each);
      const anchor = from === undefined || to === undefined ? null : { from, to };
      const index = linkedIndex(leader.source.stack, leader.index, each.source.stack, anchor);
      if (index !== null && index !== each.index) each.goTo(index);
    }
  }

  /** Show the selected lesion in every viewport, and link the viewports there. */
  goToLesion() {
    const lesionId = this.model.selected;
    if (lesionId) {
      for (const each of this.viewports) {
        if (!each.source) continue;
        const found = sliceOf(this.model, lesionId, each.timepointId, each.source, (axis) => this.library.frameOf(axis));
        if (found) each.goTo(found.index);
      }
    }
    this.#anchor();
  }

  /** Draw what lies over the images anew. */
  drawOverlays() {
    for (const each of this.viewports) each.drawOverlay();
  }

  close() {
    for (const each of this.viewports) each.close();
  }
}
