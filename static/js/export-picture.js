// The figure of `figureLayout` as a PNG at twice its size, and as an SVG with its texts as texts.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.exportScale = 2;

// The width of a text in the figure's font.
CnnVis.measureText = (text, size, bold) => {
  CnnVis.measuring ??= document.createElement("canvas").getContext("2d");
  CnnVis.measuring.font = figureFontOf(size, bold);
  return CnnVis.measuring.measureText(text).width;
};

// The colors of a scale, from low to high, as the map has them.
CnnVis.barCanvas = (style, steps = 256) => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [steps, 1];
  const context = canvas.getContext("2d");
  CnnVis.barColors(style, steps).forEach((color, step) => { context.fillStyle = color; context.fillRect(step, 0, 1, 1); });
  return canvas;
};

// What an item of the layout shows, in device pixels.
CnnVis.rasterOf = ({ draw, width, height }, { drawn, page }) => {
  if (draw === "bar") return CnnVis.barCanvas(drawn.style);
  const canvas = document.createElement("canvas");
  const { zoom, size, outline } = drawn;
  const shown = draw === "map" ? drawn : { zoom, size, outline, colorBelow: true };
  CnnVis.paintCanvas(canvas, { clientWidth: width, clientHeight: height }, shown, page, CnnVis.exportScale);
  return canvas;
};

CnnVis.pngOf = (content) => {
  const { width, height, items } = CnnVis.figureLayout(content, CnnVis.measureText);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width * CnnVis.exportScale, height * CnnVis.exportScale];
  const context = canvas.getContext("2d");
  context.scale(CnnVis.exportScale, CnnVis.exportScale);
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, width, height);
  for (const item of items) {
    if (item.draw) context.drawImage(CnnVis.rasterOf(item, content), item.x, item.y, item.width, item.height);
    else {
      context.font = figureFontOf(item.size, item.bold);
      context.fillStyle = item.color;
      context.textAlign = { middle: "center", end: "end" }[item.anchor] ?? "start";
      context.fillText(item.text, item.x, item.y);
    }
  }
  return new Promise((done) => { canvas.toBlob(done, "image/png"); });
};

CnnVis.svgOf = (content) => {
  const { width, height, items } = CnnVis.figureLayout(content, CnnVis.measureText);
  const svg = svgElement("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "font-family": CnnVis.figureFont });
  svg.append(svgElement("title", {}, content.title), svgElement("rect", { width: "100%", height: "100%", fill: "#ffffff" }));
  for (const item of items) {
    const place = { x: item.x, y: item.y };
    svg.append(item.draw
      ? svgElement("image", {
        ...place, width: item.width, height: item.height, preserveAspectRatio: "none", href: CnnVis.rasterOf(item, content).toDataURL("image/png"),
      })
      : svgElement("text", {
        ...place, "font-size": item.size, fill: item.color, "font-weight": item.bold ? 700 : 400, "text-anchor": item.anchor ?? "start",
      }, item.text));
  }
  return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(svg)}\n`;
};

function svgElement(name, attributes, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

function figureFontOf(size, bold) { return `${bold ? 700 : 400} ${size}px ${CnnVis.figureFont}`; }
