// Frames by DICOMweb (WADO-RS): fetched once, decoded, kept while there is room.

import { get, send } from "../api/client.js";
import { BoundedCache } from "./cache.js";
import { decode } from "./frame.js";
import { describe, lean } from "./header.js";
import { firstPart } from "./multipart.js";
import { RequestQueue } from "./queue.js";

/** @typedef {import("../geometry/stack.js").FrameRef} FrameRef */
/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("./header.js").DicomJson} DicomJson */

const NATIVE = 'multipart/related; type="application/octet-stream"; transfer-syntax=1.2.840.10008.1.2.1';
const AHEAD = 100;
/** Share of the memory that one prefetch may fill, so that it does not drive out what is looked at. */
const SHARE = 0.6;

export class FrameStore {
  /** @param {number} limit Bytes of decoded frames in memory. */
  constructor(limit = 384 * 2 ** 20) {
    /** @type {BoundedCache<Frame>} */
    this.frames = new BoundedCache(limit);
    this.queue = new RequestQueue();
    /** While the first images are awaited, nothing else is asked for. @type {Promise<void> | null} */
    this.first = null;
    /** @type {Map<string, Promise<DicomJson>>} */
    this.headers = new Map();
    /** @type {Map<string, Promise<void>>} */
    this.wholeSeries = new Map();
    /** @type {Map<string, Promise<Frame>>} */
    this.coming = new Map();
    /** @type {Map<string, { resolve: (frame: Frame) => void, reject: (error: unknown) => void }>} */
    this.promised = new Map();
  }

  /**
   * Ask for nothing that may be looked at later until what is looked at first is there.
   *
   * @param {Promise<unknown>} first
   */
  waitFor(first) {
    const mine = first.then(
      () => undefined,
      () => undefined,
    );
    this.first = mine;
    this.queue.holdBack(AHEAD);
    void mine.then(() => {
      if (this.first !== mine) return;
      this.first = null;
      this.queue.holdBack(Infinity);
    });
  }

  /**
   * Return a frame that is in memory.
   *
   * @param {FrameRef} ref
   */
  peek(ref) {
    return this.frames.get(ref.key);
  }

  /**
   * Return a frame, fetched when it is not in memory.
   *
   * @param {FrameRef} ref
   * @param {number} [urgency] The smallest goes first; 0 is looked at now.
   * @returns {Promise<Frame>}
   */
  frame(ref, urgency = 0) {
    const known = this.frames.get(ref.key);
    if (known) return Promise.resolve(known);
    let coming = this.coming.get(ref.key);
    if (!coming) {
      coming = new Promise((resolve, reject) => this.promised.set(ref.key, { resolve, reject }));
      coming.catch(() => undefined); // whoever waits is told; nobody may wait
      this.coming.set(ref.key, coming);
    }
    if (this.promised.has(ref.key)) this.queue.add({ key: ref.key, urgency, run: () => this.#fetch(ref) });
    return coming;
  }

  /**
   * Fetch the frames around a place, the nearest first and those in the direction of scrolling before the others.
   *
   * @param {FrameRef[]} frames
   * @param {number} index
   * @param {number} direction 1 or -1
   */
  prefetch(frames, index, direction) {
    const size = (frames[index]?.rows ?? 512) * (frames[index]?.columns ?? 512) * 2;
    const room = Math.max(4, Math.floor((this.frames.limit * SHARE) / size));
    const here = new Set(frames.map((each) => each.key));
    this.queue.drop((waiting) => here.has(waiting.key) && waiting.urgency >= AHEAD && this.#forget(waiting.key));
    let wanted = 0;
    for (let distance = 1; distance < frames.length && wanted < room; distance += 1) {
      for (const sense of [direction, -direction]) {
        const ref = frames[index + sense * distance];
        if (!ref || this.frames.has(ref.key)) continue;
        wanted += 1;
        void this.frame(ref, AHEAD + distance * (sense === direction ? 1 : 2)).catch(() => undefined);
      }
    }
  }

  /** @param {string} key */
  #forget(key) {
    this.coming.delete(key);
    this.promised.delete(key);
    return true;
  }

  /** @param {FrameRef} ref */
  async #fetch(ref) {
    const promised = this.promised.get(ref.key);
    this.promised.delete(ref.key);
    try {
      const [header, bytes] = await Promise.all([this.#header(ref), fetchFrame(ref)]);
      const frame = decode(bytes, describe(header, ref.frame));
      this.frames.set(ref.key, frame, frame.bytes);
      promised?.resolve(frame);
    } catch (error) {
      promised?.reject(error);
    } finally {
      this.coming.delete(ref.key);
    }
  }

  /**
   * Return an instance's header. The first one of a series is asked for alone, as it is waited for; then all at once.
   *
   * @param {FrameRef} ref
   * @returns {Promise<DicomJson>}
   */
  async #header(ref) {
    const whole = this.wholeSeries.get(ref.series);
    if (whole && !this.first && !this.headers.has(ref.instance)) await whole;
    const known = this.headers.get(ref.instance);
    if (known) return known;
    const alone = get(`${seriesPath(ref)}/instances/${ref.instance}/metadata`, DICOM_JSON).then((found) => found[0]);
    alone.catch(() => this.headers.delete(ref.instance));
    this.headers.set(ref.instance, alone);
    if (!whole && !ref.isAlone) this.wholeSeries.set(ref.series, alone.then(() => this.first).then(() => this.#fetchHeaders(ref)).catch(() => undefined));
    return alone;
  }

  /** @param {FrameRef} ref */
  async #fetchHeaders(ref) {
    const found = await get(`${seriesPath(ref)}/metadata`, DICOM_JSON);
    for (const header of found) this.headers.set(header["00080018"]?.Value?.[0], Promise.resolve(lean(header)));
  }
}

const DICOM_JSON = { headers: { Accept: "application/dicom+json" } };

/** @param {FrameRef} ref */
function seriesPath(ref) {
  return `/dicomweb/studies/${ref.study}/series/${ref.series}`;
}

/** @param {FrameRef} ref */
async function fetchFrame(ref) {
  const path = `${seriesPath(ref)}/instances/${ref.instance}/frames/${ref.frame}`;
  const answer = await send("GET", path, { headers: { Accept: NATIVE } });
  return firstPart(await answer.arrayBuffer(), answer.headers.get("Content-Type") ?? "");
}
