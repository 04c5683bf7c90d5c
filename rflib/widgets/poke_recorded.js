// The poke explorer on a page without Python: one change or one shift of the first image at a time, as recorded.

import { Refusal, filledIn, flatIn, membersOf, notComputed, placeWords } from "./recorded.js";

const AWAY = "(Meanwhile the change of pixel {pixel} is set aside.)";
const BACK = "(This page plays back one change at a time: the one before is taken back.)";
const OTHER = "(This page begins with the first image.)";

/** Decimals as Python writes them: of two that are equally near, the one whose last digit is even. */
export function fixedAsPython(number, digits) {
  const text = Math.abs(number).toFixed(digits);
  const [whole, rest = ""] = Math.abs(number).toFixed(digits + 40).split(".");
  const cut = `${whole}${digits ? `.${rest.slice(0, digits)}` : ""}`;
  const isTie = /^50*$/.test(rest.slice(digits)) && /[02468]$/.test(cut);
  return (number < 0 || Object.is(number, -0) ? "-" : "") + (isTie ? cut : text);
}

/** A number as the poke explorer's sentences write it. */
export function valueWords(number, digits = 4) {
  const isShort = number === 0 || Math.abs(number) >= 0.001 || digits > 4;
  const text = isShort ? fixedAsPython(number, digits) : number.toExponential(1).replace(/e([+-])(\d)$/, "e$10$2");
  return text.replaceAll("-", "\u2212");
}

/** Two values with as many digits as it takes to tell them apart. */
export function twoValues(before, after) {
  let digits = 4;
  while (before !== after && digits < 17 && valueWords(before, digits) === valueWords(after, digits)) digits += 1;
  return { before: valueWords(before, digits), after: valueWords(after, digits) };
}

/** The feature map's values when a pixel has been changed, channel by channel. */
function afterPoke(layers, flat) {
  const changed = membersOf(layers.would[flat]);
  return layers.values.map((row, channel) => {
    const values = [...row];
    changed.forEach((unit, i) => {
      values[unit] = layers.pokes[flat].after[channel * changed.length + i] ?? row[unit];
    });
    return values;
  });
}

/** The first image moved by whole pixels, zeros coming in. */
function movedImage({ space, image }, by) {
  const [rows, columns] = space.length === 2 ? space : [1, space[0]];
  const [down, right] = by.length === 2 ? by : [0, by[0]];
  return image.map((_, flat) => {
    const [row, column] = [Math.floor(flat / columns) - down, (flat % columns) - right];
    return row < 0 || row >= rows || column < 0 || column >= columns ? 0 : image[row * columns + column];
  });
}

/** What has been done to the image: {poked, by, isMoved}, and a `note` to say once. */
function doneTo(recording, asked, told, now) {
  const still = recording.space.map(() => 0);
  const fresh = { poked: null, by: still, isMoved: false, note: "" };
  const { isOther, ...start } = recording.start;
  const done = { ...fresh, ...(now("answer").done ?? { ...start, note: isOther ? OTHER : "" }) };
  const isTouched = done.poked !== null || done.by.some((b) => b !== 0);
  if (asked.layers !== undefined || told?.do === "reset") return fresh;
  if (told?.do === "poke") {
    const pixel = told.pixel ?? now("pixel");
    const { pokes } = recording.layers[now("layers")];
    if (!pokes[flatIn(recording.space, pixel)]) throw notComputed(`changing pixel ${placeWords(pixel)}`);
    return { ...fresh, poked: pixel, note: isTouched ? BACK : "" };
  }
  if (told?.do === "shift") {
    const by = done.by.map((b, axis) => b + told.by[axis]);
    if (!recording.layers[now("layers")].shifts[by.join(",")]) throw notComputed(`the image shifted by ${placeWords(by)}`);
    return { ...fresh, by, isMoved: true, note: done.poked ? BACK : "" };
  }
  if (told) throw new Refusal(`The poke explorer knows 'poke', 'shift' and 'reset'; got ${JSON.stringify(told.do)}.`);
  return { ...done, isMoved: false, note: now("answer").done ? "" : done.note };
}

