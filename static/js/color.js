// What a value looks like. Pure: no DOM, no Plotly.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

// 256 colors as bytes r, g, b, …: straight lines between the stops.
CnnVis.colorTable = (stops) => {
  const table = new Uint8ClampedArray(256 * 3);
  for (let step = 0; step < 256; step++) {
    const place = (step / 255) * (stops.length - 1);
    const low = Math.min(stops.length - 2, Math.floor(place));
    for (let channel = 0; channel < 3; channel++) {
      const [from, to] = [stops[low][channel], stops[low + 1][channel]];
      table[step * 3 + channel] = Math.floor(from + (to - from) * (place - low) + 0.5);
    }
  }
  return table;
};

// How opaque a value is over the picture: zero lets all of it through. Below the threshold nothing is drawn.
CnnVis.alpha = (strength, { overlay, opacity, threshold }) => {
  if (strength < threshold) return 0;
  return overlay ? opacity * Math.sqrt(Math.min(1, strength)) : 1;
};

// r, g, b, a of each value. Signed maps keep zero in the middle, positive maps at the bottom, so colors compare.
CnnVis.paint = (values, style) => {
  const table = CnnVis.colorTable(style.stops);
  const pixels = new Uint8ClampedArray(values.length * 4);
  for (let place = 0; place < values.length; place++) {
    const share = Math.max(-1, Math.min(1, values[place] / style.end));
    const step = Math.floor((style.signed ? (share + 1) / 2 : Math.max(0, share)) * 255 + 0.5);
    for (let channel = 0; channel < 3; channel++) pixels[place * 4 + channel] = table[step * 3 + channel];
    pixels[place * 4 + 3] = CnnVis.alpha(Math.abs(share), style) * 255;
  }
  return pixels;
};

// The same as a Plotly color scale.
CnnVis.colorscale = (style) => {
  const table = CnnVis.colorTable(style.stops);
  return Array.from({ length: 256 }, (_, step) => {
    const strength = style.signed ? Math.abs(step / 127.5 - 1) : step / 255;
    const rgb = table.subarray(step * 3, step * 3 + 3).join(",");
    return [step / 255, `rgba(${rgb},${CnnVis.alpha(strength, style).toFixed(3)})`];
  });
};

// Where the colors of a map end: its own end, or the largest among the classes of its method and layer.
CnnVis.endOf = (map, siblings, { normalize, range }) => {
  const which = range === "full" ? 0 : 1;
  const end = normalize === "map" ? map.ends[which] : Math.max(...siblings.map((each) => each.ends[which]));
  return end || 1; // an all-zero map still needs a scale
};

// A whole number, with commas between thousands.
CnnVis.wholeInWords = (value) => Math.round(value).toLocaleString("en-US").replace("-", "−");

// Three significant digits, with a real minus sign.
CnnVis.inWords = (value) => {
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1e4 || size < 1e-3 ? value.toExponential(1) : value.toPrecision(3).replace(/\.?0+$/, "");
  return size >= 100 && size < 1e4 ? CnnVis.wholeInWords(value) : text.replaceAll("-", "−").replace("e+", "e");
};
