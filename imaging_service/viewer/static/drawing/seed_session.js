// Pointing at a lesion, so that an outline is proposed: one point inside it, or two corners of a rough box.

/** @typedef {import("../api/types.js").Pixel} Pixel */
/** @typedef {import("../geometry/calipers.js").Line} Line */
/** @typedef {import("../geometry/stack.js").FrameRef} FrameRef */

/** Tells `moved` when something is to be drawn anew, `pointed` when it is known where, and `ended`. */
export class SeedSession extends EventTarget {
  /**
   * @param {string} lesionId
   * @param {1 | 2} wanted How many points.
   */
  constructor(lesionId, wanted) {
    super();
    this.lesionId = lesionId;
    this.wanted = wanted;
    this.fragment = 0;
    /** @type {FrameRef | null} */
    this.frame = null;
    /** @type {Pixel | null} */
    this.start = null;
    /** @type {Pixel | null} */
    this.cursor = null;
    /** @type {Pixel[]} */
    this.points = [];
  }

  /** As a drawing has it: what is set next. */
  get current() {
    return this.points.length < this.wanted ? /** @type {const} */ ("long") : null;
  }

  get rubberBand() {
    return this.start && this.cursor ? /** @type {Line} */ ([this.start, this.cursor]) : null;
  }

  get guide() {
    const what = this.wanted === 1 ? "point into the lesion" : this.start ? "set the opposite corner of the box" : "set a corner of a rough box around the lesion";
    return `${this.lesionId}: ${what}, by the mouse or by arrows and Enter; an outline is proposed. Esc ends.`;
  }

  /** @param {FrameRef} frame */
  takes(frame) {
    return frame.plane !== null && (this.frame === null || this.frame.key === frame.key);
  }

  /** @param {Pixel} pixel */
  moveTo(pixel) {
    this.cursor = pixel;
    this.dispatchEvent(new Event("moved"));
  }

  /**
   * @param {FrameRef} frame
   * @param {Pixel} pixel
   */
  setPoint(frame, pixel) {
    if (!this.current || !this.takes(frame)) return;
    this.frame = frame;
    this.cursor = pixel;
    this.points.push(pixel);
    this.start = pixel;
    this.dispatchEvent(new Event(this.current ? "moved" : "pointed"));
    if (!this.current) this.dispatchEvent(new Event("ended"));
  }

  takeBack() {
    this.start = null;
    this.points = [];
    this.dispatchEvent(new Event("moved"));
  }
}
