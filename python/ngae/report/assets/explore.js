// The live page: asks this server about points, shows the answers, walks between them.

const byId = (id) => document.getElementById(id);
const state = { hovered: null, rows: false, cursor: null, answer: null, title: "", ends: {}, walk: null,
  at: 0, asked: 0, column: 0 };
let world = null, table = null, plot = null;

function say(text, bad) {
  byId("status").textContent = text;
  byId("status").classList.toggle("bad", Boolean(bad));
}
// Sends a question; the answer of an older one is dropped.
async function ask(route, body) {
  const turn = ++state.asked;
  say("Asking the model ...");
  try {
    const response = await fetch(route, body === undefined ? {} : { method: "POST",
      headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    const value = await response.json();
    if (!response.ok) throw new Error(value.error);
    if (turn !== state.asked) return null;
    say("");
    return value;
  } catch (error) {
    if (turn === state.asked) say(`No answer: ${error.message}`, true);
    return null;
  }
}

function drawMap() {
  const { answer, walk } = state;
  plot.marks = [];
  plot.lines = [];
  if (walk) plot.lines.push({ values: walk.answers.map((a) => [a.x, a.y]), kind: "ascent", head: true });
  if (answer) {
    plot.marks.push({ item: { kind: "point", i: 0, s: 0 }, x: answer.x, y: answer.y });
    plot.lines.push({ values: [[answer.x, answer.y], [answer.neighbour.x, answer.neighbour.y]], kind: "trail" });
  }
  plot.ends = Object.entries(state.ends).map(([name, end]) => ({ name, x: end.x, y: end.y }));
  plot.chosen = answer ? { kind: "point", i: 0, s: 0 } : null;
  plot.draw();
}
function tell(item) {
  if (item.kind === "cursor") return "Enter decodes this point";
  if (item.kind === "point") return state.title;
  const { performance } = world.names;
  return `${performance} ${number(table.performance[item.i])}`;
}

function showAnswer(answer, title) {
  Object.assign(state, { answer, title });
  const host = byId("answer"), { names } = world, near = answer.neighbour;
  const whole = Math.max(280, host.clientWidth - 44), half = (whole - 12) / 2;
  const fits = (code, width) => parseFloat(drawNetwork(code, names.types, width).style.minWidth) <= width;
  const beside = fits(answer.graph, half) && fits(near.graph, half), width = beside ? half : whole;
  put(host, 
    el("h3", {}, title),
    el("div", { class: beside ? "two" : "two one" },
      el("div", {}, el("h4", {}, answer.valid ? "decoded network" : "decoded, not in the space"),
        el("div", { class: "drawing", id: "decoded" }, drawNetwork(answer.graph, names.types, width))),
      el("div", {}, el("h4", {}, near.same ? el("span", { class: "same" }, "known: the same network")
        : "nearest known"),
        el("div", { class: "drawing" }, drawNetwork(near.graph, names.types, width)))),
    numbersTable(answer),
    el("p", { class: "note" }, "At the point: what is predicted there. Network: what is predicted where the "
      + "encoder puts the decoded network, which is the safer number. "),
    el("p", { class: "note" }, near.same ? `This network is a ${near.part} row.`
      : `The nearest known network is a ${near.part} row, ${number(near.distance)} away in the latent space.`),
    answer.architecture && el("code", {}, answer.architecture),
    actions(answer));
  drawMap();
}

// Predicted at the point and where the encoder puts the network; exact; known of the neighbour.
function numbersTable(answer) {
  const { names } = world, near = answer.neighbour, known = (value) => (Number.isFinite(value) ? number(value) : "–");
  const all = [...new Set([...names.complexity, ...Object.keys(answer.complexity)])];
  const line = (title, ...values) => el("tr", {}, el("th", { scope: "row" }, title),
    values.map((value) => el("td", {}, known(value))));
  return el("div", { class: "scroll" }, el("table", { id: "numbers" },
    el("thead", {}, el("tr", {}, ["", "at the point", "network", "real", near.same ? "in the table" : "nearest"]
      .map((title) => el("th", { scope: "col" }, title)))),
    el("tbody", {},
      line(`${names.performance} ↑`, answer.predicted ?? NaN, answer.encoded.predicted ?? NaN, near.same ? near.performance ?? NaN : NaN, near.performance ?? NaN),
      all.map((name) => line(`${name} ↓`, answer.predicted_complexity[name],
        answer.encoded.predicted_complexity[name], answer.complexity[name], near.complexity[name])))));
}

function actions(answer) {
  const button = (text, act, main) =>
    el("button", { type: "button", class: main ? "main" : null, onclick: act }, text);
  const weight = el("input", { type: "number", min: "0", max: "5", step: "0.1", value: state.weight || "0" });
  const rows = [
    el("div", { class: "row" },
      button("Set as A", () => setEnd("A", answer)), button("Set as B", () => setEnd("B", answer)),
      button("Copy JSON", () => copy(JSON.stringify(answer.json, null, 1), "JSON")),
      answer.pytorch && button("Copy PyTorch", () => copy(answer.pytorch, "PyTorch code"))),
  ];
  if (world.can_search)
    rows.push(el("div", { class: "row" },
      button("Search from here", () => search(answer, weight), true),
      world.can_weigh && el("label", {}, "weight of", costChoice(), weight)));
  return rows;
}
function costChoice() {
  const options = world.names.complexity.map((name, k) =>
    el("option", { value: k, selected: k === state.column }, name));
  return el("select", { "aria-label": "complexity", onchange: (e) => { state.column = Number(e.target.value); } }, options);
}
async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    say(`Copied the ${what}.`);
  } catch {
    const area = el("textarea", { readonly: true, "aria-label": what });
    area.value = text;
    byId("answer").append(area);
    area.select();
    say(`The ${what} is below, to be copied.`);
  }
}

