import { decimal } from "./common.js";

/**
 * The windows of all units of one layer, in the browser: which one a unit has, which unit is nearest to a place, which
 * ones hang over the border. Pure functions, no DOM. Positions are numbered 0, 1, 2, ... along each axis.
 *
 * @typedef {object} UnitWindows What Python says about a layer, once.
 * @property {number[]} units Units along each axis of the feature map; [] where a single one is left.
 * @property {number[]} space Input positions along each axis.
 * @property {number[] | null} follows For each input axis the axis of the feature map that chooses the window, or -1.
 * @property {[number, number][][] | null} ends For each input axis first and last position, by that axis's index.
 * @property {Int32Array | null} table Where windows follow no axes: first and last, axis by axis, of each unit in turn.
 */

/** What Python sends, with the table as numbers. */
export function unitWindows(data) {
  const { table } = data;
  if (!table) return data;
  const bytes = table.buffer.slice(table.byteOffset, table.byteOffset + table.byteLength);
  return { ...data, table: new Int32Array(bytes) };
}

/** How many units there are. */
export function unitCount({ units }) {
  return units.reduce((product, n) => product * n, 1);
}

/** The number of a unit, counted row by row. */
export function flatOf({ units }, unit) {
  return unit.reduce((flat, index, axis) => flat * units[axis] + index, 0);
}

/** The unit with a number. */
export function unitOf({ units }, flat) {
  const unit = [];
  for (let axis = units.length - 1; axis >= 0; axis--) {
    unit.unshift(flat % units[axis]);
    flat = Math.floor(flat / units[axis]);
  }
  return unit;
}

/**
 * The ideal window of a unit: first and last position along each axis; null where it reads nothing.
 * @param {UnitWindows} layer
 * @param {number[]} unit
 * @returns {[number, number][] | null}
 */
export function unitWindow(layer, unit) {
  const { follows, ends, table, space } = layer;
  if (follows) return ends.map((along, axis) => along[follows[axis] < 0 ? 0 : unit[follows[axis]]]);
  const at = flatOf(layer, unit) * 2 * space.length;
  const found = space.map((_, axis) => [table[at + 2 * axis], table[at + 2 * axis + 1]]);
  return found.some(([first, last]) => last < first) ? null : found;
}

/** Middle of a window along each axis. */
export function middleOf(window) {
  return window.map(([first, last]) => (first + last) / 2);
}

/** Whether a window hangs over the border of the input. */
export function hangsOver(window, space) {
  return window.some(([first, last], axis) => first < 0 || last >= space[axis]);
}

/** For each unit: 0, its window lies inside the input; 1, it hangs over the border; 2, it reads nothing. */
export function bordering(layer) {
  const found = new Uint8Array(unitCount(layer));
  for (let flat = 0; flat < found.length; flat++) {
    const window = unitWindow(layer, unitOf(layer, flat));
    found[flat] = window ? Number(hangsOver(window, layer.space)) : 2;
  }
  return found;
}

/**
 * The unit whose center is nearest to a place; of several the one that was chosen, where all look at the same.
 * @param {UnitWindows} layer
 * @param {number[]} place One number for each input axis.
 * @param {number[]} chosen
 * @returns {number[]}
 */
export function nearestUnit(layer, place, chosen) {
  const { units, follows, ends } = layer;
  if (!follows) return nearestOfAll(layer, place, chosen);
  return units.map((n, k) => {
    const cost = (index) =>
      follows.reduce((sum, followed, axis) => {
        if (followed !== k) return sum;
        const [first, last] = ends[axis][index];
        return sum + ((first + last) / 2 - place[axis]) ** 2;
      }, 0);
    let [best, least] = [chosen[k], cost(chosen[k])];
    for (let index = 0; index < n; index++) {
      if (cost(index) < least) [best, least] = [index, cost(index)];
    }
    return best;
  });
}

function nearestOfAll(layer, place, chosen) {
  const cost = (unit) => {
    const window = unitWindow(layer, unit);
    return window ? middleOf(window).reduce((sum, c, axis) => sum + (c - place[axis]) ** 2, 0) : Infinity;
  };
  let [best, least] = [chosen, cost(chosen)];
  for (let flat = 0; flat < unitCount(layer); flat++) {
    const unit = unitOf(layer, flat);
    const found = cost(unit);
    if (found < least) [best, least] = [unit, found];
  }
  return best;
}

/** A unit moved along an axis of the feature map; it stays inside. */
export function moved({ units }, unit, axis, by) {
  if (axis < 0 || axis >= units.length) return unit;
  return unit.map((index, k) => (k === axis ? Math.min(units[k] - 1, Math.max(0, index + by)) : index));
}

