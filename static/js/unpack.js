// Packed maps back to numbers. Pure but for the browser's own inflate.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

CnnVis.inflate = async (bytes) => {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
};

// Bytes that were counted from the left (1) or upper (2) neighbor, modulo 256, in place.
CnnVis.unfilter = (bytes, height, width, kind) => {
  const back = kind === 1 ? 1 : width;
  if (kind !== 0) {
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        if (kind === 1 ? column === 0 : row === 0) continue;
        const place = row * width + column;
        bytes[place] += bytes[place - back];
      }
    }
  }
  return bytes;
};

// Steps of the square root back to values: 0 … 2^bits-1, or with zero in the middle.
CnnVis.expand = (steps, largest, signed, bits) => {
  const top = signed ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
  const table = Float32Array.from({ length: 256 }, (_, step) => {
    const root = (step - (signed ? top : 0)) / top;
    return largest * root * Math.abs(root);
  });
  return Float32Array.from(steps, (step) => table[step]);
};

// { values, height, width } of a packed map.
CnnVis.unpack = async (map) => {
  const [height, width] = map.shape;
  const bytes = CnnVis.bytesOf(map.data);
  if (map.code === 0) return { values: new Float32Array(bytes.buffer), height, width };
  const steps = CnnVis.unfilter(await CnnVis.inflate(bytes), height, width, map.filter);
  return { values: CnnVis.expand(steps, map.largest, map.signed, map.code), height, width };
};
