// What stands for a channel of a layer, its scale, and its window.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

// The scale of the channels; where each has its own, words stand for its ends.
CnnVis.showMapsScale = (scale, layer, normalize) => {
  const style = CnnVis.channelStyle(layer, 0, normalize);
  scale.querySelector(".ramp").style.background = `linear-gradient(to right, ${CnnVis.barColors(style, 33).join(", ")})`;
  const ends = normalize === "channel" ? ["minus its largest value", "its largest value"] : [`−${CnnVis.inWords(style.end)}`, CnnVis.inWords(style.end)];
  [scale.firstElementChild.textContent, scale.lastElementChild.textContent] = [layer.signed ? ends[0] : "0", ends[1]];
  scale.hidden = false;
};

// A button with the channel's map, which opens it. shown: of the image, `name`, and the class of the relevance, `target`.
CnnVis.channelButton = (layer, channel, normalize, shown) => {
  const zero = CnnVis.isZero(layer, channel);
  const button = document.createElement("button");
  button.type = "button";
  const ends = [layer.lowest[channel], layer.highest[channel]].map(CnnVis.inWords).join(" … ");
  button.title = `channel ${channel}: ${zero ? "zero everywhere" : ends}`;
  const canvas = document.createElement("canvas");
  CnnVis.paintChannel(canvas, layer, channel, normalize);
  const label = document.createElement("span");
  label.textContent = channel;
  button.append(canvas, label, zero ? " zero" : "");
  button.addEventListener("click", () => CnnVis.openChannel(layer, channel, normalize, shown));
  return button;
};

CnnVis.openChannel = (layer, channel, normalize, { name, target }) => {
  const facts = [
    `mean ${CnnVis.inWords(layer.mean[channel])}, relevance to ${target} ${CnnVis.inWords(layer.relevance[channel])}`,
    `values to within ${CnnVis.inWords(CnnVis.channelError(layer, channel))}${CnnVis.averaged(layer)}`,
  ];
  const { height, width } = layer;
  CnnVis.openLarge({
    title: `${layer.name}, channel ${channel} · ${name}`, said: facts.join("; "), filename: `${layer.name}-${channel}`,
    drawn: {
      grid: { values: CnnVis.channelValues(layer, channel), height, width }, size: [height, width], below: null, picture: null,
      style: CnnVis.channelStyle(layer, channel, normalize),
    },
  });
};
