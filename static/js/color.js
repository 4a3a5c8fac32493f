// What a value looks like. Pure: no DOM, no Plotly.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

// Many colors as bytes r, g, b, …: straight lines between the stops.
CnnVis.colorTable = (stops) => {
  const table = new Uint8ClampedArray(CnnVis.steps * 3);
  for (let step = 0; step < CnnVis.steps; step++) {
    const place = (step / (CnnVis.steps - 1)) * (stops.length - 1);
    const low = Math.min(stops.length - 2, Math.floor(place));
    for (let channel = 0; channel < 3; channel++) {
      const [from, to] = [stops[low][channel], stops[low + 1][channel]];
      table[step * 3 + channel] = Math.floor(from + (to - from) * (place - low) + 0.5);
    }
  }
  return table;
};

// How opaque a value is over the picture: a signed one lets all of it through at zero. Below the threshold nothing is drawn.
CnnVis.alpha = (strength, { overlay, signed, opacity, threshold }) => {
  if (strength < threshold) return 0;
  if (!overlay) return 1;
  return signed ? Math.min(1, CnnVis.steepness * opacity) * Math.min(1, strength) : opacity;
};

// What each step of a scale looks like: red, green, blue, times its opacity, and the opacity.
CnnVis.paintTable = (style) => {
  const colors = CnnVis.colorTable(style.stops);
  const table = new Float32Array(CnnVis.steps * 4);
  for (let step = 0; step < CnnVis.steps; step++) {
    const share = step / (CnnVis.steps - 1);
    const alpha = CnnVis.alpha(style.signed ? Math.abs(2 * share - 1) : share, style);
    for (let channel = 0; channel < 3; channel++) table[step * 4 + channel] = colors[step * 3 + channel] * alpha;
    table[step * 4 + 3] = alpha;
  }
  return table;
};

// The same of each value. Signed maps keep zero in the middle, positive maps at the bottom, so that colors compare.
CnnVis.paint = (values, style) => {
  const [table, most] = [CnnVis.paintTable(style), CnnVis.steps - 1];
  const [scale, middle] = style.signed ? [most / 2 / style.end, most / 2] : [most / style.end, 0];
  const pixels = new Float32Array(values.length * 4);
  for (let place = 0, to = 0; place < values.length; place++, to += 4) {
    const from = 4 * Math.floor(Math.max(0, Math.min(most, values[place] * scale + middle)) + 0.5);
    pixels[to] = table[from];
    pixels[to + 1] = table[from + 1];
    pixels[to + 2] = table[from + 2];
    pixels[to + 3] = table[from + 3];
  }
  return pixels;
};

// What `paint` gave, over a color or over pixels of three values each: opaque pixels for a canvas.
CnnVis.over = (painted, below) => {
  const flat = below.length === 3;
  const pixels = new Uint8ClampedArray(painted.length);
  for (let place = 0; place * 4 < painted.length; place++) {
    const through = 1 - painted[place * 4 + 3];
    for (let channel = 0; channel < 3; channel++) {
      const under = below[flat ? channel : place * 3 + channel];
      pixels[place * 4 + channel] = Math.floor(under * through + painted[place * 4 + channel] + 0.5);
    }
    pixels[place * 4 + 3] = 255;
  }
  return pixels;
};

// A map as opaque pixels, `rows` × `columns` of them, as `draw_map` in Python draws it. parts: the rows and columns of
// the map that are seen. Where a map has more places than there are pixels, its colors are averaged.
CnnVis.drawMap = (grid, style, below, { rows, columns, parts }) => {
  const wanted = [rows, columns];
  const sizes = [grid.height, grid.width];
  const many = parts.map(([low, high], axis) => high - low > wanted[axis]);
  const working = sizes.map((size, axis) => (many[axis] ? size : wanted[axis]));
  const whole = (axis) => [0, sizes[axis]];
  const growth = style.smooth ? "cubic" : "nearest";
  const values = CnnVis.resample(grid, ...working, growth, { parts: parts.map((part, axis) => (many[axis] ? whole(axis) : part)) });
  let painted = CnnVis.paint(values, style);
  if (many.includes(true)) {
    const [height, width] = working;
    const seen = parts.map((part, axis) => (many[axis] ? part : [0, wanted[axis]]));
    painted = CnnVis.resample({ values: painted, height, width }, rows, columns, "nearest", { parts: seen, channels: 4 });
  }
  return CnnVis.over(painted, below);
};

// The colors of a scale from its low end to its high one, as the maps have them; over gray where they lie over pictures.
CnnVis.barColors = (style, steps) => {
  const low = style.signed ? -1 : 0;
  const values = Float32Array.from({ length: steps }, (_, step) => low + ((1 - low) * step) / (steps - 1));
  const pixels = CnnVis.over(CnnVis.paint(values, { ...style, end: 1 }), style.overlay ? [CnnVis.ground, CnnVis.ground, CnnVis.ground] : CnnVis.look.background);
  return Array.from({ length: steps }, (_, step) => `rgb(${pixels.slice(step * 4, step * 4 + 3).join(" ")})`);
};

// The stops of a palette: in a signed map that stands alone, zero is the background.
CnnVis.stopsOf = (signed, name, alone) => {
  const palettes = CnnVis.palettes[signed ? "signed" : "positive"];
  const stops = palettes[name] ?? palettes[CnnVis.look[signed ? "signed" : "positive"]];
  return signed && alone ? stops.with(Math.floor(stops.length / 2), CnnVis.look.background) : stops;
};

// The same as a Plotly color scale.
CnnVis.colorscale = (style) => {
  const table = CnnVis.colorTable(style.stops);
  return Array.from({ length: 256 }, (_, step) => {
    const strength = style.signed ? Math.abs(step / 127.5 - 1) : step / 255;
    const at = Math.round((step / 255) * (CnnVis.steps - 1)) * 3;
    const rgb = table.subarray(at, at + 3).join(",");
    return [step / 255, `rgba(${rgb},${CnnVis.alpha(strength, style).toFixed(3)})`];
  });
};

// Where the colors of a map end: its own end, or the largest among the classes of its method and layer.
CnnVis.endOf = (map, siblings, { normalize, range }) => {
  const which = range === "full" ? 0 : 1;
  const end = normalize === "map" ? map.ends[which] : Math.max(...siblings.map((each) => each.ends[which]));
  return end || 1; // an all-zero map still needs a scale
};
