// Tables that can be sorted, and rows that open what is said about them; text that can be copied.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

// Positions of rows in the order of their keys; what is empty comes last either way, equal ones keep their order. Pure.
CnnVis.sortOrder = (keys, descending) => {
  const numbers = keys.every((key) => key === "" || Number.isFinite(Number(key)));
  const compare = (a, b) => (numbers ? Number(a) - Number(b) : a.localeCompare(b, "en"));
  return keys.map((_, position) => position).sort((a, b) => {
    if (keys[a] === "" || keys[b] === "") return (keys[a] === "") - (keys[b] === "") || a - b;
    return (descending ? -1 : 1) * compare(keys[a], keys[b]) || a - b;
  });
};

// A button in the place of an element, which says the same.
CnnVis.asButton = (element, attributes) => {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = element.textContent;
  if (element.title) button.title = element.title;
  for (const [name, value] of Object.entries(attributes)) button.setAttribute(name, value);
  element.replaceWith(button);
  return button;
};

CnnVis.connectTable = (table) => {
  const heads = [...table.querySelectorAll("thead [data-sort]")];
  const bodies = [...table.querySelectorAll("[data-rows]")];
  const sort = (name, descending) => {
    const column = heads.findIndex((head) => head.dataset.sort === name);
    const keys = bodies.map((body) => (column < 0 ? "" : body.rows[0].cells[column].dataset.order));
    for (const position of CnnVis.sortOrder(keys, descending)) table.append(bodies[position]);
    heads.forEach((head, at) => {
      if (at === column) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
  };
  const fromAddress = () => {
    const { sort: wanted = "" } = CnnVis.address.get();
    sort(wanted.replace(/^-/, ""), wanted.startsWith("-"));
  };
  for (const head of heads) {
    CnnVis.asButton(head.querySelector("span"), { class: "sort" }).addEventListener("click", () => {
      const now = head.getAttribute("aria-sort");
      const first = "descending" in head.dataset ? "descending" : "ascending";
      const next = now === null ? first : now === "ascending" ? "descending" : "ascending";
      CnnVis.address.set({ sort: `${next === "descending" ? "-" : ""}${head.dataset.sort}` });
      sort(head.dataset.sort, next === "descending");
    });
  }
  addEventListener("hashchange", fromAddress);
  fromAddress();
};

// What is said about a row, closed until it is asked for, by its button or by the address.
CnnVis.connectToggles = (table) => {
  const open = (button, whether) => {
    button.setAttribute("aria-expanded", String(whether));
    document.getElementById(button.getAttribute("aria-controls")).hidden = !whether;
  };
  const buttons = new Map();
  for (const title of table.querySelectorAll("[data-toggle]")) {
    const button = CnnVis.asButton(title, { class: "toggle", "aria-controls": title.dataset.toggle });
    buttons.set(button.closest("[data-rows]").id, button);
    button.addEventListener("click", () => open(button, button.getAttribute("aria-expanded") !== "true"));
    open(button, false);
  }
  const fromAddress = () => {
    const button = buttons.get(CnnVis.address.get().at);
    if (button) { open(button, true); button.closest("[data-rows]").scrollIntoView(); }
  };
  addEventListener("hashchange", fromAddress);
  fromAddress();
};

// Copies the text beside a button; where the browser doesn't let a page copy, it is selected.
CnnVis.connectCopy = (button) => {
  const text = button.parentElement.querySelector("pre, code");
  button.hidden = false;
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    const name = button.textContent;
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(text);
      button.textContent = "Selected: copy with Ctrl+C";
    }
    setTimeout(() => { button.textContent = name; }, 2000);
  });
};

CnnVis.connectTables = (root) => {
  for (const table of root.querySelectorAll("[data-sortable]")) { CnnVis.connectToggles(table); CnnVis.connectTable(table); }
  for (const button of root.querySelectorAll("[data-copy-text]")) CnnVis.connectCopy(button);
};
