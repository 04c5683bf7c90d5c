// Where everything of the stack explorer's picture stands: places and paths, no DOM.

import { cone, feeds, interval, mean, outputSizes } from "./arithmetic.js";
import { pathShares, reads, receptiveField, spread } from "./arithmetic.js";
import { isCausal } from "./stack_state.js";

/** Steps of shading of the input row. */
export const SHADES = 8;

// More lines than these from unit to tap are one blot, and say less than the shadow of the cone.
const MOST_LINES = 700;

/** Heights in the picture, in pixels: above the rows; axis, window, and effective field below them. */
export const ROOM = { top: 10, axis: 24, window: 34, effective: 78, bottom: 6 };

/**
 * Everything that does not depend on the unit: which levels exist, and where their units stand.
 * @param {any[]} layers
 * @param {number} inputSize
 * @param {number} width Of the picture, in pixels.
 * @param {boolean} effective Whether there is room for the effective field below the input.
 */
export function stackLayout(layers, inputSize, width, effective) {
  const { sizes, problem } = outputSizes(layers, inputSize);
  const lengths = [inputSize, ...sizes];
  const fields = lengths.map((_, level) => receptiveField(layers.slice(0, level)));
  const rowHeight = Math.round(Math.min(54, Math.max(24, 480 / (layers.length + 1))));
  const causal = isCausal(layers); // whose units stand at the end of their windows, all above position 0
  const [low, high] = roomy(domain(fields, lengths), (ends) => {
    const scale = width / (ends[1] - ends[0] + 1);
    return rowsOf(fields, ends[0], scale, { layers, rowHeight, causal }).map(({ start, pitch, width: mark }, level) => {
      const last = start + (lengths[level] - 1) * pitch;
      return [(start - mark / 2) / scale, (width - last - mark / 2) / scale];
    });
  });
  const scale = width / (high - low + 1);
  const rows = rowsOf(fields, low, scale, { layers, rowHeight, causal });
  const bottom = ROOM.axis + ROOM.window + (effective ? ROOM.effective : 0) + ROOM.bottom;
  const height = ROOM.top + rowHeight * (layers.length + 1) + bottom;
  const known = { layers, inputSize, lengths, fields, problem };
  return { ...known, low, high, scale, rowHeight, rows, width, height, effective, causal };
}

/** Where the units of each level stand, and how large they are, in pixels. */
function rowsOf(fields, low, scale, { layers, rowHeight, causal }) {
  return fields.map((field, level) => {
    const pitch = field.stride * scale;
    const mark = Math.min(18, rowHeight * 0.5, Math.max(0.5, pitch * (pitch < 4 ? 0.9 : 0.76)));
    return {
      pitch,
      start: ((causal ? field.size - 0.5 : field.size / 2) - field.padding - low) * scale,
      y: ROOM.top + rowHeight * (layers.length - level + 0.5),
      width: mark,
      height: Math.min(18, rowHeight * 0.5, Math.max(mark, 9)),
    };
  });
}

/**
 * More positions to show, where units would else stand beyond the picture.
 * @param {[number, number]} ends First and last position.
 * @param {(ends: [number, number]) => [number, number][]} spare Positions left over on both sides of each level.
 */
function roomy([low, high], spare) {
  for (let turn = 0; turn < 8; turn++) { // a wider range makes its marks wider too, in positions
    const left = Math.min(0, ...spare([low, high]).map(([each]) => Math.floor(each + 1e-9)));
    const right = Math.min(0, ...spare([low, high]).map(([, each]) => Math.floor(each + 1e-9)));
    if (left === 0 && right === 0) break;
    [low, high] = [low + left, high - right];
  }
  return [low, high];
}

/** First and last input position to show: the input, and windows that hang over it, a long one by a quarter at most. */
function domain(fields, lengths) {
  const inputSize = lengths[0];
  const most = Math.max(3, Math.ceil(inputSize / (inputSize <= 64 ? 2 : 4)));
  let [left, right] = [0, 0];
  fields.forEach((field, level) => {
    left = Math.max(left, field.padding);
    right = Math.max(right, interval(field, lengths[level] - 1)[1] - inputSize + 1);
  });
  return [-Math.min(left, most), inputSize - 1 + Math.min(right, most)];
}

/** The middle of a unit, in pixels; units that do not exist have their place too. */
export function placeOf(layout, level, unit) {
  const { start, pitch } = layout.rows[level];
  return start + unit * pitch;
}

/** The level and the unit nearest to a point of the picture. */
export function unitAt(layout, x, y) {
  const { layers, rowHeight, lengths, rows } = layout;
  const row = layers.length - Math.floor((y - ROOM.top) / rowHeight);
  const level = Math.min(Math.max(row, 0), lengths.length - 1);
  const unit = Math.round((x - rows[level].start) / rows[level].pitch);
  return { level, unit: Math.min(Math.max(unit, 0), lengths[level] - 1) };
}

