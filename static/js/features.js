// What the features page, and the features of an image, do: switches between pictures, and the chart of channels.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.connectFeatures = (root) => {
  for (const each of root.querySelectorAll("[data-maps]")) new CnnVis.FeatureMaps(each);
  for (const group of root.querySelectorAll("[data-kernel-scale]")) {
    const pictures = group.closest(".kernels").querySelectorAll("[data-normalized]");
    CnnVis.connectSwitch(group, (button) => {
      for (const picture of pictures) picture.hidden = picture.dataset.normalized !== button.dataset.normalize;
    });
  }
  for (const group of root.querySelectorAll("[data-variant-switch]")) {
    const pictures = group.closest("[data-variants]").querySelectorAll("[data-variant-of]");
    CnnVis.connectSwitch(group, (button) => {
      for (const picture of pictures) picture.hidden = picture.dataset.variantOf !== button.dataset.variant;
    });
  }
  for (const chart of root.querySelectorAll("[data-channel-stats]")) CnnVis.whenSeen(chart, () => CnnVis.drawChannelStats(chart));
};

CnnVis.connectSwitch = (group, choose) => {
  group.hidden = false;
  CnnVis.radios(group, (button) => { CnnVis.check(group, (each) => each === button); choose(button); });
};

CnnVis.channelStatsLines = [
  ["dead", "dead channels", "#c0392b"], ["saturated", "saturated channels", "#b9770e"],
  ["duplicates", "duplicate channels", "#7d3c98"], ["active", "values above zero", "#5d8aa8"],
];

// Data and layout of the chart. Pure.
CnnVis.channelStatsFigure = (stats, width, ink) => ({
  data: CnnVis.channelStatsLines.map(([name, title, color]) => ({
    type: "scatter", mode: "lines+markers", name: title, x: stats.layers.map((_, position) => position), y: stats[name],
    text: stats.layers.map((layer) => layer.replaceAll("<", "&lt;")), line: { color: color, width: 1.5, shape: "linear" }, marker: { size: 5 },
    hovertemplate: `%{text}<br>${title} %{y:.1%}<extra></extra>`,
  })),
  layout: {
    width, height: 300, margin: { l: 52, r: 12, t: 8, b: 40 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: ink, size: 12 }, legend: { orientation: "h", y: 1.12 }, hovermode: "closest",
    xaxis: { title: { text: "layers, in the order in which they run" }, showticklabels: false, zeroline: false, gridcolor: "rgba(128,128,128,.15)" },
    yaxis: { title: { text: "share" }, tickformat: ".0%", rangemode: "tozero", gridcolor: "rgba(128,128,128,.25)" },
  },
});

CnnVis.drawChannelStats = async (chart) => {
  const stats = JSON.parse(chart.dataset.channelStats);
  const anchors = JSON.parse(chart.dataset.anchors);
  const plotly = await CnnVis.plotly();
  const made = CnnVis.channelStatsFigure(stats, chart.clientWidth, getComputedStyle(chart).color);
  await plotly.newPlot(chart, made.data, made.layout, CnnVis.plotlyConfig);
  chart.on("plotly_click", ({ points: [point] }) => {
    const anchor = CnnVis.nearestAnchor(stats.layers, anchors, point.pointNumber);
    const section = anchor && chart.closest("main").querySelector(`[data-anchor="${CSS.escape(anchor)}"]`);
    if (section) { section.scrollIntoView(); section.tabIndex = -1; section.focus({ preventScroll: true }); }
  });
  CnnVis.keepFitting(chart, plotly);
};

// The section of a layer, or of the nearest one before it that has one. Pure.
CnnVis.nearestAnchor = (layers, anchors, number) => {
  for (let at = number; at >= 0; at--) if (anchors[layers[at]]) return anchors[layers[at]];
  return undefined;
};
