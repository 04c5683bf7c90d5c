/** How the branch explorer draws the windows of one unit: each branch in a style of its own, on one ruler. */

import { freshId, set, svg } from "./common.js";
import { joinedPositions, meanLine, minus, ratio, seenBy } from "./branches_lines.js";
import { positionsText } from "./branches_words.js";

export const ROW_HEIGHT = 74;
const LABELS = 92; // pixels left of the ruler
const MARGIN = 10;
const LEAST = 20; // positions shown at least

const toNumber = ({ n, d }) => n / d;

/** Where a unit looks on a mean line, exactly. */
function placeAt({ stride, center }, unit) {
  return ratio(stride.n * unit * center.d + center.n * stride.d, stride.d * center.d);
}

/** Where a unit looks on a mean line. */
export function centerAt(line, unit) {
  return toNumber(placeAt(line, unit));
}

/**
 * The positions to show: the view stays where it is while the windows around the unit lie in it, so that the unit is
 * seen to move.
 * @param {{low: number, high: number} | null} view
 */
export function viewFor(view, courses, unit) {
  const near = [unit - 1, unit, unit + 1].flatMap((at) => joinedPositions(courses.map((course) => seenBy(course, at))));
  const [first, last] = [Math.min(...near) - 1, Math.max(...near) + 1];
  const least = Math.max(LEAST, Math.ceil(1.3 * (last - first + 1)));
  if (view === null) {
    const early = joinedPositions(courses.flatMap((course) => [seenBy(course, 0), seenBy(course, 1)]));
    view = { low: Math.min(first, early[0] - 1), high: Math.min(first, early[0] - 1) + least };
  }
  if (first >= view.low && last <= view.high) return view;
  const width = Math.max(view.high - view.low, least);
  return first < view.low ? { low: first, high: first + width } : { low: last - width, high: last };
}

