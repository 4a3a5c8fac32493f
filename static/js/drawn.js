// What a tile has to show under a state: numbers, colors, and what lies below them.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.Drawing = class {
  constructor(page) {
    this.page = page;
    this.unpacked = new WeakMap();
    this.grown = new WeakMap();
    this.differences = new CnnVis.Differences(page);
  }

  // undefined where the class has no map of this method.
  async of(method, state) {
    const { data } = this.page;
    const info = data.methods[method];
    const layers = data.maps[method] ?? {};
    const layer = layers[state.layer] ? state.layer : (Object.keys(layers)[0] ?? "");
    const classes = layers[layer] ?? {};
    const { map, siblings } = (state.minus
      ? await this.differences.chosen(classes, info.kind, state)
      : { map: classes[state.class], siblings: Object.values(classes) }) ?? {};
    if (!map) return undefined;
    const style = this.style(info, state, CnnVis.endOf(map, siblings, state));
    const cells = await this.unpack(map);
    const grid = style.smooth && info.kind === "layer" ? this.grow(map, cells, style) : cells;
    return {
      style, cells, grid, layer, method: info.title, title: info.title, kind: info.kind, size: this.page.size, zoom: state.zoom,
      target: CnnVis.named(data.targets, state).shown, map: { ...map, size: map.shape }, normalize: state.normalize, range: state.range,
      ...this.marks(map, state), ...(await this.pictures(map, grid, style, state)),
    };
  }

  // How numbers become colors: what `Look` and `draw_map` in Python say.
  style({ sign, kind }, state, end) {
    const signed = Boolean(state.minus) || sign === "signed";
    const overlay = state.view === "overlay" || (state.view === "auto" && kind !== "pixel");
    return {
      signed, overlay, end, stops: CnnVis.stopsOf(signed, state[signed ? "signed" : "positive"], !overlay),
      opacity: Number(state.opacity), threshold: Number(state.threshold),
      smooth: kind !== "pixel" && state.interpolation !== "none",
    };
  }

  marks(map, state) {
    if (state.marks !== "on") return {};
    return { outline: this.page.data.mask, peak: map.ends[0] ? CnnVis.peakOf(map, this.page.size) : null };
  }

  // `picture`, `below`: as addresses, for Plotly; `pictureImage`: for a canvas, in the place of the map.
  async pictures(map, grid, style, state) {
    const { page } = this;
    const revealed = state.view === "reveal" ? CnnVis.revealPicture(page.picture, grid, style.end) : null;
    const picture = revealed ? revealed.toDataURL("image/webp", 0.9) : state.color && map.picture ? map.picture : null;
    return {
      picture, belowKind: state.below, pictureImage: revealed ?? (picture ? await CnnVis.loadImage(picture) : null),
      below: style.overlay && !picture ? page.below.address(state.below) : null,
    };
  }

  // The numbers of a map as they came, or as they were made.
  unpack(map) {
    if (!this.unpacked.has(map)) this.unpacked.set(map, map.grid ?? CnnVis.unpack(map));
    return this.unpacked.get(map);
  }

  // Those of a layer's map at the picture's pixels, for readings.
  grow(map, cells, { signed }) {
    if (!this.grown.has(map)) {
      const shrink = Math.min(1, 512 / Math.max(...this.page.size));
      const [height, width] = this.page.size.map((side) => Math.round(side * shrink));
      const values = CnnVis.resample(cells, height, width, "cubic");
      this.grown.set(map, { height, width, values: signed ? values : values.map((value) => Math.max(0, value)) });
    }
    return this.grown.get(map);
  }
};
