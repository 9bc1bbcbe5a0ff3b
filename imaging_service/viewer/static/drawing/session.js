// Drawing a lesion: the long axis, then the short one, each by its two ends. Nothing is drawn for the reader.

/** @typedef {import("../api/types.js").Pixel} Pixel */
/** @typedef {import("../geometry/calipers.js").Line} Line */
/** @typedef {import("../geometry/stack.js").FrameRef} FrameRef */
/** @typedef {"long" | "short"} AxisName */

/** Tells `moved` when something is to be drawn anew, `axis` when an axis is whole, `ended` when all are. */
export class DrawingSession extends EventTarget {
  /**
   * @param {object} task
   * @param {string} task.lesionId
   * @param {number} task.fragment 0 for the whole lesion.
   * @param {AxisName[]} task.axes In the order in which they are drawn.
   * @param {FrameRef | null} [task.frame] The only frame that may be drawn on.
   */
  constructor({ lesionId, fragment, axes, frame = null }) {
    super();
    this.lesionId = lesionId;
    this.fragment = fragment;
    this.axes = axes;
    this.frame = frame;
    /** @type {Partial<Record<AxisName, Line>>} */
    this.drawn = {};
    /** @type {Pixel | null} */
    this.start = null;
    /** @type {Pixel | null} */
    this.cursor = null;
    this.isEnded = false;
  }

  /** Which axis is being drawn. */
  get current() {
    return this.axes.find((name) => !this.drawn[name]) ?? null;
  }

  /** The line that would be drawn if the cursor were its end. */
  get rubberBand() {
    return this.start && this.cursor ? /** @type {Line} */ ([this.start, this.cursor]) : null;
  }

  /**
   * Whether a frame may be drawn on: the first point binds all others to its frame.
   *
   * @param {FrameRef} frame
   */
  takes(frame) {
    return frame.plane !== null && (this.frame === null || this.frame.key === frame.key);
  }

  /** @param {Pixel} pixel */
  moveTo(pixel) {
    this.cursor = pixel;
    this.dispatchEvent(new Event("moved"));
  }

  /**
   * Set a point; an axis of no length is not taken.
   *
   * @param {FrameRef} frame
   * @param {Pixel} pixel
   */
  setPoint(frame, pixel) {
    const name = this.current;
    if (!name || !this.takes(frame)) return;
    this.frame = frame;
    this.cursor = pixel;
    if (!this.start) {
      this.start = pixel;
      this.dispatchEvent(new Event("moved"));
      return;
    }
    if (this.start[0] === pixel[0] && this.start[1] === pixel[1]) return;
    this.drawn[name] = [this.start, pixel];
    this.start = null;
    this.dispatchEvent(new CustomEvent("axis", { detail: name }));
    if (this.current === null) this.end();
    else this.dispatchEvent(new Event("moved"));
  }

  /** Take back the first point of an axis. */
  takeBack() {
    this.start = null;
    this.dispatchEvent(new Event("moved"));
  }

  end() {
    if (this.isEnded) return;
    this.isEnded = true;
    this.dispatchEvent(new Event("ended"));
  }
}
