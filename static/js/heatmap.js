// A map as a Plotly figure. Pure: what is drawn in, data and layout out.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

// No button that sends a chart away, in any figure.
CnnVis.plotlyConfig = {
  displayModeBar: false, displaylogo: false, showSendToCloud: false, plotlyServerURL: "", doubleClick: false,
  responsive: false, scrollZoom: false, showTips: false,
};

// The small ones have a button to save them, and others to see more or less.
CnnVis.smallConfig = ({ method }) => ({
  ...CnnVis.plotlyConfig, displayModeBar: "hover", toImageButtonOptions: { filename: method, scale: 2 },
  modeBarButtons: [["zoomIn2d", "zoomOut2d", "resetScale2d", "toImage"]],
});

// drawn: { grid: { values, height, width }, size: [height, width], style, below, picture, zoom, title, outline, peak }
// The axes count pixels of the picture, whatever the size of the map; (0, 0) is the middle of the first pixel.
CnnVis.figure = (drawn, { width, height, large = false, ink = "#000" }) => {
  const { grid, size: [rows, columns], style } = drawn;
  const [dx, dy] = [columns / grid.width, rows / grid.height];
  const zoom = drawn.zoom ?? { x: [-0.5, columns - 0.5], y: [-0.5, rows - 0.5] };
  const images = [drawn.below, drawn.picture].filter(Boolean).map((source) => ({
    source, layer: "below", xref: "x", yref: "y", x: -0.5, y: -0.5, sizex: columns, sizey: rows, sizing: "stretch",
    xanchor: "left", yanchor: "top",
  }));
  const heatmap = {
    type: "heatmap", z: rowsOf(grid), x0: (dx - 1) / 2, dx, y0: (dy - 1) / 2, dy, zsmooth: false, hoverongaps: false,
    zmin: style.signed ? -style.end : 0, zmax: style.end, colorscale: CnnVis.colorscale(style),
    opacity: drawn.picture ? 0 : 1, showscale: large, colorbar: { thickness: 14, outlinewidth: 0, tickfont: { color: ink } },
    ...(large ? { hovertemplate: "%{z:.4g}<br>row %{y:.0f}, column %{x:.0f}<extra></extra>" } : { hoverinfo: "none" }), // one reading a map
  };
  const axis = { showgrid: false, zeroline: false, visible: large, constrain: "domain", tickfont: { color: ink } };
  const layout = {
    width, height, images, margin: large ? { l: 44, r: 10, t: 10, b: 34 } : { l: 0, r: 0, t: 0, b: 0 },
    shapes: shapesOf(drawn),
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: style.overlay ? "rgba(0,0,0,0)" : `rgb(${CnnVis.look.background})`, dragmode: "zoom", hovermode: "closest",
    hoverlabel: { font: { size: 12 } }, modebar: { bgcolor: "rgba(0,0,0,0)", color: ink, activecolor: ink },
    xaxis: { ...axis, range: [...zoom.x] },
    yaxis: { ...axis, range: [zoom.y[1], zoom.y[0]], scaleanchor: "x" },
  };
  return { data: [heatmap], layout };
};

// The smallest thing that can be drawn.
CnnVis.nothing = {
  grid: { values: Float32Array.of(0, 1, 1, 0), height: 2, width: 2 }, size: [2, 2],
  style: { signed: false, stops: [[0, 0, 0], [255, 255, 255]], end: 1, opacity: 1, threshold: 0, overlay: false },
};

// The part of the picture that a relayout event asks for; null is the whole of it, undefined no change.
CnnVis.zoomOf = (event) => {
  if (event["xaxis.autorange"] || event["yaxis.autorange"]) return null;
  const at = (axis, end) => event[`${axis}axis.range[${end}]`] ?? event[`${axis}axis.range`]?.[end];
  const [left, right, bottom, top] = [at("x", 0), at("x", 1), at("y", 0), at("y", 1)];
  if (left === undefined || bottom === undefined) return undefined;
  return { x: [left, right], y: [Math.min(top, bottom), Math.max(top, bottom)] };
};

function rowsOf({ values, height, width }) {
  return Array.from({ length: height }, (_, row) => values.subarray(row * width, (row + 1) * width));
}

// The marks of `CnnVis.paintMarks`.
function shapesOf({ outline, peak }) {
  const path = (outline ?? []).map((polygon) => {
    const points = Array.from({ length: polygon.length / 2 }, (_, at) => `${polygon[2 * at] / 2 - 0.5} ${polygon[2 * at + 1] / 2 - 0.5}`);
    return `M${points.join("L")}Z`;
  }).join("");
  const arm = CnnVis.peakArm;
  const cross = { path: `M${-arm} ${-arm}L${arm} ${arm}M${-arm} ${arm}L${arm} ${-arm}`, xsizemode: "pixel", ysizemode: "pixel" };
  return CnnVis.markLines.flatMap(([color, width]) => [
    ...(path ? [{ path }] : []), ...(peak ? [{ ...cross, xanchor: peak.x - 0.5, yanchor: peak.y - 0.5 }] : []),
  ].map((shape) => ({ type: "path", line: { color, width }, ...shape })));
}
