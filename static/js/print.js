// Paper shows what wasn't scrolled to: pictures below the screen are loaded behind those on it, before the page counts as
// loaded, since whoever prints then, as programs do, waits for nothing else. Of very many the first; a gallery loads its own.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.loadedForPaper = 400; // pictures

CnnVis.loadForPaper = () => {
  const waiting = [...document.querySelectorAll("main:not([hidden]) img[loading=lazy][src]")].filter((image) => image.offsetParent);
  for (const image of waiting.slice(0, CnnVis.loadedForPaper)) {
    if (!image.src.startsWith("data:")) document.head.append(CnnVis.aheadOf(image));
    image.loading = "eager";
  }
};

// The page waits for what is asked for ahead, and not for a picture that was lazy.
CnnVis.aheadOf = (image) =>
  Object.assign(document.createElement("link"), { rel: "preload", as: "image", fetchPriority: "low", href: image.src });

addEventListener("DOMContentLoaded", CnnVis.loadForPaper);
addEventListener("hashchange", () => setTimeout(CnnVis.loadForPaper)); // once another part of a single file is shown
addEventListener("beforeprint", CnnVis.loadForPaper);
