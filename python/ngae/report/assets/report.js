// The report: the figures know of each other by one state, what is hovered and what is chosen.

const payload = JSON.parse(document.getElementById("payload").textContent);
const { names, searches } = payload;
const table = unpackTable(payload.table);
const byId = (id) => document.getElementById(id);
const state = {
  hovered: null,
  chosen: null,
  search: searches.length - 1,
  column: 0,
  order: false,
  ascents: true,
};
const plots = [];

function tell(item) {
  if (item.kind === "row") {
    const predicted = table.predicted ? `, predicted ${number(table.predicted[item.i])}` : "";
    return `${names.performance} ${number(table.performance[item.i])}${predicted}`;
  }
  const trial = searches[item.s].trials[item.i];
  return `query ${trial.number + 1}: ${names.performance} ${number(trial.performance)}`;
}
const show = (source) =>
  plots.forEach((plot) => plot.show(state.hovered, state.chosen, tell, source));
const links = {
  hover: (item, source) => {
    state.hovered = item;
    show(source);
  },
  pick: (item) => {
    state.chosen = item;
    show(null);
    detail(item);
  },
};

function trialMarks(x, y) {
  const search = searches[state.search];
  if (!search) return [];
  return search.trials
    .map((trial, i) => ({
      item: { kind: "trial", s: state.search, i },
      x: x(trial),
      y: y(trial),
      best: trial.best,
    }))
    .sort((a, b) => a.best - b.best)
    .filter(
      (mark) =>
        Number.isFinite(mark.x) && Number.isFinite(mark.y) && mark.x !== null && mark.y !== null,
    );
}
const stairs = (points) =>
  points.flatMap(([x, y], k) =>
    k
      ? [
          [x, points[k - 1][1]],
          [x, y],
        ]
      : [[x, y]],
  );

function update() {
  const [map, front] = [plots.map, plots.front];
  const search = searches[state.search];
  map.marks = trialMarks(
    (t) => t.x,
    (t) => t.y,
  );
  map.lines = state.ascents
    ? payload.ascents.map((values) => ({ values, kind: "ascent", head: true }))
    : [];
  if (state.order && search)
    map.lines.push({ values: search.trials.map((t) => [t.x, t.y]), kind: "trail", head: false });
  map.draw();
  if (front) {
    const name = names.complexity[state.column];
    const cost = (t) => (t.complexity || {})[name];
    front.options.x.title = `${name}, down`;
    front.points.x = table.complexity[state.column];
    front.marks = trialMarks(cost, (t) => t.performance);
    const costs = extent(
      front.marks.map((mark) => mark.x),
      ...extent(table.complexity[state.column]),
    );
    front.options.x.range = padded(costs);
    const known = table.fronts[state.column].map((i) => [
      table.complexity[state.column][i],
      table.performance[i],
    ]);
    const found = front.marks
      .filter((mark) => search.trials[mark.item.i].front)
      .map((mark) => [mark.x, mark.y])
      .sort((a, b) => a[0] - b[0]);
    const last = Math.max(costs[1], 0);
    const drawn = (points) =>
      stairs([
        ...points.sort((a, b) => a[0] - b[0]),
        ...(points.length ? [[last, points[points.length - 1][1]]] : []),
      ]);
    front.lines = [{ values: drawn(known), kind: "front" }];
    if (state.column === 0 || names.complexity.length === 1)
      front.lines.push({ values: stairs(found), kind: "found-front" });
    front.draw();
  }
  show(null);
}

