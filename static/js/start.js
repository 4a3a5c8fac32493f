// Wires the page: which part is shown, the color scheme, keys, and what is only known of time and machine.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.wired = new Map(); // root element to what was made of it

CnnVis.wire = (root) => {
  if (CnnVis.wired.has(root)) return;
  CnnVis.connectFeatures(root);
  CnnVis.connectPerformance(root);
  if (root.querySelector("[data-gallery]")) CnnVis.wired.set(root, new CnnVis.Gallery(root));
  else if (root.dataset.page === "image" && root.querySelector("[data-controls]")) {
    const page = new CnnVis.ImagePage(root);
    CnnVis.wired.set(root, page);
    CnnVis.connectControls(page);
    CnnVis.connectDifference(page);
    CnnVis.connectEnlarge(page);
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
  CnnVis.wire(shown);
  if (shown.dataset.image) CnnVis.working(CnnVis.walk(shown));
  else CnnVis.returnTo("");
  if (parts.length > 1) {
    for (const link of document.querySelectorAll("[data-nav]")) {
      const here = link.dataset.nav === (shown.dataset.page === "image" ? "index" : shown.dataset.page);
      link[here ? "setAttribute" : "removeAttribute"]("aria-current", "page");
    }
    if (changed) scrollTo(0, 0);
  }
  const aimed = at && shown.querySelector(`[data-anchor="${CSS.escape(at)}"]`);
  for (const each of shown.querySelectorAll("[data-aimed]")) delete each.dataset.aimed;
  if (aimed) { aimed.dataset.aimed = ""; aimed.scrollIntoView(); }
  return shown;
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
};

CnnVis.onKey = (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.closest?.("input, select, textarea")) return;
  const shown = document.querySelector("main[data-page]:not([hidden])");
  const page = CnnVis.wired.get(shown);
  if (page instanceof CnnVis.ImagePage) CnnVis.imageKey(page, event);
  else if (page instanceof CnnVis.Gallery && event.key === "/") {
    event.preventDefault();
    page.form.elements.q.focus();
  }
};

document.addEventListener("DOMContentLoaded", () => {
  CnnVis.connectTheme();
  CnnVis.working(CnnVis.fillProvenance());
  CnnVis.route();
  document.addEventListener("keydown", CnnVis.onKey);
  addEventListener("hashchange", () => {
    const page = CnnVis.wired.get(CnnVis.route());
    if (page?.data || page instanceof CnnVis.Gallery) page.setState(page.fromAddress());
  });
  CnnVis.wiringDone();
});
