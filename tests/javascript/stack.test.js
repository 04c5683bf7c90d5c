// The stack explorer: what it says and where it draws, on the cases that tests/test_widgets/cases.py writes.

import assert from "node:assert/strict";
import test from "node:test";

import { outputSizes, receptiveField } from "../../rflib/widgets/arithmetic.js";
import { LARGEST, LIMITS, plainLayer, samePadding, sameStack, stackProblem } from "../../rflib/widgets/stack_state.js";
import { axisTicks, bracket, placeOf, profile, runs, SHADES } from "../../rflib/widgets/stack_view.js";
import { stackLayout, unitAt, unitMarks, unitPaths, unitRows, unitView } from "../../rflib/widgets/stack_view.js";
import { closedFormLine, effectiveSentence, numbersOfLayer } from "../../rflib/widgets/stack_words.js";
import { recursionRows, resultSentence, varianceLine } from "../../rflib/widgets/stack_words.js";
import { assertClose, casesOf, forEachCase } from "./reading.js";

const stacks = casesOf("stack").filter(({ layers }) => layers.length <= LIMITS.layers);
const conv = (...numbers) => plainLayer(...numbers);
const same3 = conv(3, 1, [1, 1]);
const WIDTH = 700;

/** What a line of sums says before and after its "=", the left side worked out. */
function workedOut(line) {
  assert.match(line, /^[-\u2212+·()²/\d. ]+ = [-\u2212\d.]+$/);
  const [sum, result] = line.replaceAll("\u2212", "-").replaceAll("·", "*").replaceAll("²", "**2").split(" = ");
  return [new Function(`return ${sum}`)(), Number(result)];
}

test("the sums, worked out, give what stands behind them and what Python says", () => {
  forEachCase(stacks, ({ layers, after, below, field, sigma, jumps }) => {
    const rows = recursionRows(layers, layers.length);
    rows.forEach(({ size, jump, back }, index) => {
      const wanted = [[size, after[index][0]], [jump, after[index][1]], [back, below[layers.length - 1 - index]]];
      for (const [line, number] of wanted) assert.deepEqual(workedOut(line), [number, number], line);
    });
    if (layers.length > 1) assert.ok(rows[1].size.includes(`·${jumps[1]} =`));
    assert.deepEqual(workedOut(closedFormLine(layers)), [field.size, field.size]);
    const [variance, said] = workedOut(varianceLine(layers));
    assertClose(variance, sigma ** 2, "variance");
    assert.ok(Math.abs(variance - said) <= 0.00501);
  });
});

test("the way back begins at the level that is looked at", () => {
  const rows = recursionRows([same3, conv(2, 2), same3], 2);
  assert.deepEqual(rows.map(({ back }) => back), ["1·2 + (3\u22121) = 4", "2·1 + (2\u22122) = 2", ""]);
});

test("a dilation shows as kernel with holes, and before its kernel in the closed form", () => {
  const layers = [same3, conv(3, 1, [2, 2], 2)];
  assert.equal(recursionRows(layers, 2)[1].kernel, "2·(3\u22121) + 1 = 5");
  assert.equal(closedFormLine(layers), "1 + (3\u22121)·1 + 2·(3\u22121)·1 = 7");
  assert.equal(closedFormLine([]), "1 = 1");
});

test("a unit's numbers are Python's", () => {
  forEachCase(stacks, ({ layers, input_size, units }) => {
    const layout = stackLayout(layers, input_size, WIDTH, true);
    for (const { level, unit, cone, intervals, feeds, shares } of units) {
      const view = unitView(layout, level, unit);
      assert.deepEqual([view.first, view.last], intervals[0]);
      assert.equal(view.read, cone[0].length);
      const outside = view.size - Array.from({ length: input_size }, (_, p) => p)
        .filter((p) => p >= view.first && p <= view.last).length;
      assert.equal(view.outside, outside);
      for (const fed of view.fed) assert.equal(fed.count, feeds[fed.level - level].length);
      if (shares) assertClose(view.spread, shares.spread, "spread");
    }
  });
});

test("units stand over the centers of their windows, causal ones over the ends", () => {
  forEachCase(stacks, ({ layers, input_size, sizes }) => {
    const layout = stackLayout(layers, input_size, WIDTH, false);
    for (let level = 0; level <= sizes.length; level++) {
      const { size, stride, padding } = receptiveField(layers.slice(0, level));
      for (const unit of [0, 3]) {
        const first = stride * unit - padding;
        const at = layout.causal ? first + size - 1 : first + (size - 1) / 2;
        assert.ok(Math.abs(placeOf(layout, level, unit) - (at - layout.low + 0.5) * layout.scale) < 1e-6);
      }
    }
  });
  const causal = [conv(2, 1, [1, 0]), conv(2, 1, [2, 0], 2)];
  const layout = stackLayout(causal, 20, WIDTH, false);
  assert.deepEqual([1, 2].map((level) => placeOf(layout, level, 7) - placeOf(layout, 0, 7)), [0, 0]);
});

