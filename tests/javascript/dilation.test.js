// What the dilation explorer computes and says, against the stack's own arithmetic, which is Python's.

import assert from "node:assert/strict";
import test from "node:test";

import { blindSpots, coverage, pathCounts, receptiveField } from "../../rflib/widgets/arithmetic.js";
import { runsOf, shadeOf, tickStep } from "../../rflib/widgets/dilation_view.js";
import * as sums from "../../rflib/widgets/dilation_sums.js";
import * as words from "../../rflib/widgets/dilation_words.js";
import { seeded } from "./reading.js";

const random = seeded(7);
const upTo = (most) => 1 + Math.floor(random() * most);
const schedules = Array.from({ length: 300 }, () => {
  const dilations = Array.from({ length: upTo(5) }, () => upTo(9));
  const kernels = dilations.map(() => upTo(5));
  return { dilations, kernels, causal: random() < 0.5 };
});
const asLayers = ({ dilations, kernels, causal }) =>
  dilations.map((dilation, index) => {
    const reach = dilation * (kernels[index] - 1);
    const left = causal ? reach : Math.floor(reach / 2);
    return { kernel_size: kernels[index], stride: 1, padding: [left, reach - left], dilation };
  });
const stepsOfAll = ({ dilations, kernels, causal }) =>
  dilations.map((dilation, index) => sums.stepsOf(kernels[index], dilation, causal));

test("rows have the size, the coverage and the blind spots of the stack up to them", () => {
  for (const schedule of schedules) {
    const layers = asLayers(schedule);
    const rows = sums.scheduleRows(schedule.dilations, schedule.kernels, schedule.causal);
    rows.slice(1).forEach((row, index) => {
      const stack = layers.slice(0, index + 1);
      const { size, padding } = receptiveField(stack);
      assert.deepEqual([row.span, 0 - row.first], [size, padding]);
      assert.deepEqual(
        Array.from(row.counts, (paths) => paths > 0),
        coverage(stack),
      );
      const blind = blindSpots(stack);
      assert.equal(row.span - row.read, blind.line);
      assert.equal(row.span ** 2 - row.read ** 2, blind.plane);
    });
  }
});

test("path counts are those of the stack far from the border", () => {
  for (const schedule of schedules) {
    const rows = sums.scheduleRows(schedule.dilations, schedule.kernels, schedule.causal);
    const last = rows[rows.length - 1];
    const [unit, length] = [2 * last.span, 5 * last.span];
    const [counts] = pathCounts(asLayers(schedule), length, schedule.dilations.length, unit);
    for (let at = 0; at < length; at++) assert.equal(sums.pathsAt(last, at - unit), counts[at]);
  }
});

test("the paths that are listed are all there are, each one step a layer", () => {
  for (const schedule of schedules.filter(({ dilations }) => dilations.length <= 3)) {
    const rows = sums.scheduleRows(schedule.dilations, schedule.kernels, schedule.causal);
    const steps = stepsOfAll(schedule);
    const [level, last] = [rows.length - 1, rows[rows.length - 1]];
    for (let offset = last.first - 1; offset <= last.first + last.span; offset++) {
      const paths = sums.pathsTo(rows, steps, level, offset, Infinity);
      assert.equal(new Set(paths.map(String)).size, sums.pathsAt(last, offset));
      for (const path of paths) {
        assert.equal(
          path.reduce((total, step) => total + step, 0),
          offset,
        );
        path.forEach((step, index) => assert.ok(steps[index].includes(step)));
      }
      assert.equal(sums.pathsTo(rows, steps, level, offset, 2).length, Math.min(2, paths.length));
    }
  }
});