/** Units as rectangles of one path; where they stand closer than a pixel and a half, runs of them. */
export function unitMarks(layout, level, units, shape = rectangle) {
  const { y, pitch, width, height } = layout.rows[level];
  let path = "";
  if (pitch >= 1.5) {
    for (const unit of units) path += shape(placeOf(layout, level, unit), y, width, height);
    return path;
  }
  for (const [first, last] of runs(units)) {
    const middle = (placeOf(layout, level, first) + placeOf(layout, level, last)) / 2;
    path += shape(middle, y, (last - first) * pitch + width, height);
  }
  return path;
}

function rectangle(x, y, width, height) {
  return `M${short(x - width / 2)} ${short(y - height / 2)}h${short(width)}v${short(height)}h${short(-width)}z`;
}

/** What is fed: a diamond; where there is no room for one, a bar that stands up from the row. */
function diamond(x, y, width, height) {
  if (width < 5) return rectangle(x, y - height / 2, Math.max(width, 0.8), height);
  const half = Math.min(width, height) * 0.62;
  return `M${short(x)} ${short(y - half)}l${short(half)} ${short(half)}l${short(-half)} ${short(half)}` +
    `l${short(-half)} ${short(-half)}z`;
}

/** Runs of neighbors in a rising list. */
export function runs(units) {
  const found = [];
  for (const unit of units) {
    const latest = found[found.length - 1];
    if (latest && unit === latest[1] + 1) latest[1] = unit;
    else found.push([unit, unit]);
  }
  return found;
}

function short(number) {
  return Math.round(number * 100) / 100;
}

/** All units of each level as one dashed line: thousands of rectangles would cost more than the rest of the picture. */
export function unitRows(layout) {
  return layout.lengths.map((length, level) => {
    const { y, pitch, width, height } = layout.rows[level];
    const [left, right] = [placeOf(layout, level, 0) - width / 2, placeOf(layout, level, length - 1) + width / 2];
    const dashes = pitch >= 1.5 && length > 1 ? `${width} ${pitch - width}` : null;
    return { d: `M${left} ${short(y)}H${right}`, "stroke-width": short(height), "stroke-dasharray": dashes };
  });
}

/**
 * Everything about one unit: the numbers, and the paths of the picture.
 * @param {ReturnType<typeof stackLayout>} layout
 * @param {number} level
 * @param {number} unit
 */
export function unitView(layout, level, unit) {
  const { layers, inputSize, fields, lengths } = layout;
  const below = cone(layers.slice(0, level), inputSize, level, unit);
  const above = feeds(layers, inputSize, level, unit);
  const [first, last] = interval(fields[level], unit);
  const shares = pathShares(layers.slice(0, level), inputSize, level, unit)[0];
  const fed = [...new Set([level + 1, lengths.length - 1])].filter((at) => at > level && at < lengths.length);
  return {
    layers, level, unit, first, last, below, above, shares,
    size: fields[level].size,
    middle: (first + last) / 2,
    read: below[0].positions.length,
    outside: overhang(first, last, inputSize),
    mean: mean(shares),
    spread: spread(shares),
    fed: fed.map((at) => ({ level: at, count: above[at - level].units.length })),
  };
}

/** How many positions of a window lie beyond the borders. */
function overhang(first, last, length) {
  return last - first + 1 - Math.max(0, Math.min(last, length - 1) - Math.max(first, 0) + 1);
}

/** The paths of the picture for one unit, by what they mark. */
export function unitPaths(layout, view) {
  const { level, unit, below, above } = view;
  const row = layout.rows[level];
  return {
    cone: hull(layout, below.map((each) => [each.level, ...each.interval])),
    fan: hull(layout, above.filter((each) => each.units.length).map((each) => [each.level, ...ends(each.units)])),
    lines: tapLines(layout, below),
    windows: level === 0 ? "" : below.slice(0, -1).map((each) => outline(layout, each, 3)).join(""),
    padding: below.map((each) => beyond(layout, each)).join(""),
    read: below.slice(1, -1).map(({ level: at, positions }) => unitMarks(layout, at, positions)).join(""),
    fed: above.slice(1).map(({ level: at, units }) => unitMarks(layout, at, units, diamond)).join(""),
    chosen: rectangle(placeOf(layout, level, unit), row.y, Math.max(row.width, 3) + 2, row.height + 2),
    ring: rectangle(placeOf(layout, level, unit), row.y, Math.max(row.width, 3) + 6, row.height + 6),
    shades: shading(layout, view),
  };
}

function ends(units) {
  return [units[0], units[units.length - 1]];
}

/** A polygon through runs on several levels, (level, first, last) each, the lowest first. */
function hull(layout, spans) {
  if (spans.length < 2) return "";
  const edge = (at, unit, side) => {
    const { y, width } = layout.rows[at];
    return `${short(placeOf(layout, at, unit) + (side * width) / 2)} ${short(y)}`;
  };
  const left = spans.map(([at, first]) => edge(at, first, -1));
  const right = spans.map(([at, , last]) => edge(at, last, 1));
  return `M${[...left, ...right.reverse()].join("L")}z`;
}

