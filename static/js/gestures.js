// The pointer over the maps: readings everywhere, dragging and pinching to zoom, a double click for the whole.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.leastDrag = 6; // CSS pixels; less is a click

// Where an event is on a view, as shares from its left and from its top.
CnnVis.shareAt = (view, { clientX, clientY }) => {
  const box = view.getBoundingClientRect();
  return { across: (clientX - box.left) / box.width, down: (clientY - box.top) / box.height };
};

// The cross over all maps follows the pointer over any; a tap puts it there.
CnnVis.connectPointer = (page) => {
  const show = (place) => { page.place = place; for (const tile of page.tiles) tile.read(); };
  const placeAt = (tile, event) => CnnVis.placeOf(CnnVis.shareAt(tile.view, event), CnnVis.seen({ size: page.size, zoom: page.state.zoom }));
  for (const tile of page.tiles) {
    const follow = (event) => {
      page.pointer = { tile, event };
      show(placeAt(tile, event));
    };
    tile.view.addEventListener("pointermove", follow);
    tile.view.addEventListener("pointerdown", follow);
    tile.view.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "touch") return; // a tap's reading stays
      page.pointer = null;
      show(null);
    });
  }
  page.root.addEventListener("cnnvis:state", () => { // the pointer may rest while the picture moves below it
    if (page.pointer) page.place = placeAt(page.pointer.tile, page.pointer.event);
  });
};

CnnVis.connectGestures = (page) => {
  for (const tile of page.tiles) new CnnVis.Gestures(tile, page);
};

CnnVis.Gestures = class {
  constructor(tile, page) {
    [this.tile, this.page, this.fingers] = [tile, page, new Map()];
    const { view } = tile;
    view.addEventListener("pointerdown", (event) => this.down(event));
    view.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) view.addEventListener(name, (event) => this.up(event));
    view.addEventListener("dblclick", (event) => { if (!event.target.closest("button, a")) page.zoomed(null); });
  }

  get seen() { return CnnVis.seen({ size: this.page.size, zoom: this.page.state.zoom }); }

  down(event) {
    if (event.target.closest("button, a, .plot") || (event.pointerType === "mouse" && event.button !== 0)) return;
    this.fingers.set(event.pointerId, CnnVis.shareAt(this.tile.view, event));
    if (event.pointerType !== "touch") {
      this.start = { share: CnnVis.shareAt(this.tile.view, event), x: event.clientX, y: event.clientY };
      this.tile.view.setPointerCapture(event.pointerId);
    } else if (this.fingers.size === 2) this.pinch = { before: [...this.fingers.values()], seen: this.seen };
  }

  move(event) {
    if (!this.fingers.has(event.pointerId)) return;
    this.fingers.set(event.pointerId, CnnVis.shareAt(this.tile.view, event));
    if (this.start && (this.box || this.far(event))) this.outline(CnnVis.shareAt(this.tile.view, event));
    if (this.pinch && this.fingers.size === 2) {
      this.page.zoomed(CnnVis.pinched(this.pinch.before, [...this.fingers.values()], this.pinch.seen, this.page.size));
    }
  }

  up(event) {
    this.fingers.delete(event.pointerId);
    if (this.box && event.type === "pointerup") {
      const [from, to] = [this.start.share, CnnVis.shareAt(this.tile.view, event)].map((share) => CnnVis.placeOf(clamped(share), this.seen));
      this.page.zoomed(CnnVis.zoomTo(from, to, this.page.size));
    }
    this.box?.remove();
    this.box = this.start = this.pinch = null;
  }

  far({ clientX, clientY }) { return Math.hypot(clientX - this.start.x, clientY - this.start.y) >= CnnVis.leastDrag; }

  // The rectangle that is being drawn.
  outline(share) {
    this.box ??= this.tile.add("div", "zoom-box");
    const [a, b] = [clamped(this.start.share), clamped(share)];
    const side = (low, high) => [Math.min(low, high), Math.abs(high - low)].map((part) => `${part * 100}%`);
    [this.box.style.left, this.box.style.width] = side(a.across, b.across);
    [this.box.style.top, this.box.style.height] = side(a.down, b.down);
  }
};

function clamped({ across, down }) {
  const within = (share) => Math.min(1, Math.max(0, share));
  return { across: within(across), down: within(down) };
}
