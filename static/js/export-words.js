// Names and texts of what a reader takes away: titles, file names, LaTeX. Pure.
"use strict";
var CnnVis = (globalThis.CnnVis ??= {});

// Text on one line, without characters that turn the order of others around or that no file may hold.
CnnVis.plain = (text) => text.toWellFormed().replace(/\p{Bidi_Control}/gu, "").replace(/[\p{Cc}\p{Zl}\p{Zp}\ufffe\uffff]+/gu, " ").trim();

// The parts of a title in a row; one that is written from right to left keeps to itself.
CnnVis.titleOf = (parts) => parts.map(CnnVis.plain).filter(Boolean)
  .map((part) => (/[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/.test(part) ? `\u2068${part}\u2069` : part)).join(" · ");

// Small ASCII letters, digits and hyphens, at most 60; empty where nothing of the text can be kept or too much would be lost.
CnnVis.slug = (text) => {
  const slug = text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
  return slug.length <= 60 ? slug : "";
};

// "square-29_grad-cam_triangle": of what a file is, for every file system. classes: indices, "of" and what is subtracted.
CnnVis.fileName = ({ id, name, targets }, method, classes, layer = "") => {
  const names = Object.entries(targets);
  const slugOf = (index) => {
    const slug = CnnVis.slug(withoutScore(targets[index] ?? ""));
    const alone = names.every(([other, text]) => other === index || CnnVis.slug(withoutScore(text)) !== slug);
    return slug && alone ? slug : CnnVis.slug(`${slug.slice(0, 40)} ${index}`);
  };
  const image = CnnVis.slug(name.replace(/\.[a-z0-9]{1,5}$/i, "")) || id;
  return [image, CnnVis.slug(method), classes.filter(Boolean).map(slugOf).join("-minus-"), CnnVis.slug(layer)].filter(Boolean).join("_");
};

// "triangle (69.6%)" and "age = 41.2" without the score.
function withoutScore(text) { return text.replace(/ (\([^()]*\)|= \S+)$/, ""); }

CnnVis.latexOf = {
  "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "<": "\\textless{}", ">": "\\textgreater{}",
  "|": "\\textbar{}", '"': "''", "−": "$-$", "×": "$\\times$", "≥": "$\\geq$", "≤": "$\\leq$", "…": "\\ldots{}", "·": "$\\cdot$",
};

// Text of which LaTeX takes no character for a command.
CnnVis.escapeLatex = (text) => CnnVis.plain(text).replace(/[\\~^<>|"−×≥≤…·]|[{}&%$#_]/g, (letter) => CnnVis.latexOf[letter] ?? `\\${letter}`);

// A figure environment. content: { file, method, key, image, target, model, scale, pair }; key: of BibTeX, or empty.
CnnVis.latex = ({ file, method, key, image, target, model, scale, pair }) => {
  const text = CnnVis.escapeLatex;
  const cited = text(method) + (key ? `~\\cite{${key}}` : "");
  const explained = `${cited} for ${text(target)} of ${text(model)}`;
  const shown = pair ? `Left: the input ${text(image)}. Right: ${explained}` : `${explained} on ${text(image)}`;
  return [
    `% needs \\usepackage{graphicx}${key ? `; the BibTeX entry ${key} is on the report's page of methods` : ""}`,
    "\\begin{figure}[tb]",
    "  \\centering",
    `  \\includegraphics[width=\\linewidth]{${file}.png}`,
    `  \\caption{${shown}${scale ? `; ${text(scale)}` : ""}.}`,
    `  \\label{fig:${file}}`,
    "\\end{figure}",
    "",
  ].join("\n");
};
