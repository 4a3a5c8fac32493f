// Paper shows what wasn't scrolled to: pictures below the screen are loaded behind those on it, before the page counts as
// loaded, since whoever prints then, as programs do, waits for nothing else. Of very many the first; a gallery loads its own.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.loadedForPaper = 400; // pictures

CnnVis.loadForPaper = () => {
  const waiting = [...document.querySelectorAll("main:not([hidden]) img[loading=lazy]")].filter((image) => image.offsetParent);
  for (const image of waiting.slice(0, CnnVis.loadedForPaper)) Object.assign(image, { fetchPriority: "low", loading: "eager" });
};

addEventListener("DOMContentLoaded", CnnVis.loadForPaper);
addEventListener("hashchange", () => setTimeout(CnnVis.loadForPaper)); // once another part of a single file is shown
addEventListener("beforeprint", CnnVis.loadForPaper);
