// The tiles of the gallery: picture and map of an image, under headings where images are grouped.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.groupless = { label: "no label", predicted: "nothing predicted", pair: "not misclassified" };

// Pictures out of sight wait until the page has nothing else to do, and no longer: paper shows them all.
CnnVis.loadWhenIdle = (list) => (globalThis.requestIdleCallback ?? setTimeout)(() => {
  for (const image of list.querySelectorAll('img[loading="lazy"]')) image.loading = "eager";
});

// A name with the places where it may be broken, as the page was written with.
CnnVis.writeName = (element, name) => {
  element.title = name;
  const parts = name.split(/(?<=[._/-])(?=.)|(?<=[a-z])(?=[A-Z])/);
  element.replaceChildren(...parts.flatMap((part, at) => (at ? [document.createElement("wbr"), part] : [part])));
};

CnnVis.GalleryTiles = class {
  // list: an element with lists of tiles, of which the first tile is the model for all.
  constructor(list, items) {
    this.list = list;
    this.items = items;
    this.model = list.querySelector("li").cloneNode(true);
    CnnVis.loadWhenIdle(list);
    this.gaps = new Map(Object.entries(items.without).map(([method, places]) => [method, new Set(places)]));
  }

  // Shows the images at these places. groups: from galleryGroups.
  show(places, groups, state) {
    const parts = [];
    let list, name;
    for (const place of places) {
      if (!list || groups.name(place) !== name) {
        name = groups.name(place);
        list = CnnVis.make("ol", { className: "gallery" });
        parts.push(state.group ? this.group(name || CnnVis.groupless[state.group], groups.size(name), list) : list);
      }
      list.append(this.tile(place, state));
    }
    this.list.replaceChildren(...parts);
    CnnVis.loadWhenIdle(this.list);
  }

  group(name, number, list) {
    const count = number === 1 ? "1 image" : `${CnnVis.wholeInWords(number)} images`;
    return CnnVis.make("div", { className: "group" }, CnnVis.make("h3", {}, `${name} `, CnnVis.make("small", {}, count)), list);
  }

  tile(place, state) {
    const { items } = this;
    const tile = this.model.cloneNode(true);
    const [judged, words] = items.verdicts[items.verdict[place]];
    tile.dataset.name = items.names[place];
    tile.querySelector("a").href = this.address(place, state);
    CnnVis.writeName(tile.querySelector(".name"), items.names[place]);
    tile.querySelector("[data-caption]").textContent = items.captions[place];
    const verdict = tile.querySelector("[data-judged]");
    verdict.textContent = words;
    verdict.className = judged;
    const [picture, map] = tile.querySelectorAll("img");
    this.fill(picture, place, "picture");
    map.hidden = !this.has(place, state.show);
    if (!map.hidden) this.fill(map, place, state.show);
    return tile;
  }

  // Of the image's page, where previous and next stay within what the state chooses.
  address(place, state) {
    return CnnVis.withState(this.list.dataset.address.replace("{id}", this.items.ids[place]), { filter: CnnVis.formatFilter(state) });
  }

  has(place, method) { return method in this.items.methods && !this.gaps.get(method)?.has(place); }

  // Stills lie beside the page, or in it.
  fill(image, place, name) {
    const id = this.items.ids[place];
    const { pictures, stills } = this.list.dataset;
    const pattern = name === "picture" ? pictures : stills;
    if (pattern) image.src = pattern.replace("{id}", id).replace("{name}", name);
    else CnnVis.working(CnnVis.package(`stills-${id}`)).then((inside) => { image.src = inside[name] ?? inside.picture; });
  }
};
