// Wires the page: which part is shown, the color scheme, and what is only known of time and machine.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.wired = new Map(); // root element to what was made of it

CnnVis.wire = (root) => {
  if (CnnVis.wired.has(root)) return;
  CnnVis.connectFeatures(root);
  CnnVis.connectPerformance(root);
  CnnVis.connectTables(root);
  CnnVis.connectHeadlineFigure(root);
  if (root.querySelector("[data-gallery]")) CnnVis.wired.set(root, new CnnVis.Gallery(root));
  else if (root.dataset.page === "image" && root.querySelector("[data-controls]")) {
    const page = new CnnVis.ImagePage(root);
    CnnVis.wired.set(root, page);
    CnnVis.connectControls(page);
    CnnVis.connectDifference(page);
    CnnVis.connectEnlarge(page);
    CnnVis.connectPin(page);
    CnnVis.connectWalk(page);
    CnnVis.working(page.start());
  } else CnnVis.wired.set(root, null);
};

// In a single file the address names the part to show; elsewhere there is one.
CnnVis.route = () => {
  const parts = [...document.querySelectorAll("main[data-page]")];
  const { page = "index", at } = CnnVis.address.get();
  const named = (part) => (part.dataset.image ? `image-${part.dataset.image}` : part.dataset.page) === page;
  const shown = parts.length === 1 ? parts[0] : (parts.find(named) ?? parts[0]);
  const changed = shown.hidden;
  for (const part of parts) part.hidden = part !== shown;
  document.title = shown.dataset.title ?? document.title;
  CnnVis.wire(shown);
  if (parts.length > 1) {
    for (const link of document.querySelectorAll("[data-nav]")) {
      const here = link.dataset.nav === (shown.dataset.page === "image" ? "index" : shown.dataset.page);
      link[here ? "setAttribute" : "removeAttribute"]("aria-current", "page");
    }
    if (changed) scrollTo(0, 0);
  }
  const anchor = at && shown.querySelector(`[data-anchor="${CSS.escape(at)}"]`);
  const aimed = anchor && (anchor.closest(".tile") ?? anchor); // a method with the same map as another is named there
  for (const each of shown.querySelectorAll("[data-aimed]")) delete each.dataset.aimed;
  if (aimed) { aimed.dataset.aimed = ""; aimed.scrollIntoView(); }
  return shown;
};

// What is drawn is drawn anew only where the address asks for something else.
CnnVis.applyAddress = (page) => {
  if (!page.state) return; // it will begin with what the address says
  const state = page.fromAddress();
  const elsewhere = ["at", "filter", "open", "page", "pin"]; // what is beside the maps
  const differs = (name) => !elsewhere.includes(name) && JSON.stringify(state[name]) !== JSON.stringify(page.state[name]);
  if (Object.keys({ ...page.state, ...state }).some(differs)) page.setState(state);
  else page.root.dispatchEvent(new CustomEvent("cnnvis:address"));
};

CnnVis.connectTheme = () => {
  const group = document.querySelector("[data-theme-switch]");
  const show = () => CnnVis.check(group, (button) => button.dataset.scheme === CnnVis.theme.current());
  group.hidden = false;
  CnnVis.radios(group, (button) => { CnnVis.theme.set(button.dataset.scheme); show(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    CnnVis.theme.apply();
    document.dispatchEvent(new CustomEvent("cnnvis:theme"));
    show();
  });
  show();
};

CnnVis.fillProvenance = async () => {
  const slots = (await CnnVis.package("provenance")) ?? {};
  for (const place of document.querySelectorAll("[data-provenance]")) {
    const text = slots[place.dataset.provenance];
    if (text) place.textContent = (place.dataset.before ?? "") + text;
  }
  const foot = "Made by cnnvis-report" + (slots.finished ? " on " + slots.finished : "");
  document.documentElement.style.setProperty("--foot", JSON.stringify(foot)); // on paper
};

document.addEventListener("DOMContentLoaded", () => {
  CnnVis.connectTheme();
  CnnVis.working(CnnVis.fillProvenance());
  CnnVis.route();
  CnnVis.connectKeys();
  addEventListener("hashchange", () => {
    const shown = CnnVis.wired.get(CnnVis.route());
    for (const page of CnnVis.wired.values()) if (page?.enlarged && page !== shown) page.enlarged.element.close();
    if (shown?.data || shown instanceof CnnVis.Gallery) CnnVis.applyAddress(shown);
  });
  CnnVis.wiringDone();
});
