// The file of cases that Python writes, and how its numbers are compared.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";

/** The cases of one kind. */
export function casesOf(kind) {
  const path = process.env.RFLIB_CASES;
  const how = "Write it with `python -m tests.test_widgets.cases FILE` and set RFLIB_CASES to FILE.";
  if (!path) throw new Error(`RFLIB_CASES does not name the file of cases. ${how}`);
  if (!existsSync(path)) throw new Error(`The file of cases ${path} (RFLIB_CASES) does not exist. ${how}`);
  const found = JSON.parse(readFileSync(path, "utf8")).filter((entry) => entry.kind === kind);
  if (found.length === 0) throw new Error(`The file of cases ${path} holds no case of kind "${kind}". ${how}`);
  return found;
}

/** Run a check on each case; an error names the stack that it failed on. */
export function forEachCase(cases, check) {
  for (const entry of cases) {
    try {
      check(entry);
    } catch (error) {
      const { layers, input_size, channels, options, arguments: given } = entry;
      const stack = JSON.stringify({ layers, input_size, channels, options, arguments: given });
      error.message = `${stack}: ${error.message}`;
      throw error;
    }
  }
}

/** Whole numbers below 2^53 must be the same; beyond, and for fractions, twelve digits must be. */
export function assertClose(got, wanted, what = "number") {
  if (got === wanted) return;
  const exact = Number.isSafeInteger(wanted) && Number.isSafeInteger(got);
  const near = !exact && Math.abs(got - wanted) <= 1e-12 * Math.abs(wanted);
  assert.ok(near, `${what} is ${got}, Python says ${wanted}`);
}

/** The same for lists. */
export function assertAllClose(got, wanted, what) {
  assert.equal(got.length, wanted.length, `length of ${what}`);
  for (let i = 0; i < wanted.length; i++) assertClose(got[i], wanted[i], `${what}, entry ${i},`);
}

/** Pseudo-random numbers from 0 to 1 that are the same in every run (mulberry32). */
export function seeded(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
