"use strict";
// The solvers' toggle and the plots. Each plot is drawn when it comes near the screen; one toggle rules all.
const data = JSON.parse(document.getElementById("data").textContent);
const text = (index) => data.strings[index];
const solvers = new Map(data.solvers.map((solver) => [solver.name, solver]));
const hidden = new Set();
const drawn = new Set();

const escaped = (said) => said.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
const digits3 = (value) => String(Number(value.toPrecision(3)));
const power = (value) => (value === 0 ? "0" : value.toExponential(0).replace("e+", "e"));
const spell = {
  seconds: (v) => (v < 999.5e-6 ? `${digits3(v * 1e6)} us` : v < 0.9995 ? `${digits3(v * 1e3)} ms` : `${digits3(v)} s`),
  accuracy: power,
  ratio: (v) => `${digits3(v)}x`,
  share: (v) => `${Math.round(100 * v)} %`,
  digits: (v) => `${v}`,
  count: (v) => Number(v.toPrecision(3)).toLocaleString("en"),
  "": (v) => digits3(v),
};

function ticks(axis, values) {
  // Powers of ten; 1, 2 and 5 of them where there are fewer than two.
  const low = Math.min(...values), high = Math.max(...values);
  const from = Math.floor(Math.log10(low)), to = Math.ceil(Math.log10(high));
  const every = Math.max(1, Math.ceil((to - from) / 7));
  const found = [];
  for (let k = from; k <= to; k += every) for (const m of Math.log10(high / low) < 2 ? [1, 2, 5] : [1]) found.push(m * 10 ** k);
  return { tickvals: found, ticktext: found.map(spell[axis.unit]) };
}

function layoutOf(axis, values) {
  const layout = {
    title: { text: escaped(axis.label), standoff: 6, font: { size: 12 } },
    gridcolor: "#e6e6e6", linecolor: "#777", ticks: "outside", tickcolor: "#777", ticklen: 4, zeroline: false,
    automargin: true, tickfont: { size: 11 },
  };
  if (axis.log) Object.assign(layout, { type: "log" }, ticks(axis, values));
  if (axis.unit === "share") Object.assign(layout, { range: [-0.02, 1.03], tickvals: [0, 0.25, 0.5, 0.75, 1], ticktext: ["0", "25 %", "50 %", "75 %", "100 %"] });
  if (axis.reverse) layout.autorange = "reversed";
  return layout;
}

function traceOf([who, x, y, notes, colour], chart) {
  const name = text(who), solver = solvers.get(name);
  const [xs, ys] = [data.axes[chart.x], data.axes[chart.y]];
  const label = (k) => `<b>${escaped(name)}</b><br>${escaped(spell[xs.unit](x[k]))}, ${escaped(spell[ys.unit](y[k]))}` + (notes ? `<br>${escaped(text(notes[k]))}` : "");
  const few = !chart.steps && !colour;
  return {
    type: "scatter", name, x, y, mode: few ? "lines+markers" : "lines", solver: Boolean(solver),
    line: { color: solver ? solver.colour : colour, dash: solver ? solver.dash : "solid", width: colour === "#9a9a9a" ? 0.8 : 1.8, shape: chart.steps ? "hv" : "linear" },
    marker: { symbol: solver ? solver.symbol : "circle", size: 7 },
    text: x.map((_, k) => label(k)), hovertemplate: "%{text}<extra></extra>",
    visible: !hidden.has(name),
  };
}