test("the unit under the mouse is the one that is drawn there, and every unit has its place inside", () => {
  const layers = [same3, conv(2, 2), conv(3, 1, [2, 2], 2)];
  const layout = stackLayout(layers, 32, WIDTH, true);
  layout.lengths.forEach((length, level) => {
    for (let unit = 0; unit < length; unit++) {
      const x = placeOf(layout, level, unit);
      assert.ok(x > 0 && x < WIDTH);
      assert.deepEqual(unitAt(layout, x + 2, layout.rows[level].y - 9), { level, unit });
    }
  });
  assert.deepEqual(unitAt(layout, -50, -50), { level: 3, unit: 0 });
  assert.deepEqual(unitAt(layout, 9999, 9999), { level: 0, unit: 31 });
  const short = stackLayout([same3, conv(40)], 20, WIDTH, true);
  assert.deepEqual(unitAt(short, 0, 0), { level: 1, unit: 0 }); // the row above does not exist
});

test("units stand inside the picture though their windows reach far beyond it", () => {
  const far = [conv(64, 64), conv(2, 1, [0, 3])];
  const cases = [...stacks.filter(({ layers }) => layers.length > 0), { layers: far, input_size: 300 }];
  forEachCase(cases, ({ layers, input_size }) => {
    for (const width of [390, WIDTH]) {
      const layout = stackLayout(layers, input_size, width, true);
      layout.rows.forEach(({ width: mark }, level) => {
        const ends = [0, layout.lengths[level] - 1].map((unit) => placeOf(layout, level, unit));
        assert.ok(ends[0] - mark / 2 > -1e-6 && ends[1] + mark / 2 < width + 1e-6, `level ${level}: ${ends}`);
      });
    }
  });
});

/** The rectangles and diamonds of a path: [left, right] of each. */
const marksIn = (path) => path.split("z").filter(Boolean);

test("marks: one for each unit that is read, shaded by its share; hatching only beyond the border", () => {
  forEachCase(stacks.filter(({ input_size }) => input_size <= 64), ({ layers, input_size, units }) => {
    const layout = stackLayout(layers, input_size, 900, true);
    for (const { level, unit, cone, feeds, intervals } of units) {
      const paths = unitPaths(layout, unitView(layout, level, unit));
      const number = (sets) => sets.reduce((sum, each) => sum + each.length, 0);
      if (level > 0) {
        assert.equal(number(paths.shades.map(marksIn)), cone[0].length);
        assert.equal(marksIn(paths.read).length, number(cone.slice(1, -1)));
        assert.equal(marksIn(paths.windows).length, level);
      }
      assert.equal(marksIn(paths.fed).length, number(feeds.slice(1)));
      const beyond = intervals.flatMap(([first, last], at) => [first < 0, last >= layout.lengths[at]]).filter(Boolean);
      assert.equal(marksIn(paths.padding).length, beyond.length);
      assert.equal(marksIn(paths.chosen).length, 1);
    }
  });
});

test("the darkest position is the one with most paths, and without the view all are alike", () => {
  const layers = [same3, same3];
  const darkest = (effective) => {
    const layout = stackLayout(layers, 20, WIDTH, effective);
    const { shades } = unitPaths(layout, unitView(layout, 2, 10));
    return [layout, shades];
  };
  const [layout, shades] = darkest(true);
  assert.equal(shades.length, SHADES);
  assert.equal(shades[SHADES - 1], unitMarks(layout, 0, [10]));
  const [flat, all] = darkest(false);
  assert.equal(all[SHADES - 1], unitMarks(flat, 0, [8, 9, 10, 11, 12]));
});

test("where units are narrower than a pixel, runs of them are one mark", () => {
  const layout = stackLayout([same3], 4096, WIDTH, true);
  assert.equal(marksIn(unitMarks(layout, 0, [1, 2, 3, 9])).length, 2);
  assert.deepEqual(unitRows(layout).map((row) => row["stroke-dasharray"]), [null, null]);
  assert.ok(profile(layout, unitView(layout, 1, 100)).bars.length > 0);
  assert.deepEqual(runs([1, 2, 3, 7, 9, 10]), [[1, 3], [7, 7], [9, 10]]);
  assert.deepEqual(runs([]), []);
});

