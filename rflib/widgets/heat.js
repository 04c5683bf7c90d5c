// Values as colors: viridis for amounts, gray for images. The tables hold data colors, the same in both themes.

const VIRIDIS = [
  [68, 1, 84], [71, 45, 123], [59, 82, 139], [44, 114, 142], [33, 145, 140], [40, 174, 128], [94, 201, 98],
  [173, 220, 48], [253, 231, 37],
];
const LEVELS = 32;

/**
 * The color of viridis for a share from 0 (dark) to 1 (bright), between the nine colors of the table.
 * @param {number} share
 * @returns {string}
 */
export function viridis(share) {
  const at = Math.min(Math.max(share, 0), 1) * (VIRIDIS.length - 1);
  const low = Math.min(Math.floor(at), VIRIDIS.length - 2);
  const mixed = VIRIDIS[low].map((value, i) => Math.round(value + (at - low) * (VIRIDIS[low + 1][i] - value)));
  return `rgb(${mixed.join(",")})`;
}

/** The gray of a share from 0 (black) to 1 (white). */
export function gray(share) {
  const value = Math.round(255 * Math.min(Math.max(share, 0), 1));
  return `rgb(${value},${value},${value})`;
}

/** Shares from 0 to 1 of numbers between two ends; one half where both ends are the same. */
export function between(values, low, high) {
  return values.map((value) => (high > low ? (value - low) / (high - low) : 0.5));
}

/**
 * The cells of a grid, row after row, sorted by color: one SVG path a level, so that thousands cost few elements.
 * @param {number[]} shares 0 to 1, row after row.
 * @param {number} columns
 * @param {(share: number) => string} color
 * @returns {{color: string, path: string}[]}
 */
export function cellPaths(shares, columns, color) {
  const paths = new Map();
  const levels = shares.map((share) => Math.round(Math.min(Math.max(share, 0), 1) * LEVELS));
  for (let start = 0, end; start < levels.length; start = end) {
    const level = levels[start];
    const rowEnd = (Math.floor(start / columns) + 1) * columns;
    for (end = start + 1; end < rowEnd && levels[end] === level; ) end += 1; // neighbors of one color make one stroke
    const run = `M${start % columns} ${Math.floor(start / columns)}h${end - start}v1h${start - end}z`;
    paths.set(level, (paths.get(level) ?? "") + run);
  }
  return [...paths].map(([level, path]) => ({ color: color(level / LEVELS), path }));
}
