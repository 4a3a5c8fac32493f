// Packed maps back to numbers. Pure but for the browser's own inflate.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

// Text of 91 characters back to bytes: two characters are 13 bits; the first one says how many zeros were appended.
CnnVis.bytesOf = (text) => {
  const number = new Uint8Array(127);
  for (let code = 33, next = 0; code < 127; code++) if (!'"<\\'.includes(String.fromCharCode(code))) number[code] = next++;
  const bytes = new Uint8Array(((text.length - 1) / 2) * (13 / 8) - number[text.charCodeAt(0)]);
  for (let place = 1, byte = 0, read = 0, bits = 0; byte < bytes.length; place += 2) {
    read = (read << 13) | (number[text.charCodeAt(place)] * 91 + number[text.charCodeAt(place + 1)]);
    for (bits += 13; bits >= 8; bits -= 8) bytes[byte++] = read >> (bits - 8); // those beyond the end are dropped
    read &= (1 << bits) - 1;
  }
  return bytes;
};

CnnVis.inflate = async (bytes) => {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
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

// Bytes that stand in the order of the first map's, smallest first, equal ones from the top left, back in their places.
CnnVis.unsort = (bytes, first) => {
  const next = new Uint32Array(257);
  for (const byte of first) next[byte + 1]++;
  for (let byte = 1; byte < 257; byte++) next[byte] += next[byte - 1];
  return Uint8Array.from(first, (byte) => bytes[next[byte]++]);
};

// Steps of the square root back to values: from 0 to `steps`, or with zero in the middle.
CnnVis.expand = (levels, largest, signed, steps) => {
  const table = Float32Array.from({ length: 256 }, (_, step) => {
    const root = (step - (signed ? steps : 0)) / steps;
    return largest * root * Math.abs(root);
  });
  const values = new Float32Array(levels.length); // a loop: a call a value takes ten times as long
  for (let place = 0; place < values.length; place++) values[place] = table[levels[place]];
  return values;
};

// Tells the maps of a method at a layer which of them is the first: { method: { layer: { class: map } } }.
CnnVis.linkMaps = (maps) => {
  for (const classes of Object.values(maps).flatMap(Object.values)) {
    for (const map of Object.values(classes)) if (map.first) map.firstMap = classes[map.first];
  }
};

const firstSteps = new WeakMap(); // by map: the steps of one that gives others their order

async function unfiltered(map) {
  const [height, width] = map.shape;
  return CnnVis.unfilter(await CnnVis.inflate(CnnVis.bytesOf(map.data)), height, width, map.filter ?? 0);
}

async function stepsOf(map) {
  if (map.filter === null) return CnnVis.unsort(await unfiltered(map), await stepsOf(map.firstMap));
  if (!firstSteps.has(map)) firstSteps.set(map, unfiltered(map));
  return firstSteps.get(map);
}

// { values, height, width } of a packed map.
CnnVis.unpack = async (map) => {
  if (!map.data) return CnnVis.unpack(map.firstMap);
  const [height, width] = map.shape;
  if (map.steps === 0) return { values: new Float32Array(CnnVis.bytesOf(map.data).buffer), height, width };
  return { values: CnnVis.expand(await stepsOf(map), map.largest, map.signed, map.steps), height, width };
};
