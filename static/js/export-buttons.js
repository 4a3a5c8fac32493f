// What a reader takes away from the enlarged view: files, the picture, the address, LaTeX.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.exports = [
  { name: "png", text: "PNG", title: "Save picture, map, title and color bar at twice their size", act: (content) => CnnVis.savePng(content) },
  { name: "svg", text: "SVG", title: "The same with texts as texts", act: (content) => CnnVis.saveSvg(content) },
  { name: "csv", text: "CSV", title: "Save the values of the map, a line for each row", act: (content) => CnnVis.saveCsv(content) },
  { name: "npy", text: "NPY", title: "Save the values of the map for NumPy", act: (content) => CnnVis.saveNpy(content) },
  { name: "picture", text: "Copy picture", title: "Copy the PNG", act: (content) => CnnVis.copyPicture(content) },
  { name: "link", text: "Copy link", title: "Copy the address of this view", act: ({ link }) => CnnVis.copyText(link(), "the link") },
  { name: "latex", text: "Copy LaTeX", title: "Copy a figure environment for the PNG", act: ({ latex }) => CnnVis.copyText(latex(), "LaTeX for the PNG") },
];

CnnVis.ExportButtons = class {
  constructor() {
    this.buttons = CnnVis.exports.map(({ name, text, title, act }) => {
      const button = CnnVis.make("button", { type: "button", textContent: text, title });
      button.dataset.export = name;
      button.addEventListener("click", () => CnnVis.working(this.perform(act)));
      return button;
    });
    this.reading = CnnVis.make("output", { className: "at" });
    this.status = CnnVis.make("p", { className: "hint" });
    this.status.setAttribute("role", "status");
    const group = CnnVis.make("div", { className: "exports" }, ...this.buttons);
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", "Take away");
    this.element = CnnVis.make("div", {}, this.reading, group, this.status);
  }

  show(content) {
    this.content = content;
    for (const button of this.buttons) button.hidden = ["link", "latex"].includes(button.dataset.export) && !content[button.dataset.export];
    this.status.textContent = "";
    this.read(content, null);
  }

  // Says what came of it, and what can be done where it failed.
  async perform(act) {
    this.status.textContent = "";
    try { this.status.textContent = await act(this.content); } catch (error) { this.status.textContent = error.message; }
  }

  // The value at a place of the picture.
  read({ drawn }, place) {
    if (!place) { this.reading.textContent = "Drag to zoom, double-click for the whole."; return; }
    const within = (value, most) => Math.min(most - 1, Math.max(0, Math.round(value)));
    const [row, column] = [within(place.y, drawn.size[0]), within(place.x, drawn.size[1])];
    this.reading.textContent = `${CnnVis.inWords(CnnVis.valueAt(drawn, place))} at row ${row}, column ${column}`;
  }
};

// The reader's browser saves it under this name.
CnnVis.save = (name, content, type) => {
  const address = URL.createObjectURL(new Blob([content], { type }));
  CnnVis.make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
  return `Saved ${name}`;
};

CnnVis.savePng = async (content) => CnnVis.save(`${content.file}.png`, await CnnVis.pngOf(content), "image/png");
CnnVis.saveSvg = async (content) => CnnVis.save(`${content.file}.svg`, CnnVis.svgOf(content), "image/svg+xml");
CnnVis.saveCsv = async ({ file, values, about }) => {
  const grid = await values();
  return `${CnnVis.save(`${file}.csv`, CnnVis.csv(grid, about(grid)), "text/csv")}: ${about(grid).at(-1)}`;
};
CnnVis.saveNpy = async ({ file, values, about }) => {
  const grid = await values();
  return `${CnnVis.save(`${file}.npy`, CnnVis.npy(grid), "application/octet-stream")}: ${about(grid).at(-1)}`;
};

CnnVis.copyPicture = async (content) => {
  if (!globalThis.ClipboardItem || !navigator.clipboard?.write) throw new Error("This browser can't copy pictures: save the PNG instead.");
  try {
    await navigator.clipboard.write([new ClipboardItem({ "image/png": CnnVis.pngOf(content) })]);
  } catch { throw new Error("The browser didn't allow the picture to be copied: save the PNG instead."); }
  return "Copied the picture";
};

CnnVis.copyText = async (text, what) => {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // not allowed here, as on pages without encryption: the older way
    const field = CnnVis.make("textarea", { value: text, className: "sr" });
    (document.querySelector("dialog[open]") ?? document.body).append(field);
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    if (!copied) throw new Error(`The browser didn't allow ${what} to be copied.`);
  }
  return `Copied ${what}`;
};
