// A map that stays in sight, and that others are compared with: in their place while a key is held, or up to a slider.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.connectPin = (page) => {
  for (const name of ["cnnvis:drawn", "cnnvis:address"]) page.root.addEventListener(name, () => CnnVis.followPin(page));
};

// Pins a tile, or takes it off where it is pinned.
CnnVis.pin = (page, tile) => {
  const key = CnnVis.tileKey(tile);
  CnnVis.address.replace({ pin: CnnVis.address.get().pin === key ? "" : key });
  page.root.dispatchEvent(new CustomEvent("cnnvis:address"));
};

// The tile under the pointer, else the one with the focus; where there is neither, the pinned one is taken off.
CnnVis.pinUnderPointer = (page) => {
  const isAt = (tile) => tile.drawn && tile.element.matches(":hover, :focus-within");
  const tile = page.tiles.find((candidate) => isAt(candidate) && candidate.element.matches(":hover")) ?? page.tiles.find(isAt) ?? page.pinned;
  if (tile) CnnVis.pin(page, tile);
};

// Shows what the address says: beside the tiles, and over each of them up to where the slider is.
CnnVis.followPin = (page) => {
  const { pin = "" } = CnnVis.address.get();
  const tile = CnnVis.tileOf(page, pin);
  page.pinned = tile;
  const narrower = Boolean(tile) !== page.root.hasAttribute("data-with-pin"); // or wider again
  page.pinPanel ??= tile && new CnnVis.PinPanel(page);
  page.pinPanel?.show(tile);
  if (narrower) page.setState({ ...page.state }); // every map in its new size; then the covers follow
  for (const other of page.tiles) {
    other.element.toggleAttribute("data-pinned", other === tile);
    CnnVis.coverTile(page, other, tile);
  }
};

// The pinned map over another one; how much of it is seen is for the style sheet.
CnnVis.coverTile = (page, tile, pinned) => {
  if (!tile.method || !tile.drawn || !pinned || tile === pinned) { tile.cover?.remove(); tile.cover = null; return; }
  tile.cover ??= tile.add("canvas", "cover");
  CnnVis.paintCanvas(tile.cover, tile.view, pinned.drawn, page);
};

CnnVis.blink = (page, on) => page.root.toggleAttribute("data-blink", on && Boolean(page.pinned));

CnnVis.PinPanel = class {
  constructor(page) {
    this.page = page;
    this.heading = CnnVis.make("h3");
    this.target = CnnVis.make("p", { className: "hint" });
    this.view = CnnVis.make("div", { className: "view" });
    this.canvas = CnnVis.make("canvas", { className: "map" });
    this.canvas.setAttribute("role", "img");
    this.view.append(this.canvas);
    this.ramp = CnnVis.make("div", { className: "scale" });
    this.swipe = CnnVis.make("input", { type: "range", min: 0, max: 1, step: 0.01, value: 0 });
    this.swipe.addEventListener("input", () => this.swiped());
    const off = CnnVis.make("button", { type: "button", textContent: "Unpin", onclick: () => CnnVis.pin(page, page.pinned) });
    const hold = CnnVis.make("button", { type: "button", textContent: "Hold to show", title: "The pinned map in the place of all others (B)" });
    for (const [name, on] of [["pointerdown", true], ["pointerup", false], ["pointerleave", false], ["pointercancel", false]]) {
      hold.addEventListener(name, () => CnnVis.blink(page, on));
    }
    this.element = CnnVis.make("aside", { className: "card pin" }, this.heading, this.target, this.view,
      this.ramp, CnnVis.make("label", { className: "hint" }, "Swipe ", this.swipe), CnnVis.make("p", {}, hold, " ", off));
    this.element.setAttribute("aria-label", "Pinned map");
    // beside the tiles, in a row with them
    const tiles = page.root.querySelector("[data-tiles]");
    this.row = CnnVis.make("div", { className: "with-pin" });
    tiles.before(this.row);
    this.row.append(this.element, tiles);
  }

  show(tile) {
    this.element.hidden = !tile;
    this.page.root.toggleAttribute("data-with-pin", Boolean(tile));
    if (!tile) { this.swipe.value = 0; this.swiped(); CnnVis.blink(this.page, false); return; }
    const { drawn } = tile;
    this.heading.textContent = drawn.title;
    this.target.textContent = `Pinned, for ${drawn.target}`;
    this.canvas.setAttribute("aria-label", `${drawn.title} for ${drawn.target}`);
    this.view.style.setProperty("--aspect", `${drawn.size[1]} / ${drawn.size[0]}`);
    CnnVis.paintCanvas(this.canvas, this.view, drawn, this.page);
    const ends = CnnVis.endsInWords(drawn.style, drawn.map.ends[0]);
    const ramp = CnnVis.barCanvas(drawn.style);
    ramp.className = "ramp";
    this.ramp.replaceChildren(ramp, CnnVis.make("span", { className: "ends" }, ...ends.map((text) => CnnVis.make("span", { textContent: text }))));
    this.ramp.setAttribute("aria-hidden", "true");
  }

  swiped() { this.page.root.style.setProperty("--swipe", this.swipe.value); }
};
