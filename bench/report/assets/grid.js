"use strict";
// Who solves what: a badge for every solver and cell, its reason below, and the line that runs it again.
{
  const LETTERS = { m: "met", x: "missed", u: "undecided", b: "beyond float64", n: "no answer" };
  const WORDS = { REFUSED: "–", MISSING: "∅", TIME_LIMIT: "late", FAILED: "FAILED", CRASHED: "CRASH", KILLED: "KILLED", MEMORY: "MEMORY" };
  const table = document.getElementById("grid"), told = document.getElementById("told");
  const view = document.getElementById("view"), cellOf = document.getElementById("cell"), solverOf = document.getElementById("solver");
  const { cells, tiers, pairs } = data.grid;
  const names = data.solvers.map((solver) => solver.name);
  const goodness = (pair) => [...pair.tiers].reduce((best, letter, k) => (letter === "m" ? k + 1 : best), 0);
  const parse = (packed) => packed && { status: text(packed[0]), message: text(packed[1]), wrong: text(packed[2]), best: packed[3], gap: packed[4], relative: packed[5], words: text(packed[6]), tiers: packed[7], times: packed[8] };

  function badge(pair) {
    if (!pair) return ["", "none"];
    if (pair.wrong) return ["WRONG", "WRONG"];
    if (pair.best === null) return [WORDS[pair.status] || pair.status, ["REFUSED", "MISSING"].includes(pair.status) ? "none" : "bad"];
    const tier = view.value === "digits" ? -1 : Number(view.value);
    if (tier < 0) return [String(Math.max(0, Math.floor(-Math.log10(Math.max(pair.best, 1e-16)) + 1e-9))), `t${goodness(pair)}`];
    const time = pair.times[tier];
    return time ? [spell.seconds(time[0]), `t${tier + 1}`] : [{ m: "withheld", x: "missed", u: "undecided", b: "beyond", n: "none" }[pair.tiers[tier]] || "", "t0"];
  }

  function reason(row, column) {
    const pair = parse(pairs[row][column]);
    const parts = [`${names[column]} on ${cells[row].name}`];
    if (!pair) return `${parts[0]}: not run`;
    if (pair.wrong) parts.push(`WRONG: ${pair.wrong}`);
    parts.push(pair.status.toLowerCase().replace("_", " ") + (pair.message ? `: ${pair.message}` : ""));
    if (pair.best !== null) {
      parts.push(pair.words, `suboptimality ${power(pair.best)} (relative to P*: ${pair.relative === null ? "-" : power(pair.relative)}), self-certified gap ${pair.gap === null ? "none" : power(pair.gap)}`);
      tiers.forEach((tier, k) => {
        const time = pair.times[k];
        if (k < pair.tiers.length) parts.push(`${power(tier)}: ` + (time ? `${spell.seconds(time[0])}, ${time[1]} round${time[1] === 1 ? "" : "s"}, ${text(time[2])}` : pair.tiers[k] === "m" ? "met, time withheld" : LETTERS[pair.tiers[k]]));
      });
    }
    return parts.join(". ");
  }

  function choose(row, column, scroll) {
    for (const old of table.querySelectorAll(".chosen")) { old.classList.remove("chosen"); old.tabIndex = -1; }
    const chosen = table.querySelector(`[data-at="${row},${column}"]`);
    chosen.classList.add("chosen");
    chosen.tabIndex = 0;
    if (scroll) chosen.focus();
    told.textContent = reason(row, column);
    cellOf.value = String(row);
    solverOf.value = String(column);
    commands();
  }

  function quoted(word) { return /^[\w./:,=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`; }
  function commands() {
    const name = names[Number(solverOf.value)];
    const who = name.includes(":") ? `--solvers '' --solver ${quoted(name)}` : `--solvers ${quoted(name)}`;
    document.getElementById("again-cell").textContent = `python -m bench run ${data.grid.suite.map(quoted).join(" ")} --cells ${quoted(cells[Number(cellOf.value)].name)} ${who}`;
    document.getElementById("again-file").textContent = `python -m bench run --data yours.csv ${who}`;
  }

  function fill() {
    let last = "";
    const rows = cells.map((cell, row) => {
      const heading = cell.case === last ? "" : `<tr class="case"><th colspan="${names.length + 1}">${escaped(cell.case)} <span class="caption">${cell.n} x ${cell.p}, ${escaped(cell.regime)}</span></th></tr>`;
      last = cell.case;
      return heading + `<tr><th title="${escaped(cell.name)}">${escaped(cell.name.slice(cell.case.length + 1) || cell.name)}</th>` + names.map((_, column) => {
        const [word, kind] = badge(parse(pairs[row][column]));
        return `<td class="${kind}" data-at="${row},${column}" tabindex="-1">${escaped(word)}</td>`;
      }).join("") + "</tr>";
    });
    table.innerHTML = `<thead><tr><th><span>cell</span></th>${names.map((name) => `<th scope="col"><span>${escaped(name)}</span></th>`).join("")}</tr></thead><tbody>${rows.join("")}</tbody>`;
  }

  view.innerHTML = `<option value="digits">correct digits of the best answer</option>` + tiers.map((tier, k) => `<option value="${k}">time to ${power(tier)}</option>`).join("");
  cellOf.innerHTML = cells.map((cell, k) => `<option value="${k}">${escaped(cell.name)}</option>`).join("");
  solverOf.innerHTML = names.map((name, k) => `<option value="${k}">${escaped(name)}</option>`).join("");
  fill();
  view.addEventListener("change", fill);
  cellOf.addEventListener("change", commands);
  solverOf.addEventListener("change", commands);
  const at = (target) => target.closest("[data-at]")?.dataset.at.split(",").map(Number);
  table.addEventListener("click", (event) => { const place = at(event.target); if (place) choose(...place, false); });
  table.addEventListener("mouseover", (event) => { const place = at(event.target); if (place && !event.target.title) event.target.title = reason(...place); });
  table.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key], place = at(event.target);
    if (!step || !place) return;
    event.preventDefault();
    const row = Math.min(cells.length - 1, Math.max(0, place[0] + step[0])), column = Math.min(names.length - 1, Math.max(0, place[1] + step[1]));
    choose(row, column, true);
  });
  if (cells.length && names.length) choose(0, 0, false);
}
