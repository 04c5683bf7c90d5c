// The poke explorer: an image, the feature map that real layers in Python make of it, a cursor on each.

import {
  button, count, frame, html, onKeys, onTraits, oncePerFrame, pointAt, resultLine, select, send, set, squares, svg,
} from "./common.js";
import { between, cellPaths, gray, viridis } from "./heat.js";
import { playPoke } from "./poke_recorded.js";
import { answered } from "./recorded.js";

/** Rows and columns of a picture of one or two axes. */
export function rowsAndColumns(shape) {
  return shape.length === 2 ? shape : [1, shape[0]];
}

/** The place that a flat index stands for, and back. */
export function placeOf(index, shape) {
  const [, columns] = rowsAndColumns(shape);
  return shape.length === 2 ? [Math.floor(index / columns), index % columns] : [index];
}

/**
 * Where a key moves a cursor, kept inside.
 * @param {number[]} place
 * @param {number[]} shape
 * @param {string} key
 */
export function steppedBy(place, shape, key) {
  const [rows, columns] = rowsAndColumns(shape);
  const [row, column] = shape.length === 2 ? place : [0, place[0]];
  const moved = {
    ArrowUp: [row - 1, column],
    ArrowDown: [row + 1, column],
    ArrowLeft: [row, column - 1],
    ArrowRight: [row, column + 1],
    Home: [row, 0],
    End: [row, columns - 1],
    PageUp: [0, column],
    PageDown: [rows - 1, column],
  }[key];
  const inside = [Math.min(Math.max(moved[0], 0), rows - 1), Math.min(Math.max(moved[1], 0), columns - 1)];
  return shape.length === 2 ? inside : [inside[1]];
}

/** A place in words as Python says it: (3, 4), or 3 on one axis. */
export function spoken(place) {
  return place.length === 1 ? String(place[0]) : `(${place.join(", ")})`;
}

const KEYS = ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End", "PageUp", "PageDown"];
const WAYS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const SPOKEN = {
  pixel: "The image. Arrow keys move the cursor over the pixels, Enter or space changes the pixel, " +
    "Shift with an arrow key shifts the image.",
  unit: "The feature map. Arrow keys choose a unit.",
};
const HINT = "Point at a pixel to see what it would change, click to change it. Point at a unit to see what it " +
  "reads, click to keep it. With keys: tab to a picture, then arrows, Home, End, Page up, Page down; Enter or space " +
  "changes the pixel, Shift with an arrow key shifts the image.";
const NAMES = { ArrowLeft: "left", ArrowUp: "up", ArrowDown: "down", ArrowRight: "right" };

/** Dots in the middle of cells, as one path. */
function dots(indexes, columns, radius) {
  const arc = `a${radius} ${radius} 0 1 0 `;
  const circle = `${arc}${2 * radius} 0${arc}${-2 * radius} 0z`;
  const start = (i) => `M${(i % columns) + 0.5 - radius} ${Math.floor(i / columns) + 0.5}`;
  return indexes.map((i) => start(i) + circle).join("");
}

/** Small squares in the middle of cells, as one path. */
function insets(indexes, columns) {
  return squares(indexes.map((i) => [(i % columns) + 0.28, Math.floor(i / columns) + 0.28]), 0.44, 0.44);
}

/** A mark of the legend. */
function sample(kind) {
  const viewBox = kind === "cursor" ? "0 0 1 1" : "0.12 0.12 0.76 0.76";
  const mark = svg("svg", { class: "rflib-poke-sample", viewBox, "aria-hidden": "true" });
  if (kind === "dot") mark.append(svg("path", { class: "rflib-poke-dot", d: dots([0], 1, 0.26) }));
  else if (kind === "inset") mark.append(svg("path", { class: "rflib-poke-inset", d: insets([0], 1) }));
  else mark.append(svg("path", { class: "rflib-poke-cursor", d: "M0.08 0.08h0.84v0.84h-0.84z" }));
  return mark;
}

/** One of the two pictures: cells, marks, a cursor, numbers of rows and columns. */
class Panel {
  constructor(which, title) {
    this.which = which;
    this.cells = svg("g");
    this.grid = svg("path", { class: "rflib-poke-grid" });
    this.marks = svg("path", { class: which === "pixel" ? "rflib-poke-inset" : "rflib-poke-dot" });
    this.lining = svg("rect", { class: "rflib-poke-lining", width: 0.92, height: 0.92 });
    this.cursor = svg("rect", { class: "rflib-poke-cursor", width: 0.92, height: 0.92 });
    this.numbers = svg("g", { class: "rflib-poke-numbers", "aria-hidden": "true" });
    const drawn = [this.numbers, this.cells, this.grid, this.marks, this.lining, this.cursor];
    this.picture = svg("svg", { class: "rflib-picture rflib-poke-picture" }, ...drawn);
    this.title = html("h4", {}, title);
    this.marked = html("span");
    this.chosen = html("span");
    const legend = html("p", { class: "rflib-poke-legend" },
      html("span", {}, sample(which === "pixel" ? "inset" : "dot"), this.marked),
      html("span", {}, sample("cursor"), this.chosen));
    this.element = html("figure", {}, this.title, this.picture, legend);
  }

