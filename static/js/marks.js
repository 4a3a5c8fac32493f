// What is marked on a map: the outline of the ground-truth mask, and the peak.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

// Dark below light, so that a line is seen on every color.
CnnVis.markLines = [["rgb(0 0 0 / 0.75)", 3], ["#fff", 1]];
CnnVis.peakArm = 4; // CSS pixels from the middle of the cross

// drawn: { outline, peak }, in pixels of the picture from its edge, where they are to be seen. seen: rows and columns.
CnnVis.paintMarks = (context, { drawn: { outline, peak }, seen: [[top, bottom], [left, right]], scale }) => {
  const across = (x) => ((x - left) / (right - left)) * context.canvas.width;
  const down = (y) => ((y - top) / (bottom - top)) * context.canvas.height;
  const path = new Path2D();
  for (const polygon of outline ?? []) {
    for (let at = 0; at < polygon.length; at += 2) {
      path[at ? "lineTo" : "moveTo"](across(polygon[at] / 2), down(polygon[at + 1] / 2));
    }
    path.closePath();
  }
  if (peak) {
    const [x, y, arm] = [across(peak.x), down(peak.y), CnnVis.peakArm * scale];
    for (const side of [-1, 1]) {
      path.moveTo(x - arm, y - side * arm);
      path.lineTo(x + arm, y + side * arm);
    }
  }
  for (const [color, width] of CnnVis.markLines) {
    context.strokeStyle = color;
    context.lineWidth = width * scale;
    context.stroke(path);
  }
};

// The middle of a map's largest value, in pixels of the picture from its edge.
CnnVis.peakOf = ({ peak: [row, column], shape: [height, width] }, [rows, columns]) => (
  { x: ((column + 0.5) * columns) / width, y: ((row + 0.5) * rows) / height }
);
