// What all explorers share in the browser: elements, controls, keys, the line of result.

const SVG = "http://www.w3.org/2000/svg";
const CUT_OFF = "The kernel was restarted or has ended, and Python no longer answers here. Run this cell again.";
let made = 0;

/**
 * An HTML element with attributes and children; an attribute that is null, undefined or false is left out.
 * @param {string} tag
 * @param {Record<string, string | number | boolean | null | undefined>} [attributes]
 * @param {...(Node | string)} children Text goes in as text: nothing here is ever read as HTML.
 * @returns {any}
 */
export function html(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/**
 * An SVG element, as `html`.
 * @param {string} tag
 * @param {Record<string, string | number | boolean | null | undefined>} [attributes]
 * @param {...(Node | string)} children
 * @returns {any}
 */
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

/** Set attributes of an element; null, undefined and false remove them. */
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  return element;
}

function filled(element, attributes, children) {
  set(element, attributes);
  element.append(...children);
  return element;
}

/** An id that no other element of the page has: labels and descriptions point to it. */
export function freshId(stem) {
  made += 1;
  return `rflib-${stem}-${made}-${Math.random().toString(36).slice(2, 8)}`;
}

/**
 * The frame of an explorer: a named group that the caller fills and appends to `el`.
 * @param {HTMLElement} el What anywidget gives to draw into.
 * @param {string} kind The explorer's own class in its style sheet, such as "stack".
 * @param {string} name What a screen reader says on entering.
 * @param {{model: any, isPythons: boolean}} python The model; whether Python answers, so that nothing works without it.
 */
export function frame(el, kind, name, { model, isPythons }) {
  // A region and not a <section>: that is what slides are made of, and reveal.js takes each for one.
  const root = html("div", { class: `rflib-explorer rflib-${kind}`, role: "region", "aria-label": name });
  // JupyterLab has shortcuts on single keys and arrows; what is typed in an explorer is meant for it.
  root.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey || event.altKey) && event.key !== "Escape") event.stopPropagation();
  });
  const notice = html("p", { class: "rflib-cut-off", role: "alert" });
  el.append(notice, root);
  // JupyterLab's widget manager says so when the kernel behind a model has been restarted or has ended.
  model.on("comm_live_update", () => {
    notice.textContent = isPythons ? CUT_OFF : `${CUT_OFF} Until then it works here, and Python does not hear of it.`;
    root.inert = isPythons;
  });
  return root;
}

/** The one sentence of result; a screen reader speaks it when it has changed. */
export function resultLine() {
  const line = html("p", { class: "rflib-result", role: "status", "aria-live": "polite" });
  return { element: line, say: (sentence) => void (line.textContent !== sentence && (line.textContent = sentence)) };
}

/**
 * A native input with a visible label. `onChange` gets the value: a number, a string or a boolean by its type.
 * A number is taken when it is whole: on Enter, on leaving the field, on its arrow keys, and not letter by letter. What
 * does not fit is refused in words, and the last good value is put back.
 * @param {string} label
 * @param {{type?: "number" | "range" | "checkbox", value: any, min?: number, max?: number, step?: number,
 *   name?: string, onChange: (value: any) => void}} options `name`: a longer name for screen readers, which must hold
 *   the visible label.
 */
export function input(label, { type = "number", value, min, max, step, name, onChange }) {
  const id = freshId("input");
  const field = html("input", { id, type, min, max, step, "aria-label": name });
  const shown = type === "range" ? html("output", { for: id, class: "rflib-value" }) : null;
  const refused = html("span", { class: "rflib-refused", role: "alert" });
  let kept = value;
  const put = (given) => {
    kept = given;
    if (type === "checkbox") field.checked = Boolean(given);
    else if (type === "range" || document.activeElement !== field || !field.dataset.typing) field.value = String(given);
    if (shown) shown.textContent = String(given);
  };
  field.addEventListener("input", () => {
    refused.textContent = "";
    if (type === "checkbox") onChange(field.checked);
    else if (type === "range") {
      shown.textContent = field.value;
      onChange(field.valueAsNumber);
    } else field.dataset.typing = "yes";
  });
  field.addEventListener("change", () => {
    if (type !== "number") return;
    delete field.dataset.typing;
    const number = field.valueAsNumber;
    if (field.checkValidity() && Number.isFinite(number)) {
      kept = number;
      onChange(number);
      return;
    }
    const typed = field.validity.badInput || field.value === "" ? "something else" : field.value;
    refused.textContent = `${name ?? label}: a whole number ${bounds(min, max)}, not ${typed}.`;
    field.value = String(kept);
  });
  field.addEventListener("blur", () => {
    if (field.validity.badInput) field.dispatchEvent(new Event("change"));  // letters alone send no change
  });
  put(value);
  const wrapped = html("label", { class: `rflib-control rflib-${type}`, for: id });
  wrapped.append(html("span", {}, label), field, ...(shown ? [shown] : []));
  const element = type === "number" ? html("span", { class: "rflib-field" }, wrapped, refused) : wrapped;
  return { element, field, put };
}

