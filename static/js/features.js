// What the features page, and the features of an image, do: switches between pictures.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.connectFeatures = (root) => {
  for (const each of root.querySelectorAll("[data-maps]")) new CnnVis.FeatureMaps(each);
  for (const group of root.querySelectorAll("[data-kernel-scale]")) {
    const pictures = group.closest(".kernels").querySelectorAll("[data-normalized]");
    CnnVis.connectSwitch(group, (button) => {
      for (const picture of pictures) picture.hidden = picture.dataset.normalized !== button.dataset.normalize;
    });
  }
  for (const group of root.querySelectorAll("[data-variant-switch]")) {
    const pictures = group.closest("[data-variants]").querySelectorAll("[data-variant-of]");
    CnnVis.connectSwitch(group, (button) => {
      for (const picture of pictures) picture.hidden = picture.dataset.variantOf !== button.dataset.variant;
    });
  }
};

CnnVis.connectSwitch = (group, choose) => {
  group.hidden = false;
  CnnVis.radios(group, (button) => { CnnVis.check(group, (each) => each === button); choose(button); });
};
