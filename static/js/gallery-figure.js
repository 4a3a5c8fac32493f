// Images of the gallery as a figure: a row an image, a column a method, to be looked at or printed.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.figureRows = 12;

// A word for a shell. Pure.
CnnVis.shellWord = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

// The folder that a page lies in, from its address; RUN where it isn't a file. Pure.
CnnVis.folderOf = (address) => {
  const { protocol, pathname } = new URL(address);
  if (protocol !== "file:") return "RUN";
  try { return decodeURIComponent(pathname).replace(/\/[^/]*$/, "").replace(/^\/(?=[A-Za-z]:)/, "") || "/"; } catch { return "RUN"; }
};

// The command that writes the same figure. Pure.
CnnVis.figureCommand = (folder, ids, methods) => ["cnnvis-report", "figure", folder, "--images", ids.join(","),
  ...(methods.length ? ["--methods", methods.join(",")] : []), "-o", "figure.pdf"].map(CnnVis.shellWord).join(" ");

CnnVis.GalleryFigure = class {
  constructor(section, tiles, items) {
    this.section = section;
    this.tiles = tiles;
    this.items = items;
    this.methods = items.figure;
    const copy = section.querySelector("[data-copy-command]");
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(section.querySelector("code").textContent);
      copy.textContent = "Copied";
    });
    copy.hidden = !navigator.clipboard;
  }

  // Shows the images at these places, or nothing.
  show(places, state) {
    const { items, section } = this;
    section.hidden = !places.length;
    if (!places.length) return;
    section.querySelector("thead tr").replaceChildren(
      ...["Image", "Picture", ...this.methods.map((method) => items.methods[method])].map((title) => CnnVis.make("th", { scope: "col" }, title)),
    );
    section.querySelector("tbody").replaceChildren(...places.map((place) => this.row(place, state)));
    const folder = this.tiles.list.dataset.stills ? CnnVis.folderOf(location.href) : "RUN";
    section.querySelector("code").textContent = CnnVis.figureCommand(folder, places.map((place) => items.ids[place]), this.methods);
    section.querySelector("[data-copy-command]").textContent = "Copy";
  }

  row(place, state) {
    const { items } = this;
    const [judged, words] = items.verdicts[items.verdict[place]];
    const head = CnnVis.make("th", { scope: "row" },
      CnnVis.make("a", { href: this.tiles.address(place, state) }, items.names[place]),
      CnnVis.make("span", {}, items.captions[place]), CnnVis.make("b", { className: judged }, words));
    return CnnVis.make("tr", {}, head, ...["picture", ...this.methods].map((name) => this.cell(place, name)));
  }

  cell(place, name) {
    if (name !== "picture" && !this.tiles.has(place, name)) return CnnVis.make("td", {}, "no map");
    const image = CnnVis.make("img", { alt: `${this.items.methods[name] ?? "Picture"} of ${this.items.names[place]}` });
    this.tiles.fill(image, place, name);
    return CnnVis.make("td", {}, image);
  }
};