/** The traits after a move, as Python would set them. */
export function playPoke(recording, now, asked, told) {
  const done = doneTo(recording, asked, told, now);
  const traits = {};
  for (const name of ["layers", "pixel", "unit", "mode", "channel"]) traits[name] = asked[name] ?? now(name);
  const layers = recording.layers[traits.layers];
  if (!layers) throw notComputed(`the layers "${traits.layers}"`);
  if (asked.mode === undefined && asked.unit) traits.mode = "unit";
  if (asked.mode === undefined && asked.pixel) traits.mode = "pixel";
  if (told?.do === "poke") Object.assign(traits, { pixel: done.poked, mode: "pixel" });
  if (asked.layers !== undefined) {
    const { units } = layers;
    const fits = traits.unit.length === units.length && traits.unit.every((at, axis) => at < units[axis]);
    if (!fits) traits.unit = units.map((n) => Math.floor(n / 2));
    traits.channel = 0;
  }
  return { ...traits, answer: answerOf(recording, layers, traits, done) };
}

function answerOf(recording, layers, traits, done) {
  const { space } = recording;
  const { pixel, unit, channel } = traits;
  const flat = flatIn(space, pixel);
  const isPoked = done.poked !== null && flatIn(space, done.poked) === flat;
  const shift = done.by.some((b) => b !== 0) || done.isMoved ? layers.shifts[done.by.join(",")] : null;
  const image = movedImage(recording, done.by);
  const before = image[flat];
  const after = Number(before < 0.5);
  if (isPoked) image[flat] = after;
  const values = isPoked ? afterPoke(layers, flat) : shift ? shift.values : layers.values;
  const would = shift?.would[flat] ?? layers.would[flat];
  const told = {
    ...{ recording, layers, traits, values, isPoked, shift: done.isMoved ? shift : null },
    ...{ old: before, changed: after, would: membersOf(would) },
  };
  const away = done.poked !== null && !isPoked ? filledIn(AWAY, { pixel: placeWords(done.poked) }) : "";
  return {
    ...{ space, units: layers.units, channels: layers.channels, image, values: values[channel] },
    reads: membersOf(layers.reads[flatIn(layers.units, unit)]),
    marked: membersOf(done.isMoved ? shift.same : would),
    kind: done.isMoved ? "moved" : isPoked ? "changed" : "would",
    ...{ pixel, unit, by: done.by, layers: traits.layers, done: { ...done, note: "" } },
    sentence: [sentenceOf(told), away, done.note].filter(Boolean).join(" "),
  };
}

function sentenceOf({ recording, layers, traits, values, isPoked, shift, old, changed, would }) {
  const { sentences, space } = recording;
  const { pixel, unit, channel, mode } = traits;
  if (shift) return shift.sentence;
  const at = flatIn(layers.units, unit);
  const within = layers.channels > 1 ? filledIn(sentences.channel, { channel }) : "";
  const poke = { pixel: placeWords(pixel), old: old.toFixed(2), new: changed.toFixed(2) };
  Object.assign(poke, { number: would.length, units: layers.of });
  if (mode === "pixel" && !isPoked) return filledIn(sentences.tried, poke);
  let value = "";
  if (isPoked) {
    const pair = [layers.values[channel][at], values[channel][at]];
    const verdict = !would.includes(at) ? "same" : pair[0] !== pair[1] ? "changed" : "elsewhere";
    const words = { unit: placeWords(unit), channel: within, ...twoValues(...pair), verdict: sentences[verdict] };
    value = filledIn(sentences.values, words);
  }
  if (mode === "pixel") {
    const { most } = layers.pokes[flatIn(space, pixel)];
    return `${filledIn(sentences.poked, { ...poke, most })}; ${value}.`;
  }
  const number = membersOf(layers.reads[at]).length;
  const head = filledIn(sentences.unit, { unit: placeWords(unit), number, pixels: recording.image.length });
  const said = filledIn(sentences.now, { channel: within, now: valueWords(values[channel][at]) });
  return `${head}; ${value ? `${value}.` : said}`;
}