test("the dashes of a row lie where its units are", () => {
  const layout = stackLayout([same3, conv(2, 2), conv(30)], 32, WIDTH, true);
  const rows = unitRows(layout);
  assert.equal(rows.length, 3); // the last layer does not fit
  rows.forEach(({ d, "stroke-dasharray": dashes }, level) => {
    const [left, right] = d.match(/^M([\d.]+) [\d.]+H([\d.]+)$/).slice(1).map(Number);
    const [dash, gap] = dashes.split(" ").map(Number);
    const units = layout.lengths[level];
    assert.ok(Math.abs(right - left - units * dash - (units - 1) * gap) < 1e-6);
    assert.ok(Math.abs(left + dash / 2 + 5 * (dash + gap) - placeOf(layout, level, 5)) < 1e-6);
  });
});

test("the bracket is open where the picture ends before the window", () => {
  const layout = stackLayout([conv(90, 1, [45, 45])], 24, WIDTH, true);
  assert.equal(bracket(layout, { first: 3, last: 20 }).path.split("v10").length - 1, 2);
  assert.equal(bracket(layout, { first: -45, last: 44 }).path.split("v10").length - 1, 0);
});

test("the axis has numbers that do not touch", () => {
  for (const length of [1, 5, 24, 300, 4096]) {
    const ticks = axisTicks(stackLayout([same3], length, WIDTH, true));
    assert.equal(ticks[0].position, 0);
    const gaps = ticks.slice(1).map(({ x }, index) => x - ticks[index].x);
    assert.ok(gaps.every((gap) => gap >= 8 * String(length).length + 8), `${length}: ${gaps}`);
    assert.ok(length < 24 || ticks.length >= 5);
  }
});

test("the sentence of result says window, padding, holes and what is fed", () => {
  const say = (layers, inputSize, level, unit) => {
    return resultSentence(unitView(stackLayout(layers, inputSize, WIDTH, true), level, unit));
  };
  assert.equal(
    say([same3, same3], 20, 2, 10),
    "Unit 10 of layer 2 has a window of 5 input positions, 8 to 12, centered on 10. It reads all of them.",
  );
  const holes = [conv(3, 1, [2, 2], 2), { ...conv(2, 2), name: "pool" }];
  assert.equal(
    say(holes, 20, 2, 0),
    "Unit 0 of pool has a window of 6 input positions, \u22122 to 3, centered on 0.5. " +
      "It reads 4; 2 lie in the padding.",
  );
  assert.equal(
    say(holes, 20, 1, 5),
    "Unit 5 of layer 1 has a window of 5 input positions, 3 to 7, centered on 5. It reads 3; 2 are left out. " +
      "It feeds 1 unit of pool.",
  );
  assert.equal(say([same3, same3, same3], 20, 0, 5), "Input position 5 feeds 3 units of layer 1 and 7 of layer 3.");
  assert.equal(say([], 20, 0, 5), "Input position 5 feeds nothing yet.");
});

test("the effective field's sentence tells a border from an inner unit", () => {
  const layers = [same3, same3];
  assert.equal(effectiveSentence(layers, 1.1547), "So \u03c3 = 1.15: \u00b1\u03c3 covers 2.31 of the 5 positions.");
  assert.ok(effectiveSentence(layers, 0.9).endsWith("At this unit the border cuts paths off, and \u03c3 is 0.9."));
});

test("a layer's numbers leave out what is ordinary", () => {
  assert.equal(numbersOfLayer(conv(3)), "k 3");
  assert.equal(numbersOfLayer(conv(3, 2, [1, 1], 4)), "k 3, s 2, p 1, d 4");
  assert.equal(numbersOfLayer(conv(2, 1, [-1, 0])), "k 2, p \u22121|0");
});

test("same padding keeps the length", () => {
  for (let kernel = 1; kernel <= 9; kernel++) {
    for (let dilation = 1; dilation <= 5; dilation++) {
      const layer = conv(kernel, 1, [0, 0], dilation);
      assert.deepEqual(outputSizes([{ ...layer, padding: samePadding(layer) }], 50).sizes, [50]);
    }
  }
});

test("stacks that are too large are refused; those at the limit are not", () => {
  assert.equal(stackProblem([conv(LARGEST.kernel_size, LARGEST.stride, [-4096, 4096], LARGEST.dilation)]), null);
  assert.equal(stackProblem(Array(LIMITS.layers).fill(same3)), null);
  const message = "`kernel_size` of layer 2 must be at most 512 in the explorer; got 513.";
  assert.equal(stackProblem([same3, conv(513)]), message);
});

test("a preset is known by its numbers and names, not by its kinds", () => {
  assert.ok(sameStack([same3], [{ ...same3, kind: "pooling" }]));
  assert.ok(!sameStack([same3], [{ ...same3, name: "conv1" }]));
  assert.ok(!sameStack([same3], [same3, same3]));
});