/** The picture and how it is filled; one path for each kind of mark in a row. */
export function branchPicture() {
  const picture = svg("svg", { class: "rflib-picture" });
  const hatch = freshId("hatch");
  const pattern = svg("pattern", {
    id: hatch,
    width: 7,
    height: 7,
    patternUnits: "userSpaceOnUse",
    patternTransform: "rotate(45)",
  });
  pattern.append(svg("path", { class: "rflib-hatch", d: "M0 0v7" }));
  const padding = svg("rect", { fill: `url(#${hatch})` });
  const guide = svg("path", { class: "rflib-guide" });
  const axis = svg("g", { class: "rflib-axis" });
  const rows = Array.from({ length: 4 }, () => ({
    group: svg("g"),
    bracket: svg("path", { class: "rflib-bracket" }),
    marks: svg("path", { class: "rflib-marks" }),
    holes: svg("path", { class: "rflib-unread" }),
    centers: svg("path", { class: "rflib-centers" }),
    pointer: svg("path", { class: "rflib-pointer" }),
    step: svg("path", { class: "rflib-step" }),
    gap: svg("path", { class: "rflib-gap" }),
    name: svg("text", { class: "rflib-row-name", x: 0 }),
    about: svg("text", { class: "rflib-row-about", x: 0 }),
    far: svg("text", { class: "rflib-far", "text-anchor": "middle" }),
  }));
  for (const { group, ...parts } of rows) group.append(...Object.values(parts));
  picture.append(svg("defs", {}, pattern), padding, guide, ...rows.map(({ group }) => group), axis);

  /** @returns {{x: (position: number) => number, at: (x: number) => number, cell: number}} */
  function ruler(view, width) {
    const cell = (width - LABELS - 2 * MARGIN) / (view.high - view.low + 1);
    const start = LABELS + MARGIN;
    return {
      cell,
      x: (position) => start + (position - view.low + 0.5) * cell,
      at: (x) => view.low - 0.5 + (x - start) / cell,
    };
  }

  function draw({ courses, unit, view, width }) {
    const space = ruler(view, width);
    const { x, cell } = space;
    const lines = courses.map(meanLine);
    const reference = lines.find((line) => line !== null) ?? null;
    const bottom = (courses.length + 1) * ROW_HEIGHT;
    set(picture, { viewBox: `0 0 ${width} ${bottom + 26}`, width, height: bottom + 26 });
    const left = Math.max(0, Math.min(width, x(-0.5)) - LABELS);
    set(padding, { x: LABELS, y: 0, width: view.low < 0 ? left : 0, height: bottom + 4 });
    set(guide, { d: reference ? `M${x(centerAt(reference, unit))} 2V${bottom - ROW_HEIGHT + 8}` : "" });
    const windows = courses.map((course) => seenBy(course, unit));
    rows.forEach((row, index) => {
      set(row.group, {
        class: `rflib-branch-${index < courses.length ? index + 1 : "union"}`,
        display: index > courses.length ? "none" : null,
      });
      if (index > courses.length) return;
      const isUnion = index === courses.length;
      const read = isUnion ? joinedPositions(windows) : windows[index];
      drawRow(row, { read, top: index * ROW_HEIGHT, shape: isUnion ? 0 : index, isUnion }, space);
      const span = read.length ? read[read.length - 1] - read[0] + 1 : 0;
      row.name.textContent = isUnion ? "together" : `branch ${index + 1}`;
      row.about.textContent = span > read.length ? `${read.length} of ${span}` : `${span} wide`;
      drawCenters(row, isUnion ? null : lines[index], { unit, view, top: index * ROW_HEIGHT, reference }, space);
    });
    drawTicks(view, space, bottom);
    return { lines, windows };
  }

  function drawRow(row, { read, top, shape, isUnion }, { x, cell }) {
    const y = top + 50;
    set(row.name, { y: top + 46 });
    set(row.about, { y: top + 63 });
    if (read.length === 0) {
      set(row.bracket, { d: "" });
      set(row.marks, { d: "" });
      return set(row.holes, { d: "" });
    }
    const [first, last] = [x(read[0] - 0.5) + 1, x(read[read.length - 1] + 0.5) - 1];
    set(row.bracket, { d: `M${first} ${y - 13}V${y + 13}M${first} ${y}H${last}M${last} ${y - 13}V${y + 13}` });
    const size = Math.max(2.6, Math.min(7, cell * 0.3));
    set(row.marks, { d: read.map((position) => markAt(shape, x(position), y, size)).join("") });
    const held = new Set(read);
    const holes = [];
    for (let at = read[0]; at <= read[read.length - 1]; at++) if (!held.has(at)) holes.push(at);
    const cross = (at) => `M${x(at) - size / 2} ${y - size / 2}l${size} ${size}m0 ${-size}l${-size} ${size}`;
    set(row.holes, { d: isUnion && cell >= 6 ? holes.map(cross).join("") : "" });
  }

  /** Where the units of a branch look, the chosen one pointed at, the step to the next, and how far it is off. */
  function drawCenters(row, line, { unit, view, top, reference }, { x, cell }) {
    const parts = { centers: "", pointer: "", step: "", gap: "" };
    row.far.textContent = "";
    if (line !== null) {
      const y = top + 22;
      const stride = toNumber(line.stride);
      const from = Math.ceil((view.low - toNumber(line.center)) / stride);
      for (let at = from; centerAt(line, at) <= view.high; at++) {
        const cx = x(centerAt(line, at)); // circles, or ticks where circles would touch
        parts.centers +=
          stride * cell < 8 ? `M${cx} ${y - 2}v4` : `M${cx - 2.6} ${y}a2.6 2.6 0 1 0 5.2 0a2.6 2.6 0 1 0 -5.2 0`;
      }
      const [here, next] = [x(centerAt(line, unit)), x(centerAt(line, unit + 1))];
      parts.pointer = `M${here - 7} ${y - 8}h14l-7 14z`;
      parts.step = `M${here + 8} ${y}H${next - 3}m-5 -4l5 4l-5 4`;
      const off = minus(placeAt(line, unit), placeAt(reference, unit));
      if (off.n !== 0) {
        const start = x(centerAt(reference, unit));
        parts.gap = `M${start} ${y - 11}H${here}M${start} ${y - 14}v6M${here} ${y - 14}v6`;
        row.far.textContent = positionsText({ n: Math.abs(off.n), d: off.d });
        const middle = Math.min(Math.max((start + here) / 2, LABELS + 50), x(view.high) - 30);
        set(row.far, { x: middle, y: y - 18 });
      }
    }
    for (const [name, d] of Object.entries(parts)) set(row[name], { d });
  }

  function drawTicks(view, { x, cell }, bottom) {
    const step = [1, 2, 5, 10, 20, 50, 100].find((size) => size * cell >= 34) ?? 200;
    const texts = [];
    let marks = `M${x(view.low - 0.5)} ${bottom + 4}H${x(view.high + 0.5)}`;
    for (let at = Math.ceil(view.low / step) * step; at <= view.high; at += step) {
      marks += `M${x(at)} ${bottom + 4}v4`;
      texts.push(svg("text", { x: x(at), y: bottom + 21, "text-anchor": "middle" }, String(at).replace("-", "\u2212")));
    }
    axis.replaceChildren(svg("path", { d: marks }), ...texts);
  }

  return { picture, draw, ruler };
}

/** A mark of one of three shapes: square, diamond, triangle. */
export function markAt(shape, x, y, size) {
  if (shape === 1) {
    const reach = 1.3 * size;
    return `M${x} ${y - reach}l${reach} ${reach}l${-reach} ${reach}l${-reach} ${-reach}z`;
  }
  if (shape === 2) return `M${x} ${y - 1.2 * size}l${1.2 * size} ${2.2 * size}h${-2.4 * size}z`;
  return `M${x - size} ${y - size}h${2 * size}v${2 * size}h${-2 * size}z`;
}
