// Which images a gallery shows, and in which order: pure functions of its data, for the gallery and for image pages.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

// What chooses and orders images; everything else of a gallery's state is how they look.
CnnVis.galleryFilter = { verdict: "", label: "", predicted: "", confidence: "", sort: "", group: "", q: "" };

// The filter and the order of a state as one text for the addresses of image pages; empty where nothing is chosen.
CnnVis.formatFilter = (state) => CnnVis.formatAddress(
  Object.fromEntries(Object.keys(CnnVis.galleryFilter).map((name) => [name, state[name]])),
).slice(1);

// The inverse. Names that are no part of a filter are left out.
CnnVis.parseFilter = (text) => {
  const given = new URLSearchParams(text ?? "");
  return Object.fromEntries(Object.entries(CnnVis.galleryFilter).map(([name, value]) => [name, given.get(name) ?? value]));
};

// The ids of the images that fit a state, in its order. items: what data/gallery.js delivers.
CnnVis.galleryOrder = (items, state) => CnnVis.galleryPlaces(items, { ...CnnVis.galleryFilter, ...state }).map((place) => items.ids[place]);

// The same images by their places in the data.
CnnVis.galleryPlaces = (items, state) => {
  const fits = CnnVis.galleryTest(items, state);
  const places = items.ids.map((_, place) => place).filter(fits);
  const groups = CnnVis.galleryGroups(items, places, state.group);
  const key = CnnVis.galleryKey(items, state.sort);
  return places.sort((a, b) => groups.rank(a) - groups.rank(b) || key(a) - key(b) || a - b);
};

// Whether the image at a place fits.
CnnVis.galleryTest = (items, { verdict, label, predicted, confidence, q }) => {
  const [low, high] = confidence ? confidence.split("-").map(Number) : [-Infinity, Infinity];
  const among = (places, name) => !name || places.some((place) => items.classes[place] === name);
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const named = (places) => places.map((place) => items.classes[place]).join(" ");
  const text = (place) => `${items.names[place]} ${named(items.predicted[place])} ${named(items.labels[place])}`.toLowerCase();
  const holds = (content) => words.every((word) => content.includes(word));
  return (place) => (!verdict || items.verdicts[items.verdict[place]][0] === verdict)
    && among(items.labels[place], label)
    && among(items.predicted[place], predicted)
    && items.scores[place] >= low && (items.scores[place] < high || high === 1)
    && (!words.length || holds(text(place)));
};

// A number to order images by, the smallest first; images without the number come last, whichever end is first.
CnnVis.galleryKey = (items, sort) => {
  if (sort === "name") return (place) => items.byName[place];
  if (sort === "predicted") return (place) => items.predicted[place][0] ?? Number.MAX_VALUE;
  const [, end, measure] = /^(lowest|highest)(?:-(\w+))?$/.exec(sort) ?? [];
  const values = end && (measure ? items.measures[measure] : items.scores);
  if (!values) return () => 0;
  const sign = end === "lowest" ? 1 : -1;
  return (place) => (values[place] === null ? Number.MAX_VALUE : sign * values[place]);
};

// The groups of images: name and rank of each one's, and how many it has. Errors group by size, names by alphabet.
CnnVis.galleryGroups = (items, places, group) => {
  const named = (list) => list.map((place) => items.classes[place]).join(", ");
  const pair = (place) => (items.verdicts[items.verdict[place]][0] === "misclassified"
    ? `${named(items.labels[place])} predicted as ${named(items.predicted[place])}` : "");
  const name = {
    label: (place) => named(items.labels[place]), predicted: (place) => named(items.predicted[place]), pair,
  }[group];
  if (!name) return { name: () => "", rank: () => 0, size: () => places.length };
  const sizes = new Map();
  const names = new Map(places.map((place) => [place, name(place)]));
  for (const text of names.values()) sizes.set(text, (sizes.get(text) ?? 0) + 1);
  const first = new Map();
  for (const place of places) if (!first.has(names.get(place))) first.set(names.get(place), items[group]?.[place] ?? []);
  const before = (a, b) => (a === "") - (b === "") // images of no group stand last
    || (group === "pair" && sizes.get(b) - sizes.get(a)) || CnnVis.compareLists(first.get(a), first.get(b)) || (a < b ? -1 : 1);
  const ranks = new Map([...sizes.keys()].sort(before).map((text, rank) => [text, rank]));
  return { name: (place) => names.get(place), rank: (place) => ranks.get(names.get(place)), size: (text) => sizes.get(text) };
};

// Lists of numbers as words are ordered.
CnnVis.compareLists = (a, b) => {
  const at = a.findIndex((value, place) => value !== b[place]);
  return at < 0 ? a.length - b.length : a[at] - (b[at] ?? -1);
};
