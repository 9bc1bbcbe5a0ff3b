// What the windows of one read tell each other: which lesion is chosen, and that something was saved.

/**
 * @typedef {object} Heard
 * @property {(lesionId: string | null) => void} [selected]
 * @property {() => void} [changed]
 */

/**
 * Join the windows of a read.
 *
 * @param {string} readId
 * @param {Heard} heard
 */
export function joinWindows(readId, heard) {
  const channel = new BroadcastChannel(`read ${readId}`);
  channel.onmessage = ({ data }) => {
    if (data.kind === "selected") heard.selected?.(data.lesionId);
    if (data.kind === "changed") heard.changed?.();
  };
  return {
    /** @param {string | null} lesionId */
    tellSelected: (lesionId) => channel.postMessage({ kind: "selected", lesionId }),
    tellChanged: () => channel.postMessage({ kind: "changed" }),
    leave: () => channel.close(),
  };
}
