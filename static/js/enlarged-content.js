// What the enlarged view and everything taken from it says of a map.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.contentOf = (page, tile) => {
  const { drawn, method } = tile;
  const { facts } = page.data;
  const { class: chosen, minus } = tile.stateOf(page.state);
  const classes = [chosen, minus];
  const target = `${facts.noun} ${classes.filter(Boolean).map((index) => facts.targets[index]).join(" − ")}`;
  const { layer } = drawn;
  const several = Object.keys(page.data.maps[method]).length > 1;
  const file = CnnVis.fileName(facts, method, classes, several ? layer : "");
  const ends = CnnVis.endsInWords(drawn.style, drawn.map.ends[0]);
  const scale = CnnVis.scaleInWords(drawn);
  const title = CnnVis.titleOf([drawn.title, facts.name, target, facts.model]);
  const key = [method, layer.replace(/[^\w.#-]/gu, "_"), chosen].filter(Boolean).join("/");
  const warnings = facts.warnings[method]?.[layer] ?? facts.warnings[method]?.[""] ?? [];
  return {
    title, drawn, page, file, ends, scale, warnings, bar: !drawn.pictureImage,
    notes: [drawn.map.evidence, ...warnings].filter(Boolean),
    panels: [`${CnnVis.plain(facts.name)}, ${page.size.toReversed().join("×")} pixels${CnnVis.partInWords(drawn)}`, ""],
    labels: [`Picture: ${facts.name}`, tile.canvas.getAttribute("aria-label")],
    values: () => drawn.cells,
    about: (grid) => [title.replace(/\p{Bidi_Control}/gu, ""), ...CnnVis.exactnessInWords(page, drawn, grid, facts.id, minus ? "" : key)],
    link: () => CnnVis.address.link({ class: page.state.class, open: CnnVis.tileKey(tile) }),
    latex: () => CnnVis.latex({
      file, method: drawn.title, key: facts.keys[method], image: facts.name, target: `the ${target}`, model: facts.model, scale: `colors from ${ends[0]} to ${ends[2]} (${scale})`, pair: true,
    }),
    onZoom: (zoom) => page.zoomed(zoom),
  };
};

// Which part of the picture is shown, where it isn't the whole.
CnnVis.partInWords = ({ zoom }) => {
  if (!zoom) return "";
  const [rows, columns] = [zoom.y, zoom.x].map(([from, to]) => `${Math.ceil(from)}–${Math.floor(to)}`);
  return `: rows ${rows}, columns ${columns}`;
};

// How the values of a page differ from those of the run, and where those are.
CnnVis.exactnessInWords = (page, { map }, { height, width, values }, id, key) => {
  const size = `${height} rows of ${width} values, the top row first`;
  const where = `arrays/${id}.npz in the run folder${key ? `, ${key}` : ""}`;
  if (page.data.scaled) return [size, `divided by the value at which the colors of each map end; the maps themselves are in arrays/${id}.npz in the run folders`];
  if (map.steps === 0) return [size, `exact values, as in ${where}`];
  if (map.steps === undefined) return [size, `the difference of two maps of the page; those of the run are in ${where}`];
  const error = CnnVis.errorsOf(map, { values }).reduce((most, value) => Math.max(most, value), 0);
  const halved = height < page.size[0] ? "averaged over 2×2 pixels and " : "";
  return [size, `${halved}rounded to within ${CnnVis.boundInWords(error || map.largest)}; the exact values are in ${where}`];
};

// A map without a page of its own, such as a channel's. said: what stands below it; filename: of what the reader saves.
CnnVis.openLarge = ({ title, said, filename, drawn }) => {
  const dialog = new CnnVis.EnlargedDialog();
  const largest = drawn.grid.values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return dialog.show({
    title: CnnVis.titleOf([title]), drawn: { ...drawn, cells: drawn.grid }, file: CnnVis.slug(filename) || "map", ends: CnnVis.endsInWords(drawn.style, largest), scale: "", bar: true,
    notes: [said], warnings: [], panels: [""], labels: [title], values: () => drawn.grid, about: () => [title, said],
    onZoom: (zoom) => dialog.show({ ...dialog.content, drawn: { ...dialog.content.drawn, zoom } }),
  });
};
