/** The lists of layers that the branch explorer's branches are made of. */

import { button, html, set, svg } from "./common.js";
import { BRANCH_LIMITS, BRANCH_RANGES } from "./branches_lines.js";
import { layerSpec } from "./branches_presets.js";

const KIND_NAMES = {
  conv: "convolution",
  pool: "pooling",
  transposed: "transposed",
  nearest: "nearest up",
};
const COLUMNS = [
  { key: "kernel_size", head: "kernel", range: BRANCH_RANGES.kernel_size, name: "kernel size" },
  { key: "stride", head: "stride", range: BRANCH_RANGES.stride, name: "stride" },
  { key: 0, head: "pad left", range: BRANCH_LIMITS.padding, name: "pad left" },
  { key: 1, head: "pad right", range: BRANCH_LIMITS.padding, name: "pad right" },
  { key: "dilation", head: "dilation", range: BRANCH_RANGES.dilation, name: "dilation" },
];

/**
 * One card a branch. `change` gets the new branches and says whether they could be taken over.
 * @param {() => import("./branches_lines.js").Spec[][]} read
 * @param {(branches: import("./branches_lines.js").Spec[][]) => boolean} change
 */
export function branchEditor(read, change) {
  const element = html("div", { class: "rflib-branch-cards" });
  let drawn = "";
  let fields = [];

  /** Change one layer of a copy; the given branches are not touched. */
  const withLayer = (branch, place, spec) =>
    read().map((specs, at) => (at === branch ? specs.map((other, index) => (index === place ? spec : other)) : specs));

  function numberField(branch, place, column) {
    const { key, range, name } = column;
    const label = `${name} of layer ${place + 1} of branch ${branch + 1}`;
    const field = html("input", { type: "number", min: range[0], max: range[1], step: 1, "aria-label": label });
    // on Enter, on leaving the field, on its arrow keys: letter by letter, 12 would be 1 for a moment
    field.addEventListener("change", () => {
      const number = field.valueAsNumber;
      const good =
        field.checkValidity() &&
        Number.isInteger(number) &&
        change(withLayer(branch, place, put(read()[branch][place], key, number)));
      set(field, { "aria-invalid": good ? null : "true" });
    });
    return field;
  }

  function put(spec, key, number) {
    if (typeof key !== "number") return { ...spec, [key]: number };
    const padding = [...spec.padding];
    padding[key] = number;
    return { ...spec, padding };
  }

  function kindField(branch, place) {
    const field = html("select", { "aria-label": `kind of layer ${place + 1} of branch ${branch + 1}` });
    for (const [kind, text] of Object.entries(KIND_NAMES)) field.append(html("option", { value: kind }, text));
    field.addEventListener("change", () => {
      const old = read()[branch][place];
      const fresh = field.value === "nearest" ? layerSpec("nearest", 1, 2) : { ...old, kind: field.value };
      if (!change(withLayer(branch, place, fresh))) field.value = old.kind;
    });
    return field;
  }

  function layerRow(branch, place) {
    const kind = kindField(branch, place);
    const numbers = COLUMNS.map((column) => numberField(branch, place, column));
    const remove = button(
      "\u00d7",
      () => change(read().map((specs, at) => (at === branch ? specs.filter((_, index) => index !== place) : specs))),
      {
        name: `\u00d7 remove layer ${place + 1} of branch ${branch + 1}`,
      },
    );
    fields.push({ branch, place, kind, numbers });
    return html("tr", {}, ...[kind, ...numbers, remove].map((field) => html("td", {}, field)));
  }

  function card(branch, specs) {
    const sample = svg("svg", {
      class: `rflib-sample rflib-branch-${branch + 1}`,
      viewBox: "0 0 44 12",
      width: 44,
      height: 12,
      "aria-hidden": "true",
    });
    sample.append(svg("path", { class: "rflib-bracket", d: "M1 6H43" }));
    const head = html("h4", {}, `branch ${branch + 1} `, sample);
    const add = button(
      "add a layer",
      () => change(read().map((list, at) => (at === branch ? [...list, layerSpec("conv", 3, 1, 1)] : list))),
      { name: `add a layer to branch ${branch + 1}` },
    );
    add.disabled = specs.length >= BRANCH_LIMITS.layers;
    const heads = ["layer", ...COLUMNS.map((column) => column.head)].map((text) => html("th", { scope: "col" }, text));
    const body = html("tbody", {}, ...specs.map((_, place) => layerRow(branch, place)));
    const table = html("table", {}, html("thead", {}, html("tr", {}, ...heads, html("td", {}))), body);
    const content = specs.length
      ? html("div", { class: "rflib-scroll" }, table)
      : html("p", { class: "rflib-hint" }, "no layers: the identity");
    return html("div", { class: "rflib-branch-card" }, head, content, add);
  }

  /** Show these branches; fields are made anew only where a layer has come or gone, and the focus stays. */
  function show(branches) {
    const shape = branches.map((specs) => specs.length).join(",");
    if (shape !== drawn) {
      const focused = element.contains(document.activeElement)
        ? document.activeElement.getAttribute("aria-label")
        : null;
      const around = focused === null ? null : document.activeElement.closest(".rflib-branch-card");
      const index = around === null ? -1 : [...element.children].indexOf(around);
      fields = [];
      element.replaceChildren(...branches.map((specs, branch) => card(branch, specs)));
      drawn = shape;
      if (focused !== null) {
        const same = [...element.querySelectorAll("[aria-label]")].find(
          (other) => other.getAttribute("aria-label") === focused && !other.disabled,
        );
        (same ?? element.children[Math.min(index, branches.length - 1)].querySelector("button:not(:disabled)")).focus();
      }
    }
    for (const { branch, place, kind, numbers } of fields) {
      const spec = branches[branch][place];
      kind.value = spec.kind;
      numbers.forEach((field, at) => {
        const { key } = COLUMNS[at];
        const value = typeof key === "number" ? spec.padding[key] : spec[key];
        if (document.activeElement !== field || field.valueAsNumber !== value) field.value = String(value);
        field.disabled = spec.kind === "nearest" && key !== "stride";
        field.removeAttribute("aria-invalid");
      });
    }
  }

  return { element, show };
}
