// The effective-field explorer on a page without Python: recorded fields of a stack, or of layers and units of a module.

import { Refusal, nearestRecorded, notComputed, placeWords } from "./recorded.js";

const NAMES = ["kernel_size", "weights", "nonlinearity", "skip", "pattern", "contribution", "draws"];
const WORDS = {
  kernel_size: (value) => `kernel size ${value}`,
  weights: (value) => `${value} weights`,
  nonlinearity: (value) => (value === "none" ? "no nonlinearity" : value),
  skip: (value) => (value === "none" ? "no skip connections" : "skip connections"),
  pattern: (value) => (value === "constant" ? "no stride or dilation" : value),
  contribution: (value) => `${value} gradient`,
  draws: (value) => `${value} ${value === 1 ? "draw" : "draws"}`,
};

/** The settings of a stack without its depth; where nothing is random the number of draws says nothing. */
export function erfKey(settings) {
  const isRandom = settings.weights !== "uniform" || settings.nonlinearity !== "none";
  return NAMES.map((name) => (name === "draws" && !isRandom ? 0 : settings[name])).join("|");
}

/** A recorded map at its full size, as the bytes that Python sends. */
export function heightsOf({ kept, letters }, shape, { letters: alphabet, shares }) {
  const heights = new Float32Array(shape.reduce((product, n) => product * n, 1));
  const [[top, down, rows], [left, right, columns]] = kept.length === 2 ? kept : [[0, 1, 1], kept[0]];
  const wide = shape[shape.length - 1];
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const share = shares[alphabet.indexOf(letters[row * columns + column])];
      heights[(top + row * down) * wide + left + column * right] = share;
    }
  }
  return new DataView(heights.buffer);
}

/** The traits after a move, as Python would set them. */
export function playErf(recording, now, asked, told) {
  if (told) throw new Refusal("The effective-field explorer takes settings, and no messages.");
  if ("scale" in asked && Object.keys(asked).length === 1) return asked; // the colors are the browser's own
  return recording.groups ? playStack(recording, now, asked) : playModule(recording, now, asked);
}

function shownOf(recording, field, shape) {
  const { letters, kept, unit, quarter, ...said } = field;
  const none = { formula: null, kurtosis: null, notes: [] };
  const answer = { ...none, ...said, shape, profile: field.profile.map((n) => n * unit) };
  return { answer, heights: heightsOf(field, shape, recording) };
}

/** The number of draws that is recorded with these settings, from the asked one on in the direction of the move. */
function recordedDraws({ groups }, settings, from) {
  const by = settings.draws < from ? -1 : 1;
  for (let draws = settings.draws; draws >= 1 && draws <= 8; draws += by) {
    if (erfKey({ ...settings, draws }) in groups) return draws;
  }
  return settings.draws;
}

function playStack(recording, now, asked) {
  const settings = Object.fromEntries([...NAMES, "depth"].map((name) => [name, asked[name] ?? now(name)]));
  const wantedDraws = settings.draws;
  if ("draws" in asked) settings.draws = recordedDraws(recording, settings, now("draws"));
  const key = erfKey(settings);
  const group = recording.groups[key];
  if (!group) {
    const all = NAMES.filter((name) => name !== "draws" || !key.endsWith("|0"));
    throw notComputed(all.map((name) => WORDS[name](settings[name])).join(", "));
  }
  const isLowered = settings.depth > group.deepest;
  if (isLowered && "depth" in asked) throw notComputed(`${settings.depth} layers with these settings`);
  settings.depth = Math.min(settings.depth, group.deepest);
  const field = group.fields[settings.depth - 1];
  if (typeof field === "string") throw new Refusal(field);
  const known = { ...(now("answer").known ?? recording.visited) };
  const here = `${key} ${settings.draws}`;
  known[here] = [...new Set([...(known[here] ?? []), settings.depth])].sort((a, b) => a - b);
  const depths = known[here].filter((depth) => typeof group.fields[depth - 1] === "object");
  const visited = depths.map((depth) => [depth, group.fields[depth - 1].size, group.fields[depth - 1].sigma]);
  const { answer, heights } = shownOf(recording, field, [field.size, field.size]);
  const isQuarter = visited.some(([depth]) => 4 * depth === settings.depth);
  const isOther = settings.draws !== wantedDraws;
  const otherDraws = `This page has ${WORDS.draws(settings.draws)} instead of ${wantedDraws}.`;
  const { deepest, unknown, law, is_random } = group;
  Object.assign(answer, {
    ...{ depth: settings.depth, deepest, unknown, law, is_random, visited, known, units: [] },
    window: [0, 1].map(() => [0, field.size - 1]),
    notes: [...answer.notes, ...(isLowered ? [group.lowered] : []), ...(isOther ? [otherDraws] : [])],
    sentence: answer.sentence + (isQuarter ? field.quarter : "."),
  });
  return { ...asked, depth: settings.depth, draws: settings.draws, answer, heights };
}

function playModule(recording, now, asked) {
  const [layer, contribution] = ["layer", "contribution"].map((name) => asked[name] ?? now(name));
  const found = recording.layers[layer];
  if (!found) throw notComputed(`the field of ${layer}`);
  const middle = found.units.map((n) => Math.floor(n / 2));
  const wanted = asked.unit ?? (asked.layer === undefined ? now("unit") : middle);
  const places = Object.keys(found.fields).filter((key) => key.endsWith(`|${contribution}`));
  const recorded = places.map((key) => key.split("|")[0].split(",").filter(Boolean).map(Number));
  const isThere = recorded.some((place) => String(place) === String(wanted));
  const unit = isThere ? wanted : nearestRecorded(asked.unit ? now("unit") : null, wanted, recorded);
  const who = wanted.length ? `unit ${placeWords(wanted)} of ${layer}` : `the unit of ${layer}`;
  if (!unit) throw notComputed(`${who}${asked.unit ? " and those beyond" : ""}, by the ${contribution} gradient`);
  const field = found.fields[`${unit.join(",")}|${contribution}`];
  if (typeof field === "string") throw new Refusal(field);
  const { answer, heights } = shownOf(recording, field, now("answer").shape);
  const note = `For this page ${who} was not computed by the ${contribution} gradient; this is the nearest one that was.`;
  Object.assign(answer, {
    ...{ depth: null, deepest: 0, unknown: "", visited: [], law: [], is_random: false, units: found.units },
    notes: [...answer.notes, ...(isThere ? [] : [note])],
  });
  return { ...asked, unit, answer, heights };
}
