// The performance page: which method the snapshots of the training show.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.connectPerformance = (root) => {
  for (const snapshots of root.querySelectorAll("[data-snapshots]")) {
    const label = snapshots.querySelector("[data-snapshots-choice]");
    label.hidden = false;
    label.querySelector("select").addEventListener("change", (event) => {
      for (const picture of snapshots.querySelectorAll("[data-snapshot-of]")) {
        picture.hidden = picture.dataset.snapshotOf !== event.target.value;
      }
    });
  }
};
