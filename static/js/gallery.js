// The gallery of the overview: its controls, its state in the address, and the images that are shown.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.galleryLooks = { show: "", size: "m", start: "1", figure: "" };

CnnVis.Gallery = class {
  constructor(root) {
    this.root = root;
    this.form = root.querySelector("[data-gallery-controls]");
    this.list = root.querySelector("[data-gallery]");
    this.defaults = { ...CnnVis.galleryFilter, ...CnnVis.galleryLooks, show: this.list.dataset.shown || "picture" };
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("input", (event) => event.target.name && this.change({ [event.target.name]: event.target.value }));
    for (const name of ["verdict", "size"]) CnnVis.radios(this.group(name), (button) => this.change({ [name]: button.dataset[name] }));
    for (const button of root.querySelectorAll("[data-turn]")) {
      button.addEventListener("click", () => {
        this.turn(Number(button.dataset.turn));
        if (button.closest("[data-below]")) this.form.scrollIntoView({ block: "start" });
      });
    }
    root.querySelector("[data-gallery-reset]").addEventListener("click", () => this.reset());
    root.querySelector("[data-gallery-figure]").addEventListener("click", () => this.change({ figure: this.state.figure ? "" : "1" }));
    this.state = this.fromAddress();
    CnnVis.working(this.start());
  }

  async start() {
    this.items = await CnnVis.package("gallery");
    this.tiles = new CnnVis.GalleryTiles(this.list, this.items);
    this.figure = new CnnVis.GalleryFigure(this.root.querySelector("[data-figure]"), this.tiles, this.items);
    for (const name of ["label", "predicted"]) this.offer(name);
    this.form.hidden = false;
    this.setState(this.state);
  }

  // The names of classes that a filter can choose.
  offer(name) {
    const places = [...new Set(this.items[name === "label" ? "labels" : name].flat())].sort((a, b) => a - b);
    this.form.elements[name]?.append(...places.map((place) => new Option(this.items.classes[place], this.items.classes[place])));
  }

  group(name) { return this.form.querySelector(`[data-choice="${name}"]`); }

  fromAddress() {
    const { page, at, ...state } = CnnVis.address.get();
    return { ...this.defaults, ...state };
  }

  // Another choice of images begins with its first ones.
  change(changes) {
    const chosen = Object.keys(changes).some((name) => name in CnnVis.galleryFilter);
    const all = chosen ? { start: "1", ...changes } : changes;
    CnnVis.address.set(all, this.defaults);
    this.setState({ ...this.state, ...all });
  }

  reset(changes = {}) { this.change({ ...CnnVis.galleryFilter, ...changes }); }

  turn(pages) {
    const first = CnnVis.firstShown(this.state.start, this.places.length) + pages * CnnVis.galleryPage;
    this.change({ start: String(first + 1) });
  }

  setState(state) {
    this.state = state;
    if (!this.items) return;
    this.places = CnnVis.galleryPlaces(this.items, state);
    const first = CnnVis.firstShown(state.start, this.places.length);
    const shown = this.places.slice(first, first + CnnVis.galleryPage);
    const figure = state.figure ? shown.slice(0, CnnVis.figureRows) : [];
    this.figure.show(figure, state);
    this.list.hidden = figure.length > 0;
    if (!figure.length && this.isNew(state, shown)) this.tiles.show(shown, CnnVis.galleryGroups(this.items, this.places, state.group), state);
    this.list.dataset.size = state.size;
    CnnVis.tellPages(this, first, shown.length);
    this.check(state);
  }

  // What the page came with needs no drawing, unless its pictures are still to be unpacked.
  isNew(state, shown) {
    const key = JSON.stringify([shown, state.show, CnnVis.formatFilter(state)]);
    const before = this.key ?? (this.list.dataset.stills
      ? JSON.stringify([this.items.ids.map((_, place) => place).slice(0, CnnVis.galleryPage), this.defaults.show, ""]) : "");
    this.key = key;
    return key !== before;
  }

  check(state) {
    for (const field of this.form.elements) if (field.name && field.value !== state[field.name]) field.value = state[field.name];
    for (const name of ["verdict", "size"]) CnnVis.check(this.group(name), (button) => button.dataset[name] === state[name]);
  }
};
