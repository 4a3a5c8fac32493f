// The values of a map as files that other programs read. Pure.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

// Rows of numbers with a comma between them, the top row first; what they are stands above, after "#".
CnnVis.csv = ({ values, height, width }, comments) => {
  const lines = comments.map((comment) => `# ${CnnVis.plain(comment)}`);
  for (let row = 0; row < height; row++) {
    // nine digits tell every single-precision number from every other
    const numbers = Array.from(values.subarray(row * width, (row + 1) * width), (value) => Number(value.toPrecision(9)));
    lines.push(numbers.join(","));
  }
  return `${lines.join("\n")}\n`;
};

// NumPy's own format, version 1.0: single precision, little endian, [height, width].
CnnVis.npy = ({ values, height, width }) => {
  const head = `{'descr': '<f4', 'fortran_order': False, 'shape': (${height}, ${width}), }`;
  const size = Math.ceil((10 + head.length + 1) / 64) * 64; // numbers begin at a multiple of 64 bytes
  const bytes = new Uint8Array(size + values.length * 4);
  const view = new DataView(bytes.buffer);
  bytes.set([0x93, ...[..."NUMPY"].map((letter) => letter.charCodeAt(0)), 1, 0]);
  view.setUint16(8, size - 10, true);
  bytes.set([...`${head.padEnd(size - 11)}\n`].map((letter) => letter.charCodeAt(0)), 10);
  for (let index = 0; index < values.length; index++) view.setFloat32(size + index * 4, values[index], true);
  return bytes;
};
