// A window with a map, and its picture beside it, as Plotly heatmaps on one zoom; below it what a reader can take away.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.EnlargedDialog = class {
  // steps: buttons beside the title, as { text, title, act, possible }.
  constructor(steps = []) {
    this.element = CnnVis.make("dialog", { className: "enlarged" });
    this.element.setAttribute("aria-labelledby", "enlarged-title");
    this.heading = CnnVis.make("h2", { id: "enlarged-title", tabIndex: -1, autofocus: true }); // keys do the rest
    this.steps = steps.map((step) => [step, CnnVis.make("button", { type: "button", textContent: step.text, title: step.title, onclick: step.act })]);
    const close = CnnVis.make("button", { type: "button", textContent: "Close", onclick: () => this.element.close() });
    this.panels = CnnVis.make("div", { className: "large-panels" });
    this.scale = CnnVis.make("div", { className: "scale large-scale" });
    this.notes = CnnVis.make("ul", { className: "hint notes" });
    this.actions = new CnnVis.ExportButtons();
    const buttons = CnnVis.make("div", { className: "steps" }, ...this.steps.map(([, button]) => button), close);
    this.element.append(CnnVis.make("header", {}, this.heading, buttons), this.panels, this.scale, this.notes, this.actions.element);
    document.body.append(this.element);
    this.resized = () => this.show(this.content);
    addEventListener("resize", this.resized);
    document.addEventListener("cnnvis:theme", this.resized);
    this.element.addEventListener("close", () => this.end());
    this.element.showModal();
  }

  // content: as for `figureLayout`, and { file, values, latex, link, page, onZoom }.
  show(content) { return CnnVis.working(this.draw(content)); }

  async draw(content) {
    this.content = content;
    this.heading.textContent = content.title;
    this.notes.replaceChildren(...content.notes.map((note) => CnnVis.make("li", { textContent: note })));
    for (const [step, button] of this.steps) button.disabled = !step.possible();
    this.actions.show(content);
    this.drawScale(content);
    if (this.panels.childElementCount !== content.panels.length) this.clear();
    while (this.panels.childElementCount < content.panels.length) this.panels.append(CnnVis.make("div", { className: "large" }));
    const plotly = await CnnVis.plotly();
    if (content !== this.content || !this.element.open) return; // overtaken, or closed meanwhile
    const ink = getComputedStyle(this.element).color;
    const figures = CnnVis.largeFigures(content, [...this.panels.children], ink);
    for (const [index, { data, layout, config }] of figures.entries()) {
      const plot = this.panels.children[index];
      plot.setAttribute("role", "group");
      plot.setAttribute("aria-label", content.labels[index]);
      await plotly.react(plot, data, layout, config);
      if (!plot.dataset.wired) this.connect(plot);
    }
  }

  drawScale({ drawn, ends, scale, bar }) {
    this.scale.hidden = !bar;
    if (!bar) return;
    const ramp = CnnVis.barCanvas(drawn.style);
    ramp.className = "ramp colorbar";
    const texts = CnnVis.make("span", { className: "ends" }, ...ends.map((text) => CnnVis.make("span", { textContent: text })));
    this.scale.replaceChildren(ramp, texts, CnnVis.make("span", { className: "whose", textContent: scale }));
    this.scale.setAttribute("role", "img");
    this.scale.setAttribute("aria-label", `Colors from ${ends[0]} to ${ends[2]}`);
  }

  // Zoom and cross of one picture are those of the other.
  connect(plot) {
    plot.dataset.wired = "";
    const others = () => [...this.panels.children].filter((other) => other !== plot);
    plot.on("plotly_relayout", (event) => {
      const zoom = CnnVis.zoomOf(event);
      if (zoom !== undefined) this.zoomed(zoom);
    });
    plot.on("plotly_doubleclick", () => this.zoomed(null));
    plot.on("plotly_hover", ({ xvals, yvals }) => {
      for (const other of others()) globalThis.Plotly.Fx.hover(other, { xval: xvals[0], yval: yvals[0] }, "xy");
      this.actions.read(this.content, { x: xvals[0], y: yvals[0] });
    });
    plot.on("plotly_unhover", () => {
      for (const other of others()) globalThis.Plotly.Fx.unhover(other);
      this.actions.read(this.content, null);
    });
  }

  zoomed(zoom) {
    if (JSON.stringify(zoom) === JSON.stringify(this.content.drawn.zoom ?? null)) return;
    if (this.content.onZoom) this.content.onZoom(zoom);
    else this.show({ ...this.content, drawn: { ...this.content.drawn, zoom } });
  }

  clear() {
    for (const plot of this.panels.children) globalThis.Plotly?.purge(plot);
    this.panels.replaceChildren();
  }

  end() {
    removeEventListener("resize", this.resized);
    document.removeEventListener("cnnvis:theme", this.resized);
    this.clear();
    this.element.remove();
  }
};

// An element with properties and children.
CnnVis.make = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};
