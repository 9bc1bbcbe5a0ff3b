// Elements, made and filled. Text goes in as text: nothing here parses HTML.

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * Make an element.
 *
 * A name that begins with `on` adds a listener; true sets an empty attribute; null, undefined and false set none.
 *
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, unknown>} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  setAttributes(element, attributes);
  element.append(...nodes(children));
  return element;
}

/**
 * Make an SVG element.
 *
 * @template {keyof SVGElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, unknown>} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {SVGElementTagNameMap[Name]}
 */
export function s(name, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  setAttributes(element, attributes);
  element.append(...nodes(children));
  return element;
}

/**
 * @param {Element} element
 * @param {Record<string, unknown>} attributes
 */
export function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on") && typeof value === "function") {
      element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    } else if (value === null || value === undefined || value === false) {
      element.removeAttribute(name);
    } else {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
}

/**
 * Replace what an element holds.
 *
 * @param {Element} element
 * @param {...(Child | Child[])} children
 */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
}

let counted = 0;

/**
 * Return an id that no other element of the document has.
 *
 * @param {string} stem
 */
export function newId(stem) {
  counted += 1;
  return `${stem}-${counted}`;
}

/**
 * A labelled field.
 *
 * @param {string} label
 * @param {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} control
 * @param {string} [hint]
 */
export function field(label, control, hint) {
  control.id ||= newId("field");
  const parts = [h("label", { for: control.id }, label), control];
  if (hint) {
    const said = h("span", { class: "hint", id: newId("hint") }, hint);
    control.setAttribute("aria-describedby", said.id);
    return h("div", { class: "field" }, ...parts, said);
  }
  return h("div", { class: "field" }, ...parts);
}

/**
 * A box to tick, with its label.
 *
 * @param {string} label
 * @param {HTMLInputElement} box
 */
export function tick(label, box) {
  return h("label", { class: "check" }, box, label);
}

/**
 * A choice from a list.
 *
 * @param {[value: string, title: string][]} options
 * @param {Record<string, unknown>} [attributes]
 * @param {string} [chosen]
 */
export function choice(options, attributes = {}, chosen = undefined) {
  const made = options.map(([value, title]) => h("option", { value, selected: value === chosen }, title));
  return h("select", attributes, made);
}

/**
 * @param {(Child | Child[])[]} children
 * @returns {(Node | string)[]}
 */
function nodes(children) {
  return children
    .flat()
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : String(child)));
}
