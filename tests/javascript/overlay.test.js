// The windows of an overlay's layer, against asking every unit.

import assert from "node:assert/strict";
import test from "node:test";

import {
  bordering,
  cutsOf,
  cutWords,
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
import { arrow, arrowsOf } from "../../rflib/widgets/overlay_parts.js";
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

test("a frame is cut where the window has positions that the picture has not", () => {
  let some = 0;
  for (const layer of layers) {
    const beyond = margins(layer);
    for (let flat = 0; flat < unitCount(layer); flat++) {
      const window = unitWindow(layer, unitOf(layer, flat));
      const expected = [];
      window.forEach(([first, last], axis) => {
        const places = Array.from({ length: last - first + 1 }, (_, i) => first + i);
        const pixels = Array.from({ length: layer.space[axis] + 2 * beyond[axis] }, (_, i) => i - beyond[axis]);
        if (places.some((at) => pixels.every((pixel) => at < pixel))) expected.push({ axis, end: 0, position: first });
        if (places.some((at) => pixels.every((pixel) => at > pixel))) expected.push({ axis, end: 1, position: last });
      });
      assert.deepEqual(cutsOf(window, layer.space, beyond), expected);
      some += expected.length;
    }
  }
  assert.ok(some > 0);
});

test("the corner unit of ResNet-18's layer2 on 96 x 96 goes on to -49, the middle one is whole", () => {
  const layer = grid([12, 12], [96, 96], 99, [8, 8], [-49, -49]);
  const beyond = margins(layer);
  assert.deepEqual(beyond, [32, 32]);
  const corner = cutsOf(unitWindow(layer, [0, 0]), layer.space, beyond);
  assert.deepEqual(corner, [{ axis: 0, end: 0, position: -49 }, { axis: 1, end: 0, position: -49 }]);
  assert.equal(cutWords(corner, 2), "rows from \u221249, columns from \u221249");
  const last = cutsOf(unitWindow(layer, [11, 6]), layer.space, beyond);
  assert.equal(cutWords(last, 2), "rows to 137");
  assert.deepEqual(cutsOf(unitWindow(layer, [6, 6]), layer.space, beyond), []);
  assert.equal(cutWords([], 2), "");
  assert.equal(cutWords([{ axis: 0, end: 1, position: 70 }], 1), "positions to 70");
});

test("an arrow has its tip where it is put and its back on the other side", () => {
  assert.equal(arrow(0, 5, "left", 4), "M0 5L4 7L4 3z");
  assert.equal(arrow(9, 5, "right", 4), "M9 5L5 7L5 3z");
  assert.equal(arrow(5, 0, "up", 4), "M5 0L7 4L3 4z");
  assert.equal(arrow(5, 9, "down", 4), "M5 9L7 5L3 5z");
});

test("arrows point out of the picture, at the middle of what is seen of the edge", () => {
  const view = { left: -36, top: -36, width: 180, height: 180 };
  const window = [[-49, 49], [-49, 49]];
  const cuts = [{ axis: 0, end: 0 }, { axis: 1, end: 0 }];
  assert.equal(arrowsOf(window, cuts, view, 1), arrow(7, -36, "up", 5) + arrow(-36, 7, "left", 5));
  const low = [[100, 199], [100, 199]];
  const ends = [{ axis: 0, end: 1 }, { axis: 1, end: 1 }];
  assert.equal(arrowsOf(low, ends, view, 1), arrow(122, 144, "down", 5) + arrow(144, 122, "right", 5));
  const signal = { left: -36, top: -2, width: 180, height: 14 };
  assert.equal(arrowsOf([[-60, 9]], [{ axis: 0, end: 0 }], signal, 10), arrow(-36, 5, "left", 5));
  assert.equal(arrowsOf(window, [], view, 1), "");
});
