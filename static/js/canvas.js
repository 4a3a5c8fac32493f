// Maps drawn at once, without Plotly: a few milliseconds each.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

// The part of a picture that is seen, in pixels of the picture from edge to edge: rows, then columns.
CnnVis.seen = ({ size: [rows, columns], zoom }) => (
  zoom ? [zoom.y, zoom.x].map((ends) => ends.map((end) => end + 0.5)) : [[0, rows], [0, columns]]
);

// The canvas in the device's own pixels, drawn anew.
// drawn: as for `CnnVis.figure`; `colorBelow` shows the picture itself. page: { below, mask }.
// scale: pixels of the canvas for each of CSS.
CnnVis.paintCanvas = (canvas, view, drawn, page, scale = Math.min(globalThis.devicePixelRatio || 1, 3)) => {
  const columns = Math.round(view.clientWidth * scale) || drawn.size[1];
  const rows = Math.round(view.clientHeight * scale) || drawn.size[0];
  [canvas.width, canvas.height] = [columns, rows];
  const context = canvas.getContext("2d");
  const seen = CnnVis.seen(drawn);
  if (drawn.pictureImage) drawPart(context, drawn, seen);
  else {
    const frame = { rows, columns, parts: seen };
    const pixels = drawn.colorBelow ? CnnVis.opaque(page.below.at(frame, "color")) : paintedMap(drawn, page, frame);
    context.putImageData(new ImageData(pixels, columns, rows), 0, 0);
  }
  CnnVis.paintMarks(context, { drawn, seen, scale });
};

// Pixels of three values each with full opacity.
CnnVis.opaque = (values) => CnnVis.over(new Float32Array((values.length / 3) * 4), values);

// The picture below maps, grown or averaged to a frame as `draw_picture` in Python does it; the last few are kept.
CnnVis.Below = class {
  constructor(image) {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.width, image.height];
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    this.size = { height: image.height, width: image.width };
    this.color = new Float32Array(image.height * image.width * 3);
    for (let at = 0; at < this.color.length; at++) this.color[at] = data[Math.floor(at / 3) * 4 + (at % 3)];
    this.made = new Map();
  }

  // Its brightness, three times; its colors would mix with those of a map.
  get gray() {
    if (this.grayValues) return this.grayValues;
    this.grayValues = new Float32Array(this.color.length);
    for (let at = 0; at < this.color.length; at += 3) {
      const [red, green, blue] = this.color.subarray(at, at + 3);
      this.grayValues.fill(0.299 * red + 0.587 * green + 0.114 * blue, at, at + 3);
    }
    return this.grayValues;
  }

  // As an address, for Plotly; made when it is first asked for.
  address(kind) {
    this.addresses ??= {};
    return (this.addresses[kind] ??= this.whole(kind).toDataURL());
  }

  whole(kind) {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [this.size.width, this.size.height];
    canvas.getContext("2d").putImageData(new ImageData(CnnVis.opaque(kind === "gray" ? this.gray : this.color), canvas.width, canvas.height), 0, 0);
    return canvas;
  }

  at(frame, below) {
    const name = JSON.stringify([frame, below]);
    if (!this.made.has(name)) {
      if (this.made.size >= 6) this.made.delete(this.made.keys().next().value);
      const growth = Math.max(this.size.height, this.size.width) <= CnnVis.squaresUpTo ? "nearest" : "cubic";
      const grid = { values: below === "gray" ? this.gray : this.color, ...this.size };
      const values = CnnVis.resample(grid, frame.rows, frame.columns, growth, { parts: frame.parts, channels: 3 });
      this.made.set(name, values.map((value) => Math.min(255, Math.max(0, value))));
    }
    return this.made.get(name);
  }
};

// An address as an image that can be drawn.
CnnVis.loadImage = (address) => new Promise((done, failed) => {
  const image = new Image();
  image.onload = () => done(image);
  image.onerror = failed;
  image.src = address;
});

function paintedMap({ cells, style, size, belowKind }, page, { rows, columns, parts }) {
  const scales = [cells.height / size[0], cells.width / size[1]];
  const below = style.overlay ? page.below.at({ rows, columns, parts }, belowKind) : CnnVis.look.background;
  return CnnVis.drawMap(cells, style, below, { rows, columns, parts: parts.map((ends, axis) => ends.map((end) => end * scales[axis])) });
}

// A picture that is no map, such as one that is sharp where a map is large.
function drawPart(context, { pictureImage, size }, [[top, bottom], [left, right]]) {
  const [down, across] = [pictureImage.height / size[0], pictureImage.width / size[1]];
  const { width, height } = context.canvas;
  context.imageSmoothingEnabled = Math.max(...size) > CnnVis.squaresUpTo || width < (right - left) * across;
  context.imageSmoothingQuality = "high";
  context.drawImage(pictureImage, left * across, top * down, (right - left) * across, (bottom - top) * down, 0, 0, width, height);
}