async function decode(x, y) {
  const answer = await ask("/decode", { x, y });
  if (!answer) return;
  state.walk = null;
  showWalk();
  showAnswer(answer, "A point of the plane");
}
async function decodeRow(i) {
  const answer = await ask("/row", { row: table.row[i] });
  if (!answer) return;
  state.walk = null;
  showWalk();
  showAnswer(answer, `Decoded from the encoding of a ${i < table.train ? "training" : "test"} row`);
}
function setEnd(name, answer) {
  state.ends[name] = answer;
  drawMap();
  const { A, B } = state.ends;
  if (A && B) between(A, B);
  else byId("walk-note").textContent = `${name} is set; choose ${A ? "B" : "A"} to walk between them.`;
}
async function between(a, b) {
  const answers = await ask("/interpolate", { start: a.z, end: b.z, count: 21 });
  if (answers) walk("From A to B", answers, (k) => `Between A and B: ${(5 * k).toFixed(0)} %`, 0);
}
async function search(answer, weight) {
  state.weight = weight.value;
  const answers = await ask("/search", { start: answer.z, weight: Number(weight.value), steps: 50, column: state.column });
  if (answers) walk("Ascent from here", answers, (k) => `Ascent: step ${5 * k}`, answers.length - 1);
}

function walk(title, answers, name, at) {
  state.walk = { title, answers, name };
  state.at = at;
  showWalk();
  showAnswer(answers[at], name(at));
}
function showWalk() {
  const { walk: now } = state, slider = byId("walk-slider");
  slider.disabled = !now;
  byId("walk-title").textContent = now ? now.title : "Walk";
  if (!now) {
    put(byId("walk-curve"));
    slider.max = 0;
    const set = Object.keys(state.ends);
    byId("walk-note").textContent = set.length === 1 ? `${set[0]} is set; choose the other end.`
      : "Choose two networks as A and B, or search from one.";
    return;
  }
  slider.max = now.answers.length - 1;
  slider.value = state.at;
  const kinds = new Set(now.answers.map((a) => a.hash)).size;
  byId("walk-note").textContent = `${kinds} distinct network${kinds === 1 ? "" : "s"} at ${now.answers.length} points; `
    + `predicted ${world.names.performance} at the point (line) and of the network (dashes):`;
  walkCurve();
}
function walkCurve() {
  const host = byId("walk-curve"), { answers } = state.walk;
  const values = answers.map((a) => a.predicted);
  if (!values.every(Number.isFinite)) return;
  const own = answers.map((a) => a.encoded.predicted ?? NaN);
  const width = host.clientWidth || 300, height = 84, y = padded(extent(own, ...extent(values)), 0.1);
  const px = (k) => 8 + (k / (answers.length - 1)) * (width - 16);
  const py = (v) => 8 + ((y[1] - v) / (y[1] - y[0])) * (height - 30);
  const d = "M" + values.map((v, k) => `${px(k).toFixed(1)} ${py(v).toFixed(1)}`).join("L");
  const last = values.length - 1;
  const runs = own.map((v, k) => (Number.isFinite(v) ? `${px(k).toFixed(1)} ${py(v).toFixed(1)}` : null))
    .reduce((path, spot, k, all) => path + (spot === null ? "" : `${k && all[k - 1] !== null ? "L" : "M"}${spot}`), "");
  put(host, svg("svg", { width, height, "aria-hidden": "true" },
    svg("path", { class: "now", d: `M${px(state.at)} 0V${height - 18}` }),
    svg("path", { class: "even", d: runs || "M0 0" }),
    svg("path", { class: "curve", d }),
    values.map((v, k) => svg("circle", { class: "curve-end", cx: px(k), cy: py(v), r: k === state.at ? 4.5 : 2.5 })),
    svg("text", { x: 8, y: height - 3 }, number(values[0])),
    svg("text", { x: width - 8, y: height - 3, "text-anchor": "end" }, number(values[last]))));
}

