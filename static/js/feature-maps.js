// The feature maps of one image: a layer at a time, 64 channels at a time.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.mapsPage = 64;

CnnVis.FeatureMaps = class {
  constructor(root) {
    this.root = root;
    this.form = root.querySelector("[data-maps-controls]");
    this.grid = root.querySelector("[data-grid]");
    this.layers = new Map();
    this.state = { layerNumber: 0, page: 0, sort: "index", normalize: "layer" };
    this.form.hidden = false;
    root.querySelector("[data-no-script]").hidden = true;
    this.control("layer_number").addEventListener("input", (event) => this.change({ layerNumber: this.numbers[event.target.value], page: 0 }));
    this.control("layer").addEventListener("change", (event) => this.change({ layerNumber: Number(event.target.value), page: 0 }));
    this.operations = root.closest("section")?.querySelector('[name="operations"]');
    this.operations?.addEventListener("change", () => this.offer());
    this.offer();
    this.control("sort").addEventListener("change", (event) => this.change({ sort: event.target.value, page: 0 }));
    this.control("normalize").addEventListener("change", (event) => this.change({ normalize: event.target.value }));
    for (const button of this.form.querySelectorAll("[data-page-by]")) {
      button.addEventListener("click", () => this.change({ page: this.state.page + Number(button.dataset.pageBy) }));
    }
    addEventListener("hashchange", () => this.fromAddress());
    CnnVis.whenSeen(root, () => this.show());
    CnnVis.whenSeen(root, () => this.showPicture());
    this.fromAddress();
  }

  control(name) { return this.form.querySelector(`[name="${name}"]`); }

  // The layers to choose from: blocks, or all operations.
  offer() {
    const options = [...this.control("layer").options];
    for (const option of options) option.hidden = option.disabled = option.dataset.operation !== undefined && !this.operations?.checked;
    this.numbers = options.filter((option) => !option.hidden).map((option) => Number(option.value));
    this.control("layer_number").max = String(this.numbers.length - 1);
    if (!this.numbers.includes(this.state.layerNumber)) this.state = { ...this.state, layerNumber: this.numbers[0], page: 0 };
    if (this.grid.firstChild) this.show();
  }

  // The image that the maps are of.
  async showPicture() {
    const { picture } = await CnnVis.package(this.root.dataset.maps);
    const place = this.root.querySelector("[data-maps-picture]");
    place.querySelector("img").src = picture;
    place.hidden = false;
  }

  fromAddress() {
    const { feature_layer: wanted } = CnnVis.address.get();
    const option = this.control("layer").options[Number(wanted)];
    if (wanted === undefined || !option) return;
    if (option.hidden) { this.operations.checked = true; this.offer(); }
    this.state = { ...this.state, layerNumber: Math.round(Number(wanted)), page: 0 };
    this.root.scrollIntoView({ block: "start" });
    this.show();
  }

  change(changes) {
    this.state = { ...this.state, ...changes };
    if ("layerNumber" in changes) CnnVis.address.set({ feature_layer: this.state.layerNumber });
    this.show();
  }

  // { …package, steps: all channels' bytes, height, width }; unpacked once, the last few kept.
  async layer(number) {
    if (!this.layers.has(number)) {
      if (this.layers.size >= 6) this.layers.delete(this.layers.keys().next().value);
      this.layers.set(number, CnnVis.package(`features-${this.root.dataset.maps}-${number}`).then(CnnVis.unpackLayer));
    }
    return this.layers.get(number);
  }

  show() { return CnnVis.working(this.draw()); }

  async draw() {
    const { state } = this;
    const layer = await this.layer(state.layerNumber);
    if (state !== this.state) return; // overtaken by a later choice
    const order = CnnVis.channelOrder(layer, state.sort);
    const pages = Math.ceil(order.length / CnnVis.mapsPage);
    const page = Math.max(0, Math.min(pages - 1, state.page));
    this.state.page = page;
    const position = this.numbers.indexOf(state.layerNumber);
    this.control("layer_number").value = String(position);
    this.control("layer").value = String(state.layerNumber);
    this.control("layer_number").setAttribute("aria-valuetext", layer.name);
    const first = page * CnnVis.mapsPage;
    const shown = order.slice(first, first + CnnVis.mapsPage);
    this.form.querySelector("[data-pages]").textContent = `${first + 1}–${first + shown.length} of ${order.length}`;
    for (const button of this.form.querySelectorAll("[data-page-by]")) {
      const to = page + Number(button.dataset.pageBy);
      button.disabled = to < 0 || to >= pages;
    }
    this.root.querySelector("[data-said]").textContent = CnnVis.layerInWords(layer, state.normalize, position + 1, this.numbers.length);
    CnnVis.showMapsScale(this.root.querySelector("[data-maps-scale]"), layer, state.normalize);
    this.grid.replaceChildren(...shown.map((channel) => CnnVis.channelButton(layer, channel, state.normalize, this.root.dataset)));
  }
};
