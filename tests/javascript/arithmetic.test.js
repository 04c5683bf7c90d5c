// The explorers' arithmetic against Python's, on the cases that tests/test_widgets/cases.py writes.

import assert from "node:assert/strict";
import test from "node:test";

import * as rf from "../../rflib/widgets/arithmetic.js";
import { assertAllClose, assertClose, casesOf, forEachCase, seeded } from "./reading.js";

const stacks = casesOf("stack");
const problems = casesOf("problem");

/** Check every unit of every case. */
function forEachUnit(check) {
  forEachCase(stacks, (entry) => {
    for (const unit of entry.units) check(entry.layers, entry.input_size, unit);
  });
}

test("there are at least 500 stacks, with every kind of layer", () => {
  assert.ok(stacks.length >= 500);
  const layers = stacks.flatMap((entry) => entry.layers);
  const some = (wanted) => assert.ok(layers.some(wanted), `no layer with ${wanted}`);
  some(({ kernel_size }) => kernel_size % 2 === 0);
  some(({ stride }) => stride > 3);
  some(({ dilation }) => dilation > 4);
  some(({ padding }) => padding[0] !== padding[1]);
  some(({ padding }) => padding[0] < 0);
  some(({ padding }) => padding[1] < 0);
  assert.ok(stacks.some((entry) => entry.layers.length >= 30));
  assert.ok(stacks.some((entry) => entry.problem !== null));
});

test("extents, reads and jumps are Python's", () => {
  forEachCase(stacks, ({ layers, extents, reads, jumps }) => {
    assertAllClose(layers.map(rf.extent), extents, "extents");
    for (const [unit, positions] of reads) assert.deepEqual(rf.reads(layers[0], unit), positions);
    assertAllClose(rf.jumps(layers), jumps, "jumps");
  });
});

test("the receptive field, its intervals and its centers are Python's", () => {
  forEachCase(stacks, ({ layers, field, intervals }) => {
    const found = rf.receptiveField(layers);
    for (const name of ["size", "stride", "padding"]) assertClose(found[name], field[name], name);
    for (const [unit, first, last, middle] of intervals) {
      assertAllClose(rf.interval(found, unit), [first, last], `interval of unit ${unit}`);
      assertClose(rf.center(found, unit), middle, `center of unit ${unit}`);
    }
  });
});

test("an emptied stack leaves each position to itself", () => {
  const field = rf.receptiveField([]);
  assert.deepEqual(field, { size: 1, stride: 1, padding: 0 });
  assert.deepEqual(rf.outputSizes([], 8), { sizes: [], problem: null });
  assert.deepEqual([rf.forwardSteps([]), rf.backwardSteps([]), rf.closedFormTerms([])], [[], [], []]);
  assert.deepEqual(rf.cone([], 8, 0, 3), [{ level: 0, positions: [3], interval: [3, 3] }]);
  assert.deepEqual(rf.feeds([], 8, 0, 3), [{ level: 0, units: [3] }]);
  assert.deepEqual(rf.idealPositions([], 4), [4]);
  assert.deepEqual([rf.density([]), rf.sigma([]), rf.coverage([])], [1, 0, [true]]);
  assert.deepEqual(rf.blindSpots([]), { line: 0, plane: 0 });
});

test("the steps of the recursion lead to Python's field after each layer", () => {
  forEachCase(stacks, ({ layers, after }) => {
    let size = 1;
    let jump = 1;
    rf.forwardSteps(layers).forEach((step, index) => {
      const { sizeAfter, jumpAfter, paddingAfter, ...before } = step;
      assertAllClose([sizeAfter, jumpAfter, paddingAfter], after[index], `after layer ${index + 1}`);
      const added = (before.extent - 1) * jump;
      const wanted = { layer: index + 1, sizeBefore: size, jumpBefore: jump, extent: rf.extent(layers[index]), added };
      assert.deepEqual(before, wanted);
      assertClose(size + added, sizeAfter, "size before and what is added");
      [size, jump] = [sizeAfter, jumpAfter];
    });
  });
});

test("the steps back lead to Python's field of each rest of the stack", () => {
  forEachCase(stacks, ({ layers, below }) => {
    let size = 1;
    rf.backwardSteps(layers).forEach((step, index) => {
      const number = layers.length - index;
      const layer = layers[number - 1];
      assertClose(step.sizeBelow, below[index], `size below layer ${number}`);
      const { layer: said, sizeAbove, stride, extent } = step;
      assert.deepEqual([said, sizeAbove, stride, extent], [number, size, layer.stride, rf.extent(layer)]);
      size = step.sizeBelow;
    });
  });
});