function bounds(min, max) {
  if (min !== undefined && max !== undefined) return `from ${grouped(min)} to ${grouped(max)}`;
  return min !== undefined ? `of at least ${grouped(min)}` : max !== undefined ? `of at most ${grouped(max)}` : "";
}

/**
 * A native list to choose from, with a visible label.
 * @param {string} label
 * @param {{options: (string | {value: string, label: string})[], value: string, name?: string,
 *   onChange: (value: string) => void}} options
 */
export function select(label, { options, value, name, onChange }) {
  const id = freshId("select");
  const field = html("select", { id, "aria-label": name });
  for (const option of options) {
    const { value: key, label: text } = typeof option === "string" ? { value: option, label: option } : option;
    field.append(html("option", { value: key }, text));
  }
  field.value = value;
  field.addEventListener("change", () => onChange(field.value));
  const wrapped = html("label", { class: "rflib-control", for: id }, html("span", {}, label), field);
  return { element: wrapped, field, put: (given) => void (field.value = given) };
}

/** A button; `name` is what a screen reader says where the text alone does not tell. */
export function button(text, onClick, { name, title, pressed } = {}) {
  const element = html("button", { type: "button", class: "rflib-button", "aria-label": name, title });
  if (pressed !== undefined) set(element, { "aria-pressed": String(pressed) });
  element.append(text);
  element.addEventListener("click", onClick);
  return element;
}

/**
 * Make a picture movable by keys: it takes the focus, and each key named in `actions` does its work and nothing else.
 * @param {Element} element
 * @param {string} name What it is and which keys move it.
 * @param {Record<string, (event: KeyboardEvent) => void>} actions By `event.key`, such as "ArrowLeft".
 */
export function onKeys(element, name, actions) {
  set(element, { tabindex: 0, role: "application", "aria-label": name });
  element.addEventListener("keydown", (event) => {
    const action = actions[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    action(event);
  });
}

/** Set synced traits and send them to Python in one message. */
export function send(model, traits) {
  for (const [name, value] of Object.entries(traits)) model.set(name, value);
  model.save_changes();
}

/**
 * Call `draw` when one of the traits changes, in Python or here; the result undoes it, for anywidget to call at the end.
 * @param {any} model
 * @param {string[]} names
 * @param {() => void} draw
 * @returns {() => void}
 */
export function onTraits(model, names, draw) {
  const events = names.map((name) => `change:${name}`);
  for (const event of events) model.on(event, draw);
  return () => events.forEach((event) => model.off(event, draw));
}

/** At most one call a frame, however many moves of the mouse come in. */
export function oncePerFrame(action) {
  let waiting = null;
  return (...given) => {
    const isFirst = waiting === null;
    waiting = given;
    if (isFirst) {
      requestAnimationFrame(() => {
        const latest = waiting;
        waiting = null;
        action(...latest);
      });
    }
  };
}

/** Where the mouse is in an SVG's own coordinates, at any zoom. */
export function pointAt(picture, event) {
  const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(picture.getScreenCTM().inverse());
  return { x: point.x, y: point.y };
}

/**
 * Unit squares as one SVG path: thousands of marks cost one element.
 * @param {Iterable<[number, number]>} corners Left and top of each.
 * @param {number} [width]
 * @param {number} [height]
 */
export function squares(corners, width = 1, height = 1) {
  let path = "";
  for (const [x, y] of corners) path += `M${x} ${y}h${width}v${height}h${-width}z`;
  return path;
}

/** 1,234,567 */
export function grouped(number) {
  return number.toLocaleString("en-US", { maximumFractionDigits: 20 });
}

/** "1 unit", "2 units" */
export function count(number, noun, plural = `${noun}s`) {
  return `${grouped(number)} ${number === 1 ? noun : plural}`;
}

/** A number with at most this many decimals, without trailing zeros, with a real minus sign. */
export function decimal(number, digits = 2) {
  const text = Number(number.toFixed(digits));
  return String(Object.is(text, -0) ? 0 : text).replace("-", "\u2212");
}
