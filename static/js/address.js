// What the page shows, kept in the part of its address behind "#", so that it can be bookmarked, sent, and undone.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

// "#show=grad_cam&q=dog" to an object; a fragment without "=" is the name of a place on the page.
CnnVis.parseAddress = (fragment) => {
  const text = fragment.replace(/^#/, "");
  if (!text.includes("=")) return text ? { at: safelyDecoded(text) } : {};
  return Object.fromEntries(new URLSearchParams(text));
};

// The inverse; what is empty is left out, and the same state gives the same text.
CnnVis.formatAddress = (state) => {
  const kept = Object.entries(state).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const text = new URLSearchParams(kept.sort(([a], [b]) => (a < b ? -1 : 1))).toString();
  return text ? `#${text}` : "";
};

// Of these a new choice is a step that Back undoes; sliders and the like only change the address.
CnnVis.undoable = ["class", "open"];

CnnVis.address = (() => {
  // browsers refuse more than a hundred changes in ten seconds, which a slider makes: a few at once, then one at a time
  const [pause, atOnce] = [150, 20];
  let [waiting, timer, allowed, last] = [null, 0, atOnce, 0];
  // the kind of the last step stays with its entry: see `CnnVis.address.step`
  const write = (kind, fragment, step) => history[kind]({ step }, "", fragment || location.pathname + location.search);
  const flush = () => {
    clearTimeout(timer);
    if (waiting !== null) write("replaceState", waiting, history.state?.step);
    waiting = null;
  };
  const replace = (fragment) => {
    waiting = fragment;
    clearTimeout(timer);
    const now = performance.now();
    allowed = Math.min(atOnce, allowed + (now - last) / pause);
    last = now;
    if (allowed < 1) { timer = setTimeout(flush, pause); return; }
    allowed -= 1;
    flush();
  };
  addEventListener("pagehide", flush);
  addEventListener("hashchange", () => { clearTimeout(timer); waiting = null; }); // the reader went elsewhere
  const get = () => CnnVis.parseAddress(waiting ?? location.hash);
  const without = ({ at, ...state }, defaults) => { // a place was only the way in
    for (const [name, value] of Object.entries(defaults)) if (String(state[name]) === String(value)) delete state[name];
    return CnnVis.formatAddress(state);
  };
  return {
    get,
    // Which choice made this entry of the reader's history; empty where none did.
    step: () => history.state?.step ?? "",
    // Changes some of it; what equals its default doesn't burden the address.
    set(changes, defaults = {}) {
      const before = get();
      const state = { ...before, ...changes };
      const fragment = without(state, defaults);
      const after = CnnVis.parseAddress(fragment);
      const step = CnnVis.undoable.find((name) => (before[name] ?? "") !== (after[name] ?? ""));
      if (!step) return replace(fragment);
      flush();
      return write("pushState", fragment, step);
    },
    // The same in any case without a step that Back would undo.
    replace: (changes) => replace(without({ ...get(), ...changes }, {})),
    // The address of the page as it is, with more of its state.
    link: (more = {}) => location.href.split("#")[0] + without({ ...get(), ...more }, {}),
  };
})();

function safelyDecoded(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}
