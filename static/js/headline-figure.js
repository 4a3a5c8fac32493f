// The headline figure: its command names the folder that the report lies in.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.connectHeadlineFigure = (root) => {
  for (const name of root.querySelectorAll("[data-folder]")) name.textContent = CnnVis.shellWord(CnnVis.folderOf(location.href));
};
