// What the effective-field explorer works out in the browser: colors of a map, mean and spread of a profile.

import assert from "node:assert/strict";
import test from "node:test";

import { lawsOf, momentsOf, scaled } from "../../rflib/widgets/erf.js";
import { assertAllClose, assertClose } from "./reading.js";

test("mean and spread of weights", () => {
  assertClose(momentsOf([1, 2, 3, 2, 1]).mean, 2);
  assertClose(momentsOf([1, 2, 3, 2, 1]).sigma ** 2, 4 / 3); // two steps of variance 2/3
  assertClose(momentsOf([0, 0, 0.1, 0]).mean, 2);
  assert.equal(momentsOf([0, 0, 0.1, 0]).sigma, 0);
  const bell = Array.from({ length: 101 }, (_, i) => Math.exp(-((i - 50) ** 2) / (2 * 6 ** 2)));
  assert.ok(Math.abs(momentsOf(bell).sigma - 6) < 1e-6);
});

test("three scales, each from 0 to 1", () => {
  const heights = Float32Array.from([0, 1e-5, 0.25, 1].map((value) => 8 * value));
  assertAllClose(scaled(heights, "linear").slice(2), [0.25, 1], "linear");
  assertAllClose(scaled(heights, "square root").slice(2), [0.5, 1], "square root");
  const logarithm = scaled(heights, "logarithm");
  assert.deepEqual(logarithm.slice(0, 2), [0, 0]); // below four powers of ten nothing is told apart
  assertAllClose(logarithm.slice(2), [1 + Math.log10(0.25) / 4, 1], "logarithm");
  assert.deepEqual(scaled([0, 0], "linear"), [0, 0]);
});

test("a line that has no point is not there", () => {
  assert.deepEqual(lawsOf([[1, 3, 0.8, 0.8], [2, 5, 1.2, 1.2]]), { closed: true, root: true });
  assert.deepEqual(lawsOf([[1, 3, 0.8, null], [2, 7, 1.8, null]]), { closed: true, root: false });
  assert.deepEqual(lawsOf([[1, 3, null, null]]), { closed: false, root: false });
});
