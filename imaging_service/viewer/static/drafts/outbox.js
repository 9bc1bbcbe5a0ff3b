// Changes on their way to the service: in order, each once, never over somebody else's.

import { ProblemError, UnreachableError, send } from "../api/client.js";
import { boxesOf, dropBox, keepBox } from "./database.js";
import { hold, windowId } from "./window_id.js";

/** @typedef {import("./database.js").Box} Box */
/** @typedef {import("./database.js").Change} Change */
/** @typedef {import("../reading/entry.js").LesionBody} LesionBody */
/** @typedef {import("../api/types.js").LesionAnswer} LesionAnswer */

const CONFLICTS = new Set(["changed_meanwhile", "version_wanted"]);
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15_000;

/**
 * @typedef {object} Listener
 * @property {(lesionId: string, answer: LesionAnswer | null) => void} saved
 * @property {(lesionId: string, sentence: string) => void} refused
 * @property {(lesionId: string) => void} conflicted
 * @property {() => void} moved Something about what is unsaved has changed.
 * @property {(error: unknown) => void} failed
 */

export class Outbox {
  /**
   * @param {Box} box
   * @param {string} readId
   * @param {Listener} listener
   */
  constructor(box, readId, listener) {
    this.box = box;
    this.readId = readId;
    this.listener = listener;
    /** Lesions whose conflict the reader has not decided. @type {Set<string>} */
    this.conflicts = new Set();
    this.isUnreachable = false;
    this.isSending = false;
    this.wait = FIRST_WAIT_MS;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.kept = Promise.resolve();
    this.isClosed = false;
    this.online = () => this.#hurry();
    addEventListener("online", this.online);
  }

  /**
   * Open the box of this window for a read, with what windows that have gone left behind.
   *
   * @param {string} accountId
   * @param {string} readId
   * @param {Listener} listener
   */
  static async open(accountId, readId, listener) {
    const stem = `${accountId}/${readId}/`;
    const id = stem + (await windowId());
    /** @type {Box} */
    let mine = { id, changes: [], versions: {}, unfinished: {}, refused: {} };
    for (const box of await boxesOf(stem)) {
      if (box.id === id) mine = merged(mine, { ...box, id });
      else if (await hold(box.id.slice(stem.length))) {
        mine = merged(mine, box);
        await keepBox(mine);
        await dropBox(box.id);
      }
    }
    return new Outbox(mine, readId, listener);
  }

  /** How many changes are not saved. */
  get count() {
    return this.box.changes.length;
  }

  /**
   * Know the version of a lesion that this window shows; a lesion with unsaved changes keeps the one they began from.
   *
   * @param {string} lesionId
   * @param {number | null} version
   */
  saw(lesionId, version) {
    if (this.changeOf(lesionId)) return;
    if (version === null) delete this.box.versions[lesionId];
    else this.box.versions[lesionId] = version;
  }

  /**
   * Return the newest unsaved change of a lesion.
   *
   * @param {string} lesionId
   */
  changeOf(lesionId) {
    return this.box.changes.findLast((each) => each.lesion_id === lesionId);
  }

  /**
   * Put a change in; one of the same lesion that was never tried is replaced.
   *
   * @param {string} lesionId
   * @param {LesionBody | null} body
   */
  put(lesionId, body) {
    const last = this.changeOf(lesionId);
    if (last && !last.wasTried) this.box.changes.splice(this.box.changes.indexOf(last), 1);
    this.box.changes.push({ key: crypto.randomUUID(), lesion_id: lesionId, body, wasTried: false });
    delete this.box.unfinished[lesionId];
    delete this.box.refused[lesionId];
    this.#keep();
    void this.flush();
  }

  /**
   * Keep what cannot be sent yet.
   *
   * @param {string} lesionId
   * @param {LesionBody} body
   */
  keepUnfinished(lesionId, body) {
    this.box.unfinished[lesionId] = body;
    this.#keep();
  }

  /**
   * Forget everything unsaved about a lesion.
   *
   * @param {string} lesionId
   */
  forget(lesionId) {
    this.box.changes = this.box.changes.filter((each) => each.lesion_id !== lesionId);
    delete this.box.unfinished[lesionId];
    delete this.box.refused[lesionId];
    this.conflicts.delete(lesionId);
    this.#keep();
  }

