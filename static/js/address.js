// What the page shows, kept in the part of its address behind "#", so that it can be bookmarked and sent.
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

CnnVis.address = {
  get: () => CnnVis.parseAddress(location.hash),
  // Changes some of it; what equals its default doesn't burden the address.
  set(changes, defaults = {}) {
    const state = { ...CnnVis.address.get(), ...changes };
    for (const [name, value] of Object.entries(defaults)) if (String(state[name]) === String(value)) delete state[name];
    history.replaceState(null, "", CnnVis.formatAddress(state) || location.pathname + location.search);
  },
};

function safelyDecoded(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}
