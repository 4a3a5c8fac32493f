// An image page: its state, its maps, and what they have in common.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.imageDefaults = {
  view: "auto", opacity: "0.85", threshold: "0", palette: "inferno", normalize: "classes", range: "clipped", blocks: "",
  color: "", layer: "", side: "", filter: "",
};
CnnVis.mostLive = 12; // Plotly's heatmaps are heavy; more than a dozen make a page stutter

CnnVis.ImagePage = class {
  constructor(root) {
    this.root = root;
    this.unpacked = new WeakMap();
    this.side = root.querySelector("[data-side]");
    this.tiles = [...root.querySelectorAll(".tile[data-method], .tile[data-picture], .tile[data-side-class]")].map((each) => new CnnVis.Tile(each, this));
    this.visible = new Set();
    this.recent = [];
    this.grown = new WeakMap();
    this.differences = new CnnVis.Differences(this);
  }

  async start() {
    this.data = await CnnVis.package(this.root.dataset.image);
    this.size = this.data.size;
    this.picture = await CnnVis.loadImage(this.data.picture);
    this.grayPicture = CnnVis.grayOf(this.picture);
    this.grayAddress = this.grayPicture.toDataURL();
    this.setState(this.fromAddress());
    const maps = this.tiles.filter((tile) => tile.method);
    CnnVis.watchSight(maps.map((tile) => tile.view), (entries) => {
      for (const { target, isIntersecting } of entries) this.visible[isIntersecting ? "add" : "delete"](maps.find((each) => each.view === target));
      this.enlivenSoon();
    });
    new ResizeObserver(() => this.setState({ ...this.state })).observe(this.root);
    CnnVis.connectPointer(this);
  }

  fromAddress() {
    const found = { ...CnnVis.imageDefaults, ...CnnVis.address.get() };
    const known = this.data.targets.map((each) => String(each.index));
    const state = { ...found, class: known.includes(found.class) ? found.class : known[0], zoom: this.state?.zoom ?? null };
    return CnnVis.withMinus(state, known);
  }

  change(changes) {
    const known = this.data.targets.map((each) => String(each.index));
    const state = CnnVis.withMinus({ ...this.state, ...changes }, known);
    const { zoom, ...kept } = { ...changes, minus: state.minus };
    CnnVis.address.set(kept, { ...CnnVis.imageDefaults, class: known[0] });
    this.setState(state);
  }

  // Every change draws every canvas anew, those in sight first, then renews the heatmaps in sight.
  setState(state) { return CnnVis.working(this.draw(state)); }

  async draw(state) {
    this.state = state;
    this.root.dispatchEvent(new CustomEvent("cnnvis:state"));
    const order = [...this.tiles].sort((a, b) => this.visible.has(b) - this.visible.has(a));
    await Promise.all(order.map((tile) => tile.draw(state)));
    if (state === this.state) this.enlivenSoon();
  }

  // What a tile has to show: numbers, colors and what lies below them.
  async drawn(method, state) {
    const info = this.data.methods[method];
    const layers = this.data.maps[method] ?? {};
    const classes = layers[state.layer] ?? Object.values(layers)[0] ?? {};
    const { map, siblings } = (state.minus
      ? await this.differences.chosen(classes, info.kind, state)
      : { map: classes[state.class], siblings: Object.values(classes) }) ?? {};
    if (!map) return undefined;
    const sign = state.minus ? "signed" : info.sign;
    const style = {
      signed: sign === "signed", stops: CnnVis.palettes[state.palette]?.[sign] ?? CnnVis.palettes.inferno[sign],
      end: CnnVis.endOf(map, siblings, state), opacity: Number(state.opacity), threshold: Number(state.threshold),
      overlay: state.view === "overlay" || (state.view === "auto" && info.kind !== "pixel"),
    };
    const grid = await this.gridOf(map, info, state.blocks);
    const revealed = state.view === "reveal" ? CnnVis.revealPicture(this.picture, grid, style.end) : null;
    const picture = revealed ? revealed.toDataURL("image/webp", 0.9) : state.color && map.picture ? map.picture : null;
    return {
      style, picture, title: info.title, target: CnnVis.named(this.data.targets, state).shown, zoom: state.zoom, size: this.size,
      map: { ...map, size: map.shape }, grid,
      pictureImage: revealed ?? (picture ? await CnnVis.loadImage(picture) : null), below: style.overlay && !picture ? this.grayAddress : null,
    };
  }

  // The numbers of a map as they came, or as they were made.
  unpack(map) {
    if (!this.unpacked.has(map)) this.unpacked.set(map, map.grid ?? CnnVis.unpack(map));
    return this.unpacked.get(map);
  }

  // The same, coarse ones interpolated to the picture's size unless they are asked for as blocks.
  async gridOf(map, info, blocks) {
    const grid = await this.unpack(map);
    if (info.kind !== "layer" || blocks) return grid;
    if (!this.grown.has(map)) {
      const shrink = Math.min(1, 512 / Math.max(...this.size));
      this.grown.set(map, CnnVis.upsample(grid, Math.round(this.size[0] * shrink), Math.round(this.size[1] * shrink)));
    }
    return this.grown.get(map);
  }

  zoomed(zoom) {
    if (zoom === undefined || JSON.stringify(zoom) === JSON.stringify(this.state.zoom)) return;
    this.setState({ ...this.state, zoom });
  }

  // One heatmap at a time, with room between them for the reader's next move.
  enlivenSoon() {
    if (this.enlivening || this.root.hidden) return;
    const next = this.tiles.find((tile) => this.visible.has(tile) && tile.drawn && (!tile.live || tile.plot?.dataset.stale !== undefined));
    if (!next) return;
    this.recent = [...this.recent.filter((tile) => tile !== next), next];
    const idle = this.recent.filter((tile) => tile.live && !this.visible.has(tile));
    while (this.recent.filter((tile) => tile.live).length >= CnnVis.mostLive && idle.length) {
      idle.shift().rest();
    }
    const live = this.recent.filter((tile) => tile.live && tile !== next).length;
    if (!next.live && live >= CnnVis.mostLive) return; // the rest of a very large screen stays with canvases
    this.enlivening = true;
    const later = new Promise((done) => { setTimeout(done, 0); });
    const through = later.then(() => next.enliven()).finally(() => { this.enlivening = false; });
    CnnVis.working(through.then(() => this.enlivenSoon()));
  }
};
