// What a map says at a place. Pure: no DOM.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

// The value of a drawn map at a place, counted in pixels of the picture: (0, 0) is the middle of the first one.
CnnVis.valueAt = ({ grid, size: [rows, columns] }, { x, y }) => {
  const row = Math.min(grid.height - 1, Math.max(0, Math.floor(((y + 0.5) * grid.height) / rows)));
  const column = Math.min(grid.width - 1, Math.max(0, Math.floor(((x + 0.5) * grid.width) / columns)));
  return grid.values[row * grid.width + column];
};

// A place as a share of what is seen, from the left and from the top.
CnnVis.shareOf = ({ x, y }, [[top, bottom], [left, right]]) => (
  { across: (x + 0.5 - left) / (right - left), down: (y + 0.5 - top) / (bottom - top) }
);

// The inverse.
CnnVis.placeOf = ({ across, down }, [[top, bottom], [left, right]]) => (
  { x: left + across * (right - left) - 0.5, y: top + down * (bottom - top) - 0.5 }
);
