// Where the layers of a stack stand in the design game's picture. Pure functions, no DOM.

import { coverage, jumps, receptiveField } from "./arithmetic.js";
import { paddedLayer } from "./growth_designs.js";

const [NARROW, WIDE] = [280, 640];
const TALLEST = 36;
const MOST_MARKS = 400; // more positions than the strip has room for

/**
 * A picture as wide as its place, so that letters keep their size. The cone stands between the names of the layers and
 * what each of them adds; the input lies at the bottom.
 */
export function towerPlace(width) {
  const whole = Math.max(NARROW, Math.min(WIDE, Math.round(width) || WIDE));
  const names = Math.min(176, Math.round(0.5 * whole));
  return { width: whole, height: 330, left: names, right: whole - (whole < 460 ? 58 : 108), top: 36, bottom: 290 };
}

/**
 * One band a layer, the first layer at the bottom: at its lower edge the window of one unit of the last layer in the
 * map below, at its upper edge that in the layer's own map, from the first unit's center to the last one's.
 *
 * @param {import("./growth_designs.js").Row[]} rows
 * @param {number} goal The field that is wanted: the picture is wide enough for it.
 * @param {{left: number, right: number, top: number, bottom: number}} place
 * @returns {{bands: {y: number, height: number, below: number, above: number, adds: number, jump: number}[],
 *   size: number, unit: number, middle: number}} Widths and `unit`, one input position, in units of the picture.
 */
export function tower(rows, goal, place) {
  const layers = rows.map(paddedLayer);
  const before = jumps(layers);
  const { size } = receptiveField(layers);
  const unit = (place.right - place.left) / (Math.max(size, goal) * 1.04);
  const height = Math.min(TALLEST, (place.bottom - place.top) / Math.max(1, rows.length));
  let reach = 1;
  const bands = rows.map(([kernel, , dilation], index) => {
    const adds = dilation * (kernel - 1) * before[index];
    const below = (size - reach + 1) * unit;
    reach += adds;
    const y = place.bottom - (index + 1) * height;
    return { y, height, below, above: (size - reach + 1) * unit, adds, jump: before[index] };
  });
  return { bands, size, unit, middle: (place.left + place.right) / 2 };
}

/** The runs of the window that are read, and those that are not: [first, length, isRead]; null where it is too long. */
export function windowRuns(rows) {
  const layers = rows.map(paddedLayer);
  if (receptiveField(layers).size > MOST_MARKS) return null;
  const runs = [];
  coverage(layers).forEach((isRead, offset) => {
    const last = runs[runs.length - 1];
    if (last && last[2] === isRead) last[1] += 1;
    else runs.push([offset, 1, isRead]);
  });
  return runs;
}

/** The layer, counted from 0, at a height of the picture; -1 outside. */
export function layerAt(bands, y) {
  return bands.findIndex((band) => y >= band.y && y < band.y + band.height);
}
