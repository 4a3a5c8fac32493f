// Rows of buttons of which one is chosen, by pointer or by arrow keys, as radio groups are.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.radios = (group, choose) => {
  if (!group) return;
  const buttons = [...group.querySelectorAll('[role="radio"]')];
  const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  buttons.forEach((button, place) => {
    button.addEventListener("click", () => choose(button));
    button.addEventListener("keydown", (event) => {
      if (!move[event.key]) return;
      event.preventDefault();
      const next = buttons[(place + move[event.key] + buttons.length) % buttons.length];
      next.focus();
      choose(next);
    });
  });
  CnnVis.check(group, (button) => button.getAttribute("aria-checked") === "true");
};

// Marks the button that `isChosen`, and lets Tab stop at it alone.
CnnVis.check = (group, isChosen) => {
  if (!group) return;
  const buttons = [...group.querySelectorAll('[role="radio"]')];
  const chosen = buttons.find(isChosen);
  for (const button of buttons) {
    button.setAttribute("aria-checked", String(button === chosen));
    button.tabIndex = button === (chosen ?? buttons[0]) ? 0 : -1;
  }
};