  /**
   * Decide a conflict for this window's own change: it replaces the version that is there now.
   *
   * @param {string} lesionId
   * @param {number | null} version
   */
  insist(lesionId, version) {
    const change = this.changeOf(lesionId);
    this.conflicts.delete(lesionId);
    if (!change) return;
    const { body } = change;
    this.box.changes = this.box.changes.filter((each) => each.lesion_id !== lesionId);
    this.saw(lesionId, version);
    this.put(lesionId, body);
  }

  /** Send everything that can be sent, one after the other. */
  async flush() {
    if (this.isSending || this.isClosed) return;
    this.isSending = true;
    clearTimeout(this.timer);
    try {
      for (let change = this.#next(); change && !this.isClosed; change = this.#next()) await this.#deliver(change);
      this.isUnreachable = false;
      this.wait = FIRST_WAIT_MS;
    } catch (error) {
      if (!(error instanceof UnreachableError)) this.listener.failed(error);
      this.isUnreachable = true;
      this.timer = setTimeout(() => void this.flush(), this.wait);
      this.wait = Math.min(LONGEST_WAIT_MS, this.wait * 2);
    } finally {
      this.isSending = false;
      this.listener.moved();
    }
  }

  /** Wait until everything is on the disk, and close. */
  async close() {
    this.isClosed = true;
    clearTimeout(this.timer);
    removeEventListener("online", this.online);
    await this.kept;
  }

  #hurry() {
    this.wait = FIRST_WAIT_MS;
    void this.flush();
  }

  #next() {
    return this.box.changes.find((each) => !this.conflicts.has(each.lesion_id));
  }

  /** @param {Change} change */
  async #deliver(change) {
    if (!change.wasTried) {
      change.wasTried = true;
      this.#keep();
    }
    await this.kept;
    try {
      this.#delivered(change, await this.#send(change));
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      if (error.status >= 500) throw new UnreachableError(error.message);
      this.#refused(change, error);
    }
  }

  /**
   * @param {Change} change
   * @returns {Promise<LesionAnswer | null>}
   */
  async #send({ key, lesion_id, body }) {
    const version = this.box.versions[lesion_id];
    /** @type {Record<string, string>} */
    const headers = { "Idempotency-Key": key };
    if (version !== undefined) headers["If-Match"] = `"${version}"`;
    const path = `/reads/${this.readId}/lesions/${lesion_id}`;
    const answer = body === null ? await send("DELETE", path, { headers }) : await send("PUT", path, { headers, body });
    return answer.status === 204 ? null : answer.json();
  }

  /**
   * @param {Change} change
   * @param {LesionAnswer | null} answer
   */
  #delivered(change, answer) {
    this.box.changes = this.box.changes.filter((each) => each.key !== change.key);
    if (answer) this.box.versions[change.lesion_id] = answer.version;
    else delete this.box.versions[change.lesion_id];
    this.#keep();
    this.listener.saved(change.lesion_id, answer);
  }

  /**
   * @param {Change} change
   * @param {ProblemError} error
   */
  #refused(change, error) {
    if (CONFLICTS.has(error.code)) {
      this.conflicts.add(change.lesion_id);
      this.listener.conflicted(change.lesion_id);
      return;
    }
    this.box.changes = this.box.changes.filter((each) => each.key !== change.key);
    if (!this.changeOf(change.lesion_id)) {
      this.box.refused[change.lesion_id] = { body: change.body, sentence: error.message };
    }
    this.#keep();
    this.listener.refused(change.lesion_id, error.message);
  }

  #keep() {
    const box = structuredClone(this.box);
    const isEmpty = !box.changes.length && !Object.keys(box.unfinished).length && !Object.keys(box.refused).length;
    this.kept = this.kept
      .then(() => (isEmpty ? dropBox(box.id) : keepBox(box)))
      .catch((error) => this.listener.failed(error));
    this.listener.moved();
  }
}

/**
 * @param {Box} mine
 * @param {Box} other
 * @returns {Box}
 */
function merged(mine, other) {
  return {
    id: mine.id,
    changes: [...mine.changes, ...other.changes],
    versions: { ...mine.versions, ...other.versions },
    unfinished: { ...mine.unfinished, ...other.unfinished },
    refused: { ...mine.refused, ...other.refused },
  };
}
