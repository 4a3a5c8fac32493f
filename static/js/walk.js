// Image pages that are reached from a choice of images: previous and next stay within it, and so does the way back.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

// The neighbors of an image in a list of ids: { before, after, number }, the number from 1; nothing where it isn't in it. Pure.
CnnVis.neighborsOf = (ids, id) => {
  const place = ids.indexOf(id);
  return place < 0 ? undefined : { before: ids[place - 1], after: ids[place + 1], number: place + 1 };
};

// Sets the links of the image page `root` to what the filter in the address says.
CnnVis.walk = async (root) => {
  const { filter = "" } = CnnVis.address.get();
  const strip = root.querySelector("[data-walk]");
  CnnVis.returnTo(filter);
  if (!strip || filter === (strip.dataset.filter ?? "")) return; // the links that are there are right
  const items = await CnnVis.package("gallery");
  const ids = CnnVis.galleryOrder(items, CnnVis.parseFilter(filter));
  const neighbors = CnnVis.neighborsOf(ids, root.dataset.image);
  if (!neighbors) return;
  strip.dataset.filter = filter;
  const state = { ...CnnVis.imageDefaults, ...CnnVis.wired.get(root)?.state, filter };
  for (const [rel, id] of [["prev", neighbors.before], ["next", neighbors.after]]) {
    const before = strip.querySelector(`[data-step="${rel}"]`);
    const link = document.createElement(id ? "a" : "span");
    link.dataset.step = rel;
    link.append(...before.childNodes);
    if (id) Object.assign(link, { rel, href: CnnVis.keeping(strip.dataset.walk.replace("{id}", id), state) }).dataset.keep = "";
    before.replaceWith(link);
  }
  strip.querySelector("[data-position]").textContent = `${CnnVis.wholeInWords(neighbors.number)} of ${CnnVis.wholeInWords(ids.length)}`
    + (filter && ids.length < items.ids.length ? " chosen" : "");
};

// The link to the overview leads to the images that were chosen.
CnnVis.returnTo = (filter) => {
  const link = document.querySelector('[data-nav="index"]');
  if (!link) return;
  link.dataset.address ??= link.getAttribute("href");
  const address = link.dataset.address;
  link.href = filter ? `${address}${address.includes("#") ? "&" : "#"}at=images&${filter}` : address;
};
