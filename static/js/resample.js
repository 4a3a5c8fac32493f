// Arrays grown and shrunk, as cnnvis_report/report/pictures/resample.py does it. Pure: no DOM.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

// For each of `after` places the old ones that it takes from, and how much of each: { count, index, weight }.
// part: the old places that are seen, from edge to edge; [0, before] is all. growth: "cubic" or "nearest".
CnnVis.taps = (before, after, growth, part = [0, before]) => {
  const step = (part[1] - part[0]) / after;
  if (step > 1) return areaTaps(before, after, part[0], step);
  const count = growth === "nearest" ? 1 : 4;
  const [index, weight] = [new Int32Array(after * count), new Float32Array(after * count)];
  for (let row = 0; row < after; row++) {
    const middle = part[0] + (row + 0.5) * step;
    const exact = middle - 0.5;
    const first = Math.floor(exact);
    for (let tap = 0; tap < count; tap++) {
      const from = count === 1 ? Math.floor(middle) : first + tap - 1;
      index[row * count + tap] = Math.min(before - 1, Math.max(0, from)); // beyond the edge is what is at the edge
      weight[row * count + tap] = count === 1 ? 1 : cubic(Math.abs(exact - from));
    }
  }
  return { count, index, weight };
};

// grid: { values, height, width }, with `channels` values a place. parts: the rows and the columns that are seen.
CnnVis.resample = (grid, rows, columns, growth, { parts = [], channels = 1 } = {}) => {
  const { values, height, width } = grid;
  const [down, across] = [CnnVis.taps(height, rows, growth, parts[0]), CnnVis.taps(width, columns, growth, parts[1])];
  const wide = gather(values, across, { outer: height, before: width, after: columns, inner: channels });
  return gather(wide, down, { outer: 1, before: height, after: rows, inner: columns * channels });
};

function areaTaps(before, after, start, step) {
  const count = Math.ceil(step) + 1;
  const [index, weight] = [new Int32Array(after * count), new Float32Array(after * count)];
  for (let row = 0; row < after; row++) {
    const [low, high] = [start + row * step, start + (row + 1) * step];
    for (let tap = 0; tap < count; tap++) {
      const cell = Math.floor(low) + tap;
      index[row * count + tap] = Math.min(before - 1, Math.max(0, cell));
      weight[row * count + tap] = Math.max(0, Math.min(high, cell + 1) - Math.max(low, cell)) / step;
    }
  }
  return { count, index, weight };
}

// [outer, before, inner] to [outer, after, inner].
function gather(values, { count, index, weight }, { outer, before, after, inner }) {
  const made = new Float32Array(outer * after * inner);
  for (let block = 0; block < outer; block++) {
    for (let row = 0; row < after; row++) {
      const to = (block * after + row) * inner;
      for (let tap = row * count; tap < (row + 1) * count; tap++) {
        const share = weight[tap];
        if (share === 0) continue;
        const from = (block * before + index[tap]) * inner;
        for (let at = 0; at < inner; at++) made[to + at] += share * values[from + at];
      }
    }
  }
  return made;
}

// The weight of a value by its distance, up to 2: Keys 1981, a = -0.5.
function cubic(distance) {
  if (distance <= 1) return (1.5 * distance - 2.5) * distance * distance + 1;
  return -0.5 * (((distance - 5) * distance + 8) * distance - 4);
}
