// The feature map beside an overlay's image, the legend, the table of facts.

import { freshId, html, pointAt, set, svg } from "./common.js";
import { cellsOf, flatOf, runsOf, unitOf } from "./overlay_windows.js";

const MOST_LINES = 64; // cells along an axis with lines between them
const ROW = 24; // how many times longer than high a single row of cells is drawn

/** A rectangle as a piece of a path. */
export function rectangle(left, top, width, height) {
  return `M${left} ${top}h${width}v${height}h${-width}z`;
}

/** A small triangle that points to a side, its tip at (x, y). */
export function arrow(x, y, side, size) {
  const half = size / 2;
  const back = { left: [size, 0], right: [-size, 0], up: [0, size], down: [0, -size] }[side];
  const [across, along] = back[0] ? [0, half] : [half, 0];
  const [bx, by] = [x + back[0], y + back[1]];
  return `M${x} ${y}L${bx + across} ${by + along}L${bx - across} ${by - along}z`;
}

/**
 * An arrow where a frame goes on beyond the picture, in the middle of the part of that edge that is seen.
 * @param {[number, number][]} window Rows and columns of an image, or the positions of a signal.
 * @param {{axis: number, end: number}[]} cuts
 * @param {{left: number, top: number, width: number, height: number}} view
 * @param {number} stretch How high a row is drawn.
 */
export function arrowsOf(window, cuts, view, stretch) {
  const isSignal = window.length === 1;
  const [[top, bottom], [left, right]] = isSignal ? [[0, 0], window[0]] : window;
  const size = view.width / 36;
  const seen = (low, high, from, length) => (Math.max(low, from) + Math.min(high, from + length)) / 2;
  const x = seen(left, right + 1, view.left, view.width);
  const y = seen(top * stretch, (bottom + 1) * stretch, view.top, view.height);
  const arrows = cuts.map(({ axis, end }) => {
    if (axis === 1 || isSignal) return arrow(view.left + end * view.width, y, end ? "right" : "left", size);
    return arrow(x, view.top + end * view.height, end ? "down" : "up", size);
  });
  return arrows.join("");
}

