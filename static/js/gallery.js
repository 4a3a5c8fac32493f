// The gallery of the overview: which images are shown, in which order, as which map.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.galleryDefaults = { show: "", verdict: "", label: "", predicted: "", confidence: "", sort: "", q: "" };

// Whether an image fits the state. Pure. image: what its element carries as data.
CnnVis.fits = (image, state) => {
  const [low, high] = state.confidence ? state.confidence.split("-").map(Number) : [-Infinity, Infinity];
  const score = Number(image.score); // its highest probability, or its first value where scores are values
  const holds = (names, name) => !name || names.split("\n").includes(name); // several where an image has several labels
  const words = `${image.name} ${image.predicted} ${image.label}`.toLowerCase();
  return (!state.verdict || image.verdict === state.verdict)
    && holds(image.label, state.label)
    && holds(image.predicted, state.predicted)
    && score >= low && (score < high || high === 1)
    && state.q.toLowerCase().split(/\s+/).every((word) => words.includes(word));
};

// Negative where a comes before b. Pure.
CnnVis.compare = (a, b, sort) => {
  const given = Number(a.index) - Number(b.index);
  if (sort === "lowest") return Number(a.score) - Number(b.score) || given;
  if (sort === "highest") return Number(b.score) - Number(a.score) || given;
  if (sort === "name") return a.name.localeCompare(b.name, "en", { numeric: true }) || given;
  if (sort === "predicted") return a.predicted.localeCompare(b.predicted, "en") || given;
  return given;
};

CnnVis.Gallery = class {
  constructor(root) {
    this.root = root;
    this.form = root.querySelector("[data-gallery-controls]");
    this.list = root.querySelector("[data-gallery]");
    this.items = [...this.list.children];
    this.defaults = { ...CnnVis.galleryDefaults, show: this.list.dataset.shown || "picture" };
    this.form.hidden = false;
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("input", (event) => event.target.name && this.change({ [event.target.name]: event.target.value }));
    CnnVis.radios(this.form.querySelector(".switch"), (button) => this.change({ verdict: button.dataset.verdict }));
    for (const button of root.querySelectorAll("[data-filter-predicted]")) {
      button.addEventListener("click", () => {
        this.change({ ...this.defaults, show: this.state.show, label: button.dataset.filterLabel ?? "", predicted: button.dataset.filterPredicted });
        this.form.scrollIntoView({ block: "start" });
      });
    }
    root.querySelector("[data-gallery-reset]").addEventListener("click", () => this.change({ ...this.defaults, show: this.state.show }));
    this.setState(this.fromAddress());
  }

  fromAddress() {
    const { page, at, ...found } = CnnVis.address.get();
    return { ...this.defaults, ...found };
  }

  change(changes) {
    CnnVis.address.set(changes, this.defaults);
    this.setState({ ...this.state, ...changes });
  }

  setState(state) {
    const before = this.state;
    this.state = state;
    const shown = this.items.filter((item) => CnnVis.fits(item.dataset, state));
    for (const item of this.items) item.hidden = true;
    for (const item of shown) item.hidden = false;
    if (before?.sort !== state.sort && (state.sort || before)) {
      this.items.sort((a, b) => CnnVis.compare(a.dataset, b.dataset, state.sort));
      this.list.append(...this.items);
    }
    for (const field of this.form.elements) if (field.name && field.value !== state[field.name]) field.value = state[field.name];
    CnnVis.check(this.form.querySelector(".switch"), (button) => button.dataset.verdict === state.verdict);
    const all = shown.length === this.items.length;
    this.root.querySelector("[data-gallery-count]").textContent = all ? ""
      : `${CnnVis.wholeInWords(shown.length)} of ${CnnVis.wholeInWords(this.items.length)} images`;
    this.root.querySelector("[data-gallery-empty]").hidden = shown.length > 0;
    if (before?.show !== state.show) this.showMap(state.show);
  }

  // Stills lie beside the page, or in it.
  showMap(name) {
    for (const item of this.items) {
      const image = item.querySelector("img");
      const id = image.dataset.still;
      if (image.getAttribute("src")?.includes("stills/")) {
        image.onerror = () => { image.onerror = null; image.src = `stills/${id}/picture.webp`; }; // no such map of this image
        if (!image.src.endsWith(`/${name}.webp`)) image.src = `stills/${id}/${name}.webp`;
      } else {
        CnnVis.working(CnnVis.package(`stills-${id}`)).then((stills) => { image.src = stills[name] ?? stills.picture; });
      }
    }
  }
};
