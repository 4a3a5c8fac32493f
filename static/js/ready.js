// Whether the page is through with what it was asked to do: the attribute data-ready of the document says so.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

(() => {
  let open = 1; // the page itself, until its parts are wired and the state of its address is applied
  const end = () => {
    open -= 1;
    if (open === 0) document.documentElement.dataset.ready = "";
  };

  // The page isn't ready before the promise is settled.
  CnnVis.working = (promise) => {
    open += 1;
    delete document.documentElement.dataset.ready;
    promise.finally(end);
    return promise;
  };

  CnnVis.wiringDone = end;

  // Calls `tell` with entries whenever one of the places comes into sight or leaves it; at once with all of them.
  CnnVis.watchSight = (places, tell) => CnnVis.working(new Promise((known) => {
    const observer = new IntersectionObserver((entries) => { tell(entries, observer); known(); });
    for (const place of places) observer.observe(place);
    if (!places.length) known();
  }));

  // Calls `act`, which may promise something, once, when the place is first seen.
  CnnVis.whenSeen = (place, act) => CnnVis.watchSight([place], (entries, observer) => {
    if (entries.some((entry) => entry.isIntersecting)) { observer.disconnect(); CnnVis.working(Promise.resolve(act())); }
  });
})();
