// The controls of an image page: buttons and sliders to its state, and its state to them.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.connectControls = (page) => {
  const { root } = page;
  const form = root.querySelector("[data-controls]");
  if (!form) return;
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => {
    const { name, type, value, checked } = event.target;
    if (name) page.change({ [name]: type === "checkbox" ? (checked ? "1" : "") : value });
  });
  CnnVis.radios(form.querySelector(".switch"), (button) => page.change({ view: button.dataset.view }));
  CnnVis.radios(root.querySelector("[data-classes]"), (button) => page.change({ class: button.dataset.class }));
  const whole = form.querySelector("[data-reset-zoom]");
  whole.addEventListener("click", () => page.zoomed(null));
  const show = () => {
    const { state } = page;
    for (const field of form.elements) {
      if (!field.name) continue;
      if (field.type === "checkbox") field.checked = Boolean(state[field.name]);
      else if (field.value !== state[field.name] && state[field.name]) field.value = state[field.name];
    }
    CnnVis.check(form.querySelector(".switch"), (button) => button.dataset.view === state.view);
    CnnVis.check(root.querySelector("[data-classes]"), (button) => button.dataset.class === state.class);
    whole.hidden = !state.zoom;
    for (const link of root.querySelectorAll("a[data-keep]")) link.href = CnnVis.keeping(link.getAttribute("href"), state);
  };
  root.addEventListener("cnnvis:state", show);
};

// The address of a neighbor under the same display settings; the class is the neighbor's own business.
CnnVis.keeping = (href, state) => {
  const [path, fragment = ""] = href.split("#");
  const own = CnnVis.parseAddress(fragment);
  const kept = Object.fromEntries(Object.entries(CnnVis.imageDefaults)
    .filter(([name, value]) => state[name] !== value).map(([name]) => [name, state[name]]));
  return path + CnnVis.formatAddress({ ...(own.page ? { page: own.page } : {}), ...kept });
};
