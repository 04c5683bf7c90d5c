// Where things stand on the growth explorer's chart, and what is said about it. Pure functions, no DOM.

import { grouped } from "./common.js";
import { WAYS, chartEnd, curve, priceOf, reached } from "./growth_designs.js";

const [NARROWEST, WIDEST] = [300, 860];
const LETTER = 7.6; // an average bold letter of 14 px
const SAME = { steps: "number of steps", parameters: "parameters", multiply_adds: "multiply-adds" };

/**
 * Everything that the explorer shows, from its traits alone.
 * @param {{depth: number, channels: number, input_size: number, kernels: number[], axis: string, way: string,
 *   step: number}} traits
 */
export function growthState(traits, known = null) {
  const { axis, way, kernels } = traits;
  const where = { channels: traits.channels, inputSize: traits.input_size };
  const end = known ? known.end : chartEnd(traits.depth, kernels[0], where, axis);
  const curves = known ? known.curves : WAYS.map((name, index) => curve(name, kernels[index], where, axis, end));
  const own = curves[WAYS.indexOf(way)].points;
  const cursor = own.length ? own[Math.min(traits.step, own.length) - 1] : null;
  const most = cursor ? priceOf(cursor, axis) : end;
  return { end, curves, cursor, most, compared: curves.map(({ points }) => reached(points, axis, most)) };
}

/** The sentence of result, as Python says it. */
export function growthSentence({ way, axis }, { cursor, compared }) {
  const sizes = compared.map((point) => (point ? point.size : 0));
  const best = Math.max(...sizes);
  const ahead = WAYS.filter((_, index) => sizes[index] === best);
  const names = ahead.length === 1 ? `${ahead[0]} gets` : `${ahead.slice(0, -1).join(", ")} and ${ahead.at(-1)} get`;
  const who = ahead.length === WAYS.length ? `all ways get to ${grouped(best)}` : `${names} farthest: ${grouped(best)}`;
  const first = cursor
    ? `${way}, step ${cursor.step}: field ${grouped(cursor.size)} input positions, output stride ` +
      `${grouped(cursor.stride)}, ${grouped(cursor.parameters)} parameters, ${grouped(cursor.multiply_adds)} ` +
      `multiply-adds.`
    : `${way}: already its first step lies beyond the right end of the chart.`;
  return `${first} For the same ${SAME[axis]} ${who}.`;
}

/** What stands at the end of each curve. */
export function endLabels(curves) {
  return curves.map(({ points }, index) => {
    return points.length ? `${WAYS[index]} ${grouped(points.at(-1).size)}` : `${WAYS[index]}: too dear`;
  });
}

/**
 * The plot inside a picture as wide as its place, so that letters keep their size; the labels of the curves stand right
 * of it, each behind `sample` units of its line.
 */
export function plotOf(width, labels = []) {
  const whole = Math.max(NARROWEST, Math.min(WIDEST, Math.round(width) || WIDEST));
  const sample = whole < 560 ? 0 : 34;
  const room = Math.max(124, ...labels.map((label) => Math.ceil(LETTER * label.length)));
  return { left: 52, right: whole - 34 - room - sample, top: 34, bottom: 296, width: whole, height: 346, sample };
}

/** From numbers to places, with ticks; `log` on both axes, but steps are always counted evenly. */
export function growthScales({ end, curves }, axis, log, plot) {
  const points = curves.flatMap((found) => found.points);
  const top = Math.max(...points.map(({ size }) => size));
  const isLogX = log && axis !== "steps";
  const least = Math.min(...points.map((point) => priceOf(point, axis)));
  const x = scale(isLogX ? [least < end ? least : end / 2, end] : [0, end], [plot.left, plot.right], isLogX);
  const y = scale(log ? [2, top * 1.1] : [0, top * 1.06], [plot.bottom, plot.top], log);
  const ticks = axis === "steps" ? Array.from({ length: end }, (_, step) => step + 1) : x.ticks;
  return { x: { ...x, ticks }, y };
}

function scale([low, high], [from, to], log) {
  const unit = log ? Math.log : (number) => number;
  const place = (number) => from + ((unit(number) - unit(low)) / (unit(high) - unit(low))) * (to - from);
  return { place, ticks: log ? logTicks(low, high) : evenTicks(high) };
}

/** About five round numbers from 0 to the top. */
export function evenTicks(high) {
  const rough = high / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, power * [1, 2, 5, 10].find((factor) => power * factor >= rough));
  return Array.from({ length: Math.floor(high / step) + 1 }, (_, index) => index * step);
}

/** Powers of 10 between two numbers, and round multiples of them where there are few. */
export function logTicks(low, high) {
  const decades = Math.log10(high / low);
  const factors = decades < 0.7 ? [1, 2, 3, 4, 5, 6, 7, 8, 9] : decades < 2.5 ? [1, 2, 5] : decades < 5 ? [1, 3] : [1];
  const ticks = [];
  for (let power = 10 ** Math.floor(Math.log10(low)); power <= high; power *= 10) {
    ticks.push(...factors.map((factor) => factor * power).filter((tick) => tick >= low && tick <= high));
  }
  return ticks;
}

/** 1,500,000 as 1.5M. */
export function engineering(number) {
  for (const [size, letter] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (number >= size) return `${Number((number / size).toPrecision(3))}${letter}`;
  }
  return String(Number(number.toPrecision(3)));
}

/** The curves' points as places in the picture. */
export function placed({ curves }, scales, axis) {
  return curves.map(({ points }) =>
    points.map((point) => {
      return { step: point.step, x: scales.x.place(priceOf(point, axis)), y: scales.y.place(point.size) };
    }),
  );
}

/** Every point, or of very many so many that marks do not touch; always the last one. */
export function thinned(places, distance) {
  if (places.length <= 40) return places;
  const kept = [];
  places.forEach((place, index) => {
    const before = kept[kept.length - 1];
    const isFar = !before || Math.hypot(place.x - before.x, place.y - before.y) >= distance;
    if (isFar || index === places.length - 1) kept.push(place);
  });
  return kept;
}

/**
 * The point nearest to the mouse, `within` so many units; where curves lie on each other, that of the way that already
 * has the cursor.
 * @returns {{way: string, step: number} | null}
 */
export function nearest(curvesPlaced, at, way, within) {
  let [found, least] = [null, within];
  curvesPlaced.forEach((places, index) => {
    for (const { x, y, step } of places) {
      const distance = Math.hypot(x - at.x, y - at.y) - (WAYS[index] === way ? 0.01 : 0);
      if (distance < least) [found, least] = [{ way: WAYS[index], step }, distance];
    }
  });
  return found;
}

/** Heights for labels that want to stand at `wanted`, in that order from top to bottom, at least `gap` apart. */
export function apart(wanted, gap, low, high) {
  const order = wanted.map((_, index) => index).sort((one, other) => wanted[one] - wanted[other] || one - other);
  const heights = [];
  order.forEach((index, rank) => {
    heights[index] = Math.max(wanted[index], rank ? heights[order[rank - 1]] + gap : low);
  });
  for (let rank = order.length - 1; rank >= 0; rank--) {
    const limit = rank === order.length - 1 ? high : heights[order[rank + 1]] - gap;
    heights[order[rank]] = Math.min(heights[order[rank]], limit);
  }
  return heights;
}
