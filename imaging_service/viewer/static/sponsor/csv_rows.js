// The rows of a CSV answer (RFC 4180).

/**
 * @param {string} text With a head line.
 * @returns {Record<string, string>[]}
 */
export function rowsOf(text) {
  const [head = [], ...lines] = cellsOf(text);
  return lines.map((cells) => Object.fromEntries(head.map((name, index) => [name, cells[index] ?? ""])));
}

/** @param {string} text */
function cellsOf(text) {
  /** @type {string[][]} */
  const lines = [];
  const cell = /(?:^|(,)|\r?\n)(?:"((?:[^"]|"")*)"|([^",\r\n]*))/gy;
  for (const found of text.replace(/\r?\n$/, "").matchAll(cell)) {
    if (!found[1]) lines.push([]);
    lines.at(-1)?.push(found[2] === undefined ? (found[3] ?? "") : found[2].replaceAll('""', '"'));
  }
  return lines;
}
