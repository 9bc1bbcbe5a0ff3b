// Draw a part of the page anew without taking the focus, or half a sentence, away from whoever is in it.

/**
 * Elements are known again by their `data-focus`.
 *
 * @param {HTMLElement} host
 * @param {() => void} draw
 */
export function keepFocus(host, draw) {
  // a button that is held down would lose its click if it were replaced before it is let go
  if (host.querySelector("button:active")) {
    requestAnimationFrame(() => keepFocus(host, draw));
    return;
  }
  const focused = host.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
  const name = focused?.dataset["focus"];
  const written = focused instanceof HTMLTextAreaElement ? { text: focused.value, at: focused.selectionStart } : null;
  const place = host.scrollTop;
  draw();
  host.scrollTop = place;
  if (!name) return;
  const again = [...host.querySelectorAll("[data-focus]")].find((each) => each instanceof HTMLElement && each.dataset["focus"] === name);
  if (!(again instanceof HTMLElement)) return;
  if (written && again instanceof HTMLTextAreaElement) {
    again.value = written.text;
    again.setSelectionRange(written.at, written.at);
  }
  again.focus({ preventScroll: true });
}
