// The class that is subtracted: its control, its place in the state, and the words for what is shown.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

// What is shown, by the names of the classes.
CnnVis.named = (targets, state) => {
  const name = (index) => targets.find((each) => String(each.index) === index)?.name ?? "";
  const [of, minus] = [name(state.class), name(state.minus)];
  return { of, minus, shown: state.minus ? `${of} − ${minus}` : of };
};

// A class minus itself is no question: then nothing is subtracted, nor where there is no such class.
CnnVis.withMinus = (state, known) => {
  const possible = state.minus !== state.class && known.includes(state.minus);
  return { ...state, minus: possible ? state.minus : "" };
};

// The control beside the classes, and the line that says what is shown.
CnnVis.connectDifference = (page) => {
  const { root } = page;
  const field = root.querySelector("[data-minus]");
  if (!field) return; // one class has nothing to be compared with
  field.addEventListener("input", () => page.change({ minus: field.value }));
  root.addEventListener("cnnvis:state", () => {
    const { state } = page;
    for (const option of field.options) option.hidden = option.disabled = option.value === state.class;
    field.value = state.minus;
    field.disabled = false;
    for (const each of root.querySelectorAll("[data-difference]")) each.hidden = !state.minus;
    const names = CnnVis.named(page.data.targets, state);
    for (const each of root.querySelectorAll("[data-named]")) each.textContent = names[each.dataset.named];
    const color = root.querySelector('[data-controls] [name="color"]');
    if (color) color.disabled = Boolean(state.minus); // a picture in colors isn't a number to subtract
  });
};
