// A name for this window that a reload keeps and no other window has.

const KEY = "window";

/** @type {Promise<string> | null} */
let mine = null;

/** Return this window's name. */
export function windowId() {
  mine ??= claim(sessionStorage.getItem(KEY) ?? crypto.randomUUID());
  return mine;
}

/**
 * Hold a name as long as this window lives; a copied window has a copied name, and gets another one.
 *
 * @param {string} id
 * @returns {Promise<string>}
 */
async function claim(id) {
  if (!(await hold(id))) return claim(crypto.randomUUID());
  sessionStorage.setItem(KEY, id);
  return id;
}

/**
 * Whether a window of this name has gone, so that its box is free; this window holds the name from then on.
 *
 * @param {string} id
 * @returns {Promise<boolean>}
 */
export function hold(id) {
  if (!navigator.locks) return Promise.resolve(id === sessionStorage.getItem(KEY));
  return new Promise((resolve) => {
    void navigator.locks.request(`window ${id}`, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock ? new Promise(() => undefined) : undefined;
    });
  });
}
