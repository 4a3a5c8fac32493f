// What the page about the inside of the network, and an image's part of it, do.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.connectInside = (root) => {
  for (const each of root.querySelectorAll("[data-maps]")) new CnnVis.FeatureMaps(each);
  for (const group of root.querySelectorAll("[data-kernel-scale]")) {
    const pictures = group.closest(".kernels").querySelectorAll("[data-scaled]");
    CnnVis.connectSwitch(group, (button) => {
      for (const picture of pictures) picture.hidden = picture.dataset.scaled !== button.dataset.scale;
    });
  }
  for (const group of root.querySelectorAll("[data-way-switch]")) {
    const pictures = group.closest("[data-ways]").querySelectorAll("[data-way-of]");
    CnnVis.connectSwitch(group, (button) => {
      for (const picture of pictures) picture.hidden = picture.dataset.wayOf !== button.dataset.way;
    });
  }
  for (const place of root.querySelectorAll("[data-health]")) CnnVis.whenSeen(place, () => CnnVis.drawHealth(place));
};

CnnVis.connectSwitch = (group, choose) => {
  group.hidden = false;
  CnnVis.radios(group, (button) => { CnnVis.check(group, (each) => each === button); choose(button); });
};

CnnVis.healthLines = [
  ["dead", "dead channels", "#c0392b"], ["saturated", "saturated channels", "#b9770e"],
  ["duplicates", "doubled channels", "#7d3c98"], ["active", "values above zero", "#5d8aa8"],
];

// Data and layout of the chart. Pure.
CnnVis.healthFigure = (health, width, ink) => ({
  data: CnnVis.healthLines.map(([name, title, color]) => ({
    type: "scatter", mode: "lines+markers", name: title, x: health.layers.map((_, place) => place), y: health[name],
    text: health.layers.map((layer) => layer.replaceAll("<", "&lt;")), line: { color: color, width: 1.5, shape: "linear" }, marker: { size: 5 },
    hovertemplate: `%{text}<br>${title} %{y:.1%}<extra></extra>`,
  })),
  layout: {
    width, height: 300, margin: { l: 52, r: 12, t: 8, b: 40 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: ink, size: 12 }, legend: { orientation: "h", y: 1.12 }, hovermode: "closest",
    xaxis: { title: { text: "layers, in the order in which they run" }, showticklabels: false, zeroline: false, gridcolor: "rgba(128,128,128,.15)" },
    yaxis: { tickformat: ".0%", rangemode: "tozero", gridcolor: "rgba(128,128,128,.25)" },
  },
});

CnnVis.drawHealth = async (place) => {
  const health = JSON.parse(place.dataset.health);
  const anchors = JSON.parse(place.dataset.anchors);
  const plotly = await CnnVis.plotly();
  const made = CnnVis.healthFigure(health, place.clientWidth, getComputedStyle(place).color);
  await plotly.newPlot(place, made.data, made.layout, CnnVis.plotlyConfig);
  place.on("plotly_click", ({ points: [point] }) => {
    const anchor = CnnVis.nearestAnchor(health.layers, anchors, point.pointNumber);
    const section = anchor && place.closest("main").querySelector(`[data-anchor="${CSS.escape(anchor)}"]`);
    if (section) { section.scrollIntoView(); section.tabIndex = -1; section.focus({ preventScroll: true }); }
  });
  CnnVis.keepFitting(place, plotly);
};

// The section of a layer, or of the nearest one before it that has one. Pure.
CnnVis.nearestAnchor = (layers, anchors, number) => {
  for (let at = number; at >= 0; at--) if (anchors[layers[at]]) return anchors[layers[at]];
  return undefined;
};
