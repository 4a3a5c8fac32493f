// The first row of an image page as Plotly heatmaps, from the reader's first move on: reading Plotly takes a second.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.connectLive = (page) => {
  const tiles = page.tiles.filter((tile) => tile.lead);
  if (!tiles.length || !matchMedia("(hover: hover) and (pointer: fine)").matches) return; // fingers scroll, and pinch
  let wanted = false;
  const renew = () => { if (wanted) for (const tile of tiles) CnnVis.working(CnnVis.enliven(tile, page)); };
  const begin = () => {
    for (const name of moves) page.root.removeEventListener(name, begin);
    wanted = true;
    CnnVis.working(CnnVis.idle().then(CnnVis.plotly).then(renew));
  };
  const moves = ["pointermove", "pointerdown", "keydown", "focusin"];
  for (const name of moves) page.root.addEventListener(name, begin, { passive: true });
  for (const tile of tiles) tile.element.addEventListener("cnnvis:tile", () => { if (wanted && globalThis.Plotly) CnnVis.working(CnnVis.enliven(tile, page)); });
};

// Makes or renews the heatmap of a tile; takes some 20 ms.
CnnVis.enliven = async (tile, page) => {
  const { drawn } = tile;
  if (!drawn) return CnnVis.rest(tile);
  const plotly = await CnnVis.plotly();
  if (tile.plotted === drawn || drawn !== tile.drawn) return;
  tile.plotted = drawn;
  const made = CnnVis.figure(drawn, { width: tile.view.clientWidth, height: tile.view.clientHeight });
  const fresh = !tile.plot;
  if (fresh) {
    tile.plot = tile.add("div", "plot");
    tile.plot.setAttribute("aria-hidden", "true"); // the canvas below has the words
  }
  await plotly.react(tile.plot, made.data, made.layout, CnnVis.smallConfig(drawn));
  tile.live = true;
  if (!fresh) return;
  tile.plot.on("plotly_relayout", (event) => page.zoomed(CnnVis.zoomOf(event)));
  tile.plot.on("plotly_doubleclick", () => page.zoomed(null));
};

CnnVis.rest = (tile) => {
  if (!tile.plot) return;
  globalThis.Plotly?.purge(tile.plot);
  tile.plot.remove();
  tile.plot = tile.plotted = null;
  tile.live = false;
};
