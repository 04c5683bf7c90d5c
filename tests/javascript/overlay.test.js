// The windows of an overlay's layer, against asking every unit.

import assert from "node:assert/strict";
import test from "node:test";

import {
  bordering,
  cellsOf,
  drawnUnits,
  flatOf,
  margins,
  middleOf,
  moved,
  movedOnImage,
  nearestUnit,
  neighborsOf,
  rectanglesOf,
  runsOf,
  unitCount,
  unitOf,
  unitWindow,
  unitWindows,
} from "../../rflib/widgets/overlay_windows.js";
import { seeded } from "./reading.js";

const random = seeded(7);
const below = (n) => Math.floor(random() * n);

/** Windows of one size along each axis; `steps` may be negative, as behind a flip. */
function grid(units, space, size, steps, starts, follows = [0, 1]) {
  const ends = space.map((_, axis) => {
    const n = follows[axis] < 0 ? 1 : units[follows[axis]];
    return Array.from({ length: n }, (_, u) => [starts[axis] + steps[axis] * u, starts[axis] + steps[axis] * u + size - 1]);
  });
  return { units, space, follows, ends, table: null };
}

/** The same layer with every unit's window written down, as Python sends layers without axes to follow. */
function written(layer) {
  const numbers = [];
  for (let flat = 0; flat < unitCount(layer); flat++) numbers.push(...unitWindow(layer, unitOf(layer, flat)).flat());
  const bytes = new Uint8Array(4 + 4 * numbers.length); // not at the beginning of its buffer, as in a message
  bytes.set(new Uint8Array(Int32Array.from(numbers).buffer), 4);
  return unitWindows({ ...layer, follows: null, ends: null, table: new DataView(bytes.buffer, 4) });
}

const layers = Array.from({ length: 60 }, () => {
  const units = [1 + below(7), 1 + below(7)];
  const steps = [1 + below(4), (1 + below(4)) * (random() < 0.3 ? -1 : 1)];
  const starts = [-below(6), steps[1] < 0 ? 20 : -below(6)];
  return grid(units, [8 + below(20), 8 + below(20)], 1 + below(9), steps, starts, random() < 0.3 ? [1, 0] : [0, 1]);
});

test("a unit and its number are each other's inverse", () => {
  for (const units of [[], [5], [3, 4], [2, 3, 4]]) {
    const layer = { units };
    for (let flat = 0; flat < unitCount(layer); flat++) assert.equal(flatOf(layer, unitOf(layer, flat)), flat);
  }
  assert.deepEqual(unitOf({ units: [2, 3, 4] }, 23), [1, 2, 3]);
});

test("windows by axis and windows written down are the same", () => {
  for (const layer of layers) {
    const table = written(layer);
    for (let flat = 0; flat < unitCount(layer); flat++) {
      const unit = unitOf(layer, flat);
      assert.deepEqual(unitWindow(table, unit), unitWindow(layer, unit));
    }
    assert.deepEqual(bordering(table), bordering(layer));
    assert.deepEqual(margins(table), margins(layer));
  }
});

test("a unit that reads nothing has no window and no border", () => {
  const table = Int32Array.from([0, -1, 0, -1, 0, 2, 0, 2]);
  const layer = { units: [2], space: [5, 5], follows: null, ends: null, table };
  assert.equal(unitWindow(layer, [0]), null);
  assert.deepEqual([...bordering(layer)], [2, 0]);
  assert.deepEqual(nearestUnit(layer, [0, 0], [0]), [1]);
});

test("border units hang over at least one end", () => {
  for (const layer of layers) {
    bordering(layer).forEach((kind, flat) => {
      const inside = unitWindow(layer, unitOf(layer, flat)).every(([f, l], a) => f >= 0 && l <= layer.space[a] - 1);
      assert.equal(kind, inside ? 0 : 1);
    });
  }
});

