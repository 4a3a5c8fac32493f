// One map on an image page: a picture until its data are there, then a canvas.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.Tile = class {
  constructor(element, page) {
    this.element = element;
    this.page = page;
    this.method = element.dataset.method ?? null; // null shows the picture
    this.class = element.dataset.sideClass ?? null; // null follows the page
    this.minus = element.dataset.sideMinus ?? ""; // what is subtracted from a class of its own
    this.lead = element.dataset.lead ?? ""; // what it shows in the first row: chosen, other, difference
    this.view = element.querySelector(".view");
    this.canvas = this.add("canvas", "map");
    if (!this.method) return;
    this.cross = this.add("div", "cross");
    this.reading = this.add("output", "reading");
    this.cross.hidden = this.reading.hidden = true;
    this.canvas.setAttribute("role", "img");
  }

  add(tag, name) {
    const made = document.createElement(tag);
    made.className = name;
    this.view.append(made);
    return made;
  }

  // The page's state as this tile has it.
  stateOf(state) {
    if (this.lead && this.element.dataset.layer && !state.layer) state = { ...state, layer: this.element.dataset.layer };
    if (this.class) return { ...state, class: this.class, minus: this.minus, normalize: this.minus || this.page.data.scaled ? "map" : "classes" };
    if (this.lead === "chosen") return { ...state, minus: "" };
    if (this.lead === "other") return { ...state, class: this.page.other(state), minus: "" };
    if (this.lead === "difference") return { ...state, minus: this.page.other(state), normalize: "map" };
    return state;
  }

  // What is to be seen under the page's state; undefined where the class has no map of this method.
  async draw(state) {
    if (!this.method) return this.paintPicture(state);
    if ("follows" in this.element.dataset) this.method = this.page.chosenMethod(state, this.method);
    const drawn = await this.page.drawing.of(this.method, this.stateOf(state));
    if (state !== this.page.state) return; // overtaken by a later choice
    this.drawn = drawn;
    this.canvas.hidden = !drawn;
    this.element.classList.toggle("missing", !drawn);
    if (drawn) {
      this.caption(drawn);
      CnnVis.paintCanvas(this.canvas, this.view, drawn, this.page);
    }
    this.view.querySelector(".still")?.remove();
    this.read();
    this.element.dispatchEvent(new CustomEvent("cnnvis:tile"));
  }

  paintPicture(state) {
    const outline = state.marks === "on" ? this.page.data.mask : null;
    CnnVis.paintCanvas(this.canvas, this.view, { zoom: state.zoom, size: this.page.size, colorBelow: true, outline }, this.page);
    this.view.querySelector(".still")?.setAttribute("hidden", "");
  }

  caption(drawn) {
    const { style, map, title, target } = drawn;
    const find = (name) => this.element.querySelector(name);
    const [low, zero, high] = CnnVis.endsInWords(style, map.ends[0]);
    const words = { low, zero, high, scale: CnnVis.scaleInWords(drawn), evidence: map.evidence, target, title };
    if (find(".ramp")) find(".ramp").style.background = `linear-gradient(to right, ${CnnVis.barColors(style, 33).join(", ")})`;
    for (const [name, text] of Object.entries(words)) if (find(`[data-${name}]`)) find(`[data-${name}]`).textContent = text;
    this.canvas.setAttribute("aria-label", `${title} for ${target}: largest value ${CnnVis.inWords(map.ends[0])}, peak at row ${map.peak[0]}, column ${map.peak[1]} of ${map.size.join("×")}`);
  }

  // The cross, and the value under it, where the page's pointer is; without a pointer neither is shown.
  read() {
    if (!this.method) return;
    const { place } = this.page;
    this.cross.hidden = this.reading.hidden = !place || !this.drawn;
    if (this.cross.hidden) return;
    const { across, down } = CnnVis.shareOf(place, CnnVis.seen(this.drawn));
    this.cross.style.setProperty("--x", across);
    this.cross.style.setProperty("--y", down);
    this.reading.textContent = CnnVis.inWords(CnnVis.valueAt(this.drawn, place));
  }
};
