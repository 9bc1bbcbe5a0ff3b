// The first part of a body of type multipart/related (RFC 2387).

/**
 * Return the content of the first part, as a view on the body.
 *
 * @param {ArrayBuffer} body
 * @param {string} contentType
 * @returns {Uint8Array}
 */
export function firstPart(body, contentType) {
  const bytes = new Uint8Array(body);
  const boundary = /boundary="?([^";]+)"?/i.exec(contentType)?.[1];
  if (!boundary) return bytes;
  const begin = indexOf(bytes, "\r\n\r\n", 0) + 4;
  const length = lengthOf(bytes.subarray(0, begin));
  if (length !== null) return bytes.subarray(begin, begin + length);
  // the closing boundary stands at the very end: look for it from there, as pixels may hold anything
  const closing = `\r\n--${boundary}`;
  const end = lastIndexOf(bytes, closing);
  return bytes.subarray(begin, end < begin ? bytes.length : end);
}

/** @param {Uint8Array} head */
function lengthOf(head) {
  const found = /content-length:\s*(\d+)/i.exec(String.fromCharCode(...head.subarray(0, 2000)));
  return found ? Number(found[1]) : null;
}

/**
 * @param {Uint8Array} bytes
 * @param {string} text
 * @param {number} from
 */
function indexOf(bytes, text, from) {
  for (let at = from; at <= bytes.length - text.length; at += 1) if (isAt(bytes, text, at)) return at;
  return -1;
}

/**
 * @param {Uint8Array} bytes
 * @param {string} text
 */
function lastIndexOf(bytes, text) {
  for (let at = bytes.length - text.length; at >= 0; at -= 1) if (isAt(bytes, text, at)) return at;
  return -1;
}

/**
 * @param {Uint8Array} bytes
 * @param {string} text
 * @param {number} at
 */
function isAt(bytes, text, at) {
  for (let index = 0; index < text.length; index += 1) {
    if (bytes[at + index] !== text.charCodeAt(index)) return false;
  }
  return true;
}