// In the plane the arrow keys move a cursor; among rows they go from row to row.
function keys(event) {
  const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
  if (state.rows || !(way || event.key === "Enter")) return false;
  event.preventDefault();
  const { range } = plot, start = state.cursor || (state.answer ? [state.answer.x, state.answer.y] : [0, 0]);
  if (event.key === "Enter") { decode(...start); return true; }
  state.cursor = start.map((v, k) => v + (way[k] * (k ? range.y : range.x)[1] - way[k] * (k ? range.y : range.x)[0]) / 50);
  plot.marks = plot.marks.filter((mark) => mark.item.kind !== "cursor");
  plot.marks.push({ item: { kind: "cursor", i: 0, s: 0 }, x: state.cursor[0], y: state.cursor[1] });
  plot.draw();
  return true;
}

async function start() {
  world = await ask("/map");
  if (!world) return;
  table = unpackTable(world.table);
  const colours = colouring(table, world.names);
  plot = mapPlot(byId("map-plot"), { ...world, table }, { shade: colours.shade, x: [], y: [] }, {
    ratio: 0.72, keys, far: () => state.rows,
    hover: (item, source) => { state.hovered = item; plot.show(item, plot.chosen, tell, source); },
    pick: (item) => { if (item.kind === "row") decodeRow(item.i); },
    place: (x, y, item) => {
      if (state.rows) return false;
      state.cursor = [x, y];
      decode(x, y);
      return true;
    },
  });
  fill(byId("controls"), {}, [rampLegend(colours.title, colours.values),
    box("click takes the nearest known row", false, (on) => { state.rows = on; })]);
  byId("walk-slider").addEventListener("input", (event) => {
    state.at = Number(event.target.value);
    showAnswer(state.walk.answers[state.at], state.walk.name(state.at));
    walkCurve();
  });
  put(byId("answer"), el("p", { class: "empty" }, "No point is chosen yet."));
  plot.draw();
  new ResizeObserver(() => requestAnimationFrame(() => { if (state.walk) walkCurve(); })).observe(byId("walk"));
}
start();
