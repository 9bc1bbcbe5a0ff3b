// Files made on this page: a drawing as SVG or PNG, rows as CSV.

/**
 * Rows as CSV (RFC 4180). A cell that a spreadsheet would take for a formula gets an apostrophe before it.
 *
 * @param {string[]} columns
 * @param {Record<string, unknown>[]} rows
 */
export function csvText(columns, rows) {
  const lines = [columns, ...rows.map((row) => columns.map((name) => row[name] ?? ""))];
  return lines.map((cells) => `${cells.map(cellOf).join(",")}\r\n`).join("");
}

/** @param {unknown} value */
function cellOf(value) {
  const told = String(value);
  const isNumber = told.trim() !== "" && Number.isFinite(Number(told));
  const safe = !isNumber && /^[=+\-@\t\r]/.test(told) ? `'${told}` : told;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/**
 * Let the browser keep a file.
 *
 * @param {string} name
 * @param {Blob} content
 */
export function saveFile(name, content) {
  const address = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
