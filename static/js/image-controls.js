// The controls of an image page: buttons and sliders to its state, and its state to them.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.connectControls = (page) => {
  const { root } = page;
  const form = root.querySelector("[data-controls]");
  if (!form) return;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => {
    const { name, type, value, checked } = event.target;
    if (name) page.change({ [name]: type === "checkbox" ? CnnVis.checkedValues[name][Number(checked)] : value });
  });
  const groups = [...form.querySelectorAll("[data-radios]")];
  for (const group of groups) CnnVis.radios(group, (button) => page.change({ [group.dataset.radios]: button.dataset.value }));
  const classes = root.querySelector("[data-classes]");
  for (const button of classes?.querySelectorAll("[data-class]") ?? []) button.disabled = false;
  CnnVis.radios(classes, (button) => page.change({ class: button.dataset.class }));
  const whole = form.querySelector("[data-reset-zoom]");
  whole.addEventListener("click", () => page.zoomed(null));
  root.addEventListener("cnnvis:state", () => {
    const { state } = page;
    for (const field of form.elements) {
      if (!field.name) continue;
      if (field.type === "checkbox") field.checked = state[field.name] === CnnVis.checkedValues[field.name][1];
      else if (field.value !== state[field.name] && state[field.name]) field.value = state[field.name];
    }
    for (const group of groups) CnnVis.check(group, (button) => button.dataset.value === state[group.dataset.radios]);
    CnnVis.check(classes, (button) => button.dataset.class === state.class);
    whole.hidden = !state.zoom;
    CnnVis.keepLinks(page);
  });
};

// What a box stands for in the state: unchecked, and checked.
CnnVis.checkedValues = { marks: ["off", "on"], color: ["", "1"] };

// Links to the images beside this one keep the display settings, and the gallery's filter.
CnnVis.keepLinks = ({ root, state }) => {
  for (const link of root.querySelectorAll("a[data-keep][href]")) link.href = CnnVis.keeping(link.getAttribute("href"), state);
};

// The address of a neighbor under the same display settings; the class is the neighbor's own business.
CnnVis.keeping = (href, state) => {
  const [path, fragment = ""] = href.split("#");
  const own = CnnVis.parseAddress(fragment);
  const settings = Object.entries(CnnVis.imageDefaults).filter(([name, value]) => state[name] !== undefined && state[name] !== value);
  const named = Object.fromEntries(settings.map(([name]) => [name, state[name]]));
  return path + CnnVis.formatAddress({ ...(own.page ? { page: own.page } : {}), ...named, filter: state.filter ?? "" });
};
