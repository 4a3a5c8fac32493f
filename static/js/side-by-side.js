// All classes of an image side by side, for one method.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

// The method that is shown: what the address says, else what the page suggests.
CnnVis.sideMethod = (page) => {
  const options = [...page.side.querySelector("[data-side-method]").options];
  const wanted = options.find((each) => each.value === page.state?.side);
  return (wanted ?? options.find((each) => each.defaultSelected) ?? options[0]).value;
};

CnnVis.connectSide = (page) => {
  const choice = page.side?.querySelector("[data-side-method]");
  if (!choice) return;
  page.side.hidden = false;
  choice.addEventListener("change", () => page.change({ side: choice.value }));
  page.root.addEventListener("cnnvis:state", () => { choice.value = CnnVis.sideMethod(page); });
};
