// A map as a figure for elsewhere: title, picture, map and color bar on white. Pure, but for the measuring of text.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

CnnVis.figureFont = '"Helvetica Neue", Helvetica, Arial, "Liberation Sans", "DejaVu Sans", sans-serif';
CnnVis.figureLook = { margin: 16, gap: 18, side: 360, tallest: 480, ink: "#17191c", muted: "#4d525a" }; // CSS pixels

// Lines no wider than `width`; a word that is wider than that is broken. measure: of a text, its width.
CnnVis.wrap = (text, width, measure) => {
  const lines = [];
  let line = "";
  for (let word of text.split(/\s+/).filter(Boolean)) {
    if (line && measure(`${line} ${word}`) > width) { lines.push(line); line = ""; }
    while (!line && measure(word) > width) {
      const letters = [...word];
      let fitting = letters.length - 1;
      while (fitting > 1 && measure(letters.slice(0, fitting).join("")) > width) fitting--;
      lines.push(letters.slice(0, fitting).join(""));
      word = letters.slice(fitting).join("");
    }
    line = line ? `${line} ${word}` : word;
  }
  return line ? [...lines, line] : lines;
};

// How large a part of a picture is drawn, in CSS pixels.
CnnVis.panelSize = ({ zoom, size: [rows, columns] }) => {
  const [across, down] = zoom ? [zoom.x[1] - zoom.x[0], zoom.y[1] - zoom.y[0]] : [columns, rows];
  const scale = Math.min(CnnVis.figureLook.side / across, CnnVis.figureLook.tallest / down);
  return { width: Math.max(1, across * scale), height: Math.max(1, down * scale) };
};

// content: { title, warnings: lines below, drawn, panels: captions, the map's last, ends: [low, zero, high], scale: whose they are, bar: whether there is one }
// measure: (text, size, bold) => width. Gives { width, height, items }: texts, and what is to be drawn by its name.
CnnVis.figureLayout = ({ title, warnings, drawn, panels, ends, scale, bar }, measure) => {
  const { margin, gap, ink, muted } = CnnVis.figureLook;
  const panel = CnnVis.panelSize(drawn);
  const inner = Math.max(panels.length * panel.width + (panels.length - 1) * gap, 340);
  const items = [];
  let y = margin;
  const texts = (text, size, color, bold = false) => {
    for (const line of CnnVis.wrap(text, inner, (words) => measure(words, size, bold))) {
      y += Math.round(size * 1.35);
      items.push({ text: line, x: margin, y: y - Math.round(size * 0.3), size, color, bold });
    }
  };
  texts(title, 15, ink, true);
  y += 8;
  const start = margin + (inner - panels.length * panel.width - (panels.length - 1) * gap) / 2;
  const left = (index) => start + index * (panel.width + gap);
  panels.forEach((caption, index) => {
    items.push({ draw: index < panels.length - 1 ? "picture" : "map", x: left(index), y, ...panel });
    const fits = CnnVis.wrap(caption, panel.width, (words) => measure(words, 12, false))[0];
    if (fits && index < panels.length - 1) items.push({ text: fits, x: left(index), y: y + panel.height + 16, size: 12, color: muted });
  });
  y += panel.height + 8;
  if (bar) {
    const [x, width] = [left(panels.length - 1), panel.width];
    items.push({ draw: "bar", x, y, width, height: 10 });
    const at = [[x, "start"], [x + width / 2, "middle"], [x + width, "end"]];
    items.push({ text: scale, x: at[1][0], y: y + 40, size: 12, color: muted, anchor: "middle" });
    for (const [index, text] of ends.entries()) items.push({ text, x: at[index][0], y: y + 24, size: 12, color: ink, anchor: at[index][1] });
  }
  y += bar ? 46 : 22;
  for (const warning of warnings) texts(warning, 12, muted);
  return { width: Math.round(inner + 2 * margin), height: Math.round(y + margin), items: items.filter((item) => item.text !== "") };
};

// What stands at the ends and in the middle of a color bar; some values may lie beyond the end of the colors.
CnnVis.endsInWords = ({ signed, end }, largest) => {
  const beyond = largest > end * 1.0001;
  const [low, high] = [signed ? (beyond ? "≤ " : "") + CnnVis.inWords(-end) : "0", (beyond ? "≥ " : "") + CnnVis.inWords(end)];
  return [low, signed ? "0" : "", high];
};
