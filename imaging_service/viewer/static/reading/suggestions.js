// What the machine suggests in a read: an outline where the reader points, and where known lesions are expected.
// Nothing of it is a measurement until the reader takes it over.

import { get, write } from "../api/client.js";

/** @typedef {import("../api/types.js").Pixel} Pixel */
/** @typedef {import("../geometry/calipers.js").Line} Line */
/** @typedef {import("../geometry/stack.js").FrameRef} FrameRef */

/**
 * @typedef {object} Proposal
 * @property {string} proposal_id
 * @property {string} lesion_id
 * @property {string} sop_instance_uid
 * @property {number} frame
 * @property {Pixel[]} outline
 * @property {Line} long_axis
 * @property {Line} short_axis
 * @property {number} long_mm
 * @property {number} short_mm
 * @property {"confident" | "doubtful"} confidence
 * @property {string[]} doubts
 */

/** @typedef {{ lesion_id: string, sop_instance_uid: string | null, frame: number | null, point: Pixel | null, confidence: "confident" | "doubtful" | null, doubts: string[] }} Place */
/** @typedef {{ points: Pixel[], isClosed: boolean, label: string, isDoubtful: boolean }} Suggested A line over an image; a single point is a ring. */

const PAUSE_MS = 2000;
const ATTEMPTS = 60;

/** Tells `changed`. */
export class Suggestions extends EventTarget {
  /** @param {string} readId */
  constructor(readId) {
    super();
    this.readId = readId;
    /** @type {Proposal | null} */
    this.proposal = null;
    this.isAsking = false;
    /** @type {Map<string, Place>} */
    this.places = new Map();
    this.isClosed = false;
  }

  /**
   * Ask for an outline.
   *
   * @param {string} lesionId
   * @param {FrameRef} frame
   * @param {Pixel[]} points One inside the lesion, or two corners of a box.
   * @param {FrameRef | null} minus What is subtracted from the frame on the screen.
   */
  async ask(lesionId, frame, points, minus) {
    this.isAsking = true;
    this.#tell();
    const named = (/** @type {FrameRef} */ each) => ({ sop_instance_uid: each.instance, frame: each.frame });
    try {
      this.proposal = await write("POST", `/reads/${this.readId}/proposals`, {
        body: { lesion_id: lesionId, ...named(frame), points, ...(minus && { subtract: named(minus) }) },
      });
    } finally {
      this.isAsking = false;
      this.#tell();
    }
    return /** @type {Proposal} */ (this.proposal);
  }

  /** Put the proposal away: it is taken over, or replaced by the reader's own lines. */
  clear() {
    this.proposal = null;
    this.#tell();
  }

  /** Say that nothing of the proposal is wanted. */
  async reject() {
    const { proposal } = this;
    if (!proposal) return;
    this.clear();
    await write("POST", `/reads/${this.readId}/proposals/${proposal.proposal_id}/rejection`);
  }

  /** Have it computed where known lesions are expected, and wait for it. */
  async findPlaces() {
    let answer = await write("POST", `/reads/${this.readId}/expected-places`);
    for (let turn = 0; turn < ATTEMPTS && answer.state === "computing" && !this.isClosed; turn += 1) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      if (!this.isClosed) answer = await get(`/reads/${this.readId}/expected-places`);
    }
    for (const place of /** @type {Place[]} */ (answer.places)) this.places.set(place.lesion_id, place);
    this.#tell();
  }

  /**
   * Return what is to be drawn over a frame.
   *
   * @param {FrameRef} frame
   * @param {string | null} lesionId The chosen lesion.
   * @param {boolean} isDrawn Whether it is measured already.
   * @returns {Suggested[]}
   */
  on(frame, lesionId, isDrawn) {
    const { proposal } = this;
    const place = lesionId && !isDrawn ? this.places.get(lesionId) : null;
    /** @type {Suggested[]} */
    const found = [];
    if (proposal && proposal.sop_instance_uid === frame.instance && proposal.frame === frame.frame) {
      const isDoubtful = proposal.confidence === "doubtful";
      found.push({ points: proposal.outline, isClosed: true, isDoubtful, label: `proposed ${proposal.long_mm.toFixed(1)} × ${proposal.short_mm.toFixed(1)} mm` });
      for (const line of [proposal.long_axis, proposal.short_axis]) found.push({ points: line, isClosed: false, isDoubtful, label: "" });
    }
    if (place?.point && place.sop_instance_uid === frame.instance && place.frame === frame.frame) {
      const isDoubtful = place.confidence !== "confident";
      found.push({ points: [place.point], isClosed: false, isDoubtful, label: `${lesionId} expected${isDoubtful ? "?" : ""}` });
    }
    return found;
  }

  close() {
    this.isClosed = true;
  }

  #tell() {
    this.dispatchEvent(new Event("changed"));
  }
}
