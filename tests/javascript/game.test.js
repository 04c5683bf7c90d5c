// The design game's rules against Python's `assess`, on the cases that tests/test_widgets/cases_game.py writes;
// tests/test_widgets/test_game.py names their file in RFLIB_DESIGN_CASES.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import * as rules from "../../rflib/widgets/game_rules.js";
import { altered, meter, taskWords } from "../../rflib/widgets/game.js";
import { layerAt, tower, towerPlace, windowRuns } from "../../rflib/widgets/game_tower.js";

const path = process.env.RFLIB_DESIGN_CASES;
const games = path ? JSON.parse(readFileSync(path, "utf8")).filter(({ kind }) => kind === "game") : [];
const wanted = {
  field: 9, exactly: false, by: "parameters", most_parameters: 500, most_multiply_adds: null, most_layers: 3,
  largest_stride: null, no_holes: true, channels: 4, input_size: 4, axes: 2, kernels: [3, 5], strides: [1],
  dilations: [1, 2], pools: [2], convolutions: ["conv", "separable"], least: 296,
};

if (path) {
  test("what is met, what is missed, in which words, and the score are Python's", () => {
    let solved = 0;
    for (const { rows, wanted: asked, met, missed, score, size } of games) {
      const found = rules.assessed(rows, asked);
      const said = (isMet) => found.judged.filter((entry) => entry.met === isMet).map((entry) => entry.said);
      assert.deepEqual([said(true), said(false)], [met, missed], JSON.stringify(rows));
      assert.equal(found.score, score, JSON.stringify({ rows, asked }));
      assert.equal(found.numbers.size, size);
      solved += score > 0;
    }
    assert.ok(solved >= 60 && games.length >= 240);
    const scores = new Set(games.map(({ score }) => score));
    assert.ok(scores.has(100) && scores.has(0) && scores.size > 10);
  });

  test("the first hole is where the window's first run ends", () => {
    let holes = 0;
    for (const { rows } of games) {
      const runs = windowRuns(rows);
      if (runs === null) continue; // too wide to be drawn
      const [first] = runs;
      const { size } = rules.assessed(rows, wanted).numbers;
      const run = Math.min(rules.firstRun(rows), size);
      assert.equal(first[1] === size, run === size, JSON.stringify(rows));
      holes += run < size;
    }
    assert.ok(holes > 20);
  });
}

test("a score is rounded down, is never 0 for what is met, and 100 only for the cheapest", () => {
  const met = [{ met: true }];
  assert.deepEqual([1000, 1001, 2000, 1e9].map((own) => rules.scoreOf(met, own, 1000)), [100, 99, 50, 1]);
  assert.equal(rules.scoreOf([{ met: true }, { met: false }], 1000, 1000), 0);
  assert.equal(rules.scoreOf(met, 0, 0), 100);
});

test("what may be added, and what is refused", () => {
  const said = rules.offered(wanted).map((row) => row.join(" "));
  assert.deepEqual(said, ["3 1 1 conv", "5 1 1 conv", "3 1 1 separable", "5 1 1 separable", "3 1 2 conv",
    "3 1 2 separable", "2 2 1 pool"]);
  const pool = [2, 2, 1, "pool"];
  assert.equal(rules.refusal([pool, pool], wanted), null);
  assert.match(rules.refusal([pool, pool, pool], wanted), /^Layer 3 needs 2 positions; its input has 1/);
  const conv = [3, 1, 1, "conv"];
  assert.equal(rules.refusal([conv, conv, conv, conv], wanted), "The round allows 3 layers: remove one first.");
});

test("changing a layer: neighbors stop at the ends or go round; pooling keeps stride = kernel", () => {
  assert.deepEqual([1, -1].map((by) => rules.neighbor([3, 5, 7], 7, by)), [7, 5]);
  assert.deepEqual([1, -1].map((by) => rules.neighbor([3, 5, 7], 7, by, true)), [3, 5]);
  assert.deepEqual(altered([3, 1, 1, "conv"], "dilation", 4), [3, 1, 4, "conv"]);
  assert.deepEqual(altered([2, 2, 1, "pool"], "kernel", 3), [3, 3, 1, "pool"]);
});

test("meters say the numbers against the limits, and nothing where nothing is asked", () => {
  const rows = [[3, 1, 2, "conv"]];
  const found = rules.assessed(rows, wanted);
  assert.deepEqual(meter("field", rows, found, wanted), { text: "field 5 of 9", share: 5 / 9 });
  assert.equal(meter("holes", rows, found, wanted).text, "holes: the first one after 1 position");
  assert.equal(meter("stride", rows, found, wanted).text, "output stride 1");
  const paid = "parameters 148 of at most 500 \u2013 scored";
  assert.deepEqual(meter("parameters", rows, found, wanted), { text: paid, share: 148 / 500 });
  assert.equal(meter("holes", rows, found, { ...wanted, no_holes: false }).text, null);
  const task = "see at least 9 input positions without holes for as few parameters as you can";
  assert.equal(taskWords(wanted), `${task} (4 channels, an input of 4 \u00d7 4).`);
});

test("the sentence says what is missing, or how good it is", () => {
  const say = (rows) => rules.gameSentence(rows, rules.assessed(rows, wanted));
  assert.equal(say([]), "An empty stack sees 1 input position: add a layer.");
  assert.equal(say([[3, 1, 1, "conv"]]), "Not yet: The field is 3 input positions; at least 9 are wanted.");
  const few = { ...wanted, field: 3 };
  const rows = [[3, 1, 1, "conv"]];
  const solved = (least) => rules.gameSentence(rows, rules.assessed(rows, { ...few, least }));
  assert.equal(solved(148), "Solved, score 100 of 100. No allowed stack is cheaper.");
  assert.equal(solved(74), "Solved, score 50 of 100. It can be done for less.");
});

test("the tower: bands meet, widen to the field, and are found by their height", () => {
  const rows = [[3, 1, 1, "conv"], [2, 2, 1, "pool"], [3, 1, 2, "conv"]];
  const { bands, size, unit } = tower(rows, 30, towerPlace(500));
  assert.equal(size, 3 + 1 + 8);
  assert.deepEqual(bands.map(({ adds }) => adds), [2, 1, 8]);
  assert.ok(Math.abs(bands[0].below - size * unit) < 1e-9 && Math.abs(bands[2].above - unit) < 1e-9);
  for (const at of [1, 2]) assert.ok(Math.abs(bands[at].below - bands[at - 1].above) < 1e-9);
  bands.forEach(({ y, height }, index) => assert.equal(layerAt(bands, y + height / 2), index));
  assert.equal(layerAt(bands, 0), -1);
  for (const width of [0, 100, 400, 600, 9000]) {
    const place = towerPlace(width);
    const found = tower(rows, 5, place);
    assert.ok(found.middle - (size * found.unit) / 2 >= place.left && found.bands.at(-1).y >= place.top);
    assert.ok(place.width >= 280 && place.width <= 640);
  }
  const holes = [[0, 1, true], [1, 1, false], [2, 1, true], [3, 1, false], [4, 1, true]];
  assert.deepEqual(windowRuns([[3, 1, 2, "conv"]]), holes);
  assert.equal(windowRuns([[3, 1, 300, "conv"]]), null);
});
