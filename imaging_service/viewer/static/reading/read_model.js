// The read as this window knows it: what the service has, what is not saved yet, and how it came about.

import { get } from "../api/client.js";
import { ProblemError } from "../api/problem.js";
import { Outbox } from "../drafts/outbox.js";
import { bodyOf, isSame, lacks, roleOf } from "./entry.js";

/** @typedef {import("../api/types.js").ReadAnswer} ReadAnswer */
/** @typedef {import("../api/types.js").LesionAnswer} LesionAnswer */
/** @typedef {import("../api/types.js").Verdict} Verdict */
/** @typedef {import("./entry.js").LesionBody} LesionBody */
/** @typedef {import("./lesion_row.js").LesionRow} LesionRow */
/** @typedef {import("./lesion_row.js").Standing} Standing */

/**
 * An earlier read of the same reader and subject.
 *
 * @typedef {object} EarlierRead
 * @property {string} read_id
 * @property {string} timepoint_id
 * @property {number | null} number
 * @property {string} imaged_on
 * @property {LesionAnswer[]} lesions
 */

/** @typedef {{ lesionId: string, before: LesionBody | null, after: LesionBody | null }} Step */

const PAUSE_MS = 60;

/** Tells `changed` whenever anything that is shown may be different, `selected` when another lesion is, and `saved`. */
export class ReadModel extends EventTarget {
  /** @param {ReadAnswer} read */
  constructor(read) {
    super();
    this.read = read;
    /** @type {EarlierRead[]} */
    this.earlier = [];
    /** @type {Map<string, LesionAnswer>} */
    this.answers = new Map(read.lesions.map((each) => [each.lesion_id, each]));
    /** What this window has that the service has not. @type {Map<string, LesionBody | null>} */
    this.local = new Map();
    /** @type {Verdict | null} */
    this.verdict = null;
    /** @type {string | null} */
    this.verdictProblem = null;
    this.verdictTurn = 0;
    /** @type {string | null} */
    this.selected = null;
    /** @type {Step[]} */
    this.undoable = [];
    /** @type {Step[]} */
    this.redoable = [];
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.pause = undefined;
    /** @type {Outbox} */
    this.outbox = /** @type {Outbox} */ (/** @type {unknown} */ (null));
  }

  /**
   * Open a read with what this browser still has of it.
   *
   * @param {ReadAnswer} read
   * @param {string} accountId
   */
  static async open(read, accountId) {
    const model = new ReadModel(read);
    const opening = Outbox.open(accountId, read.read_id, {
      saved: (lesionId, answer) => model.#saved(lesionId, answer),
      refused: () => model.#tell(),
      conflicted: (lesionId) => {
        model.#tell();
        model.dispatchEvent(new CustomEvent("conflict", { detail: lesionId }));
      },
      moved: () => model.#tell(),
      failed: (error) => model.dispatchEvent(new CustomEvent("failed", { detail: error })),
    });
    [model.earlier, model.outbox] = await Promise.all([get(`/reads/${read.read_id}/earlier`), opening]);
    model.#restore();
    if (!model.isSigned) void model.outbox.flush();
    return model;
  }

  get isSigned() {
    return this.read.status === "signed";
  }

  get isBaseline() {
    return this.read.number === 0;
  }

