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
    this.state = { layerNumber: 0, page: 0, sort: "index", normalize: "channel" };
    this.form.hidden = false;
    root.querySelector("[data-no-script]").hidden = true;
    const choose = (event) => this.change({ layerNumber: Number(event.target.value), page: 0 });
    this.control("layer_number").addEventListener("input", choose);
    this.control("layer").addEventListener("change", choose);
    this.control("sort").addEventListener("change", (event) => this.change({ sort: event.target.value, page: 0 }));
    this.control("normalize").addEventListener("change", (event) => this.change({ normalize: event.target.value }));
    for (const button of this.form.querySelectorAll("[data-page-by]")) {
      button.addEventListener("click", () => this.change({ page: this.state.page + Number(button.dataset.pageBy) }));
    }
    addEventListener("hashchange", () => this.fromAddress());
    CnnVis.whenSeen(root, () => this.show());
    this.fromAddress();
  }

  control(name) { return this.form.querySelector(`[name="${name}"]`); }

  fromAddress() {
    const { feature_layer: wanted } = CnnVis.address.get();
    const most = Number(this.control("layer_number").max);
    if (wanted === undefined || !(Number(wanted) >= 0 && Number(wanted) <= most)) return;
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
    this.control("layer_number").value = this.control("layer").value = String(state.layerNumber);
    this.control("layer_number").setAttribute("aria-valuetext", layer.name);
    const first = page * CnnVis.mapsPage;
    const shown = order.slice(first, first + CnnVis.mapsPage);
    this.form.querySelector("[data-pages]").textContent = `${first + 1}–${first + shown.length} of ${order.length}`;
    for (const button of this.form.querySelectorAll("[data-page-by]")) {
      const to = page + Number(button.dataset.pageBy);
      button.disabled = to < 0 || to >= pages;
    }
    this.root.querySelector("[data-said]").textContent = CnnVis.layerInWords(layer, state, Number(this.control("layer_number").max) + 1);
    this.grid.replaceChildren(...shown.map((channel) => this.button(layer, channel, state)));
  }

  button(layer, channel, { normalize }) {
    const button = document.createElement("button");
    button.type = "button";
    const ends = [layer.lowest[channel], layer.highest[channel]].map(CnnVis.inWords).join(" … ");
    button.title = `channel ${channel}: ${ends}`;
    const canvas = document.createElement("canvas");
    CnnVis.paintChannel(canvas, layer, channel, normalize);
    const label = document.createElement("span");
    label.textContent = channel;
    button.append(canvas, label);
    button.addEventListener("click", () => this.open(layer, channel));
    return button;
  }

  open(layer, channel) {
    const values = CnnVis.channelValues(layer, channel);
    const signed = layer.lowest[channel] < 0;
    const end = Math.max(Math.abs(layer.lowest[channel]), Math.abs(layer.highest[channel])) || 1;
    const step = CnnVis.inWords((layer.highest[channel] - layer.lowest[channel]) / 510);
    CnnVis.openLarge({
      title: `${layer.name}, channel ${channel}`,
      said: `mean ${CnnVis.inWords(layer.mean[channel])}, relevance to ${this.root.dataset.target} ${CnnVis.inWords(layer.relevance[channel])}; values to within ${step}${CnnVis.averaged(layer)}`,
      filename: `${layer.name}-${channel}`,
      drawn: {
        grid: { values, height: layer.height, width: layer.width }, size: [layer.height, layer.width], below: null, picture: null,
        style: { signed, stops: signed ? CnnVis.palettes.signed.RdBu : CnnVis.palettes.positive.inferno, end, opacity: 1, threshold: 0, overlay: false },
      },
    });
  }
};