  /** As wide as its share of so many columns: the cells of both pictures are equally large. */
  fit(shape, columns) {
    const key = `${shape} ${columns}`;
    if (key === this.fitted) return;
    this.fitted = key;
    this.shape = shape;
    const letter = 0.036 * (columns + 1.6);
    const margin = 1.9 * letter;
    const [tall, wide] = rowsAndColumns(shape);
    set(this.picture, { viewBox: `${-margin} ${-margin} ${wide + margin + 0.15} ${tall + margin + 0.15}` });
    this.picture.style.width = `${(100 * (wide + margin + 0.15)) / (columns + margin + 0.15)}%`;
    const step = Math.max(1, Math.ceil(1.5 * letter));
    this.numbers.setAttribute("font-size", String(letter));
    const texts = [];
    for (let c = 0; c < wide; c += step) {
      texts.push(svg("text", { x: c + 0.5, y: -0.5 * letter, "text-anchor": "middle" }, String(c)));
    }
    for (let r = 0; r < tall && shape.length === 2; r += step) {
      texts.push(svg("text", { x: -0.5 * letter, y: r + 0.5 + 0.35 * letter, "text-anchor": "end" }, String(r)));
    }
    this.numbers.replaceChildren(...texts);
    let lines = "";
    for (let c = 0; c <= wide; c += 1) lines += `M${c} 0v${tall}`;
    for (let r = 0; r <= tall; r += 1) lines += `M0 ${r}h${wide}`;
    this.grid.setAttribute("d", lines);
  }

  paint(shares, color) {
    const [, columns] = rowsAndColumns(this.shape);
    const paths = cellPaths(shares, columns, color).map(({ color: fill, path }) => svg("path", { fill, d: path }));
    this.cells.replaceChildren(...paths);
  }

  mark(indexes) {
    const [, columns] = rowsAndColumns(this.shape);
    this.marks.setAttribute("d", this.which === "pixel" ? insets(indexes, columns) : dots(indexes, columns, 0.26));
  }

  point(place) {
    const [row, column] = place.length === 2 ? place : [0, place[0]];
    for (const rectangle of [this.lining, this.cursor]) set(rectangle, { x: column + 0.04, y: row + 0.04 });
  }

  /** The place under the mouse, or null. */
  at(event) {
    const { x, y } = pointAt(this.picture, event);
    const [rows, columns] = rowsAndColumns(this.shape);
    const [row, column] = [Math.floor(y), Math.floor(x)];
    if (row < 0 || row >= rows || column < 0 || column >= columns) return null;
    return this.shape.length === 2 ? [row, column] : [column];
  }
}