const hasFront = () => names.complexity.length > 0 && table.performance.some(Number.isFinite);
function controls() {
  const shade = colouring(table, names);
  const key = (mark, text) =>
    el("span", { class: "legend" }, el("i", { class: `swatch ${mark}` }), text);
  fill(byId("map-controls"), {}, [
    rampLegend(shade.title, shade.values),
    searches.length ? key("dot", "queries of the search") : null,
    hasFront() ? key("dash", "front of known rows") : null,
    payload.ascents.length
      ? box("ascents of the prediction", true, (on) => {
          state.ascents = on;
          update();
        })
      : null,
    searches.length
      ? box("order of queries", false, (on) => {
          state.order = on;
          update();
        })
      : null,
    searches.length > 1 ? searchChoice() : null,
    hasFront() && names.complexity.length > 1
      ? choice("complexity", names.complexity, 0, (k) => {
          state.column = k;
          update();
        })
      : null,
  ]);
  return shade;
}
function choice(title, texts, chosen, change) {
  const options = texts.map((text, k) => el("option", { value: k, selected: k === chosen }, text));
  return el(
    "label",
    {},
    title,
    el("select", { onchange: (e) => change(Number(e.target.value)) }, options),
  );
}
const searchChoice = () =>
  choice(
    "search",
    searches.map((s) => s.name),
    state.search,
    (k) => {
      state.search = k;
      if (state.chosen && state.chosen.kind === "trial") {
        state.chosen = null;
        detail(null);
      }
      update();
      gallery();
    },
  );

function predictions() {
  const host = byId("prediction-plots");
  if (!host) return;
  const targets = [];
  if (table.predicted) targets.push([names.performance, table.performance, table.predicted]);
  if (table.predictedComplexity)
    names.complexity.forEach((name, c) =>
      targets.push([name, table.complexity[c], table.predictedComplexity[c]]),
    );
  for (const [name, actual, predicted] of targets) {
    const x = actual.subarray(table.train),
      y = predicted.subarray(table.train);
    const range = padded(extent(y, ...extent(x)));
    const plot = new Plot(el("div"), {
      ...links,
      title: name,
      note: `${x.length.toLocaleString("en")} test rows`,
      label: `${name}: predicted against true`,
      x: { title: `true ${name}`, range },
      y: { title: `predicted ${name}`, range },
      ratio: 0.9,
    });
    plot.points = { x, y, first: table.train, shade: plots.shade.slice(table.train), size: 1.75 };
    plot.lines = [
      {
        values: [
          [range[0], range[0]],
          [range[1], range[1]],
        ],
        kind: "even",
      },
    ];
    plots.push(plot);
    host.append(plot.host);
    plot.draw();
  }
}

function start() {
  const { shade } = controls();
  plots.shade = shade;
  const all = searches.flatMap((search) => search.trials);
  const ascents = payload.ascents.flat();
  const extra = {
    shade,
    x: [...all.map((t) => t.x), ...ascents.map((p) => p[0])],
    y: [...all.map((t) => t.y), ...ascents.map((p) => p[1])],
  };
  plots.map = mapPlot(byId("map-plot"), { ...payload, table }, extra, links);
  plots.push(plots.map);
  if (hasFront()) {
    const heights = extent(
      all.map((t) => t.performance ?? NaN),
      ...extent(table.performance),
    );
    plots.front = new Plot(byId("front-plot"), {
      ...links,
      title: "Pareto front",
      label: "Pareto front: arrow keys move, Enter shows a network",
      x: { title: "", range: [0, 1] },
      y: { title: `${names.performance}, up`, range: padded(heights) },
    });
    plots.front.points = { x: table.complexity[0], y: table.performance, first: 0, shade };
    plots.push(plots.front);
  } else byId("front-plot").remove();
  update();
  predictions();
  gallery();
  showCurves(byId("curves"), payload.log);
  const search = searches[state.search];
  const best = search ? search.trials.findIndex((trial) => trial.best) : -1;
  if (best >= 0) links.pick({ kind: "trial", s: state.search, i: best });
  else detail(null);
}
start();
let detailWidth = byId("detail").clientWidth;
new ResizeObserver(() =>
  requestAnimationFrame(() => {
    if (byId("detail").clientWidth === detailWidth) return;
    detailWidth = byId("detail").clientWidth;
    detail(state.chosen);
  }),
).observe(byId("detail"));
