// The maps of one class minus those of another: of their numbers, before any color.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

// Loops, here and below: with ten classes 45 differences share a method's scale, and callbacks take ten times as long.
CnnVis.subtract = (a, b) => {
  const values = new Float32Array(a.values.length);
  for (let place = 0; place < values.length; place++) values[place] = a.values[place] - b.values[place];
  return { ...a, values };
};

// The value that 99 % of the places don't exceed; none may be negative. So many are not worth sorting.
CnnVis.almostLargest = (sizes) => {
  const bits = new Uint32Array(sizes.buffer); // ordered as the numbers are
  const counts = new Uint32Array(2 ** 16);
  for (let place = 0; place < bits.length; place++) counts[bits[place] >>> 16]++;
  let [wanted, bin] = [Math.ceil(CnnVis.clippedAt * sizes.length) - 1, 0];
  while (wanted >= counts[bin]) wanted -= counts[bin++];
  return sizes.filter((_, place) => bits[place] >>> 16 === bin).sort()[wanted];
};

// The largest absolute value, and the one that colors end at: the rules for the maps themselves.
CnnVis.endsOf = (values, clipped) => {
  const sizes = new Float32Array(values.length);
  let largest = 0;
  for (let place = 0; place < sizes.length; place++) largest = Math.max(largest, sizes[place] = Math.abs(values[place]));
  return [largest, (clipped && CnnVis.almostLargest(sizes)) || largest];
};

// How far each value may be from the true one: half a step of its square root; nothing where maps travel as they are.
CnnVis.errorsOf = ({ steps, largest }, { values }) => {
  const half = 0.5 / steps;
  return values.map((value) => (steps === 0 ? 0 : half * (2 * Math.sqrt(Math.abs(value) * largest) + half * largest)));
};

// The errors of maps that are subtracted from each other add up. Empty where there are none.
CnnVis.exactness = (maps) => {
  const [first, second] = maps.map(([map, grid]) => CnnVis.errorsOf(map, grid));
  const [most, almost] = CnnVis.endsOf(first.map((error, place) => error + second[place]), true);
  return most ? `to within ${CnnVis.boundInWords(almost)} at ${CnnVis.clippedAt * 100} % of the pixels, ${CnnVis.boundInWords(most)} at most` : "";
};

// A bound in two digits, rounded up so that it stays one.
CnnVis.boundInWords = (bound) => {
  const unit = 10 ** (Math.floor(Math.log10(bound)) - 1);
  return CnnVis.inWords(Math.ceil(bound / unit) * unit);
};

CnnVis.Differences = class {
  constructor(page) {
    this.page = page;
    this.ends = new Map();
    this.maps = new Map();
  }

  // The map that the state asks of a method's `classes`, and those that share its scale; undefined where one is missing.
  async chosen(classes, kind, state) {
    const [a, b] = [classes[state.class], classes[state.minus]];
    if (!a || !b) return undefined;
    const pair = `${state.class} ${state.minus}`;
    if (this.pair !== pair) this.maps.clear(); // the numbers of all that was ever looked at would fill the memory
    this.pair = pair;
    if (!this.maps.has(a)) this.maps.set(a, this.make(a, b, kind, CnnVis.named(this.page.data.targets, state).shown));
    const map = this.maps.get(a); // another choice may clear them while the scale is made
    const siblings = state.normalize === "map" ? [] : await this.pairs(Object.values(classes), kind);
    return { map: await map, siblings };
  }

  async make(a, b, kind, name) {
    const [from, what] = await Promise.all([a, b].map((map) => this.page.drawing.unpack(map)));
    const grid = CnnVis.subtract(from, what);
    const ends = CnnVis.endsOf(grid.values, kind === "pixel");
    const place = grid.values.indexOf(grid.values.reduce((most, value) => Math.max(most, value)));
    const said = [name, ends[0] === 0 && "the same map for both", CnnVis.exactness([[a, from], [b, what]])].filter(Boolean);
    const peak = [Math.floor(place / grid.width), place % grid.width];
    return { grid, ends, peak, shape: a.shape, evidence: said.join(" · ") };
  }

  // The ends of every difference of two of the maps, a − b standing for b − a: what a shared scale has to hold.
  pairs(maps, kind) {
    if (!this.ends.has(maps[0])) {
      this.ends.set(maps[0], Promise.all(maps.map((map) => this.page.drawing.unpack(map))).then((grids) => (
        grids.flatMap((a, place) => grids.slice(place + 1).map((b) => (
          { ends: CnnVis.endsOf(CnnVis.subtract(a, b).values, kind === "pixel") }
        )))
      )));
    }
    return this.ends.get(maps[0]);
  }
};
