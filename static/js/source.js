// Where data and Plotly come from: scripts beside the page, or text within it. Nothing is fetched: file:// forbids it.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

(() => {
  const delivered = new Map();
  const waiting = new Map();
  const own = document.currentScript?.src; // empty in a single file
  const root = own ? new URL("..", own) : null;
  let plotly;

  // Data scripts call this with what they bring.
  CnnVis.deliver = (name, content) => {
    delivered.set(name, content);
    waiting.get(name)?.(content);
  };

  const load = (path) => new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = new URL(path, root);
    script.onload = done;
    script.onerror = () => failed(new Error(`${path} is missing beside this page.`));
    document.head.append(script);
  });

  // The package of data called `name`.
  CnnVis.package = async (name) => {
    if (!delivered.has(name)) {
      const within = document.querySelector(`script[data-package="${CSS.escape(name)}"]`);
      if (within) CnnVis.deliver(name, JSON.parse(within.textContent));
      else if (root) await load(`data/${name}.js`);
    }
    return delivered.get(name);
  };

  // Plotly, when it is first needed: reading it takes a second.
  CnnVis.plotly = () => (plotly ??= (async () => {
    if (root) await load("assets/plotly.js");
    const packed = delivered.get("plotly") ?? document.querySelector('script[data-packed="plotly"]').textContent;
    delivered.delete("plotly");
    const script = document.createElement("script");
    script.textContent = new TextDecoder().decode(await CnnVis.inflate(CnnVis.bytesOf(packed)));
    document.head.append(script);
    // the first figure of a page takes three times as long as others: let it be one that nobody waits for
    const tiny = CnnVis.figure(CnnVis.nothing, { width: 9, height: 9 });
    const aside = document.createElement("div");
    await globalThis.Plotly.newPlot(aside, tiny.data, tiny.layout, CnnVis.plotlyConfig);
    globalThis.Plotly.purge(aside);
    return globalThis.Plotly;
  })());
})();
