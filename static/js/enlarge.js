// A tile's map enlarged: what the window shows, its neighbors, and its place in the address.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

// "grad_cam", or "grad_cam.3" for a tile that shows a class of its own, "grad_cam.1-0" for a difference
// of two, "grad_cam.other" for one of the first row.
CnnVis.tileKey = (tile) => [tile.method, [tile.class || tile.lead, tile.minus].filter(Boolean).join("-")].filter(Boolean).join(".");

CnnVis.connectEnlarge = (page) => {
  for (const tile of page.tiles) {
    if (!tile.method) continue;
    const button = tile.add("button", "enlarge");
    button.type = "button";
    button.textContent = "⤢";
    button.setAttribute("aria-label", `Enlarge ${tile.element.querySelector("h3").textContent.trim()}`);
    button.addEventListener("click", () => CnnVis.enlarge(page, tile));
  }
  for (const name of ["cnnvis:drawn", "cnnvis:address"]) page.root.addEventListener(name, () => CnnVis.followAddress(page));
  page.root.addEventListener("cnnvis:tile", ({ target }) => { // the window needn't wait for all the others
    if (target === page.enlarged?.tile.element) CnnVis.followAddress(page);
  }, true);
};

// Opens a tile's window, as a step that Back undoes.
CnnVis.enlarge = (page, tile) => {
  CnnVis.address.set({ open: CnnVis.tileKey(tile) });
  return CnnVis.followAddress(page);
};

// The tile of a key; of a method whose map is another's, the tile that names it.
CnnVis.tileOf = (page, key) => page.tiles.find((tile) => tile.drawn && CnnVis.tileKey(tile) === key)
  ?? page.tiles.find((tile) => tile.drawn && key && tile.element.querySelector(`[data-anchor="${CSS.escape(key)}"]`));

// Opens, changes or closes the window as the address says.
CnnVis.followAddress = (page) => {
  const { open = "" } = page.closing ? {} : CnnVis.address.get();
  const tile = page.root.hidden ? undefined : CnnVis.tileOf(page, open);
  if (!tile) { page.enlarged?.element.close(); return undefined; }
  page.enlarged ??= CnnVis.openDialog(page);
  page.enlarged.tile = tile;
  if (page.enlarged.content?.drawn === tile.drawn) return undefined; // it is shown
  return page.enlarged.show(CnnVis.contentOf(page, tile));
};

CnnVis.openDialog = (page) => {
  const imageLink = (rel) => page.root.querySelector(`a[rel="${rel}"]`);
  const step = (text, title, act, possible) => ({ text, title, act, possible });
  const dialog = new CnnVis.EnlargedDialog([
    step("‹ method", "Previous method (←)", () => CnnVis.walkMethods(page, -1), () => Boolean(CnnVis.methodBeside(page, -1))),
    step("method ›", "Next method (→)", () => CnnVis.walkMethods(page, 1), () => Boolean(CnnVis.methodBeside(page, 1))),
    step("‹ image", "Previous image (k)", () => CnnVis.walkImages(page, "prev"), () => Boolean(imageLink("prev"))),
    step("image ›", "Next image (j)", () => CnnVis.walkImages(page, "next"), () => Boolean(imageLink("next"))),
    step("Pin", "Keep it beside the others, to compare them with it; again takes it off (p)", () => CnnVis.pin(page, page.enlarged.tile), () => true),
  ]);
  dialog.page = page;
  dialog.element.addEventListener("close", () => {
    page.enlarged = null;
    if (!page.root.hidden && CnnVis.address.get().open) CnnVis.closedByReader(page);
  });
  return dialog;
};

// What opening added to the reader's history is taken back, where nothing came after it.
CnnVis.closedByReader = (page) => {
  if (CnnVis.address.step() !== "open") { CnnVis.address.replace({ open: "" }); return; }
  page.closing = true;
  const closed = () => { page.closing = false; };
  addEventListener("hashchange", closed, { once: true });
  setTimeout(closed, 1000); // there may be nothing to go back to
  history.back();
};

// The next tile in the order of the page, among those of the same part of it.
CnnVis.methodBeside = (page, by) => {
  const { tile } = page.enlarged;
  const group = ({ class: own, lead }) => (own ? "classes" : lead ? "first row" : "methods");
  const alike = page.tiles.filter((other) => other.drawn && group(other) === group(tile));
  return alike[alike.indexOf(tile) + by];
};

CnnVis.walkMethods = (page, by) => {
  const tile = CnnVis.methodBeside(page, by);
  if (!tile) return;
  CnnVis.address.replace({ open: CnnVis.tileKey(tile) });
  CnnVis.followAddress(page);
};

// To the page of the image beside this one, with the same method enlarged there.
CnnVis.walkImages = (page, rel) => {
  const link = page.root.querySelector(`a[rel="${rel}"]`);
  if (link) location.href = CnnVis.withState(link.getAttribute("href"), { open: page.enlarged.tile.method });
};

// An address with more of a state in it.
CnnVis.withState = (href, more) => {
  const [path, fragment = ""] = href.split("#");
  return path + CnnVis.formatAddress({ ...CnnVis.parseAddress(fragment), ...more });
};
