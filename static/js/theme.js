// Light or dark, before the page is painted: what the reader chose, else what the system says.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.theme = {
  chosen() {
    try { return localStorage.getItem("cnnvis-theme"); } catch { return null; } // storage may be forbidden
  },
  current() { return document.documentElement.dataset.theme; },
  set(scheme) {
    try { localStorage.setItem("cnnvis-theme", scheme); } catch { /* then it lasts as long as the page */ }
    CnnVis.theme.apply();
    if (CnnVis.theme.current() !== scheme) document.documentElement.dataset.theme = scheme;
    document.dispatchEvent(new CustomEvent("cnnvis:theme"));
  },
  apply() {
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    document.documentElement.dataset.theme = CnnVis.theme.chosen() ?? system;
  },
};
CnnVis.theme.apply();
