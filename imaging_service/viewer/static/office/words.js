// How the office pages say what the service's codes mean.

/** @type {Record<string, { title: string, tone: "" | "good" | "warn" | "bad" }>} */
const STATES = {
  expected: { title: "due", tone: "" },
  overdue: { title: "overdue", tone: "bad" },
  missed: { title: "missed", tone: "bad" },
  received: { title: "received", tone: "warn" },
  in_reading: { title: "in reading", tone: "warn" },
  read: { title: "read", tone: "good" },
  not_done: { title: "not done", tone: "" },
  closed: { title: "closed", tone: "" },
  in_control: { title: "in control", tone: "warn" },
  accepted: { title: "accepted", tone: "good" },
  query_open: { title: "query open", tone: "bad" },
  corrected: { title: "corrected", tone: "warn" },
  rejected: { title: "rejected", tone: "bad" },
  open: { title: "open", tone: "warn" },
  answered: { title: "answered", tone: "good" },
  unmatched: { title: "unmatched", tone: "warn" },
  matched: { title: "matched", tone: "good" },
};

/** @param {string} code */
export function stateTitle(code) {
  return STATES[code]?.title ?? plain(code);
}

/** @param {string} code */
export function toneOf(code) {
  return STATES[code]?.tone ?? "";
}

/** @param {string} code */
export function plain(code) {
  return code.replaceAll("_", " ");
}
