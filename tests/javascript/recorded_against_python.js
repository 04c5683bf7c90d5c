// Explorers that answer from a recording show what the living ones show; the moves are Python's.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { scaled } from "../../rflib/widgets/erf.js";
import { playErf } from "../../rflib/widgets/erf_recorded.js";
import { playOverlay } from "../../rflib/widgets/overlay_recorded.js";
import { playPoke } from "../../rflib/widgets/poke_recorded.js";
import { answered, bytesOf } from "../../rflib/widgets/recorded.js";
import { PageModel } from "./recorded_model.js";

const sessions = JSON.parse(readFileSync(process.env.RFLIB_CASES, "utf8"));
const HOW = {
  poke: { problem: "problem", play: playPoke },
  erf: { problem: "problem", play: playErf },
  overlay: { problem: "_problem", play: playOverlay },
};

/** Traits as html-manager hands them over. */
function unpacked(value) {
  if (Array.isArray(value)) return value.map(unpacked);
  if (value === null || typeof value !== "object") return value;
  if (Object.keys(value).join() === "bytes") return bytesOf(value.bytes);
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, unpacked(one)]));
}

const bytesIn = (view) => Array.from(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
const floatsIn = (view) => new Float32Array(new Uint8Array(bytesIn(view)).buffer);
const near = (got, wanted, by, what) => {
  assert.equal(got.length, wanted.length, what);
  got.forEach((value, i) => assert.ok(Math.abs(value - wanted[i]) <= by, `${what} ${i}: ${value} is not ${wanted[i]}`));
};

/** What the eye can see of a map in each scale of color: heat.js draws 32 shades. */
function shades(view) {
  const levels = (scale) => scaled(floatsIn(view), scale).map((share) => Math.round(32 * share));
  return ["linear", "square root", "logarithm"].map(levels);
}

const compared = {
  poke(got, wanted) {
    const { values, done, ...rest } = got.answer;
    const { values: all, ...python } = wanted.answer;
    assert.deepEqual(rest, python);
    near(values, all, 1e-4, "value");
  },
  erf(got, wanted) {
    const { profile, known, share, ...rest } = got.answer;
    const { profile: all, share: part, ...python } = wanted.answer;
    assert.deepEqual(rest, python);
    near(profile, all, 1e-4 * Math.max(...all), "profile");
    assert.deepEqual(shades(got.heights), shades(wanted.heights));
  },
  overlay(got, wanted) {
    const { rectangles, ...rest } = got._answer;
    const { rectangles: all, ...python } = wanted._answer;
    assert.deepEqual(rest, python);
    assert.deepEqual(bytesIn(rectangles), bytesIn(all));
    const { table, ...map } = got._map;
    const { table: python_table, ...python_map } = wanted._map;
    assert.deepEqual(map, python_map);
    assert.deepEqual(table && bytesIn(table), python_table && bytesIn(python_table));
    const { image, ...effective } = got._effective;
    const { image: python_image, ...python_effective } = wanted._effective;
    assert.deepEqual(effective, python_effective);
    assert.equal(Boolean(image), Boolean(python_image)); // as a picture it has fewer steps of color
  },
};
const APART = { poke: ["answer"], erf: ["answer", "heights"], overlay: ["_answer", "_map", "_effective"] };

for (const { kind, name, recording, start, moves } of sessions) {
  test(`${kind}, ${name}: ${moves.length} moves`, async () => {
    const model = new PageModel({ ...unpacked(start), _recording: recording });
    const page = answered(model, null, HOW[kind]);
    let last = {};
    for (const [number, { asked, told, traits, refused }] of moves.entries()) {
      const before = { ...model.traits };
      for (const [trait, value] of Object.entries(asked)) page.set(trait, value);
      if (told) page.send(told);
      else page.save_changes();
      await Promise.resolve();
      const where = `move ${number}, ${JSON.stringify(told ?? asked)}`;
      try {
        if (refused !== undefined) {
          assert.match(model.get(HOW[kind].problem), new RegExp(refused));
          assert.deepEqual({ ...model.traits, [HOW[kind].problem]: "" }, { ...before, [HOW[kind].problem]: "" });
          continue;
        }
        const wanted = unpacked(traits);
        for (const trait of Object.keys(wanted).filter((one) => !APART[kind].includes(one))) {
          assert.deepEqual(model.get(trait), wanted[trait], trait);
        }
        compared[kind](model.traits, wanted);
        last = wanted;
      } catch (error) {
        error.message = `${where}: ${error.message}`;
        throw error;
      }
    }
    assert.ok(Object.keys(last).length, "no move was compared");
    assert.deepEqual(model.told, [], "nothing is sent to a Python that is not there");
  });
}
