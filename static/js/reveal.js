// The picture, sharp where a map is large and blurred where it is small.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

// picture: an image; grid: the map; end: where its colors end. Gives a canvas of the picture's size.
CnnVis.revealPicture = (picture, grid, end) => {
  const { width, height } = picture;
  const levels = CnnVis.blurs.map((share) => CnnVis.blurred(picture, share * Math.max(width, height)));
  const made = document.createElement("canvas");
  [made.width, made.height] = [width, height];
  const context = made.getContext("2d");
  const pixels = new ImageData(width, height);
  CnnVis.blend(pixels.data, levels, CnnVis.sharpness(grid, end, height, width));
  context.putImageData(pixels, 0, 0);
  return made;
};

// 0 … 1 for each pixel: the map's absolute value as a share of its end.
CnnVis.sharpness = (grid, end, height, width) => {
  const values = CnnVis.resample(grid, height, width, "cubic");
  return values.map((value) => Math.min(1, Math.abs(value) / end));
};

// Each pixel from the two levels between which its sharpness lies: 1 is the first level, 0 the last. Pure.
CnnVis.blend = (out, levels, sharpness) => {
  for (let place = 0; place < sharpness.length; place++) {
    const depth = (1 - sharpness[place]) * (levels.length - 1);
    const low = Math.min(levels.length - 2, Math.floor(depth));
    const share = depth - low;
    for (let at = place * 4; at < place * 4 + 3; at++) {
      out[at] = levels[low][at] * (1 - share) + levels[low + 1][at] * share;
    }
    out[place * 4 + 3] = 255;
  }
};

// The pixels of a picture after a Gaussian blur; what lies beyond the edge is what is at the edge.
CnnVis.blurred = (picture, deviation) => {
  const { width, height } = picture;
  const margin = Math.ceil(deviation * 3);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width + 2 * margin, height + 2 * margin];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (margin) {
    context.imageSmoothingEnabled = false;
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    for (const [x, y, w, h, from] of edges(width, height, margin)) context.drawImage(picture, ...from, x, y, w, h);
  }
  context.drawImage(picture, margin, margin);
  if (!margin) return context.getImageData(0, 0, width, height).data;
  const soft = document.createElement("canvas");
  [soft.width, soft.height] = [width, height];
  const other = soft.getContext("2d", { willReadFrequently: true });
  other.filter = `blur(${deviation}px)`;
  other.drawImage(canvas, -margin, -margin);
  return other.getImageData(0, 0, width, height).data;
};

// The four strips beside the picture, each the nearest row or column drawn out.
function edges(width, height, margin) {
  return [
    [margin, 0, width, margin, [0, 0, width, 1]],
    [margin, margin + height, width, margin, [0, height - 1, width, 1]],
    [0, margin, margin, height, [0, 0, 1, height]],
    [margin + width, margin, margin, height, [width - 1, 0, 1, height]],
  ];
}
