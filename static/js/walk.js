// From image to image within what the gallery shows: the filter is in the address, the order in the gallery's data.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.connectWalk = (page) => {
  const crumbs = page.root.querySelector("[data-walk]");
  if (!crumbs) return;
  page.root.addEventListener("cnnvis:state", () => {
    const { filter } = page.state;
    if (filter === page.walked) return;
    page.walked = filter;
    if (filter) CnnVis.working(CnnVis.walkWithin(page, crumbs, filter));
  });
};

// Turns the links to those of the filter's images; an image that isn't among them leads to the first.
CnnVis.walkWithin = async (page, crumbs, filter) => {
  const items = await CnnVis.package("gallery");
  if (!items) return;
  const ids = CnnVis.galleryOrder(items, CnnVis.parseFilter(filter));
  const at = ids.indexOf(crumbs.dataset.walk);
  const turn = (rel, id) => {
    const link = crumbs.querySelector(`[rel="${rel}"]`);
    if (id) link.setAttribute("href", crumbs.dataset.address.replace("{id}", id));
    else link.removeAttribute("href");
  };
  turn("prev", ids[at - 1]);
  turn("next", ids[at + 1]);
  const whole = CnnVis.wholeInWords;
  crumbs.querySelector("[data-position]").textContent = at < 0 ? `not among the ${whole(ids.length)} chosen`
    : `${whole(at + 1)} of ${whole(ids.length)} chosen`;
  const back = crumbs.querySelector("[data-gallery-link]");
  const [path, fragment = ""] = back.getAttribute("href").split("#");
  back.href = path + CnnVis.formatAddress({ ...CnnVis.parseAddress(fragment), ...CnnVis.parseFilter(filter) });
  back.textContent = "chosen images";
  CnnVis.keepLinks(page);
};