test("the nearest unit is nearer than all others", () => {
  for (const layer of layers) {
    const place = layer.space.map((n) => random() * n);
    const distance = (unit) => Math.hypot(...middleOf(unitWindow(layer, unit)).map((c, a) => c - place[a]));
    const all = Array.from({ length: unitCount(layer) }, (_, flat) => distance(unitOf(layer, flat)));
    const chosen = unitOf(layer, below(unitCount(layer)));
    for (const form of [layer, written(layer)]) {
      assert.ok(Math.abs(distance(nearestUnit(form, place, chosen)) - Math.min(...all)) < 1e-9);
    }
  }
});

test("where all units look at the same place the chosen one stays", () => {
  const everything = grid([4, 4], [9, 9], 9, [0, 0], [0, 0], [-1, -1]);
  assert.deepEqual(nearestUnit(everything, [1, 1], [2, 3]), [2, 3]);
  assert.deepEqual(nearestUnit(written(grid([4, 4], [9, 9], 9, [0, 0], [0, 0])), [1, 1], [2, 3]), [2, 3]);
  assert.deepEqual(nearestUnit({ ...everything, units: [] }, [1, 1], []), []);
  assert.deepEqual(movedOnImage(everything, [2, 3], 0, 1), [2, 3]);
});

test("on the image the arrows move the window, whatever way the units run", () => {
  for (const layer of layers) {
    for (const axis of [0, 1]) {
      const unit = unitOf(layer, below(unitCount(layer)));
      const next = movedOnImage(layer, unit, axis, 1);
      const [before, after] = [unit, next].map((u) => middleOf(unitWindow(layer, u)));
      assert.ok(after[axis] >= before[axis]);
      assert.equal(after[1 - axis], before[1 - axis]);
      const last = movedOnImage(layer, unit, axis, Infinity);
      const reach = Math.max(...layer.ends[axis].map(([f, l]) => (f + l) / 2));
      assert.equal(middleOf(unitWindow(layer, last))[axis], reach);
    }
  }
  assert.deepEqual(moved({ units: [3] }, [1], -1, 1), [1]);
});

test("neighbors are one step away and exist", () => {
  assert.deepEqual(neighborsOf({ units: [3, 3] }, [0, 1]), [[1, 1], [0, 0], [0, 2]]);
  assert.deepEqual(neighborsOf({ units: [] }, []), []);
});

test("runs cover the cells of a kind, and no others", () => {
  for (let round = 0; round < 50; round++) {
    const columns = 1 + below(6);
    const kinds = Uint8Array.from({ length: columns * (1 + below(5)) }, () => below(3));
    for (const kind of [0, 1, 2]) {
      const covered = kinds.map(() => 0);
      for (const [column, row, n] of runsOf(kinds, columns, kind)) {
        assert.ok(column + n <= columns);
        for (let i = 0; i < n; i++) covered[row * columns + column + i] += 1;
      }
      assert.deepEqual([...covered], [...kinds].map((k) => Number(k === kind)));
    }
  }
});

test("the drawn centers are few, evenly spaced, with equal margins", () => {
  for (const n of [1, 7, 16, 17, 28, 112]) {
    const { units, every } = drawnUnits({ units: [n] }, 16);
    assert.ok(units.length <= 16 && units.length >= 1);
    assert.ok(units.every(([u], i) => u < n && (i === 0 || u - units[i - 1][0] === every)));
    const [first, last] = [units[0][0], units[units.length - 1][0]];
    assert.ok(Math.abs(first - (n - 1 - last)) <= 1);
  }
  assert.deepEqual(drawnUnits({ units: [] }, 16), { units: [[]], every: 1 });
});

test("cells, margins and rectangles", () => {
  assert.deepEqual(cellsOf({ units: [] }), { rows: 1, columns: 1 });
  assert.deepEqual(cellsOf({ units: [2, 3, 4] }), { rows: 6, columns: 4 });
  assert.deepEqual(margins(grid([7, 7], [224, 224], 435, [32, 32], [-217, -217])), [121, 121]);
  assert.deepEqual(margins(grid([4, 4], [30, 30], 3, [1, 1], [5, 5])), [0, 0]);
  const bytes = new DataView(Int32Array.from([9, 1, 2, 3, 4]).buffer, 4);
  assert.deepEqual(rectanglesOf(bytes), [[1, 2, 3, 4]]);
});
