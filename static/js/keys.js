// The keys: one table for what they do and for the window that lists them.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

// where: the parts of the report that the key is for. release: what happens when it is let go.
CnnVis.keyTable = [
  { where: ["image"], keys: ["j"], words: "next image", act: (page) => CnnVis.clickLink(page, "next") },
  { where: ["image"], keys: ["k"], words: "previous image", act: (page) => CnnVis.clickLink(page, "prev") },
  { where: ["image"], keys: [..."123456789"], shown: "1–9", words: "explain the first, second, … class", act: (page, key) => CnnVis.chooseClass(page, key) },
  { where: ["image"], keys: ["z"], words: "reset the zoom", act: (page) => page.zoomed(null) },
  { where: ["image"], keys: ["p"], words: "pin the map under the pointer or with the focus, to compare others with it", act: (page) => CnnVis.pinUnderPointer(page) },
  { where: ["image"], keys: ["b"], words: "while held: show the pinned map in the place of all others", act: (page) => CnnVis.blink(page, true), release: (page) => CnnVis.blink(page, false) },
  { where: ["enlarged"], keys: ["ArrowLeft"], shown: "←", words: "previous method", act: (page) => CnnVis.walkMethods(page, -1) },
  { where: ["enlarged"], keys: ["ArrowRight"], shown: "→", words: "next method", act: (page) => CnnVis.walkMethods(page, 1) },
  { where: ["enlarged"], keys: ["j"], words: "next image", act: (page) => CnnVis.walkImages(page, "next") },
  { where: ["enlarged"], keys: ["k"], words: "previous image", act: (page) => CnnVis.walkImages(page, "prev") },
  { where: ["enlarged"], keys: [..."123456789"], shown: "1–9", words: "explain the first, second, … class", act: (page, key) => CnnVis.chooseClass(page, key) },
  { where: ["enlarged"], keys: ["z"], words: "reset the zoom", act: (page) => page.zoomed(null) },
  { where: ["enlarged"], keys: ["p"], words: "pin the map, or unpin it", act: (page) => CnnVis.pin(page, page.enlarged.tile) },
  { where: ["enlarged"], keys: ["Escape"], shown: "Esc", words: "close", act: null }, // the browser's own
  { where: ["overview"], keys: ["/"], words: "search the images", act: (page) => page.form.elements.q.focus() },
  { where: ["image", "enlarged", "overview", "other"], keys: ["?"], words: "this list", act: () => CnnVis.listKeys() },
];

CnnVis.keyParts = { overview: "Overview", image: "Image page", enlarged: "Enlarged map" };

CnnVis.clickLink = (page, rel) => page.root.querySelector(`a[rel="${rel}"]`)?.click();
CnnVis.chooseClass = (page, key) => page.root.querySelectorAll("[data-classes] [data-class]")[Number(key) - 1]?.click();

// What the keys are for at the moment: { where, page }; nothing in a window that has none of its own.
CnnVis.keyFocus = () => {
  const page = CnnVis.wired.get(document.querySelector("main[data-page]:not([hidden])"));
  const dialog = document.querySelector("dialog[open]");
  if (dialog) return { where: page?.enlarged?.element === dialog ? "enlarged" : "", page };
  if (CnnVis.Gallery && page instanceof CnnVis.Gallery) return { where: "overview", page };
  return { where: page instanceof CnnVis.ImagePage && page.data ? "image" : "other", page };
};

// Whether a key is a part of what is written or chosen in a field.
CnnVis.isTyping = (element, key) => Boolean(
  element.closest?.('textarea, select, [contenteditable], input:not([type="checkbox"], [type="radio"], [type="range"])')
  || (key.startsWith("Arrow") && element.closest?.('input, [role="radio"]')));

CnnVis.onKey = (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || CnnVis.isTyping(event.target, event.key)) return;
  const { where, page } = CnnVis.keyFocus();
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const entry = CnnVis.keyTable.find((row) => row.where.includes(where) && row.keys.includes(key));
  const act = event.type === "keyup" ? entry?.release : entry?.act;
  if (!act) return;
  event.preventDefault();
  act(page, key);
};

// A window with the table, by the part of the report that keys are for.
CnnVis.listKeys = () => {
  const dialog = CnnVis.make("dialog", { className: "keys" });
  dialog.setAttribute("aria-labelledby", "keys-title");
  const close = CnnVis.make("button", { type: "button", textContent: "Close", onclick: () => dialog.close() });
  dialog.append(CnnVis.make("header", {}, CnnVis.make("h2", { id: "keys-title", textContent: "Keys" }), close));
  for (const [part, title] of Object.entries(CnnVis.keyParts)) {
    const rows = CnnVis.keyTable.filter((row) => row.where.includes(part)).map((row) => CnnVis.make("tr", {},
      CnnVis.make("th", { scope: "row" }, CnnVis.make("kbd", { textContent: row.shown ?? row.keys[0] })),
      CnnVis.make("td", { textContent: row.words })));
    dialog.append(CnnVis.make("table", {}, CnnVis.make("caption", { textContent: title }), ...rows));
  }
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
};

// Keys, and a button for who doesn't know that there are any.
CnnVis.connectKeys = () => {
  for (const name of ["keydown", "keyup"]) document.addEventListener(name, CnnVis.onKey);
  const button = CnnVis.make("button", { type: "button", className: "keys-button", textContent: "?", title: "Keys", onclick: CnnVis.listKeys });
  button.setAttribute("aria-label", "Keys");
  document.querySelector("[data-theme-switch]").after(button);
};
