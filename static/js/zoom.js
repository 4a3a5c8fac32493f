// Zoom: by dragging a rectangle, by a pinch, in the address; all maps show the same part of the picture.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.leastZoom = 2; // pixels of the picture that are seen at least

// A part of a picture of [rows, columns] as text, and back; null is the whole of it, and so is what makes no sense.
CnnVis.formatZoom = (zoom) => (zoom ? [...zoom.x, ...zoom.y].map((edge) => Number(edge.toFixed(2))).join("_") : "");
CnnVis.parseZoom = (text, [rows, columns]) => {
  const edges = (text ?? "").split("_").map((edge) => (edge.trim() ? Number(edge) : Number.NaN));
  if (edges.length !== 4 || !edges.every(Number.isFinite)) return null;
  const [left, right, top, bottom] = edges;
  return left < right && top < bottom ? CnnVis.zoomTo({ x: left, y: top }, { x: right, y: bottom }, [rows, columns]) : null;
};

// A rectangle between two places, widened to the aspect of the picture and moved into it; null where it is all of it.
CnnVis.zoomTo = (from, to, [rows, columns]) => {
  const share = Math.max(CnnVis.leastZoom / Math.min(rows, columns), Math.abs(to.x - from.x) / columns, Math.abs(to.y - from.y) / rows);
  if (share >= 1) return null;
  const ends = (a, b, size) => {
    const low = Math.min(size - 0.5 - share * size, Math.max(-0.5, (a + b - share * size) / 2));
    return [low, low + share * size];
  };
  return { x: ends(from.x, to.x, columns), y: ends(from.y, to.y, rows) };
};

// What is seen after two fingers went from one pair of shares to another: the places under them stay under them.
CnnVis.pinched = (before, after, seen, size) => {
  const spread = ([a, b]) => Math.hypot(a.across - b.across, a.down - b.down) || 1e-6;
  const middle = ([a, b]) => ({ across: (a.across + b.across) / 2, down: (a.down + b.down) / 2 });
  const factor = spread(before) / spread(after);
  const held = CnnVis.placeOf(middle(before), seen);
  const now = middle(after);
  const [height, width] = seen.map(([low, high]) => (high - low) * factor);
  const [left, top] = [held.x - now.across * width, held.y - now.down * height];
  return CnnVis.zoomTo({ x: left, y: top }, { x: left + width, y: top + height }, size);
};
