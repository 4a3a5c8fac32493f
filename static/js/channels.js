// The channels of a layer: unpacked, ordered, drawn, and in words.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

// { …package, levels: all channels' bytes, height, width, signed: whether some values are below zero }
CnnVis.unpackLayer = async (content) => {
  const [height, width] = content.cell;
  const bytes = await CnnVis.inflate(CnnVis.bytesOf(content.data));
  const levels = CnnVis.unfilter(bytes, content.shape[0] * height, width, content.filter);
  return { ...content, levels, height, width, signed: content.lowest.some((low) => low < 0) };
};

// Channels in the order in which they are shown; equal ones by index. Pure.
CnnVis.channelOrder = (layer, sort) => {
  const order = Array.from(layer.lowest, (_, channel) => channel);
  return sort === "index" ? order : order.sort((a, b) => layer[sort][b] - layer[sort][a] || a - b);
};

// A channel's values from its levels and its range. Pure.
CnnVis.channelValues = (layer, channel) => {
  const size = layer.height * layer.width;
  const [low, high] = [layer.lowest[channel], layer.highest[channel]];
  const levels = layer.levels.subarray(channel * size, (channel + 1) * size);
  return Float32Array.from(levels, (level) => low + (level / layer.steps) * (high - low));
};

// How far a value may be from the true one: it was rounded twice. Pure.
CnnVis.channelError = (layer, channel) => (0.5 / layer.steps + 0.5 / 255) * (layer.highest[channel] - layer.lowest[channel]);

// How a channel is drawn, the same in every view: zero is black, or white where the layer has values below it, and
// colors end where those of all channels do, or at the channel's own largest value. Pure.
CnnVis.channelStyle = (layer, channel, normalize) => {
  const own = Math.max(Math.abs(layer.lowest[channel]), Math.abs(layer.highest[channel]));
  const end = (normalize === "channel" ? own : layer.end) || 1;
  const stops = CnnVis.stopsOf(layer.signed, layer.signed ? "RdBu" : "inferno", true);
  return { signed: layer.signed, stops, end, opacity: 1, threshold: 0, overlay: false, smooth: false };
};

CnnVis.isZero = (layer, channel) => layer.lowest[channel] === 0 && layer.highest[channel] === 0;

CnnVis.paintChannel = (canvas, layer, channel, normalize) => {
  [canvas.width, canvas.height] = [layer.width, layer.height];
  const painted = CnnVis.paint(CnnVis.channelValues(layer, channel), CnnVis.channelStyle(layer, channel, normalize));
  canvas.getContext("2d").putImageData(new ImageData(CnnVis.over(painted, CnnVis.look.background), layer.width, layer.height), 0, 0);
};

CnnVis.averaged = (layer) => (layer.cell.join() === layer.shape.slice(1).join() ? ""
  : `, averaged over areas from ${layer.shape.slice(1).join("×")} to ${layer.cell.join("×")}`);

CnnVis.layerInWords = (layer, normalize, position, count) => {
  const zero = layer.lowest.filter((_, channel) => CnnVis.isZero(layer, channel)).length;
  const scale = normalize === "channel" ? "colors end at each channel's largest value" : "one scale, which ends at the 99th percentile of all channels";
  const quiet = zero ? `; ${zero} ${zero === 1 ? "channel is" : "channels are"} zero everywhere` : "";
  return `${position} of ${count}: ${layer.name}, ${layer.type}, ${layer.shape.join("×")}; ${scale}${quiet}${CnnVis.averaged(layer)}. Choose a channel to read its values.`;
};
