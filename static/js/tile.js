// One map on an image page: a picture until its data are there, a canvas at once, a Plotly heatmap when looked at.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.Tile = class {
  constructor(element, page) {
    this.element = element;
    this.page = page;
    this.method = element.dataset.method ?? null; // null shows the picture
    this.class = element.dataset.sideClass ?? null; // null follows the page
    if (this.class) this.method = CnnVis.sideMethod(page);
    this.view = element.querySelector(".view");
    this.canvas = this.add("canvas", "map");
    this.live = false;
    if (this.method) {
      this.cross = this.add("div", "cross");
      this.reading = this.add("output", "reading");
      this.cross.hidden = this.reading.hidden = true;
      this.canvas.setAttribute("role", "img");
    }
  }

  add(tag, name) {
    const made = document.createElement(tag);
    made.className = name;
    this.view.append(made);
    return made;
  }

  // What is to be seen under the page's state; undefined where the class has no map of this method.
  async draw(state) {
    if (!this.method) return this.paintPicture(state);
    if (this.class) this.method = CnnVis.sideMethod(this.page);
    const drawn = await this.page.drawn(this.method, this.class ? { ...state, class: this.class, minus: "" } : state);
    if (state !== this.page.state) return; // overtaken by a later choice
    this.drawn = drawn;
    this.canvas.hidden = !drawn;
    this.element.classList.toggle("missing", !drawn);
    if (drawn) {
      this.caption(drawn);
      CnnVis.paintCanvas(this.canvas, this.view, drawn, this.page);
    }
    if (this.plot) this.plot.dataset.stale = "";
    this.view.querySelector(".still")?.remove();
  }

  paintPicture(state) {
    CnnVis.paintCanvas(this.canvas, this.view, { zoom: state.zoom, size: this.page.size, colorBelow: true }, this.page);
    this.view.querySelector(".still")?.setAttribute("hidden", "");
  }

  caption({ style, map, title, target }) {
    const find = (name) => this.element.querySelector(name);
    const ramp = CnnVis.colorscale({ ...style, overlay: false, threshold: 0 }).filter((_, step) => step % 15 === 0);
    find(".ramp").style.background = `linear-gradient(to right, ${ramp.map(([, color]) => color).join(", ")})`;
    const more = map.ends[0] > style.end * 1.0001; // some values lie beyond the end of the colors
    find("[data-low]").textContent = style.signed ? (more ? "≤ " : "") + CnnVis.inWords(-style.end) : "0";
    find("[data-zero]").textContent = style.signed ? "0" : "";
    find("[data-high]").textContent = (more ? "≥ " : "") + CnnVis.inWords(style.end);
    find("[data-evidence]").textContent = map.evidence;
    this.canvas.setAttribute("aria-label", `${title} for ${target}: largest value ${CnnVis.inWords(map.ends[0])}, peak at row ${map.peak[0]}, column ${map.peak[1]} of ${map.size.join("×")}`);
  }

  // Makes or renews the heatmap; takes some 20 ms.
  async enliven() {
    if (!this.drawn || !this.method) return;
    const plotly = await CnnVis.plotly();
    const { drawn } = this;
    if (!drawn) return;
    const made = CnnVis.figure(drawn, { width: this.view.clientWidth, height: this.view.clientHeight });
    if (!this.plot) {
      this.plot = this.add("div", "plot");
      this.plot.setAttribute("aria-hidden", "true"); // the canvas below has the words
      this.plot.dataset.stale = "";
    }
    const before = performance.now();
    await plotly.react(this.plot, made.data, made.layout, CnnVis.plotlyConfig);
    this.took = performance.now() - before;
    if (!this.live) {
      this.live = true;
      this.plot.on("plotly_relayout", (event) => this.page.zoomed(CnnVis.zoomOf(event)));
      this.plot.on("plotly_doubleclick", () => this.page.zoomed(null));
    }
    if (drawn === this.drawn) delete this.plot.dataset.stale;
  }

  rest() {
    if (!this.plot) return;
    globalThis.Plotly?.purge(this.plot);
    this.plot.remove();
    this.plot = null;
    this.live = false;
  }

  // The cross, and the value under it, at a place counted in the picture's pixels; null takes them away.
  read(place) {
    if (!this.method) return;
    this.cross.hidden = this.reading.hidden = !place || !this.drawn;
    if (this.cross.hidden) return;
    const { grid, size: [rows, columns], zoom } = this.drawn;
    const { x, y } = zoom ?? { x: [-0.5, columns - 0.5], y: [-0.5, rows - 0.5] };
    this.cross.style.setProperty("--x", (place.x - x[0]) / (x[1] - x[0]));
    this.cross.style.setProperty("--y", (place.y - y[0]) / (y[1] - y[0]));
    const row = Math.min(grid.height - 1, Math.max(0, Math.floor(((place.y + 0.5) * grid.height) / rows)));
    const column = Math.min(grid.width - 1, Math.max(0, Math.floor(((place.x + 0.5) * grid.width) / columns)));
    this.reading.textContent = CnnVis.inWords(grid.values[row * grid.width + column]);
  }
};
