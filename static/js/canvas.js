// Maps drawn at once, without Plotly: a third of a millisecond each.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

// drawn: as for `CnnVis.figure`; `colorBelow` shows the picture itself. page: { picture, grayPicture } as images.
CnnVis.paintCanvas = (canvas, view, drawn, page) => {
  const [rows, columns] = drawn.size;
  const scale = Math.min(globalThis.devicePixelRatio || 1, 2);
  canvas.width = Math.max(1, Math.round(view.clientWidth * scale)) || columns;
  canvas.height = Math.max(1, Math.round(view.clientHeight * scale)) || rows;
  const context = canvas.getContext("2d");
  const { x, y } = drawn.zoom ?? { x: [-0.5, columns - 0.5], y: [-0.5, rows - 0.5] };
  const put = (image, width, height, smooth) => {
    const [across, down] = [width / columns, height / rows];
    const part = [(x[0] + 0.5) * across, (y[0] + 0.5) * down, (x[1] - x[0]) * across, (y[1] - y[0]) * down];
    context.imageSmoothingEnabled = smooth || canvas.width < part[2];
    context.drawImage(image, ...part, 0, 0, canvas.width, canvas.height);
  };
  const drawPicture = (picture) => put(picture, picture.width, picture.height, columns > 96);
  if (drawn.colorBelow) drawPicture(page.picture);
  if (drawn.pictureImage) drawPicture(drawn.pictureImage);
  if (drawn.colorBelow || drawn.pictureImage) return;
  if (drawn.style.overlay) drawPicture(page.grayPicture);
  const { grid } = drawn;
  const buffer = new OffscreenCanvas(grid.width, grid.height);
  buffer.getContext("2d").putImageData(new ImageData(CnnVis.paint(grid.values, drawn.style), grid.width, grid.height), 0, 0);
  put(buffer, grid.width, grid.height, false);
};

// An address as an image that can be drawn.
CnnVis.loadImage = (address) => new Promise((done, failed) => {
  const image = new Image();
  image.onload = () => done(image);
  image.onerror = failed;
  image.src = address;
});

// The brightness of a picture, as a canvas; its colors would mix with those of a map.
CnnVis.grayOf = (image) => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width, image.height];
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  for (let place = 0; place < pixels.data.length; place += 4) {
    const [red, green, blue] = pixels.data.subarray(place, place + 3);
    pixels.data.fill(0.299 * red + 0.587 * green + 0.114 * blue, place, place + 3);
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
};
