// Charts of predictions and of a training: made by Plotly when they come into sight.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.chartColors = { correct: "#0b63c5", misclassified: "#e07b22", training: "#8a94a0", validation: "#0b63c5", even: "#8a94a0" };

// Calls `act`, which may promise something, once, when the place is first seen.
CnnVis.whenSeen = (place, act) => CnnVis.watchSight([place], (entries, observer) => {
  if (entries.some((entry) => entry.isIntersecting)) { observer.disconnect(); CnnVis.working(Promise.resolve(act())); }
});

const GRID = "rgba(128,128,128,.22)";
const share = { tickformat: ".0%", gridcolor: GRID, zeroline: false, fixedrange: true };

// Data and axes of each kind of chart, from its numbers. Pure.
CnnVis.charts = {
  confidence: (numbers) => ({
    data: [["correct", numbers.correct], ["misclassified", numbers.images.map((all, bin) => all - numbers.correct[bin])]].map(([name, y]) => ({
      type: "bar", name, x: numbers.middles, y, width: 0.092, marker: { color: CnnVis.chartColors[name] },
      hovertemplate: `%{y} ${name}<extra></extra>`,
    })),
    axes: {
      barmode: "stack", xaxis: { ...share, range: [0, 1.001], dtick: 0.2, title: { text: numbers.axis } },
      yaxis: { gridcolor: GRID, tickformat: ",d", title: { text: "images" }, rangemode: "tozero", fixedrange: true },
    },
  }),
  reliability: (numbers) => ({
    data: [
      { type: "bar", name: numbers.share, x: numbers.middles, y: numbers.accuracy, width: 0.092, marker: { color: "#5d8aa8" },
        customdata: numbers.images, hovertemplate: `%{y:.1%} ${numbers.word} of %{customdata}<extra></extra>` },
      { type: "scatter", name: numbers.mean_title, mode: "markers", x: numbers.middles, y: numbers.mean,
        marker: { color: CnnVis.chartColors.misclassified, symbol: "line-ew-open", size: 16, line: { width: 3 } }, hovertemplate: `%{y:.1%} ${numbers.mean_title}<extra></extra>` },
      { type: "scatter", showlegend: false, mode: "lines", x: [0, 1], y: [0, 1], hoverinfo: "skip", line: { color: CnnVis.chartColors.even, dash: "dot", width: 1.5 } },
    ],
    axes: {
      xaxis: { ...share, range: [0, 1.001], dtick: 0.2, title: { text: numbers.axis } },
      yaxis: { ...share, range: [0, 1.03], title: { text: numbers.share } },
    },
  }),
  loss: (numbers) => CnnVis.curve(numbers, "loss", { gridcolor: GRID, rangemode: "tozero", fixedrange: true }, ".4g"),
  accuracy: (numbers) => CnnVis.curve(numbers, "accuracy", share, ".1%"),
};

// Two lines over the epochs, and where the kept one is. Pure.
CnnVis.curve = (numbers, name, axis, format) => ({
  data: [["training", numbers[name]], ["validation", numbers[`validation_${name}`]]].map(([title, y]) => ({
    type: "scatter", mode: y.length > 1 ? "lines" : "markers", name: title, x: numbers.epochs, y, line: { color: CnnVis.chartColors[title], width: 2 },
    marker: { color: CnnVis.chartColors[title] }, hovertemplate: `epoch %{x}<br>${title} %{y:${format}}<extra></extra>`,
  })),
  axes: {
    xaxis: { title: { text: "epoch" }, gridcolor: GRID, zeroline: false, fixedrange: true, range: [0.5, numbers.epochs.length + 0.5] },
    yaxis: axis,
    shapes: [{ type: "line", x0: numbers.best_epoch, x1: numbers.best_epoch, y0: 0, y1: 1, yref: "paper", line: { color: CnnVis.chartColors.correct, width: 1.5, dash: "dot" } }],
    annotations: [{ x: numbers.best_epoch, y: 1, yref: "paper", yanchor: "bottom", text: "kept", showarrow: false, font: { size: 12 } }],
  },
});

CnnVis.drawChart = async (place) => {
  const made = CnnVis.charts[place.dataset.chart](JSON.parse(place.dataset.numbers));
  const plotly = await CnnVis.plotly();
  const layout = {
    width: place.clientWidth, height: 280, margin: { l: 56, r: 10, t: 22, b: 44 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: getComputedStyle(place).color, size: 12 }, legend: { orientation: "h", y: 1.16, x: 0 }, hovermode: "closest", bargap: 0.05, ...made.axes,
  };
  await plotly.newPlot(place, made.data, layout, CnnVis.plotlyConfig);
  CnnVis.keepFitting(place, plotly);
};

// A chart as wide as its place, in the ink of the page: black on paper, whatever the scheme.
CnnVis.keepFitting = (place, plotly) => {
  new ResizeObserver(() => { if (place.clientWidth) plotly.relayout(place, { width: place.clientWidth }); }).observe(place);
  const ink = () => plotly.relayout(place, { "font.color": getComputedStyle(place).color });
  document.addEventListener("cnnvis:theme", ink);
  addEventListener("beforeprint", () => plotly.relayout(place, { "font.color": "#000" }));
  addEventListener("afterprint", ink);
};

// The performance page: its charts, and which method the snapshots show.
CnnVis.connectPerformance = (root) => {
  for (const place of root.querySelectorAll("[data-chart]")) CnnVis.whenSeen(place, () => CnnVis.drawChart(place));
  for (const snapshots of root.querySelectorAll("[data-snapshots]")) {
    const label = snapshots.querySelector("[data-snapshots-choice]");
    label.hidden = false;
    label.querySelector("select").addEventListener("change", (event) => {
      for (const picture of snapshots.querySelectorAll("[data-snapshot-of]")) {
        picture.hidden = picture.dataset.snapshotOf !== event.target.value;
      }
    });
  }
};