test("the terms of the closed form add up to the size", () => {
  forEachCase(stacks, ({ layers, field, extents, jumps }) => {
    const terms = rf.closedFormTerms(layers);
    terms.forEach((term, index) => {
      assert.deepEqual([term.layer, term.extentLessOne], [index + 1, extents[index] - 1]);
      assertClose(term.stridesBefore, jumps[index], "product of the strides before");
      assertClose(term.term, (extents[index] - 1) * jumps[index], "term");
    });
    assertClose(1 + terms.reduce((total, { term }) => total + term, 0), field.size, "size");
  });
});

test("holes: density, positions, coverage and blind spots are Python's", () => {
  forEachCase(stacks, ({ layers, field, density, ideal }) => {
    assertClose(rf.density(layers), density, "density");
    if (ideal === null) return;
    assert.deepEqual(rf.idealPositions(layers, 2), ideal);
    const covered = rf.coverage(layers);
    assert.equal(covered.length, field.size);
    const first = 2 * field.stride - field.padding;
    assert.deepEqual(covered.flatMap((read, offset) => (read ? [first + offset] : [])), ideal);
    const plane = field.size ** 2 - ideal.length ** 2;
    assert.deepEqual(rf.blindSpots(layers), { line: field.size - ideal.length, plane });
  });
});

test("blind spots of two axes are counted on the grid", () => {
  const dilated = (...rates) => rates.map((dilation) => ({ kernel_size: 3, stride: 1, padding: [0, 0], dilation }));
  const [one, other] = [dilated(2, 2), dilated(1, 5)];
  const [across, down] = [rf.coverage(one), rf.coverage(other)];
  const blind = across.flatMap((a) => down.map((b) => !(a && b))).filter(Boolean).length;
  assert.equal(rf.blindSpots(one, other).plane, blind);
  assert.deepEqual(rf.blindSpots(dilated(2, 2, 2)), { line: 6, plane: 13 ** 2 - 7 ** 2 });
});

test("a window too long to be listed is refused, and still counted", () => {
  const layers = Array.from({ length: 24 }, () => ({ kernel_size: 2, stride: 4, padding: [0, 0], dilation: 1 }));
  assert.throws(() => rf.coverage(layers), { name: "RangeError", message: /^The window has \d+ positions; at most / });
  assert.equal(rf.density(layers), 2 ** 24 / rf.receptiveField(layers).size);
  // Neither runs nor copies that lie apart: density gives up instead of freezing the page.
  const odd = layers.concat(layers).map((layer, index) => ({ ...layer, stride: 3, dilation: 5 + 2 * (index % 2) }));
  assert.ok(Number.isNaN(rf.density(odd)));
});

test("output sizes are Python's, up to the layer that does not fit", () => {
  forEachCase([...stacks, ...problems], ({ layers, input_size, sizes, problem }) => {
    assert.deepEqual(rf.outputSizes(layers, input_size), { sizes, problem });
  });
});

test("the sentences name short inputs, cuts and bad numbers", () => {
  const said = problems.map(({ problem }) => problem.message);
  for (const part of [" needs ", " cuts ", "`stride` of ", "`padding` of ", "`input_size` must"]) {
    assert.ok(said.some((message) => message.includes(part)), `no case says "${part}"`);
  }
});

test("half-typed numbers never throw", () => {
  for (const value of [NaN, undefined, -Infinity, {}]) {
    const layer = { kernel_size: value, stride: 1, padding: [0, 0], dilation: 1 };
    assert.equal(rf.outputSizes([layer], 5).problem.layer, 1);
    assert.equal(rf.outputSizes([{ ...layer, kernel_size: 1, padding: [value, 0] }], 5).problem.layer, 1);
    assert.equal(rf.outputSizes([], value).problem.layer, 0);
  }
});

test("cones are the brute force's, with Python's ideal intervals", () => {
  forEachUnit((layers, inputSize, { level, unit, cone, intervals }) => {
    const wanted = cone.map((positions, at) => ({ level: at, positions, interval: intervals[at] }));
    assert.deepEqual(rf.cone(layers, inputSize, level, unit), wanted);
  });
});

test("what a unit feeds is the brute force's", () => {
  forEachUnit((layers, inputSize, { level, unit, feeds }) => {
    const wanted = feeds.map((units, index) => ({ level: level + index, units }));
    assert.deepEqual(rf.feeds(layers, inputSize, level, unit), wanted);
  });
});

