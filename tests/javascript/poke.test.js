// What the poke explorer works out in the browser: where keys move a cursor, which cells a picture holds.

import assert from "node:assert/strict";
import test from "node:test";

import { between, cellPaths, gray, viridis } from "../../rflib/widgets/heat.js";
import { placeOf, rowsAndColumns, spoken, steppedBy } from "../../rflib/widgets/poke.js";
import { seeded } from "./reading.js";

test("keys move a cursor by one, to the ends, and never out", () => {
  const from = (key) => steppedBy([2, 3], [4, 6], key);
  assert.deepEqual(from("ArrowUp"), [1, 3]);
  assert.deepEqual(from("ArrowDown"), [3, 3]);
  assert.deepEqual(from("ArrowLeft"), [2, 2]);
  assert.deepEqual(from("ArrowRight"), [2, 4]);
  assert.deepEqual(from("Home"), [2, 0]);
  assert.deepEqual(from("End"), [2, 5]);
  assert.deepEqual(from("PageUp"), [0, 3]);
  assert.deepEqual(from("PageDown"), [3, 3]);
  assert.deepEqual(steppedBy([3, 5], [4, 6], "ArrowDown"), [3, 5]);
  assert.deepEqual(steppedBy([0, 0], [4, 6], "ArrowLeft"), [0, 0]);
  assert.deepEqual(steppedBy([0], [5], "ArrowLeft"), [0]);
  assert.deepEqual(steppedBy([1], [5], "ArrowRight"), [2]);
  assert.deepEqual(steppedBy([1], [5], "ArrowUp"), [1]);
  assert.deepEqual(steppedBy([1], [5], "End"), [4]);
});

test("shapes and places of one and two axes", () => {
  assert.deepEqual(rowsAndColumns([4, 6]), [4, 6]);
  assert.deepEqual(rowsAndColumns([6]), [1, 6]);
  assert.deepEqual(placeOf(13, [4, 6]), [2, 1]);
  assert.deepEqual(placeOf(5, [6]), [5]);
  assert.equal(spoken([3, 4]), "(3, 4)");
  assert.equal(spoken([3]), "3");
});

test("the paths of a picture cover every cell once, in its own color", () => {
  const random = seeded(1);
  for (const [rows, columns] of [[1, 7], [5, 3], [12, 12]]) {
    const shares = Array.from({ length: rows * columns }, () => Math.floor(3 * random()) / 2);
    const seen = new Map();
    for (const { color, path } of cellPaths(shares, columns, gray)) {
      for (const [, x, y, wide] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\3z/g)) {
        for (let i = 0; i < Number(wide); i += 1) {
          const cell = Number(y) * columns + Number(x) + i;
          assert.ok(Number(x) + i < columns, "a run leaves its row");
          assert.ok(!seen.has(cell), `cell ${cell} is drawn twice`);
          seen.set(cell, color);
        }
      }
    }
    assert.equal(seen.size, shares.length);
    shares.forEach((share, cell) => assert.equal(seen.get(cell), gray(share)));
  }
});

test("colors run from end to end", () => {
  assert.equal(viridis(0), "rgb(68,1,84)");
  assert.equal(viridis(1), "rgb(253,231,37)");
  assert.equal(viridis(7), viridis(1));
  assert.equal(gray(0.5), "rgb(128,128,128)");
  assert.deepEqual(between([2, 3, 4], 2, 4), [0, 0.5, 1]);
  assert.deepEqual(between([2, 2], 2, 2), [0.5, 0.5]);
});