  /** Take up what was not saved when this window, or one that has gone, was last here. */
  #restore() {
    const { box } = this.outbox;
    for (const each of this.read.lesions) this.outbox.saw(each.lesion_id, each.version);
    for (const lesionId of Object.keys(box.versions)) {
      if (!this.answers.has(lesionId)) this.outbox.saw(lesionId, null);
    }
    for (const change of box.changes) this.local.set(change.lesion_id, change.body);
    for (const [lesionId, { body }] of Object.entries(box.refused)) this.local.set(lesionId, body);
    for (const [lesionId, body] of Object.entries(box.unfinished)) this.local.set(lesionId, body);
  }

  /** How many lesions are not as the service has them. */
  get unsavedCount() {
    return new Set([...this.outbox.box.changes.map((each) => each.lesion_id), ...this.local.keys()]).size;
  }

  /**
   * Return what this window has about a lesion.
   *
   * @param {string} lesionId
   * @returns {LesionBody | null}
   */
  body(lesionId) {
    const local = this.local.get(lesionId);
    if (local !== undefined) return local;
    const answer = this.answers.get(lesionId);
    return answer ? bodyOf(answer) : null;
  }

  /** Every lesion in the order of the table: targets, non-targets, new ones. */
  rows() {
    const ids = new Set([...this.read.followed.map((each) => each.lesion_id), ...this.answers.keys(), ...this.local.keys()]);
    const order = ["target", "non_target", "new"];
    return [...ids]
      .map((id) => this.row(id))
      .filter((row) => row.isFollowed || row.body || row.answer)
      .sort((one, other) => order.indexOf(one.role) - order.indexOf(other.role) || (one.id < other.id ? -1 : 1));
  }

  /**
   * @param {string} id
   * @returns {LesionRow}
   */
  row(id) {
    const prior = this.read.followed.find((each) => each.lesion_id === id);
    const answer = this.answers.get(id) ?? null;
    const body = this.body(id);
    const isNodal = prior?.is_nodal ?? body?.is_nodal ?? answer?.is_nodal ?? false;
    const past = this.earlier.flatMap((read) => {
      const lesion = read.lesions.find((each) => each.lesion_id === id);
      return lesion ? [{ timepointId: read.timepoint_id, number: read.number, imagedOn: read.imaged_on, lesion }] : [];
    });
    const standing = this.#standing(id);
    return {
      id,
      role: roleOf(id),
      location: prior?.location ?? body?.location ?? answer?.location ?? "",
      isNodal,
      body,
      answer,
      past,
      isFollowed: prior !== undefined,
      standing,
      trouble: this.#trouble(id, standing, isNodal),
      findings: standing === "saved" ? (answer?.findings ?? []) : [],
    };
  }

  /**
   * @param {string} id
   * @returns {Standing}
   */
  #standing(id) {
    if (this.outbox.conflicts.has(id)) return "conflict";
    if (this.outbox.box.refused[id]) return "refused";
    if (this.outbox.box.unfinished[id]) return "unfinished";
    if (this.outbox.changeOf(id)) return "unsaved";
    return this.answers.has(id) ? "saved" : "empty";
  }

  /**
   * @param {string} id
   * @param {Standing} standing
   * @param {boolean} isNodal
   */
  #trouble(id, standing, isNodal) {
    if (standing === "refused") return this.outbox.box.refused[id]?.sentence ?? null;
    if (standing === "conflict") return `${id} was changed in another window. Decide which of the two counts.`;
    const body = this.outbox.box.unfinished[id];
    return standing === "unfinished" && body ? lacks(id, body, isNodal) : null;
  }

  /** @param {string | null} lesionId */
  select(lesionId) {
    this.selected = lesionId;
    this.dispatchEvent(new Event("selected"));
    this.#tell();
  }

  /**
   * Enter something about a lesion; null takes it out. It can be undone.
   *
   * @param {string} lesionId
   * @param {LesionBody | null} body
   */
  enter(lesionId, body) {
    const before = this.body(lesionId);
    if (isSame(before, body) && (before === null) === (body === null)) return;
    this.undoable.push({ lesionId, before, after: body });
    this.redoable = [];
    this.#apply(lesionId, body);
  }

  undo() {
    const step = this.undoable.pop();
    if (!step) return null;
    this.redoable.push(step);
    this.#apply(step.lesionId, step.before);
    return step.lesionId;
  }

  redo() {
    const step = this.redoable.pop();
    if (!step) return null;
    this.undoable.push(step);
    this.#apply(step.lesionId, step.after);
    return step.lesionId;
  }

  /**
   * @param {string} lesionId
   * @param {LesionBody | null} body
   */
  #apply(lesionId, body) {
    if (this.isSigned) return;
    const { isNodal } = this.row(lesionId);
    if (body && lacks(lesionId, body, body.is_nodal ?? isNodal)) {
      this.local.set(lesionId, body);
      this.outbox.keepUnfinished(lesionId, body);
    } else if (body === null && !this.answers.has(lesionId) && !this.outbox.changeOf(lesionId)) {
      this.local.delete(lesionId);
      this.outbox.forget(lesionId);
    } else {
      this.local.set(lesionId, body);
      this.outbox.put(lesionId, body);
    }
    this.#tell();
  }

  /**
   * @param {string} lesionId
   * @param {LesionAnswer | null} answer
   */
  #saved(lesionId, answer) {
    if (answer) this.answers.set(lesionId, answer);
    else this.answers.delete(lesionId);
    if (!this.outbox.changeOf(lesionId) && !this.outbox.box.unfinished[lesionId]) this.local.delete(lesionId);
    this.#tell();
    this.dispatchEvent(new Event("saved"));
    clearTimeout(this.pause);
    this.pause = setTimeout(() => void this.refresh(), PAUSE_MS);
  }

  /** Ask the service how the read stands now: its gaps, its findings, and what would follow from it. */
  async refresh() {
    try {
      const [read] = await Promise.all([get(`/reads/${this.read.read_id}`), this.#refreshVerdict()]);
      this.#take(read);
    } catch (error) {
      this.dispatchEvent(new CustomEvent("failed", { detail: error }));
    }
    this.#tell();
  }

  /** @param {ReadAnswer} read */
  #take(read) {
    if (read.version < this.read.version) return; // an answer that was overtaken on its way
    this.read = read;
    const isOpen = (/** @type {string} */ id) => this.outbox.changeOf(id) || this.local.has(id);
    const isNewer = (/** @type {string} */ id, /** @type {number} */ version) => (this.answers.get(id)?.version ?? 0) > version;
    for (const id of this.answers.keys()) {
      if (isOpen(id) || isNewer(id, read.version)) continue;
      if (!read.lesions.some((each) => each.lesion_id === id)) this.answers.delete(id);
    }
    for (const each of read.lesions) {
      if (isOpen(each.lesion_id) || isNewer(each.lesion_id, each.version)) continue;
      this.answers.set(each.lesion_id, each);
      this.outbox.saw(each.lesion_id, each.version);
    }
  }

  /** Ask for what follows from the read; the images come before it. */
  async askForVerdict() {
    try {
      await this.#refreshVerdict();
    } catch (error) {
      this.dispatchEvent(new CustomEvent("failed", { detail: error }));
    }
    this.#tell();
  }

  async #refreshVerdict() {
    const path = `/reads/${this.read.read_id}/assessment${this.isSigned ? "" : "/preview"}`;
    this.verdictTurn += 1;
    const mine = this.verdictTurn;
    try {
      const verdict = await get(path);
      if (mine !== this.verdictTurn) return; // a later question is on its way, and its answer counts
      this.verdict = verdict;
      this.verdictProblem = null;
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      if (mine !== this.verdictTurn) return;
      this.verdict = null;
      this.verdictProblem = error.message;
    }
  }

  /**
   * Ask for the lesion as another window has saved it.
   *
   * @param {string} lesionId
   * @returns {Promise<LesionAnswer | null>}
   */
  async theirs(lesionId) {
    const read = /** @type {ReadAnswer} */ (await get(`/reads/${this.read.read_id}`));
    this.read = read;
    return read.lesions.find((each) => each.lesion_id === lesionId) ?? null;
  }

  /**
   * Take the lesion as the service has it, and let go of this window's change.
   *
   * @param {string} lesionId
   * @param {LesionAnswer | null} answer
   */
  takeTheirs(lesionId, answer) {
    this.outbox.forget(lesionId);
    this.local.delete(lesionId);
    this.outbox.saw(lesionId, answer?.version ?? null);
    this.#saved(lesionId, answer);
    void this.outbox.flush();
  }

  /**
   * Put this window's change over what the service has now.
   *
   * @param {string} lesionId
   * @param {LesionAnswer | null} answer
   */
  keepMine(lesionId, answer) {
    this.outbox.insist(lesionId, answer?.version ?? null);
    this.#tell();
  }

  /**
   * Let go of what is not saved about a lesion.
   *
   * @param {string} lesionId
   */
  discard(lesionId) {
    this.outbox.forget(lesionId);
    this.local.delete(lesionId);
    this.#tell();
    void this.outbox.flush();
  }

  /** @param {ReadAnswer} read */
  async becomeSigned(read) {
    this.read = read;
    this.answers = new Map(read.lesions.map((each) => [each.lesion_id, each]));
    this.undoable = [];
    this.redoable = [];
    await this.#refreshVerdict();
    this.#tell();
  }

  /**
   * Return the name of the next lesion of a role: T01, NT02, NEW01.
   *
   * @param {import("../api/types.js").Role} role
   */
  nextName(role) {
    const stem = { target: "T", non_target: "NT", new: "NEW" }[role];
    const taken = new Set(this.rows().map((row) => row.id));
    for (let number = 1; number < 100; number += 1) {
      const name = `${stem}${String(number).padStart(2, "0")}`;
      if (!taken.has(name)) return name;
    }
    throw new Error(`There are 99 lesions named ${stem} already.`);
  }

  #tell() {
    this.dispatchEvent(new Event("changed"));
  }

  async close() {
    clearTimeout(this.pause);
    await this.outbox.close();
  }
}
