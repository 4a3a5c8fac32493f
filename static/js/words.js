// Numbers and scales in words. Pure.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

// Whose largest value, or which of its values, the colors end at.
CnnVis.scaleInWords = ({ style, kind, range, normalize, map }) => {
  if (normalize === "map" && map?.ends[0] === 0) return "0 everywhere in this map";
  const whose = normalize === "map" ? "this map" : "all its classes";
  return kind === "pixel" && range !== "full" ? `99th percentile of ${whose}` : `${style.signed ? "max |value| of" : "max of"} ${whose}`;
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
