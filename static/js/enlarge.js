// A map in a window of its own: axes, color bar, and Plotly's buttons to save it as a picture.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.connectEnlarge = (page) => {
  for (const tile of page.tiles) {
    if (!tile.method) continue;
    const button = tile.add("button", "enlarge");
    button.type = "button";
    button.textContent = "⤢";
    button.setAttribute("aria-label", `Enlarge ${tile.element.querySelector("h3").textContent.trim()}`);
    button.addEventListener("click", () => CnnVis.enlarge(tile));
  }
};

CnnVis.enlarge = ({ drawn, method }) => CnnVis.openLarge({
  title: `${drawn.title} for ${drawn.target}`, said: drawn.map.evidence, filename: method, drawn,
});

// drawn: as for `CnnVis.figure`; said: what stands below it; filename: of a picture that the reader saves.
CnnVis.openLarge = (given) => CnnVis.working(CnnVis.drawLarge(given));

CnnVis.drawLarge = async ({ title, said, filename, drawn }) => {
  const dialog = document.createElement("dialog");
  const heading = document.createElement("h2");
  heading.textContent = title;
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "Close";
  close.addEventListener("click", () => dialog.close());
  const head = document.createElement("header");
  head.append(heading, close);
  const place = document.createElement("div");
  place.className = "large";
  const words = document.createElement("p");
  words.className = "hint";
  words.textContent = `${said}. Drag to zoom, double-click for the whole.`;
  dialog.append(head, place, words);
  document.body.append(dialog);
  dialog.addEventListener("close", () => { globalThis.Plotly?.purge(place); dialog.remove(); });
  dialog.showModal();
  const plotly = await CnnVis.plotly();
  const ink = getComputedStyle(dialog).color;
  const made = CnnVis.figure(drawn, { width: place.clientWidth, height: place.clientHeight, large: true, ink });
  await plotly.newPlot(place, made.data, made.layout, {
    ...CnnVis.plotlyConfig, displayModeBar: true, doubleClick: "reset",
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
    toImageButtonOptions: { filename, scale: 2 },
  });
};
