// What the branch explorer computes and says where no file of cases is needed; branches_against_python.js has the rest.

import assert from "node:assert/strict";
import test from "node:test";

import { chainSize } from "../../rflib/widgets/branches.js";
import * as lines from "../../rflib/widgets/branches_lines.js";
import { BRANCH_PRESETS, layerSpec } from "../../rflib/widgets/branches_presets.js";
import { markAt, viewFor } from "../../rflib/widgets/branches_view.js";
import * as words from "../../rflib/widgets/branches_words.js";
import { receptiveField } from "../../rflib/widgets/arithmetic.js";
import { seeded } from "./reading.js";

const last = (branch) => lines.coursesOf(branch)[branch.length];
const lineOf = (branch) => lines.meanLine(last(branch));
const verdictOf = (branches) => words.alignmentVerdict(branches.map(lineOf));
const presetOf = (part) => BRANCH_PRESETS.find(({ label }) => label.includes(part)).branches;

test("fractions are in lowest terms, without a minus zero", () => {
  assert.deepEqual(lines.ratio(6, -4), { n: -3, d: 2 });
  assert.deepEqual(lines.ratio(0, -4), { n: 0, d: 1 });
  assert.deepEqual(lines.minus(lines.ratio(1, 2), lines.ratio(1, 3)), { n: 1, d: 6 });
  assert.ok(Object.is(lines.minus(lines.ratio(1, 2), lines.ratio(1, 2)).n, 0));
});

test("without upsampling a branch is a stack: one window, the same stride and center", () => {
  const random = seeded(3);
  const upTo = (most) => 1 + Math.floor(random() * most);
  for (let round = 0; round < 200; round++) {
    const branch = Array.from({ length: upTo(4) }, () =>
      layerSpec(random() < 0.5 ? "conv" : "pool", upTo(5), upTo(3), upTo(4) - 2, upTo(3)),
    );
    const { size, stride, padding } = receptiveField(branch);
    const course = last(branch);
    assert.deepEqual([course.period, course.step], [1, stride]);
    const [window] = course.windows;
    assert.deepEqual([window[0] + 0, window.at(-1) - window[0] + 1], [0 - padding, size]);
    assert.deepEqual(lines.meanLine(course), {
      stride: lines.ratio(stride),
      center: lines.ratio(size - 1 - 2 * padding, 2),
    });
    assert.equal(chainSize([branch, []]), size);
  }
});

test("a transposed layer reads the units whose windows hold it", () => {
  const random = seeded(4);
  const upTo = (most) => 1 + Math.floor(random() * most);
  for (let round = 0; round < 200; round++) {
    const spec = layerSpec("transposed", upTo(5), upTo(4), upTo(4) - 2, upTo(3));
    for (let unit = -5; unit <= 8; unit++) {
      const readers = [];
      for (let at = -30; at <= 30; at++)
        if (lines.layerReads({ ...spec, kind: "conv" }, at).includes(unit)) readers.push(at);
      assert.deepEqual(lines.layerReads(spec, unit), readers);
    }
  }
});

test("nearest upsampling alternates about its mean line", () => {
  const branch = [layerSpec("pool", 2, 2), layerSpec("nearest", 1, 2)];
  assert.deepEqual(
    [0, 1, 2, -1].map((unit) => lines.seenBy(last(branch), unit)),
    [
      [0, 1],
      [0, 1],
      [2, 3],
      [-2, -1],
    ],
  );
  assert.deepEqual(lineOf(branch), { stride: { n: 1, d: 1 }, center: { n: 0, d: 1 } });
  assert.equal(verdictOf([branch, []]).aligned, true);
});

test("every preset can be drawn, and those meant to go wrong do", () => {
  const wrong = ["average pooling", "up by nearest", "no crop", "stride forgotten"];
  for (const { label, branches } of BRANCH_PRESETS) {
    assert.equal(lines.branchesProblem(branches), null, label);
    const meant = wrong.some((part) => label.includes(part)) && !label.startsWith("U-Net");
    assert.equal(verdictOf(branches).aligned, !meant, label);
  }
  assert.equal(new Set(BRANCH_PRESETS.map(({ label }) => label)).size, BRANCH_PRESETS.length);
});

test("the field of a bottleneck depends on where its stride stands (M26)", () => {
  const sizeOf = (branch) => last(branch).windows[0].at(-1) - last(branch).windows[0][0] + 1;
  assert.equal(sizeOf(presetOf("stride in its 3")[0]), 3);
  assert.equal(sizeOf(presetOf("stride in its first")[0]), 5);
});

test("branches counted as one chain see too much (M13)", () => {
  assert.equal(chainSize(presetOf("ASPP")), 73);
  assert.equal(chainSize(presetOf("U-Net level, up by nearest")), null);
});

test("mending changes the padding that also makes the lengths equal, and says which", () => {
  const plan = lines.mended(presetOf("no crop"));
  assert.deepEqual(plan.changes, [{ branch: 1, layer: 1, from: [0, 0], to: [2, 2] }]);
  assert.equal(
    words.mendSentence(plan.changes),
    "Mended: the padding of layer 1 of branch 1 changed from 0 to 2. Now the centers agree.",
  );
  assert.deepEqual(
    plan.branches.map((branch) => lines.unitsOf(branch, 64)),
    [64, 64],
  );
  assert.equal(presetOf("no crop")[0][0].padding[0], 0); // the given branches are left alone
});

test("what no padding mends is said, with the reason", () => {
  for (const part of ["average pooling", "strided 3\u00d73, up by nearest"]) {
    assert.equal(lines.mended(presetOf(part)), null, part);
    assert.ok(words.hopelessSentence(presetOf(part).map(lineOf)).endsWith("Change a kernel size."));
  }
  const forgotten = presetOf("stride forgotten");
  assert.equal(lines.mended(forgotten), null);
  assert.ok(words.hopelessSentence(forgotten.map(lineOf)).endsWith("Change a stride."));
});

test("nothing is mended where nothing is wrong", () => {
  assert.deepEqual(lines.mended(presetOf("residual")).changes, []);
});

test("a mended layer that cuts off is called so", () => {
  const said = words.mendSentence([{ branch: 2, layer: 1, from: [0, 0], to: [-2, 0] }]);
  assert.equal(
    said,
    "Mended: the padding of layer 1 of branch 2 changed from 0 to (\u22122, 0) (it cuts positions off). " +
      "Now the centers agree.",
  );
});

test("one unit is described branch by branch", () => {
  const sentence = words.unitSentence(3, [[-1, 0, 1], [2], []], [-1, 0, 1, 2]);
  assert.equal(
    sentence,
    "Unit 3: branch 1 reads \u22121 to 1, centered on 0; branch 2 reads 2; branch 3 reads nothing. " +
      "Together \u22121 to 2.",
  );
  assert.ok(
    words.unitSentence(0, [[0, 6], [3]], [0, 3, 6]).endsWith("Together 0 to 6, but only 3 of these 7 positions."),
  );
});

test("the view stays while the unit is inside, and follows it when it leaves", () => {
  const courses = presetOf("residual").map(last);
  let view = viewFor(null, courses, 0);
  assert.ok(view.low <= -3 && view.high >= 6);
  assert.equal(viewFor(view, courses, 3), view);
  for (const unit of [31, 0, 12]) {
    view = viewFor(view, courses, unit);
    assert.ok(view.low <= unit - 3 && view.high >= unit + 3);
  }
});

test("the marks of the branches differ in shape", () => {
  const shapes = [0, 1, 2].map((shape) => markAt(shape, 0, 0, 1));
  assert.equal(new Set(shapes).size, 3);
});
