// An image page: its state, its maps, and what they have in common.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.imageDefaults = {
  view: "auto", opacity: "0.5", threshold: "0", positive: "turbo", signed: "RdBu", below: "color",
  interpolation: "bicubic", size: "M", normalize: "map", range: "clipped", color: "", layer: "", marks: "on", method: "",
};
CnnVis.tileSizes = { S: 160, M: 224, L: 320 }; // CSS pixels

CnnVis.ImagePage = class {
  constructor(root) {
    this.root = root;
    this.tiles = [...root.querySelectorAll(".tile[data-method], .tile[data-picture]")].map((element) => new CnnVis.Tile(element, this));
    this.visible = new Set();
    this.lead = root.querySelector("[data-lead-row]")?.dataset ?? {};
    this.drawing = new CnnVis.Drawing(this);
  }

  async start() {
    this.data = await CnnVis.package(this.root.dataset.image);
    CnnVis.linkMaps(this.data.maps);
    this.size = this.data.size;
    this.picture = await CnnVis.loadImage(this.data.picture);
    this.below = new CnnVis.Below(this.picture);
    if (Math.max(...this.size) <= CnnVis.squaresUpTo) this.root.style.setProperty("--rendering", "pixelated"); // in Plotly, too
    const tileOf = new Map(this.tiles.map((tile) => [tile.view, tile]));
    const drawn = this.setState(this.fromAddress());
    CnnVis.watchSight([...tileOf.keys()], (entries) => {
      for (const { target, isIntersecting } of entries) this.visible[isIntersecting ? "add" : "delete"](tileOf.get(target));
    });
    let width = this.root.clientWidth;
    new ResizeObserver(() => {
      if (this.root.clientWidth !== width && this.root.clientWidth) this.setState({ ...this.state });
      width = this.root.clientWidth || width; // a hidden page has none
    }).observe(this.root);
    CnnVis.connectPointer(this);
    CnnVis.connectGestures(this);
    CnnVis.connectLive(this);
    return drawn;
  }

  get classes() { return this.data.targets.map(({ index }) => String(index)); }

  fromAddress() {
    const { zoom, ...wanted } = { ...CnnVis.imageDefaults, ...CnnVis.address.get() };
    const known = this.classes;
    const state = { ...wanted, class: known.includes(wanted.class) ? wanted.class : known[0], zoom: CnnVis.parseZoom(zoom, this.size) };
    return CnnVis.withMinus(state, known);
  }

  change(changes) {
    const known = this.classes;
    const state = CnnVis.withMinus({ ...this.state, ...changes }, known);
    const { zoom, ...named } = { ...changes, minus: state.minus };
    CnnVis.address.set(named, { ...CnnVis.imageDefaults, class: known[0] });
    this.setState(state);
  }

  // The part of the picture that all maps show; null is the whole of it.
  zoomed(wanted) {
    if (wanted === undefined) return;
    const zoom = wanted && CnnVis.zoomTo({ x: wanted.x[0], y: wanted.y[0] }, { x: wanted.x[1], y: wanted.y[1] }, this.size);
    if (JSON.stringify(zoom) === JSON.stringify(this.state.zoom)) return;
    CnnVis.address.set({ zoom: CnnVis.formatZoom(zoom) });
    this.setState({ ...this.state, zoom });
  }

  setState(state) { return CnnVis.working(this.draw(state)); }

  // Every change draws every canvas anew: those in sight first, the others when there is time.
  async draw(state) {
    this.state = state;
    this.root.style.setProperty("--tile", `${CnnVis.tileSizes[state.size] ?? CnnVis.tileSizes.M}px`);
    this.root.dispatchEvent(new CustomEvent("cnnvis:state"));
    const first = (tile) => this.visible.has(tile) || tile.lead || tile === this.enlarged?.tile || tile === this.pinned;
    const order = [...this.tiles].sort((a, b) => first(b) - first(a));
    for (const tile of order) {
      await (first(tile) ? CnnVis.breath() : CnnVis.idle());
      if (state !== this.state) return; // overtaken by a later choice
      await tile.draw(state);
    }
    this.root.dispatchEvent(new CustomEvent("cnnvis:drawn"));
  }

  // The method of the first row, where the reader chooses it.
  chosenMethod({ method }, before) { return method in this.data.methods ? method : before; }

  // The class that the first row compares with the chosen one.
  other({ class: chosen, minus }) {
    const { first, other } = this.lead;
    return minus || (chosen === first ? other : first);
  }
};

// Lets the browser see to what waits, such as the reader's next move.
CnnVis.breath = () => new Promise((done) => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => { port1.close(); done(); };
  port2.postMessage(null);
});

// When the browser has nothing better to do.
CnnVis.idle = () => new Promise((done) => {
  if (globalThis.requestIdleCallback) requestIdleCallback(() => done(), { timeout: 200 });
  else setTimeout(done, 0);
});
