// The pages of the gallery: which images are shown of how many, and which way there are more.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.galleryPage = 60; // images at a time

// The place of the first image to show, a whole number of pages from the beginning. Pure.
CnnVis.firstShown = (start, images, most = CnnVis.galleryPage) => {
  const last = Math.max(0, Math.ceil(images / most) - 1) * most;
  return Math.max(0, Math.min(last, Math.floor((Number(start) - 1 || 0) / most) * most));
};

CnnVis.tellPages = ({ root, places, items, figure, state }, first, number) => {
  const [fitting, all] = [places.length, items.ids.length].map(CnnVis.wholeInWords);
  root.querySelector("[data-gallery-count]").textContent = fitting === all ? "" : `${fitting} of ${all} images`;
  const several = places.length > CnnVis.galleryPage;
  for (const pager of root.querySelectorAll("[data-pager]")) {
    pager.hidden = !several || state.figure !== "";
    pager.querySelector("[data-range]").textContent = several
      ? `${CnnVis.wholeInWords(first + 1)} to ${CnnVis.wholeInWords(first + number)} of ${fitting}` : "";
    for (const button of pager.querySelectorAll("[data-turn]")) {
      button.disabled = button.dataset.turn === "-1" ? first === 0 : first + number >= places.length;
    }
  }
  root.querySelector("[data-gallery-empty]").hidden = places.length > 0;
  const button = root.querySelector("[data-gallery-figure]");
  const rows = Math.min(CnnVis.figureRows, number);
  button.hidden = !rows || !figure.methods.length;
  button.textContent = state.figure ? "Back to the gallery" : rows === 1 ? "This image as a figure" : `These ${rows} as a figure`;
};
