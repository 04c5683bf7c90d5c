// The growth explorer's arithmetic against Python's, on the cases that tests/test_widgets/cases_growth.py writes;
// tests/test_widgets/test_growth.py names their file in RFLIB_DESIGN_CASES.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import * as chart from "../../rflib/widgets/growth_chart.js";
import * as designs from "../../rflib/widgets/growth_designs.js";
import { assertClose } from "./reading.js";

const path = process.env.RFLIB_DESIGN_CASES;
const cases = path ? JSON.parse(readFileSync(path, "utf8")) : [];
const of = (kind) => cases.filter((entry) => entry.kind === kind);
const numbers = ({ size, stride, outputSize, parameters, multiply_adds }) => {
  return [size, stride, outputSize, parameters, multiply_adds];
};

if (path) {
  test("stacks: every number, the words and the refusals are Python's", () => {
    let refused = 0;
    for (const { rows, where, words, numbers: wanted, density, problem } of of("stack")) {
      const found = designs.designNumbers(rows, where);
      assert.equal(designs.stackWords(rows), words);
      assert.equal(found.problem, problem ?? null);
      refused += Boolean(problem);
      if (problem) continue;
      assert.deepEqual(numbers(found), wanted, words);
      assertClose(found.density, density, `density of ${words}`);
    }
    assert.ok(refused > 10 && of("stack").length >= 200);
  });

  test("curves: every step of every way is Python's, and ends where Python's ends", () => {
    assert.equal(of("curve").length, 25);
    for (const { way, kernel, where, points } of of("curve")) {
      const { points: found, end } = designs.curve(way, kernel, where, "steps", 40);
      assert.deepEqual(found.map((point) => [point.step, ...numbers(point)]), points, `${way} ${kernel}`);
      const last = points.at(-1);
      const isWhole = last[1] >= 2 * where.inputSize - 1;
      assert.equal(end, isWhole ? "whole" : "price");
      const stack = designs.designNumbers(designs.wayRows(way, last[0], kernel), where);
      assert.deepEqual(numbers(stack), last.slice(1));
    }
  });

  test("the cursor, what is compared at it, and the sentence are Python's", () => {
    assert.ok(of("cursor").length >= 100);
    for (const { traits, compared, design, sentence } of of("cursor")) {
      const state = chart.growthState(traits);
      assert.deepEqual(state.cursor && numbers(state.cursor), design, JSON.stringify(traits));
      designs.WAYS.forEach((way, index) => {
        const point = state.compared[index];
        assert.deepEqual(point && numbers(point), compared[way], `${way} in ${JSON.stringify(traits)}`);
      });
      assert.equal(chart.growthSentence(traits, state), sentence);
    }
    assert.ok(of("cursor").some(({ design }) => design === null));
  });
}

test("pooling sees the whole input before nothing is left of the map", () => {
  for (const kernel of [3, 5, 7, 9, 11]) {
    for (let inputSize = 8; inputSize <= 1024; inputSize++) {
      const { points, end } = designs.curve("pooling", kernel, { channels: 1, inputSize }, "steps", 100);
      assert.equal(end, "whole");
      assert.ok(points.every(({ outputSize }) => outputSize >= 1), `${kernel}, ${inputSize}`);
    }
  }
});

test("a way's stack in few words", () => {
  const words = (way, step) => designs.wayWords(way, step, 3);
  assert.equal(words("depth", 1), "conv 3");
  assert.equal(words("depth", 4), "4 \u00d7 conv 3");
  assert.equal(words("large kernels", 4), "conv 9");
  assert.equal(words("pooling", 5), "2 \u00d7 (conv 3, pool 2), conv 3");
  assert.equal(words("dilation", 4), "conv 3, dilation 1 to 8");
  assert.equal(words("depthwise", 2), "2 \u00d7 separable 3");
});

test("ticks are round, in order and inside", () => {
  assert.deepEqual(chart.evenTicks(134), [0, 50, 100]);
  assert.deepEqual(chart.evenTicks(3), [0, 1, 2, 3]);
  assert.deepEqual(chart.logTicks(2, 140), [2, 5, 10, 20, 50, 100]);
  for (const high of [1, 3, 7, 64, 511, 2047, 5e5, 7e9]) {
    for (const ticks of [chart.evenTicks(high), chart.logTicks(2, Math.max(4, high))]) {
      assert.ok(ticks.length >= 2 && ticks.length <= 12, `${ticks}`);
      assert.ok(ticks.every((tick, index) => index === 0 || tick > ticks[index - 1]));
    }
  }
  assert.deepEqual([1500000, 999, 2e9, 20, 1.5].map(chart.engineering), ["1.5M", "999", "2G", "20", "1.5"]);
});

test("the nearest point is found; on equal ones the cursor keeps its way", () => {
  const at = (x, y) => [{ x, y, step: 1 }];
  const places = [at(10, 10), at(50, 10), at(10, 10), [], []];
  assert.deepEqual(chart.nearest(places, { x: 12, y: 10 }, "pooling", 60), { way: "pooling", step: 1 });
  assert.deepEqual(chart.nearest(places, { x: 12, y: 10 }, "dilation", 60), { way: "depth", step: 1 });
  assert.deepEqual(chart.nearest(places, { x: 45, y: 10 }, "depth", 60), { way: "large kernels", step: 1 });
  assert.equal(chart.nearest(places, { x: 500, y: 10 }, "depth", 60), null);
});

test("the picture is as wide as its place, within reason, and the plot inside it", () => {
  assert.deepEqual([0, 100, 480, 5000].map((width) => chart.plotOf(width).width), [860, 300, 480, 860]);
  for (const width of [300, 559, 560, 860]) {
    const { left, right, top, bottom, height } = chart.plotOf(width);
    assert.ok(right - left >= 85 && right < width - 100 && top < bottom && bottom < height);
  }
  const traits = { depth: 6, channels: 64, input_size: 224, kernels: [3, 3, 3, 3, 3], way: "depth", step: 3 };
  for (const [axis, log] of [["steps", false], ["steps", true], ["parameters", true], ["multiply_adds", false]]) {
    const plot = chart.plotOf(700);
    const state = chart.growthState({ ...traits, axis });
    const places = chart.placed(state, chart.growthScales(state, axis, log, plot), axis).flat();
    assert.ok(places.every(({ x }) => x >= plot.left - 1e-9 && x <= plot.right + 1e-9));
    assert.ok(places.every(({ y }) => y >= plot.top - 1e-9 && y <= plot.bottom + 1e-9));
  }
});

test("labels keep their order and their distance, within the plot", () => {
  for (const wanted of [[300, 300, 300, 300, 300], [10, 10, 200, 340, 350], [350, 40, 350, 40, 350]]) {
    const heights = chart.apart(wanted, 25, 38, 348);
    const sorted = [...heights].sort((one, other) => one - other);
    assert.ok(sorted[0] >= 38 && sorted[4] <= 348, `${heights}`);
    for (let i = 1; i < 5; i++) assert.ok(sorted[i] - sorted[i - 1] >= 24.999, `${heights}`);
  }
});

test("crowded marks are thinned out, the first and the last stay", () => {
  const places = Array.from({ length: 100 }, (_, step) => ({ x: step, y: 0, step }));
  const kept = chart.thinned(places, 15);
  assert.deepEqual([kept[0], kept.at(-1)], [places[0], places[99]]);
  assert.ok(kept.length === 8);
});
