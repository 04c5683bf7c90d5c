// The overlay on a page without Python: every unit of every layer, or every n-th, and the effective field of some.

import { unitOf, unitWindow, unitWindows, flatOf, middleOf, unitCount } from "./overlay_windows.js";
import { Refusal, bytesOf, nearestRecorded, notComputed, placeWords } from "./recorded.js";

const AXES = [["positions"], ["rows", "columns"]];

/** The number of its kind for each recorded unit, row after row: "3x5 4" is 3 five times, then 4. */
export function kindsOf({ rows, row }) {
  const unpacked = rows.map((text) => text.split(" ").flatMap((run) => {
    const [kind, times = 1] = run.split("x").map(Number);
    return Array(times).fill(kind);
  }));
  return row.flatMap((index) => unpacked[index]);
}

const signed = (number) => String(number).replace("-", "\u2212");

/** A window in Python's words. */
export function windowWords(window) {
  if (!window) return "none";
  const size = window.map(([first, last]) => last - first + 1).join(" \u00d7 ");
  const names = AXES[window.length - 1];
  return [size, ...window.map(([first, last], axis) => `${names[axis]} ${signed(first)} to ${signed(last)}`)].join("\n");
}

/** The middle of a window in Python's words. */
export function centerWords(window) {
  if (!window) return "none";
  const names = AXES[window.length - 1].map((name) => name.slice(0, -1));
  return middleOf(window).map((place, axis) => `${names[axis]} ${signed(place)}`).join(", ");
}

/** Which unit is nearest to a place, as Python chooses it: of several the middle one, else the first. */
export function nearestTo(layer, place) {
  const middle = layer.units.map((n) => Math.floor(n / 2));
  if (!place) return middle;
  const cost = (unit) => {
    const window = unitWindow(layer, unit);
    return window ? middleOf(window).reduce((sum, at, axis) => sum + (at - place[axis]) ** 2, 0) : Infinity;
  };
  let [best, least] = [middle, cost(middle)];
  for (let flat = 0; flat < unitCount(layer); flat += 1) {
    const unit = unitOf(layer, flat);
    if (cost(unit) < least) [best, least] = [unit, cost(unit)];
  }
  return best;
}

/** Rectangles as the bytes that Python sends. */
function packed(rectangles) {
  return new DataView(Int32Array.from(rectangles.flat()).buffer);
}

/** The part of a window inside the input. */
function insideOf(window, space) {
  if (!window) return [];
  const ends = window.map(([first, last], axis) => [Math.max(0, first), Math.min(space[axis] - 1, last)]);
  const [[top, bottom], [left, right]] = ends.length === 1 ? [[0, 0], ends[0]] : ends;
  return bottom < top || right < left ? [] : [[top, left, bottom - top + 1, right - left + 1]];
}

/** What Python says about a unit. */
function unitAnswer(recorded, layer, unit, note) {
  const { every, kinds } = recorded;
  const among = { units: layer.units.map((n) => Math.ceil(n / every)) };
  const kind = kinds[kindsOf(recorded)[flatOf(among, unit.map((index) => index / every))]];
  const window = unitWindow(layer, unit);
  const [top, left] = window ? [[0], ...window].slice(-2).map(([first]) => first) : [0, 0];
  const moved = kind.rectangles?.map((n, i) => n + (i % 4 === 0 ? top : i % 4 === 1 ? left : 0));
  return {
    layer: layer.layer,
    unit,
    read: kind.read,
    rectangles: packed(moved ?? insideOf(window, layer.space)),
    sentence: kind.sentence.replace("{unit}", placeWords(unit)) + note,
    facts: { window: windowWords(window), center: centerWords(window), read: kind.words },
  };
}

/** The traits after a move, as Python would set them. */
export function playOverlay(recording, now, asked, told, isStep) {
  if (told) throw new Refusal("The overlay takes settings, and no messages.");
  const key = asked.layer ?? now("layer");
  const recorded = recording.layers[key];
  if (!recorded) throw notComputed(`the layer ${key}`);
  if (asked._asked) return { ...asked, _effective: effectiveOf(recording, asked._asked) };
  const isNew = key !== now("_map").layer;
  if (!isNew && !asked.unit) return asked; // what is shown of it is the browser's own
  const data = isNew ? { ...recorded.map, table: recorded.map.table && bytesOf(recorded.map.table) } : now("_map");
  const layer = unitWindows(data);
  const before = isNew ? unitWindow(unitWindows(now("_map")), now("unit")) : null;
  const wanted = isNew ? nearestTo(layer, before && middleOf(before)) : asked.unit;
  const unit = recordedUnit(recorded, layer, wanted, isStep ? now("unit") : null);
  const note = unit === wanted ? "" : ` For this page unit ${placeWords(wanted)} was not computed; this one is near it.`;
  return { ...asked, ...(isNew ? { _map: data } : {}), unit, _answer: unitAnswer(recorded, layer, unit, note) };
}

/** The unit itself, or the nearest one that was recorded. */
function recordedUnit({ every }, { units }, wanted, from) {
  if (wanted.every((index) => index % every === 0)) return wanted;
  const along = units.map((n) => Array.from({ length: Math.ceil(n / every) }, (_, i) => i * every));
  // Near both ends of its own stretch of units: what is farther cannot be the nearest, on the way or not.
  const near = along.map((indexes, axis) => indexes.filter((index) => Math.abs(index - wanted[axis]) < 2 * every));
  const places = near.reduce((found, indexes) => found.flatMap((place) => indexes.map((i) => [...place, i])), [[]]);
  const unit = nearestRecorded(from, wanted, places);
  if (!unit) throw notComputed(`unit ${placeWords(wanted)}${from ? " and those beyond" : ""}`);
  return unit;
}

function effectiveOf({ layers }, { layer, unit }) {
  const { effective } = layers[layer];
  const found = effective[unit.join(",")];
  if (found) return { ...found, image: found.image && bytesOf(found.image) };
  const units = Object.keys(effective).map((key) => placeWords(key.split(",").filter(Boolean).map(Number)));
  const instead = units.length ? ` It was for ${units.length === 1 ? "unit" : "units"} ${units.join(", ")}.` : "";
  const words = notComputed(`the effective field of unit ${placeWords(unit)}`).message;
  return { layer, unit, image: null, center: null, sigma: null, words: words + instead };
}
