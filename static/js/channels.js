// The channels of a layer: unpacked, ordered, drawn, and in words.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.unpackLayer = async (content) => {
  const [height, width] = content.cell;
  const steps = new Uint8Array(content.shape[0] * height * width);
  let place = 0;
  for (const address of content.pages) {
    const image = await CnnVis.loadImage(address);
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.width, image.height];
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.width, image.height);
    for (let at = 0; at < data.length; at += 4) steps[place++] = data[at];
  }
  return { ...content, steps, height, width };
};

// Channels in the order in which they are shown; equal ones by index. Pure.
CnnVis.channelOrder = (layer, sort) => {
  const order = Array.from(layer.lowest, (_, channel) => channel);
  return sort === "index" ? order : order.sort((a, b) => layer[sort][b] - layer[sort][a] || a - b);
};

// A channel's values from its steps and its range. Pure.
CnnVis.channelValues = (layer, channel) => {
  const size = layer.height * layer.width;
  const [low, high] = [layer.lowest[channel], layer.highest[channel]];
  return Float32Array.from(layer.steps.subarray(channel * size, (channel + 1) * size), (step) => low + (step / 255) * (high - low));
};

CnnVis.paintChannel = (canvas, layer, channel, normalize) => {
  [canvas.width, canvas.height] = [layer.width, layer.height];
  const values = CnnVis.channelValues(layer, channel);
  const [low, high] = normalize === "channel"
    ? [layer.lowest[channel], layer.highest[channel]] : [Math.min(...layer.lowest), Math.max(...layer.highest)];
  const style = { signed: false, stops: CnnVis.palettes.positive.inferno, end: (high - low) || 1, opacity: 1, threshold: 0, overlay: false };
  const pixels = CnnVis.paint(values.map((value) => value - low), style);
  canvas.getContext("2d").putImageData(new ImageData(pixels, layer.width, layer.height), 0, 0);
};

CnnVis.averaged = (layer) => (layer.cell.join() === layer.shape.slice(1).join() ? ""
  : `, averaged over areas from ${layer.shape.slice(1).join("×")} to ${layer.cell.join("×")}`);

CnnVis.layerInWords = (layer, { layerNumber, normalize }, count) => {
  const ends = normalize === "channel" ? "each channel from its lowest value (dark) to its highest (light)"
    : `all channels from ${CnnVis.inWords(Math.min(...layer.lowest))} (dark) to ${CnnVis.inWords(Math.max(...layer.highest))} (light)`;
  return `${layerNumber + 1} of ${count}: ${layer.name}, ${layer.type}, ${layer.shape.join("×")}; ${ends}${CnnVis.averaged(layer)}. Choose a channel to read its values.`;
};
