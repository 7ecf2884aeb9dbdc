// Walks of the live page: from A to B, or up a gradient; a slider goes through their networks.

function setEnd(name, answer) {
  state.ends[name] = answer;
  drawMap();
  const { A, B } = state.ends;
  if (A && B) between(A, B);
  else
    byId("walk-note").textContent = `${name} is set; choose ${A ? "B" : "A"} to walk between them.`;
}
async function between(a, b) {
  const answers = await ask("/interpolate", { start: a.z, end: b.z, count: 21 });
  if (answers) walk("From A to B", answers, (k) => `Between A and B: ${(5 * k).toFixed(0)} %`, 0);
}
async function search(answer, weight) {
  state.weight = weight.value;
  const answers = await ask("/search", {
    start: answer.z,
    weight: Number(weight.value),
    steps: 50,
    column: state.column,
  });
  if (answers)
    walk("Ascent from here", answers, (k) => `Ascent: step ${5 * k}`, answers.length - 1);
}

function walk(title, answers, name, at) {
  state.walk = { title, answers, name };
  state.at = at;
  showWalk();
  showAnswer(answers[at], name(at));
}
function showWalk() {
  const { walk: now } = state,
    slider = byId("walk-slider");
  slider.disabled = !now;
  byId("walk-title").textContent = now ? now.title : "Walk";
  if (!now) {
    put(byId("walk-curve"));
    slider.max = 0;
    const set = Object.keys(state.ends);
    byId("walk-note").textContent =
      set.length === 1
        ? `${set[0]} is set; choose the other end.`
        : "Choose two networks as A and B, or search from one.";
    return;
  }
  slider.max = now.answers.length - 1;
  slider.value = state.at;
  const kinds = new Set(now.answers.map((a) => a.hash)).size;
  byId("walk-note").textContent =
    `${kinds} distinct network${kinds === 1 ? "" : "s"} at ${now.answers.length} points; ` +
    `predicted ${world.names.performance} at the point (line) and of the network (dashes):`;
  walkCurve();
}
function walkCurve() {
  const host = byId("walk-curve"),
    { answers } = state.walk;
  const values = answers.map((a) => a.predicted);
  if (!values.every(Number.isFinite)) return;
  const own = answers.map((a) => a.encoded.predicted ?? NaN);
  const width = host.clientWidth || 300,
    height = 84,
    y = padded(extent(own, ...extent(values)), 0.1);
  const px = (k) => 8 + (k / (answers.length - 1)) * (width - 16);
  const py = (v) => 8 + ((y[1] - v) / (y[1] - y[0])) * (height - 30);
  const d = "M" + values.map((v, k) => `${px(k).toFixed(1)} ${py(v).toFixed(1)}`).join("L");
  const last = values.length - 1;
  const runs = own
    .map((v, k) => (Number.isFinite(v) ? `${px(k).toFixed(1)} ${py(v).toFixed(1)}` : null))
    .reduce(
      (path, spot, k, all) =>
        path + (spot === null ? "" : `${k && all[k - 1] !== null ? "L" : "M"}${spot}`),
      "",
    );
  put(
    host,
    svg(
      "svg",
      { width, height, "aria-hidden": "true" },
      svg("path", { class: "now", d: `M${px(state.at)} 0V${height - 18}` }),
      svg("path", { class: "even", d: runs || "M0 0" }),
      svg("path", { class: "curve", d }),
      values.map((v, k) =>
        svg("circle", { class: "curve-end", cx: px(k), cy: py(v), r: k === state.at ? 4.5 : 2.5 }),
      ),
      svg("text", { x: 8, y: height - 3 }, number(values[0])),
      svg("text", { x: width - 8, y: height - 3, "text-anchor": "end" }, number(values[last])),
    ),
  );
}