function draw(plot) {
  if (drawn.has(plot)) return;
  drawn.add(plot);
  const chart = data.charts[Number(plot.dataset.chart)];
  const traces = chart.lines.map((line) => traceOf(line, chart));
  const all = (key) => traces.flatMap((trace) => trace[key]).concat(key === "y" ? chart.marks : []);
  const layout = {
    margin: { l: 56, r: 12, t: 8, b: 44 }, showlegend: false, hovermode: "closest", paper_bgcolor: "#fff", plot_bgcolor: "#fff",
    font: { family: "system-ui, 'DejaVu Sans', sans-serif", color: "#1a1a1a" },
    dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
    xaxis: layoutOf(data.axes[chart.x], all("x")), yaxis: layoutOf(data.axes[chart.y], all("y")),
    shapes: chart.marks.map((y) => ({ type: "line", xref: "paper", x0: 0, x1: 1, y0: y, y1: y, layer: "below", line: { color: "#bbb", width: 1 } })),
  };
  Plotly.newPlot(plot, traces, layout, { displaylogo: false, responsive: true, displayModeBar: matchMedia("(pointer: coarse)").matches ? false : "hover", modeBarButtons: [["zoom2d", "pan2d", "resetScale2d", "toImage"]] });
}

function refresh() {
  for (const plot of drawn) {
    const shown = plot.data.map((trace) => !hidden.has(trace.name));
    if (shown.some((value, k) => value !== plot.data[k].visible)) Plotly.restyle(plot, { visible: shown });
  }
  for (const box of document.querySelectorAll("#toggles input")) {
    box.checked = !hidden.has(box.value);
    box.parentElement.classList.toggle("off", !box.checked);
  }
  document.getElementById("count").textContent = `(${solvers.size - hidden.size}/${solvers.size})`;
}

const GLYPHS = { circle: "●", square: "■", diamond: "◆", "triangle-up": "▲", "triangle-down": "▼", cross: "✚", x: "✖", star: "★", "triangle-left": "◀", "triangle-right": "▶", hexagon: "⬢", pentagon: "⬟" };
function swatch(solver) {
  const stroke = solver.dash === "solid" ? "" : ` stroke-dasharray="${solver.dash.replace(/px/g, "")}"`;
  return `<svg width="40" height="14" aria-hidden="true"><line x1="1" y1="7" x2="39" y2="7" stroke="${solver.colour}" stroke-width="2"${stroke}/><text x="20" y="11.5" text-anchor="middle" font-size="13" fill="${solver.colour}">${GLYPHS[solver.symbol] || "●"}</text></svg>`;
}

function toggles() {
  const place = document.getElementById("toggles");
  for (const solver of data.solvers) {
    const label = document.createElement("label");
    label.innerHTML = `<input type="checkbox" checked>${swatch(solver)}<span>${escaped(solver.name)}</span>${solver.wrong ? "<em>WRONG</em>" : ""}`;
    const box = label.firstElementChild;
    box.value = solver.name;
    box.addEventListener("change", () => { box.checked ? hidden.delete(solver.name) : hidden.add(solver.name); refresh(); });
    place.append(label);
  }
  const sets = { all: () => true, none: () => false, ours: (s) => s.own, peers: (s) => !s.own, leaders: (s) => s.leader };
  for (const button of document.querySelectorAll("[data-set]"))
    button.addEventListener("click", () => {
      hidden.clear();
      for (const solver of data.solvers) if (!sets[button.dataset.set](solver)) hidden.add(solver.name);
      refresh();
    });
  refresh();
}

toggles();
const near = new IntersectionObserver((seen) => { for (const entry of seen) if (entry.isIntersecting) draw(entry.target); }, { rootMargin: "600px" });
for (const plot of document.querySelectorAll(".plot")) near.observe(plot);
if (matchMedia("(min-width: 62rem)").matches) for (const part of document.querySelectorAll("aside details")) part.open = true;
for (const link of document.querySelectorAll("aside nav a")) link.addEventListener("click", () => { if (!matchMedia("(min-width: 62rem)").matches) link.closest("details").open = false; });
for (const group of document.querySelectorAll(".tiers"))
  group.addEventListener("change", (event) => {
    for (const list of document.querySelectorAll(".leads")) list.classList.toggle("shown", list.dataset.tier === event.target.value);
  });
function everything() {
  for (const part of document.querySelectorAll("main details")) part.open = true;
  document.querySelectorAll(".plot").forEach(draw);
}
addEventListener("beforeprint", everything);
