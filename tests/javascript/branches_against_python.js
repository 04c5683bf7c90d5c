// What the branch explorer computes and says, on the cases that tests/test_widgets/cases_branches.py writes. The file
// of cases is another one than that of the *.test.js files, so tests/test_widgets/test_branches.py runs this one.

import assert from "node:assert/strict";
import test from "node:test";

import * as lines from "../../rflib/widgets/branches_lines.js";
import * as words from "../../rflib/widgets/branches_words.js";
import { casesOf } from "./reading.js";

const cases = casesOf("branches");

function forEachBranching(check) {
  for (const entry of cases) {
    try {
      check(
        entry,
        entry.branches.map((branch) => lines.coursesOf(branch)[branch.length]),
      );
    } catch (error) {
      error.message = `${JSON.stringify(entry.branches)}: ${error.message}`;
      throw error;
    }
  }
}

test("there are at least 300 branchings of every kind", () => {
  assert.ok(cases.length >= 300);
  const some = (wanted, least) => assert.ok(cases.filter(wanted).length >= least, String(wanted));
  some(({ aligned }) => aligned, 50);
  some(({ verdict }) => verdict.startsWith("Aligned"), 50);
  some(({ verdict }) => verdict.includes("has center"), 50);
  some(({ verdict }) => verdict.includes("drift apart"), 30);
  some(({ branches }) => branches.length === 3, 50);
  some(({ branches }) => branches.some((branch) => branch.length === 0), 20);
  for (const kind of ["pool", "transposed", "nearest"])
    some(({ branches }) => branches.flat().some((spec) => spec.kind === kind), 50);
  some(({ lines: found }) => found.includes(null), 10);
  some(({ lengths }) => lengths.flat(2).includes(null), 20);
});

test("what each unit reads, through each branch and together, is Python's", () => {
  forEachBranching(({ units }, courses) => {
    for (const [unit, each, together] of units) {
      const windows = courses.map((course) => lines.seenBy(course, unit));
      assert.deepEqual(windows, each);
      assert.deepEqual(lines.joinedPositions(windows), together);
    }
  });
});

test("windows are Python's", () => {
  forEachBranching(({ windows }, courses) => {
    for (const [unit, each] of windows) {
      const ends = courses
        .map((course) => lines.seenBy(course, unit))
        .map((found) => (found.length ? [found[0], found.at(-1)] : null));
      assert.deepEqual(ends, each);
    }
  });
});

test("mean lines are Python's, as exact fractions", () => {
  forEachBranching(({ lines: wanted }, courses) => {
    const text = ({ n, d }) => `${n}/${d}`;
    const found = courses
      .map(lines.meanLine)
      .map((line) => (line === null ? null : [text(line.stride), text(line.center)]));
    assert.deepEqual(found, wanted);
  });
});

test("the verdict is Python's, word for word", () => {
  forEachBranching(({ aligned, verdict }, courses) => {
    assert.deepEqual(words.alignmentVerdict(courses.map(lines.meanLine)), { aligned, sentence: verdict });
  });
});

test("the numbers of units are Python's", () => {
  forEachBranching(({ branches, lengths }) => {
    for (const [length, wanted] of lengths)
      assert.deepEqual(
        branches.map((branch) => lines.unitsOf(branch, length)),
        wanted,
      );
  });
});

test("whatever is mended is aligned, and only paddings have changed", () => {
  let helped = 0;
  forEachBranching(({ branches, aligned }) => {
    const plan = lines.mended(branches);
    if (plan === null) return assert.equal(aligned, false);
    assert.equal(plan.changes.length === 0, aligned);
    helped += plan.changes.length > 0 ? 1 : 0;
    const courses = plan.branches.map((branch) => lines.coursesOf(branch)[branch.length]);
    assert.equal(words.alignmentVerdict(courses.map(lines.meanLine)).aligned, true);
    const bare = (all) => all.map((branch) => branch.map((spec) => ({ ...spec, padding: 0 })));
    assert.deepEqual(bare(plan.branches), bare(branches));
    for (const { branch, layer, from, to } of plan.changes) {
      assert.deepEqual(branches[branch - 1][layer - 1].padding, from);
      assert.deepEqual(plan.branches[branch - 1][layer - 1].padding, to);
    }
  });
  assert.ok(helped >= 50, `only ${helped} were mended`);
});

test("where no mending is found, no padding of one layer in each other branch helps", () => {
  const choices = Array.from({ length: 233 }, (_, index) => index - 32);
  forEachBranching(({ branches }) => {
    const courses = branches.map((branch) => lines.coursesOf(branch)[branch.length]);
    const found = courses.map(lines.meanLine);
    const known = found.filter((line) => line !== null);
    if (branches.length > 2 || known.length < 2 || lines.mended(branches) !== null) return;
    if (!lines.equal(known[0].stride, known[1].stride)) return;
    branches.forEach((branch, at) => {
      branch.forEach((spec, place) => {
        for (const left of choices) {
          const other = branch.map((given, index) => (index === place ? { ...spec, padding: [left, 0] } : given));
          const moved = lines.meanLine(lines.coursesOf(other)[other.length]);
          const kept = spec.kind !== "nearest" && lines.equal(moved.center, found[1 - at].center);
          assert.ok(!kept, `padding ${left} of layer ${place + 1} of branch ${at + 1}`);
        }
      });
    });
  });
});

test("what cannot be drawn is refused in Python's words", () => {
  const refused = casesOf("refused branches");
  assert.ok(refused.length >= 8);
  for (const { branches, message } of refused) assert.equal(lines.branchesProblem(branches), message);
  forEachBranching(({ branches }) => assert.equal(lines.branchesProblem(branches), null));
});