/** A line from every unit that reads to each of its taps, if they can still be told apart. */
function tapLines(layout, below) {
  const { layers, lengths, rows } = layout;
  let number = 0;
  for (const { level, positions } of below.slice(1)) number += positions.length * layers[level - 1].kernel_size;
  if (number > MOST_LINES || rows[0].pitch < 3) return "";
  let path = "";
  for (const { level, positions } of below.slice(1)) {
    for (const unit of positions) {
      const from = `M${short(placeOf(layout, level, unit))} ${short(rows[level].y)}`;
      for (const tap of reads(layers[level - 1], unit)) {
        if (tap < 0 || tap >= lengths[level - 1]) continue;
        path += `${from}L${short(placeOf(layout, level - 1, tap))} ${short(rows[level - 1].y)}`;
      }
    }
  }
  return path;
}

/** The outline of a level's window. */
function outline(layout, { level, interval: [first, last] }, gap) {
  const { y, width, height } = layout.rows[level];
  const [left, right] = [placeOf(layout, level, first), placeOf(layout, level, last)];
  return rectangle((left + right) / 2, y, right - left + width + 2 * gap, height + 2 * gap);
}

/** The part of a level's window that lies beyond the border: what is padding there. */
function beyond(layout, { level, interval: [first, last] }) {
  const length = layout.lengths[level];
  let path = "";
  if (first < 0) path += outline(layout, { level, interval: [first, Math.min(last, -1)] }, 0);
  if (last >= length) path += outline(layout, { level, interval: [Math.max(first, length), last] }, 0);
  return path;
}

/** The input positions that are read, by their share of the paths: one path for each step of shading. */
function shading(layout, { level, below, shares }) {
  const steps = Array.from({ length: SHADES }, () => []);
  if (level === 0) return steps.map(() => "");
  const most = shares.reduce((one, other) => Math.max(one, other), 0);
  for (const position of below[0].positions) {
    // A share may be too small for a number; the position is read all the same.
    const step = layout.effective ? Math.ceil((SHADES * shares[position]) / most) : SHADES;
    steps[Math.max(step, 1) - 1].push(position);
  }
  return steps.map((positions) => unitMarks(layout, 0, positions));
}

/** The bracket below the input: from the first to the last position of the window, open where the picture ends. */
export function bracket(layout, { first, last }) {
  const { scale, low, width } = layout;
  const y = layout.rows[0].y + layout.rowHeight / 2 + ROOM.axis + 4;
  const [left, right] = [(first - low) * scale, (last + 1 - low) * scale];
  const [from, to] = [Math.max(left, 0), Math.min(right, width)];
  const end = (x, is) => (is ? `M${short(x)} ${y - 5}v10` : "");
  return {
    path: `M${short(from)} ${y}H${short(to)}${end(left, left >= 0)}${end(right, right <= width)}`,
    middle: (from + to) / 2,
    y: y + 18,
  };
}

/** The share of paths of every position as bars, and the bar of one sigma to either side of their mean. */
export function profile(layout, { shares, mean: middle, spread: sigma, level }) {
  if (!layout.effective || level === 0 || Number.isNaN(middle)) return { bars: "", sigma: "", x: 0, y: 0 };
  const base = layout.height - ROOM.bottom - 24;
  const most = shares.reduce((one, other) => Math.max(one, other), 0);
  const { pitch, width } = layout.rows[0];
  const tall = ROOM.effective - 38;
  let bars = "";
  const step = Math.max(1, Math.ceil(0.75 / pitch)); // no bar is thinner than a pixel
  for (let from = 0; from < shares.length; from += step) {
    let share = 0;
    for (let p = from; p < Math.min(from + step, shares.length); p++) share = Math.max(share, shares[p]);
    if (share === 0) continue;
    const bar = Math.max(0.75, (tall * share) / most);
    const wide = Math.max(width, step * pitch);
    const left = placeOf(layout, 0, from) - width / 2;
    bars += `M${short(left)} ${short(base)}v${short(-bar)}h${short(wide)}v${short(bar)}z`;
  }
  const y = base + 12;
  const [left, at, right] = [-sigma, 0, sigma].map((away) => short(placeOf(layout, 0, middle + away)));
  const path = `M${left} ${y}H${right}M${left} ${y - 5}v10M${right} ${y - 5}v10M${at} ${y - 3}v6`;
  return { bars, sigma: path, x: right, left, y };
}

/** Numbers of the axis below the input, far enough apart. */
export function axisTicks(layout) {
  const { inputSize, scale } = layout;
  const widest = 12 + 8 * String(inputSize).length;
  const steps = [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000];
  const step = steps.find((each) => each * scale >= widest) ?? 5000;
  const ticks = [];
  for (let position = 0; position < inputSize; position += step) ticks.push(position);
  return ticks.map((position) => ({ position, x: placeOf(layout, 0, position) }));
}