function render({ model: given, el }) {
  const model = answered(given, el, { problem: "problem", play: playPoke });
  const root = frame(el, "poke", "Poke explorer", { model, isPythons: true });
  const result = resultLine();
  const problem = html("p", { class: "rflib-poke-problem", role: "alert" });
  const panels = { pixel: new Panel("pixel", ""), unit: new Panel("unit", "") };
  const same = (a, b) => a.length === b.length && a.every((value, i) => value === b[i]);

  // Controls ----------------------------------------------------------------------------------------------------------
  const controls = html("div", { class: "rflib-controls" });
  const offered = model.get("offered");
  const layers = offered.length
    ? select("Layers", { options: offered, value: model.get("layers"), onChange: (layers) => send(model, { layers }) })
    : null;
  if (layers) controls.append(layers.element);
  let channels = 0;
  let channel = null;
  const channelHome = html("span");
  const axes = () => model.get("answer").space.length;
  const shift = (key) => model.send({ do: "shift", by: WAYS[key].slice(-axes()) });
  const ways = Object.entries(NAMES).map(([key, name]) => {
    return [key, button(name, () => shift(key), { name: `Shift the image ${name}` })];
  });
  const buttons = ways.map(([, way]) => way);
  const shifts = html("span", { class: "rflib-control" }, html("span", {}, "Shift the image"), ...buttons);
  controls.append(channelHome, shifts, button("Reset the image", () => model.send({ do: "reset" })));

  // Cursors -----------------------------------------------------------------------------------------------------------
  const pinned = { pixel: model.get("pixel"), unit: model.get("unit") };
  let hovered = null;
  function go(which, place, pin) {
    if (pin) pinned[which] = place;
    if (same(model.get(which), place) && model.get("mode") === which) return;
    send(model, { [which]: place, mode: which });
    panels[which].point(place);
  }
  function poke(place) {
    pinned.pixel = place;
    model.send({ do: "poke", pixel: place });
  }
  for (const [which, panel] of Object.entries(panels)) {
    const picture = panel.picture;
    const actions = Object.fromEntries(KEYS.map((key) => [key, (event) => {
      const isShift = event.shiftKey && which === "pixel" && key in WAYS;
      if (isShift && (panel.shape.length === 2 || WAYS[key][1])) shift(key);
      else go(which, steppedBy(model.get(which), panel.shape, key), true);
    }]));
    if (which === "pixel") for (const key of ["Enter", " "]) actions[key] = () => poke(model.get("pixel"));
    onKeys(picture, SPOKEN[which], actions);
    picture.addEventListener("focus", () => model.get("mode") !== which && send(model, { mode: which }));
    picture.addEventListener("pointermove", oncePerFrame((event) => {
      const place = panel.at(event);
      if (!place) return;
      hovered = which;
      go(which, place, false);
    }));
    picture.addEventListener("pointerleave", () => {
      hovered = null;
      if (!same(model.get(which), pinned[which])) go(which, pinned[which], true);
    });
    picture.addEventListener("click", (event) => {
      const place = panel.at(event);
      if (!place) return;
      if (which === "pixel") poke(place);
      else go(which, place, true);
    });
  }

  // Drawing -----------------------------------------------------------------------------------------------------------
  function drawChannels(answer) {
    if (answer.channels === channels) return;
    channels = answer.channels;
    const options = [...Array(channels).keys()].map(String);
    const onChange = (number) => send(model, { channel: Number(number) });
    channel = select("Channel shown", { options, value: "0", onChange });
    channelHome.replaceChildren(...(channels > 1 ? [channel.element] : []));
  }
  function draw() {
    const answer = model.get("answer");
    const { space, units, image, values, reads, marked, kind } = answer;
    const columns = Math.max(rowsAndColumns(space)[1], rowsAndColumns(units)[1]);
    root.classList.toggle("rflib-poke-line", space.length === 1);
    panels.pixel.fit(space, columns);
    panels.unit.fit(units, columns);
    panels.pixel.paint(image, gray);
    panels.unit.paint(between(values, Math.min(...values), Math.max(...values)), viridis);
    panels.pixel.mark(reads);
    panels.unit.mark(marked);
    for (const which of ["pixel", "unit"]) {
      if (hovered !== which) pinned[which] = model.get(which);
      panels[which].point(model.get(which));
    }
    panels.pixel.title.textContent = `Image: ${space.join(" × ")} pixels`;
    panels.unit.title.textContent = `Feature map: ${units.join(" × ")} units`;
    panels.pixel.marked.textContent = `${count(reads.length, "pixel")} that unit ${spoken(answer.unit)} reads`;
    panels.pixel.chosen.textContent = `pixel ${spoken(answer.pixel)}`;
    panels.unit.marked.textContent = {
      would: `${count(marked.length, "unit")} that pixel ${spoken(answer.pixel)} would change`,
      changed: `${count(marked.length, "unit")} that pixel ${spoken(answer.pixel)} changed`,
      moved: `${count(marked.length, "unit")} that moved with the image`,
    }[kind];
    panels.unit.chosen.textContent = `unit ${spoken(answer.unit)}`;
    drawChannels(answer);
    channel.put(String(model.get("channel")));
    layers?.put(answer.layers);
    for (const [key, way] of ways) way.hidden = space.length === 1 && !WAYS[key][1];
    result.say(answer.sentence);
    problem.textContent = model.get("problem");
    problem.hidden = !problem.textContent;
    const index = answer.pixel.reduce((sum, at, axis) => sum * space[axis] + at, 0);
    const told = {
      layers: `"${answer.layers}"`, pixel: answer.pixel, gray: image[index], unit: answer.unit, reads: reads.length,
      marked: marked.length, kind, by: answer.by, channel: model.get("channel"), mode: model.get("mode"),
    };
    const shows = Object.entries(told).map(([name, value]) => `${name}=${value}`).join(" ");
    for (const panel of Object.values(panels)) panel.picture.setAttribute("data-shows", shows);
  }

  root.append(
    controls,
    result.element,
    problem,
    html("div", { class: "rflib-poke-panels" }, panels.pixel.element, panels.unit.element),
    html("p", { class: "rflib-hint" }, HINT),
  );
  draw();
  return onTraits(model, ["answer", "problem"], draw);
}

export default { render };