test("feeds is the inverse of cone, for every pair of units", () => {
  const random = seeded(4);
  const upTo = (n) => Math.floor(random() * (n + 1));
  let pairs = 0;
  for (let round = 0; round < 150; round++) {
    const layers = Array.from({ length: 1 + upTo(3) }, () => {
      const padding = [upTo(6) - 2, upTo(6) - 2];
      return { kernel_size: 1 + upTo(4), stride: 1 + upTo(3), padding, dilation: 1 + upTo(3) };
    });
    const inputSize = 12 + upTo(16);
    const lengths = [inputSize, ...rf.outputSizes(layers, inputSize).sizes];
    for (let low = 0; low < lengths.length; low++) {
      const fed = Array.from({ length: lengths[low] }, (_, position) => rf.feeds(layers, inputSize, low, position));
      for (let high = low; high < lengths.length; high++) {
        for (let unit = 0; unit < lengths[high]; unit++) {
          const { positions } = rf.cone(layers, inputSize, high, unit)[low];
          const feeding = fed.flatMap((levels, at) => (levels[high - low].units.includes(unit) ? [at] : []));
          assert.deepEqual(feeding, positions, JSON.stringify({ layers, inputSize, low, high, unit }));
          pairs += positions.length;
        }
      }
    }
  }
  assert.ok(pairs > 10_000);
});

test("path counts are Python's on every level", () => {
  forEachUnit((layers, inputSize, { level, unit, counts }) => {
    const found = rf.pathCounts(layers, inputSize, level, unit);
    assert.equal(found.length, level + 1);
    for (const [at, wanted] of counts) assertAllClose(found[at], wanted, `paths from level ${at} to unit ${unit}`);
  });
});

test("shares, their mean and their spread are Python's, also where the counts overflow", () => {
  let overflows = 0;
  forEachUnit((layers, inputSize, { level, unit, counts, shares }) => {
    const [found] = rf.pathShares(layers, inputSize, level, unit);
    if (shares === null) {
      if (level > 0) assert.ok(found.every((share) => share === 0), "no path arrives, so there is no share");
      return;
    }
    const near = (got, wanted, what) => assert.ok(Math.abs(got - wanted) < 1e-10, `${what}: ${got}, Python ${wanted}`);
    shares.values.forEach((wanted, position) => near(found[position], wanted, `share of ${position}`));
    near(rf.mean(found), shares.mean, "mean");
    near(rf.spread(found) ** 2, shares.spread ** 2, "squared spread");
    const total = counts[0][1].reduce((one, other) => one + other, 0);
    overflows += total === Infinity;
    if (total < Infinity) rf.shares(counts[0][1]).forEach((share, i) => near(share, found[i], `share of ${i}`));
  });
  assert.ok(overflows > 0, "no case overflows");
});

test("shares of counts near the end of the number range add up to 1", () => {
  assert.deepEqual([...rf.shares([1e308, 1e308, 1e308, 1e308])], [0.25, 0.25, 0.25, 0.25]);
  assert.deepEqual([...rf.shares([0, 0])], [0, 0]);
  assert.ok(Number.isNaN(rf.mean([0, 0])) && Number.isNaN(rf.spread([0, 0])));
});

test("sigma is Python's, and the spread of an inner unit's paths", () => {
  forEachCase(stacks, ({ layers, sigma }) => assertClose(rf.sigma(layers), sigma, "sigma"));
  const layers = [[3, 1, 1], [2, 2, 1], [5, 1, 3]].map(([kernel_size, stride, dilation]) => {
    return { kernel_size, stride, padding: [0, 0], dilation };
  });
  const [found] = rf.pathShares(layers, 60, 3, 4);
  assert.ok(Math.abs(rf.spread(found) - rf.sigma(layers)) < 1e-12);
});

test("a unit that does not exist is refused with the reason", () => {
  const layers = [{ kernel_size: 3, stride: 1, padding: [0, 0], dilation: 1 }];
  for (const ask of [rf.cone, rf.feeds, rf.pathCounts, rf.pathShares]) {
    const refused = (size, level, unit, message) => {
      assert.throws(() => ask(layers, size, level, unit), { name: "RangeError", message });
    };
    refused(8, 1, 6, "There is no unit 6: an input of 8 positions gives units 0 to 5.");
    refused(8, 1, -1, "There is no unit -1: an input of 8 positions gives units 0 to 5.");
    refused(8, 0, 8, "There is no unit 8: an input of 8 positions gives units 0 to 7.");
    refused(8, 2, 0, "There is no level 2: the stack has levels 0 (the input) to 1.");
    refused(2, 1, 0, rf.outputSizes(layers, 2).problem.message);
  }
});

test("padding may be one number for both ends", () => {
  const layer = { kernel_size: 3, stride: 2, padding: 2, dilation: 1 };
  const both = { ...layer, padding: [2, 2] };
  assert.deepEqual(rf.outputSizes([layer], 9), rf.outputSizes([both], 9));
  assert.deepEqual(rf.cone([layer], 9, 1, 0), rf.cone([both], 9, 1, 0));
});
