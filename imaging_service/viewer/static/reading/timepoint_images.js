// The images of the timepoints that are open to the reader, each fetched when it is first wanted.

import { get } from "../api/client.js";
import { firstChoice, sourcesOf } from "../image/source.js";
import { FrameStore } from "../image/store.js";

/** @typedef {import("../api/types.js").ImagesAnswer} ImagesAnswer */
/** @typedef {import("../geometry/stack.js").FrameRef} FrameRef */
/** @typedef {import("../image/source.js").ImageSource} ImageSource */

/** @typedef {{ readingId: string, sources: ImageSource[] }} TimepointImages */

export class ImageLibrary {
  constructor() {
    this.store = new FrameStore();
    /** @type {Map<string, Promise<TimepointImages>>} */
    this.timepoints = new Map();
    /** @type {Map<string, FrameRef>} */
    this.frames = new Map();
  }

  /**
   * @param {string} timepointId
   * @returns {Promise<TimepointImages>}
   */
  of(timepointId) {
    let found = this.timepoints.get(timepointId);
    if (!found) {
      found = this.#fetch(timepointId);
      found.catch(() => this.timepoints.delete(timepointId));
      this.timepoints.set(timepointId, found);
    }
    return found;
  }

  /** @param {string} timepointId */
  async #fetch(timepointId) {
    const images = /** @type {ImagesAnswer} */ (await get(`/timepoints/${timepointId}/series`));
    const sources = sourcesOf(images);
    for (const frame of sources.flatMap((source) => source.stack.frames)) this.frames.set(frame.key, frame);
    return { readingId: images.reading_id, sources };
  }

  /**
   * Ask for the image that will most likely be shown first, while other things are still on their way; whoever needs
   * it is told when it does not come.
   *
   * @param {string} timepointId
   */
  warm(timepointId) {
    const ask = (/** @type {TimepointImages} */ { sources }) => {
      const frames = firstChoice(sources, null)?.stack.frames ?? [];
      const first = frames[Math.floor(frames.length / 2)];
      return first && this.store.frame(first);
    };
    this.of(timepointId).then(ask).catch(() => undefined);
  }

  /**
   * Return the frame that an axis is drawn on, when its timepoint has been fetched.
   *
   * @param {{ sop_instance_uid: string, frame: number }} axis
   */
  frameOf(axis) {
    return this.frames.get(`${axis.sop_instance_uid}/${axis.frame}`) ?? null;
  }
}
