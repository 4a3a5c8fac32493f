// Paper shows what wasn't scrolled to: pictures are loaded when the page has nothing else to do, of a page at a time.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.loadedForPaper = 400; // pictures

CnnVis.loadForPaper = () => {
  const waiting = [...document.querySelectorAll("main:not([hidden]) img[loading=lazy]")].filter((image) => image.offsetParent);
  for (const image of waiting.slice(0, CnnVis.loadedForPaper)) image.loading = "eager";
};

addEventListener("load", () => setTimeout(CnnVis.loadForPaper, 2500));
addEventListener("beforeprint", CnnVis.loadForPaper);
