// The way from image to image: through those that the gallery's filter left, in its order, as long as the address has it.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.connectWalk = (page) => {
  for (const name of ["cnnvis:state", "cnnvis:address"]) page.root.addEventListener(name, () => CnnVis.working(CnnVis.walk(page)));
};

// The links to the images beside this one, and those back to the gallery, as the address says.
CnnVis.walk = async (page) => {
  const { filter = "", pin = "" } = CnnVis.address.get();
  if (filter) await CnnVis.walkWithin(page, filter);
  for (const link of page.root.querySelectorAll("a[data-keep]")) link.href = CnnVis.withState(link.getAttribute("href"), { filter, pin });
  for (const link of document.querySelectorAll('.brand, [data-nav="index"]')) {
    link.href = CnnVis.withState(link.getAttribute("href"), { ...CnnVis.parseFilter(filter), at: filter && "images" });
  }
};

CnnVis.walkWithin = async (page, filter) => {
  const state = CnnVis.parseFilter(filter);
  const order = CnnVis.galleryOrder(await CnnVis.package("gallery"), state);
  const index = order.indexOf(page.root.dataset.image);
  const position = page.root.querySelector("[data-position]");
  if (index < 0 || !position) return; // the filter of another report, or an image that has changed since
  const words = CnnVis.filterInWords(state);
  position.textContent = `${CnnVis.wholeInWords(index + 1)} of ${CnnVis.wholeInWords(order.length)}${words ? ` ${words}` : ""}`;
  CnnVis.stepTo(page, "prev", order[index - 1]);
  CnnVis.stepTo(page, "next", order[index + 1]);
};

// A link to an image in the place of the one that is there, or a text where there is no such image.
CnnVis.stepTo = (page, rel, id) => {
  const before = page.root.querySelector(`[data-walk="${rel}"]`);
  if (!before) return;
  const step = CnnVis.make(id ? "a" : "span", {}, ...before.childNodes);
  step.dataset.walk = rel;
  if (id) {
    const address = document.querySelectorAll("main[data-page]").length > 1 ? `#page=image-${id}` : `${id}.html`;
    Object.assign(step, { rel, href: CnnVis.keeping(address, page.state) });
    step.dataset.keep = "";
  }
  before.replaceWith(step);
};

// What a filter asks for, such as "misclassified, label cat". Pure.
CnnVis.filterInWords = ({ verdict, label, predicted, confidence, q }) => [
  verdict, label && `label ${label}`, predicted && `predicted ${predicted}`, confidence && `confidence ${confidence.replace("-", " to ")}`, q && `“${q}”`,
].filter(Boolean).join(", ");