/**
 * A unit moved so that its window moves down (axis 0 of an image) or to the right: windows may run against the units,
 * as behind a flip, or across, as behind a transposition.
 */
export function movedOnImage(layer, unit, axis, by) {
  const { follows, ends, units } = layer;
  if (!follows) return moved(layer, unit, units.length - layer.space.length + axis, by);
  const along = ends[axis];
  return moved(layer, unit, follows[axis], along[along.length - 1][0] < along[0][0] ? -by : by);
}

/** How the feature map is drawn: rows and columns of cells; axes before the last are put one below the other. */
export function cellsOf(layer) {
  const columns = layer.units.length ? layer.units[layer.units.length - 1] : 1;
  return { rows: columns ? unitCount(layer) / columns : 0, columns };
}

/**
 * Cells of one kind as rectangles, a run of neighbors in a row as one.
 * @param {Uint8Array} kinds
 * @param {number} columns
 * @param {number} kind
 * @returns {[number, number, number][]} Column, row, width.
 */
export function runsOf(kinds, columns, kind) {
  const runs = [];
  for (let start = 0; start < kinds.length; start++) {
    if (kinds[start] !== kind) continue;
    const end = (Math.floor(start / columns) + 1) * columns;
    let stop = start;
    while (stop < end && kinds[stop] === kind) stop++;
    runs.push([start % columns, Math.floor(start / columns), stop - start]);
    start = stop - 1;
  }
  return runs;
}

/** The units whose centers are drawn: every k-th along each axis, so that at most `most` stand along one. */
export function drawnUnits(layer, most) {
  const every = Math.max(1, ...layer.units.map((n) => Math.ceil(n / most)));
  let found = [[]];
  layer.units.forEach((n) => {
    const start = Math.floor(((n - 1) % every) / 2); // the same margin at both ends
    const along = Array.from({ length: Math.ceil((n - start) / every) }, (_, i) => start + i * every);
    found = found.flatMap((unit) => along.map((index) => [...unit, index]));
  });
  return { units: found, every };
}

/** The units one step away along each axis of the feature map. */
export function neighborsOf(layer, unit) {
  return layer.units.flatMap((n, axis) =>
    [-1, 1].filter((by) => unit[axis] + by >= 0 && unit[axis] + by < n).map((by) => moved(layer, unit, axis, by)),
  );
}

/**
 * How far the picture reaches beyond the input, an axis: as far as any window does, but not more than a third of
 * the input, or than the middle unit's window does, and at most the input once more.
 */
export function margins(layer) {
  const { space, units } = layer;
  const middle = unitWindow(layer, units.map((n) => Math.floor(n / 2)));
  const beyond = ([first, last], axis) => Math.max(0, -first, last - space[axis] + 1);
  const most = space.map(() => 0);
  for (let flat = 0; flat < unitCount(layer); flat++) {
    const window = unitWindow(layer, unitOf(layer, flat));
    if (window) window.forEach((ends, axis) => (most[axis] = Math.max(most[axis], beyond(ends, axis))));
  }
  return space.map((n, axis) => {
    const wanted = Math.max(n / 3, middle ? beyond(middle[axis], axis) : 0);
    return Math.ceil(Math.min(most[axis], wanted, n));
  });
}

/**
 * The ends of a window that lie beyond the picture.
 * @param {[number, number][]} window
 * @param {number[]} space
 * @param {number[]} beyond How far the picture reaches beyond the input, an axis.
 * @returns {{axis: number, end: 0 | 1, position: number}[]} End 0 is the first position, 1 the last.
 */
export function cutsOf(window, space, beyond) {
  return window.flatMap(([first, last], axis) => [
    ...(first < -beyond[axis] ? [{ axis, end: 0, position: first }] : []),
    ...(last > space[axis] - 1 + beyond[axis] ? [{ axis, end: 1, position: last }] : []),
  ]);
}

/** What the cuts are in words: "rows from \u221249, columns to 110"; empty without any. */
export function cutWords(cuts, axes) {
  const names = axes === 1 ? ["positions"] : ["rows", "columns"];
  const ends = ["from", "to"];
  const said = cuts.map(({ axis, end, position }) => `${names[axis]} ${ends[end]} ${decimal(position, 0)}`);
  return said.join(", ");
}

/** Rectangles (top, left, height, width) from the bytes that Python sends. */
export function rectanglesOf(bytes) {
  const numbers = new Int32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  return Array.from({ length: numbers.length / 4 }, (_, i) => Array.from(numbers.subarray(4 * i, 4 * i + 4)));
}
