// What can go wrong between the page and the service, as sentences.

/** @typedef {{ code: string, sentence: string, lesion_id?: string }} Finding */

/** The service refused: a problem (RFC 9457). */
export class ProblemError extends Error {
  /**
   * @param {{ status: number, code: string, detail: string, findings: Finding[] }} problem
   */
  constructor({ status, code, detail, findings }) {
    super(detail);
    this.name = "ProblemError";
    this.status = status;
    this.code = code;
    this.findings = findings;
  }
}

/** Nobody answered, or somebody said: not now. */
export class UnreachableError extends Error {
  /** @param {string} [sentence] */
  constructor(sentence = "The service cannot be reached now. What you enter is kept here and sent when it answers again.") {
    super(sentence);
    this.name = "UnreachableError";
  }
}

/**
 * Read an answer that is an error.
 *
 * @param {Response} answer
 */
export async function problemOf(answer) {
  /** @type {any} */
  let told = {};
  try {
    told = await answer.json();
  } catch {
    // a proxy's page, or nothing: the status has to do
  }
  return new ProblemError({
    status: answer.status,
    code: typeof told.code === "string" ? told.code : "unknown",
    detail: sentenceOf(answer.status, told),
    findings: Array.isArray(told.findings) ? told.findings : [],
  });
}

/**
 * @param {number} status
 * @param {any} told
 */
function sentenceOf(status, told) {
  if (typeof told.detail !== "string") return `The service answered with the status ${status} and no reason.`;
  if (told.code !== "invalid_request" || !Array.isArray(told.findings)) return told.detail;
  const places = told.findings.map((/** @type {any} */ each) => `${(each.at ?? []).slice(1).join(" ")}: ${each.sentence}`);
  return `The service does not accept this. ${places.join(" ")}`;
}