test("whoever keeps the rule has no blind spots, and in rising order nobody else", () => {
  for (const { dilations, kernels } of schedules) {
    for (const order of [dilations, dilations.toSorted((one, other) => one - other)]) {
      const sizes = order === dilations ? kernels : kernels.map(() => 3);
      const rows = sums.scheduleRows(order, sizes, false);
      const keeps = sums.ruleSteps(order, sizes, rows).every(({ excess }) => excess === 0);
      const last = rows[rows.length - 1];
      if (keeps || order !== dilations) assert.equal(last.read === last.span, keeps, String(order));
    }
  }
});

test("the next blind spot is the nearest one", () => {
  const row = sums.scheduleRows([2, 2, 2], 3, false)[3];
  assert.equal(sums.nextBlind(row, 0, 1), 1);
  assert.equal(sums.nextBlind(row, 1, 1), 3);
  assert.equal(sums.nextBlind(row, -5, -1), null);
  assert.equal(sums.nextBlind(sums.scheduleRows([1, 2, 4], 3, false)[3], 0, 1), null);
});

test("schedules are read as they are typed", () => {
  assert.deepEqual(sums.parseSchedule(" 1, 2 5;9,"), { dilations: [1, 2, 5, 9] });
  const how = "Write the dilations as whole numbers with commas, such as 1, 2, 5; got ";
  assert.deepEqual(sums.parseSchedule("1, 2.5"), { problem: `${how}\u201c2.5\u201d.` });
  assert.deepEqual(sums.parseSchedule(" , "), { problem: `${how}nothing.` });
});

test("what cannot be drawn is refused in Python's words", () => {
  const one = "Give one number for all layers, or one for each.";
  assert.equal(sums.scheduleProblem([1, 2, 4], 3), null);
  assert.equal(sums.scheduleProblem([1, 2], [3, 1]), null);
  const list = "`dilations` must be a list of integers, one a layer, such as (1, 2, 4); got [].";
  assert.equal(sums.scheduleProblem([], 3), list);
  assert.equal(sums.scheduleProblem([1, 0], 3), "The dilation of layer 2 must be an integer from 1 to 1024; got 0.");
  assert.equal(sums.scheduleProblem([1, 1, 1], [3, 3]), `\`kernel_size\` has 2 entries for 3 dilations. ${one}`);
  assert.equal(sums.scheduleProblem([1], 0), "The kernel size of layer 1 must be an integer from 1 to 32; got 0.");
  const many = "`dilations` has 25 entries; the explorer draws at most 24 layers.";
  assert.equal(sums.scheduleProblem(new Array(25).fill(1), 3), many);
  const long = "A unit of this stack spans 4097 positions; the explorer draws at most 4096. ";
  assert.equal(sums.scheduleProblem([1024, 1024], 3), `${long}Use smaller dilations or fewer layers.`);
});

const said = (dilations, kernel = 3) => {
  const rows = sums.scheduleRows(dilations, kernel, false);
  return words.scheduleSentence(rows, sums.ruleSteps(dilations, kernel, rows));
};

test("the finding names the layer that breaks the rule, and by how much", () => {
  assert.equal(said([1, 2, 4]), "No blind spots: the unit reads all 15 offsets, for every layer keeps the rule.");
  const far = "layer 3 has dilation 9, 2 more than the span of 7 so far.";
  assert.equal(said([1, 2, 9]), `4 of 25 offsets are blind, 184 of 625 in two dimensions: ${far}`);
  const first = "layer 1 has dilation 4, 3 more than the span of 1 so far";
  assert.equal(said([4, 2, 1]), `No blind spots in the end: ${first}, but other layers fill what it leaves out.`);
  assert.equal(said([1, 7], 1), "No blind spots: with kernel size 1 the unit reads only its own place.");
  assert.ok(said([2, 9, 30]).includes(", and 2 others break it too."));
});

