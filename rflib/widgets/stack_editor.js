// The stack explorer's list of layers: one line of controls a layer, the last layer on top as in the picture.

import { button, html, input, select } from "./common.js";
import { LARGEST, samePadding } from "./stack_state.js";
import { nameOfLayer } from "./stack_words.js";

const FIELDS = [
  { key: "kernel_size", label: "kernel size", min: 1, max: LARGEST.kernel_size },
  { key: "stride", label: "stride", min: 1, max: LARGEST.stride },
  { key: "left", label: "padding left", min: -LARGEST.padding, max: LARGEST.padding },
  { key: "right", label: "padding right", min: -LARGEST.padding, max: LARGEST.padding },
  { key: "dilation", label: "dilation", min: 1, max: LARGEST.dilation },
];

const UNSCROLLED = 6; // as many layers stand on the page whole; a longer list scrolls

/**
 * @param {{edit: (index: number, change: object) => string | null, move: (index: number, by: number) => void,
 *   remove: (index: number) => void, complain: (sentence: string | null) => void}} actions `edit` returns why not.
 */
export function layerEditor({ edit, move, remove, complain }) {
  const head = html("div", { class: "rflib-layer rflib-layer-head", "aria-hidden": "true" });
  const heads = ["layer", "kind", "kernel size k", "stride s", "padding p left", "right", "", "dilation d", ""];
  head.append(...heads.map(cell));
  const list = html("div", { class: "rflib-layers", role: "group", "aria-label": "layers, the last one on top" });
  const more = html("p", { class: "rflib-hint", hidden: true });
  const element = html("div", { class: "rflib-editor" }, more, head, list);
  element.addEventListener("input", () => complain(null)); // what was refused is being written anew
  const lines = []; // lines[0] is layer 1, at the bottom
  let layers = [];

  /** One line of controls; they find their layer by its number when they are used. */
  function line(index) {
    const number = index + 1;
    const where = `of layer ${number}`;
    const title = html("span", { class: "rflib-layer-name" });
    const side = html("span", { class: "rflib-layer-side" });
    const kind = select("kind", {
      options: ["convolution", "pooling"],
      value: "convolution",
      name: `kind ${where}`,
      onChange: (value) => edit(index, { kind: value }),
    });
    const fields = FIELDS.map(({ key, label, min, max }) => {
      const made = input(label, { value: 1, min, max, step: 1, name: `${label} ${where}`, onChange: (value) => {
        const refused = edit(index, changeOf(layers[index], key, value));
        if (refused !== null) made.put(valueOf(layers[index], key)); // it gives way to what stands
      } });
      made.field.addEventListener("change", () => intoView(made.element.querySelector("[role=alert]")));
      return { key, ...made };
    });
    const same = button("same", () => edit(index, { padding: samePadding(layers[index]) }), {
      name: `same: padding ${where} that keeps the length`,
      title: "padding that keeps the length where the stride is 1",
    });
    const up = button("\u2191", () => moved(index, 1, "up"), { name: `move layer ${number} up`, title: "up" });
    const down = button("\u2193", () => moved(index, -1, "down"), { name: `move layer ${number} down`, title: "down" });
    const gone = button("\u00d7", () => removed(index), { name: `remove layer ${number}`, title: "remove" });
    const label = number === 1 ? "layer 1, next to the input" : `layer ${number}`;
    const row = html("div", { class: "rflib-layer", role: "group", "aria-label": label });
    const [kernel, stride, left, right, dilation] = fields.map((field) => field.element);
    const buttons = html("span", { class: "rflib-layer-buttons" }, up, down, gone);
    row.append(html("span", { class: "rflib-layer-title" }, title, side), kind.element, kernel, stride, left, right, same, dilation, buttons);
    return { row, title, side, kind, fields, up, down, gone };
  }

  /** The focus goes with the layer that moves; at an end, to the button of the other direction. */
  function moved(index, by, which) {
    move(index, by);
    const target = lines[index + by];
    const other = which === "up" ? target.down : target.up;
    (target[which].disabled ? other : target[which]).focus();
  }

  function removed(index) {
    remove(index);
    if (lines.length > 0) lines[Math.min(index, lines.length - 1)].gone.focus();
    else element.dispatchEvent(new CustomEvent("rflib-empty"));
  }

  /** Show these layers; `misfit` is the number of the one that does not fit. Nothing that has the focus is replaced. */
  function update(given, misfit) {
    layers = given;
    while (lines.length < layers.length) {
      lines.push(line(lines.length));
      list.prepend(lines[lines.length - 1].row);
    }
    while (lines.length > layers.length) lines.pop().row.remove();
    lines.forEach(({ row, title, side, kind, fields, up, down }, index) => {
      const layer = layers[index];
      const name = nameOfLayer(layer, index + 1);
      if (title.textContent !== name) title.textContent = name;
      side.textContent = index === 0 ? "next to the input" : index === layers.length - 1 ? "the last layer" : "";
      kind.put(layer.kind ?? "convolution");
      for (const { key, put } of fields) put(valueOf(layer, key));
      up.disabled = index === layers.length - 1;
      down.disabled = index === 0;
      row.classList.toggle("rflib-misfit", index + 1 === misfit);
    });
    const isLong = layers.length > UNSCROLLED;
    list.classList.toggle("rflib-layers-long", isLong);
    more.hidden = !isLong;
    more.textContent = isLong ? `${layers.length} layers, the last one on top: scroll down to layer 1.` : "";
  }

  /** Mark the layer that is looked at. */
  function mark(level) {
    lines.forEach(({ row }, index) => row.classList.toggle("rflib-current", index + 1 === level));
  }

  return { element, update, mark };
}

/** A refusal below a field of a list that scrolls must not stay hidden there. */
function intoView(note) {
  if (note?.textContent) note.scrollIntoView({ block: "nearest" });
}

function cell(text) {
  return html("span", {}, text);
}

function valueOf(layer, key) {
  if (key === "left") return layer.padding[0];
  return key === "right" ? layer.padding[1] : layer[key];
}

function changeOf(layer, key, value) {
  if (key === "left") return { padding: [value, layer.padding[1]] };
  return key === "right" ? { padding: [layer.padding[0], value] } : { [key]: value };
}
