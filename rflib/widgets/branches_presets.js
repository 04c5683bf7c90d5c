/** Branches that networks really have, and some that go wrong. */

/** @returns {import("./branches_lines.js").Spec} */
export function layerSpec(kind, kernel, stride = 1, padding = 0, dilation = 1) {
  return { kind, kernel_size: kernel, stride, padding: [padding, padding], dilation };
}

const conv = (kernel, stride, padding, dilation) => layerSpec("conv", kernel, stride, padding, dilation);
const pool = (kernel, stride, padding) => layerSpec("pool", kernel, stride, padding);
const nearest = (factor) => layerSpec("nearest", 1, factor);
const transposed = (kernel, stride, padding) => layerSpec("transposed", kernel, stride, padding);

export const BRANCH_PRESETS = [
  { label: "residual block", meeting: "add", branches: [[conv(3, 1, 1), conv(3, 1, 1)], []] },
  {
    label: "bottleneck, stride in its 3\u00d73",
    meeting: "add",
    branches: [[conv(1), conv(3, 2, 1), conv(1)], [conv(1, 2)]],
  },
  {
    label: "bottleneck, stride in its first 1\u00d71",
    meeting: "add",
    branches: [[conv(1, 2), conv(3, 1, 1), conv(1)], [conv(1, 2)]],
  },
  {
    label: "strided block, shortcut by average pooling",
    meeting: "add",
    branches: [
      [conv(3, 2, 1), conv(3, 1, 1)],
      [pool(2, 2), conv(1)],
    ],
  },
  {
    label: "inception module",
    meeting: "concatenate",
    branches: [
      [conv(1), conv(3, 1, 1)],
      [conv(1), conv(5, 1, 2)],
      [pool(3, 1, 1), conv(1)],
    ],
  },
  {
    label: "U-Net level, up by nearest",
    meeting: "concatenate",
    branches: [[pool(2, 2), conv(3, 1, 1), nearest(2), conv(3, 1, 1)], []],
  },
  {
    label: "U-Net level, up by transposed convolution",
    meeting: "concatenate",
    branches: [[pool(2, 2), conv(3, 1, 1), transposed(2, 2)], []],
  },
  {
    label: "down by a strided 3\u00d73, up by nearest",
    meeting: "concatenate",
    branches: [[conv(3, 2, 1), conv(3, 1, 1), nearest(2)], []],
  },
  {
    label: "ASPP, dilations 6, 12, 18",
    meeting: "concatenate",
    branches: [[conv(3, 1, 6, 6)], [conv(3, 1, 12, 12)], [conv(3, 1, 18, 18)]],
  },
  { label: "valid convolutions, no crop", meeting: "add", branches: [[conv(3), conv(3)], []] },
  {
    label: "a stride forgotten in the shortcut",
    meeting: "add",
    branches: [[conv(3, 2, 1), conv(3, 1, 1)], [conv(1)]],
  },
];
