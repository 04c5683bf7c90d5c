// The explorers' costs against Python's, on the cases that tests/test_widgets/cases.py writes.

import assert from "node:assert/strict";
import test from "node:test";

import { convCost, depthwiseSeparableCost, layerCosts, stackCost, totalCost } from "../../rflib/widgets/costs.js";
import { casesOf, forEachCase } from "./reading.js";

const stacks = casesOf("cost");
const convolutions = casesOf("conv");
const numbers = ({ parameters, multiply_adds }) => [parameters, multiply_adds];

test("the cases hold every option and every kind of refusal", () => {
  const fine = stacks.filter(({ message }) => message === undefined);
  for (const option of ["groups", "separable", "pooling", "axes"]) {
    assert.ok(fine.some(({ options }) => option in options), `no case with ${option}`);
  }
  const said = [...stacks, ...convolutions].flatMap(({ message }) => message ?? []);
  const wanted = ["`channels` must", "sets its own groups", "do not divide", "pools, so", " cuts ", "`groups` must"];
  for (const part of wanted) {
    assert.ok(said.some((message) => message.includes(part)), `no case says "${part}"`);
  }
});

test("the cost of each layer and of the stack is Python's", () => {
  const fine = stacks.filter(({ message }) => message === undefined);
  forEachCase(fine, ({ layers, channels, input_size, options, costs, total }) => {
    assert.deepEqual(layerCosts(layers, channels, input_size, options).map(numbers), costs);
    assert.deepEqual(numbers(stackCost(layers, channels, input_size, options)), total);
  });
});

test("what Python refuses is refused in the same words", () => {
  const refused = stacks.filter(({ message }) => message !== undefined);
  forEachCase(refused, ({ layers, channels, input_size, options, message }) => {
    assert.throws(() => stackCost(layers, channels, input_size, options), { name: "RangeError", message });
  });
});

test("the cost of one convolution is Python's, or its refusal", () => {
  forEachCase(convolutions, ({ arguments: given, cost, message }) => {
    if (message === undefined) return assert.deepEqual(numbers(convCost(...given)), cost);
    const start = message.split("; got")[0]; // Python quotes a tuple, JavaScript a list
    const refused = (error) => error instanceof RangeError && error.message.startsWith(start);
    return assert.throws(() => convCost(...given), refused);
  });
});

test("a separable convolution is its two halves", () => {
  const halves = [convCost(3, 32, 32, [14, 14], 32), convCost(1, 32, 64, [14, 14])];
  assert.deepEqual(depthwiseSeparableCost(3, 32, 64, [14, 14]), totalCost(halves));
  // Howard et al., 2017, table 4: a separable layer costs 1 / out_channels + 1 / taps of a convolution.
  const share = depthwiseSeparableCost(3, 32, 64, [14, 14], false).multiply_adds;
  assert.ok(Math.abs(share / convCost(3, 32, 64, [14, 14], 1, false).multiply_adds - (1 / 64 + 1 / 9)) < 1e-15);
});

test("layers without names pool by number, and an empty stack costs nothing", () => {
  const layer = { kernel_size: 2, stride: 2, padding: [0, 0], dilation: 1 };
  const [conv, pool] = layerCosts([layer, layer], 4, 8, { pooling: [2] });
  assert.deepEqual([numbers(conv), numbers(pool)], [[4 * 4 * 4 + 4, 64 * 16], [0, 0]]);
  assert.throws(() => layerCosts([layer], 4, 8, { pooling: ["pool1"] }), { message: /names layer pool1/ });
  assert.deepEqual(numbers(stackCost([], 4, 8)), [0, 0]);
});
