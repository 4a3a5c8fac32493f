// The Plotly figures of the enlarged view. Pure, but for the room that there is.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.largeConfig = (content, isMap) => ({
  ...CnnVis.plotlyConfig, displayModeBar: isMap, doubleClick: false,
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "resetScale2d", "toImage"],
  modeBarButtonsToAdd: [
    { name: "reset", title: "Reset zoom", icon: globalThis.Plotly.Icons.home, click: () => content.onZoom(null) },
    { name: "save", title: "Save as PNG", icon: globalThis.Plotly.Icons.camera, click: () => CnnVis.savePng(content) },
  ],
});

// One for each place: the picture with nothing over it, and the map; both read the map's values.
CnnVis.largeFigures = (content, places, ink) => places.map((place, index) => {
  const { drawn, page } = content;
  const isMap = index === places.length - 1;
  const shown = isMap ? drawn : { ...drawn, below: null, peak: null, picture: page.data.picture };
  const [rows, columns] = drawn.size;
  const width = place.clientWidth;
  const most = Math.max(220, innerHeight * 0.6);
  const height = Math.round(Math.min(most, ((width - 54) * rows) / columns + 64));
  const { data, layout } = CnnVis.figure(shown, { width, height, large: true, ink });
  Object.assign(data[0], { showscale: false, hoverinfo: "none", hovertemplate: undefined });
  const spikes = { showspikes: true, spikemode: "across", spikesnap: "data", spikethickness: 1, spikedash: "solid", spikecolor: "#888888" };
  Object.assign(layout.xaxis, spikes);
  Object.assign(layout.yaxis, spikes);
  Object.assign(layout, { spikedistance: -1, hoverdistance: -1, margin: { ...layout.margin, t: 30 } }); // buttons stand above
  return { data, layout, config: CnnVis.largeConfig(content, isMap) };
});
