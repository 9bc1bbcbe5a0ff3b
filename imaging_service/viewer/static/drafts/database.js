// What is not saved yet, kept by the browser on its disk: it outlives a reload, a crash and a lost network.

const NAME = "imaging-service";
const BOXES = "boxes";

/** @type {Promise<IDBDatabase> | null} */
let opened = null;

function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(BOXES, { keyPath: "id" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

/**
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest} work
 * @returns {Promise<any>}
 */
async function inStore(mode, work) {
  const transaction = (await database()).transaction(BOXES, mode, { durability: "strict" });
  const request = work(transaction.objectStore(BOXES));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}

/**
 * A box of changes that one window has not yet got saved.
 *
 * @typedef {object} Box
 * @property {string} id `account/read/window`
 * @property {Change[]} changes In the order in which they were made.
 * @property {Record<string, number>} versions Version of each lesion that this window has seen.
 * @property {Record<string, LesionBody>} unfinished What cannot be sent yet: a node without its short axis.
 * @property {Record<string, { body: LesionBody | null, sentence: string }>} refused What the service refused, and why.
 */

/**
 * @typedef {object} Change
 * @property {string} key Idempotency-Key: sent again, the change happens once.
 * @property {string} lesion_id
 * @property {LesionBody | null} body Null takes the lesion out.
 * @property {boolean} wasTried
 */

/** @typedef {import("../reading/entry.js").LesionBody} LesionBody */

/** @param {Box} box */
export function keepBox(box) {
  return inStore("readwrite", (store) => store.put(box));
}

/** @param {string} id */
export function dropBox(id) {
  return inStore("readwrite", (store) => store.delete(id));
}

/**
 * Return every box of an account and a read.
 *
 * @param {string} stem `account/read/`
 * @returns {Promise<Box[]>}
 */
export function boxesOf(stem) {
  return inStore("readonly", (store) => store.getAll(IDBKeyRange.bound(stem, `${stem}\uffff`)));
}