/** A pattern of slanted lines; nothing is told by color alone. */
export function hatching(id, step, className) {
  const size = { id, width: step, height: step, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" };
  const lines = svg("path", { d: `M0 0v${step}`, class: className });
  return svg("pattern", size, svg("rect", { width: step, height: step, class: "rflib-overlay-under" }), lines);
}

/** The feature map as cells: border units hatched, the chosen one framed. */
export function mapPicture() {
  const element = svg("svg", { class: "rflib-overlay-map", preserveAspectRatio: "xMidYMid meet" });
  const [overId, blindId] = [freshId("over"), freshId("blind")];
  const part = (tag, name, attributes = {}) => svg(tag, { class: `rflib-overlay-${name}`, ...attributes });
  const parts = {
    defs: svg("defs"),
    ground: part("rect", "cells"),
    over: part("path", "cells-over", { style: `fill: url(#${overId})` }),
    blind: part("path", "cells-blind", { style: `fill: url(#${blindId})` }),
    lines: part("path", "cell-lines"),
    guides: part("path", "guides"),
    halo: part("path", "chosen-halo"),
    chosen: part("path", "chosen"),
  };
  element.append(...Object.values(parts));
  let [rows, columns, high, wide] = [1, 1, 1, 1];

  function drawLayer(layer, kinds) {
    ({ rows, columns } = cellsOf(layer));
    high = Math.max(1, columns / rows / ROW);
    wide = Math.max(1, rows / columns / ROW);
    const [width, height] = [columns * wide, rows * high];
    const air = 0.02 * Math.max(width, height);
    set(element, { viewBox: `${-air} ${-air} ${width + 2 * air} ${height + 2 * air}` });
    const limit = layer.space.length === 1 ? 1100 : Math.min(300, (300 * width) / height);
    element.style.maxWidth = `${Math.max(48, Math.round(limit))}px`;
    set(parts.ground, { x: 0, y: 0, width, height });
    const step = Math.max(width, height) / 36;
    const crossed = hatching(blindId, step, "rflib-overlay-stripe");
    crossed.append(svg("path", { d: `M0 0h${step}`, class: "rflib-overlay-stripe" }));
    parts.defs.replaceChildren(hatching(overId, step, "rflib-overlay-stripe"), crossed);
    const cells = (kind) =>
      runsOf(kinds, columns, kind).map(([column, row, n]) => rectangle(column * wide, row * high, n * wide, high));
    set(parts.over, { d: cells(1).join("") });
    set(parts.blind, { d: cells(2).join("") });
    let d = "";
    if (Math.max(rows, columns) <= MOST_LINES) {
      for (let column = 0; column <= columns; column++) d += `M${column * wide} 0v${height}`;
      for (let row = 0; row <= rows; row++) d += `M0 ${row * high}h${width}`;
    }
    set(parts.lines, { d });
  }

  function drawUnit(layer, unit) {
    const flat = flatOf(layer, unit);
    const [row, column] = [Math.floor(flat / columns), flat % columns];
    const d = rectangle(column * wide, row * high, wide, high);
    for (const name of ["chosen", "halo"]) set(parts[name], { d });
    const [x, y] = [(column + 0.5) * wide, (row + 0.5) * high];
    const small = Math.max(rows, columns) > 24; // a small cell is hard to find without lines that lead to it
    set(parts.guides, { d: small ? `M${x} 0v${rows * high}M0 ${y}h${columns * wide}` : "" });
  }

  function unitAt(layer, event) {
    const { x, y } = pointAt(element, event);
    const within = (value, n) => Math.min(n - 1, Math.max(0, Math.floor(value)));
    return unitOf(layer, within(y / high, rows) * columns + within(x / wide, columns));
  }

  /** A unit some cells further. */
  function step(layer, unit, down, right) {
    const flat = flatOf(layer, unit);
    const within = (value, n) => Math.min(n - 1, Math.max(0, value));
    const row = within(Math.floor(flat / columns) + down, rows);
    return unitOf(layer, row * columns + within((flat % columns) + right, columns));
  }

  return { element, drawLayer, drawUnit, unitAt, step };
}

/** What the marks mean, in words beside a small picture of each. */
export function legend() {
  const size = { viewBox: "0 0 22 14", width: 22, height: 14, "aria-hidden": "true" };
  const swatch = (...marks) => svg("svg", size, ...marks);
  const mark = (name, d) => svg("path", { d, class: `rflib-overlay-${name}` });
  const stripes = "M4 13l9-12M9 13l9-12M1 9l6-8M15 13l6-8";
  const box = rectangle(3, 2, 16, 10);
  const inner = rectangle(6, 3, 10, 8);
  const grid = [3, 9].flatMap((y) => [3, 10, 17].map((x) => rectangle(x, y, 3, 3))).join("");
  const step = (level, i) => mark(`heat-${level}`, rectangle(7 * i, 0, 8, 14));
  const entries = {
    frame: ["ideal window", mark("frame", box)],
    padding: ["padding, outside the input", mark("stripe", stripes)],
    read: ["really read: not dimmed", mark("swatch-veil", rectangle(0, 0, 22, 14)), mark("swatch-read", inner)],
    lonely: ["really read", mark("lonely", grid)],
    cut: ["", mark("frame", "M10 2v10M21 2H10M21 12H10"), mark("arrow", arrow(1, 7, "left", 6))],
    cross: ["center", mark("cross-halo", "M5 7h12M11 1v12"), mark("cross", "M5 7h12M11 1v12")],
    inside: ["centers of units with a window inside", mark("inside-halo", "M11 7h.01"), mark("inside", "M11 7h.01")],
    over: ["centers of border units", mark("over-halo", "M11 7h.01"), mark("over", "M11 7h.01")],
    neighbors: ["windows of the neighbors", mark("neighbors", box)],
    heat: ["effective field: the yellower, the more", ...["low", "half", "high"].map(step)],
    ellipse: ["two sigma around its mean", mark("ellipse", "M2 7a9 5 0 1 0 18 0a9 5 0 1 0 -18 0")],
  };
  const items = {};
  const element = html("ul", { class: "rflib-overlay-legend", "aria-label": "What the marks mean" });
  for (const [name, [words, ...marks]] of Object.entries(entries)) {
    const text = html("span", {}, words);
    items[name] = { item: html("li", {}, swatch(...marks), text), text };
    element.append(items[name].item);
  }
  const show = (name, isShown) => set(items[name].item, { hidden: !isShown });
  const say = (name, words) => void (items[name].text.textContent = words);
  return { element, show, say };
}

/** The table of facts: one row each, filled in place. */
export function factTable(names) {
  const element = html("table", { class: "rflib-overlay-facts" });
  const rows = {};
  for (const [key, name] of Object.entries(names)) {
    const cell = html("td");
    rows[key] = { row: html("tr", {}, html("th", { scope: "row" }, name), cell), cell };
    element.append(rows[key].row);
  }
  const say = (key, words) => {
    set(rows[key].row, { hidden: words === null });
    if (words !== null && rows[key].cell.textContent !== words) rows[key].cell.textContent = words;
  };
  return { element, say };
}