test("a layer's sentence holds for one tap too, whose dilation may be larger than the span", () => {
  const about = (dilations, kernel) => {
    const rows = sums.scheduleRows(dilations, kernel, false);
    return sums.ruleSteps(dilations, kernel, rows).map((rule, at) => words.ruleSentence(rule, rows[at + 1]));
  };
  assert.deepEqual(about([1, 9], [3, 1]), [
    "\u2713 dilation 1 \u2264 span 1 so far \u00b7 reads 3 of 3",
    "\u2713 kernel size 1: its dilation does nothing \u00b7 reads 3 of 3",
  ]);
  assert.equal(about([2], 3)[0], "\u2717 breaks the rule by 1: dilation 2 > span 1 so far \u00b7 reads 3 of 5");
});

test("an offset is explained by its paths, or by there being none", () => {
  const about = (dilations, level, offset, kernel = 3) => {
    const rows = sums.scheduleRows(dilations, kernel, false);
    const steps = dilations.map((dilation) => sums.stepsOf(kernel, dilation, false));
    return words.offsetSentence(rows, steps, level, offset);
  };
  assert.equal(
    about([1, 2, 4], 3, 3),
    "Offset +3 after layer 3 is read along 3 paths: +1 +2 0, +1 \u22122 +4, \u22121 0 +4.",
  );
  const steps = "Steps: \u22122 or 0 or +2; \u22122 or 0 or +2.";
  assert.equal(
    about([2, 2, 2], 2, -1),
    `Offset \u22121 after layer 2 is blind: no sum of one step a layer gives \u22121. ${steps}`,
  );
  assert.equal(
    about([1, 1, 1], 3, 0),
    "Offset 0 after layer 3 is read along 7 paths: +1 0 \u22121, 0 +1 \u22121, +1 \u22121 0 and others.",
  );
  assert.equal(about([1, 1, 1, 1, 1], 5, 0, 1), "Offset 0 after layer 5 is read along 1 path: step 0 in every layer.");
  assert.equal(
    about([1, 2, 4, 8, 32], 5, 32),
    "Offset +32 after layer 5 is read along 1 path: +32 (step 0 in the other layers).",
  );
  assert.equal(about([1, 2, 4, 8, 16], 5, 31), "Offset +31 after layer 5 is read along 1 path: +1 +2 +4 +8 +16.");
  assert.ok(about(new Array(24).fill(1), 24, 0, 9).includes("about 2."));
});

test("a task says what is missing", () => {
  const task = { size: 31, kernel_size: 3, layers: 4 };
  const missing = (dilations, kernel = 3) =>
    sums.taskState(task, dilations, kernel, sums.scheduleRows(dilations, kernel, false)).missing;
  assert.deepEqual(missing([1, 2, 4, 8]), []);
  assert.deepEqual(missing([2, 2, 2]), ["it spans 13", "6 of its offsets are blind"]);
  assert.deepEqual(missing([1, 1, 1, 1, 1], 5), ["it spans 21", "another kernel size is used", "it has 5 layers"]);
  const { wanted } = sums.taskState(task, [1], 3, sums.scheduleRows([1], 3, false));
  assert.equal(wanted, "reach at least 31 positions with kernel size 3 in at most 4 layers, without blind spots");
});

test("pieces of a strip cover it once, and shades rise with the paths", () => {
  for (const { dilations, kernels } of schedules.slice(0, 50)) {
    const { counts } = sums.scheduleRows(dilations, kernels, false)[dilations.length];
    for (const apart of [false, true]) {
      const runs = runsOf(counts, apart);
      assert.deepEqual(runs.flatMap(([, from, to]) => (apart ? [from] : [from, to])).at(-1), counts.length - 1);
      for (const [kind, from, to] of runs)
        for (let at = from; at <= to; at++) assert.equal(kind === 0, counts[at] === 0);
    }
  }
  assert.deepEqual(
    [1, 2, 50, 99, 100].map((paths) => shadeOf(paths, 100)),
    [1, 1, 3, 5, 5],
  );
  assert.deepEqual(
    [
      [13, 10],
      [31, 10],
      [1024, 10],
      [4, 10],
    ].map(([span, labels]) => tickStep(span, labels)),
    [2, 5, 200, 1],
  );
});
