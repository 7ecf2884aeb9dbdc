// The live page: asks this server about points and shows the answers; runs after all other parts.

const byId = (id) => document.getElementById(id);
const state = {
  hovered: null,
  rows: false,
  cursor: null,
  answer: null,
  title: "",
  ends: {},
  walk: null,
  at: 0,
  asked: 0,
  column: 0,
};
let world = null,
  table = null,
  plot = null;

function say(text, bad) {
  byId("status").textContent = text;
  byId("status").classList.toggle("bad", Boolean(bad));
}
// Sends a question; the answer of an older one is dropped.
async function ask(route, body) {
  const turn = ++state.asked;
  say("Asking the model ...");
  try {
    const response = await fetch(
      route,
      body === undefined
        ? {}
        : {
            method: "POST",
            headers: { "Content-Type": "application/json" },
            body: JSON.stringify(body),
          },
    );
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
  if (walk)
    plot.lines.push({ values: walk.answers.map((a) => [a.x, a.y]), kind: "ascent", head: true });
  if (answer) {
    plot.marks.push({ item: { kind: "point", i: 0, s: 0 }, x: answer.x, y: answer.y });
    plot.lines.push({
      values: [
        [answer.x, answer.y],
        [answer.neighbour.x, answer.neighbour.y],
      ],
      kind: "trail",
    });
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

// In the plane the arrow keys move a cursor; among rows they go from row to row.
function keys(event) {
  const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[
    event.key
  ];
  if (state.rows || !(way || event.key === "Enter")) return false;
  event.preventDefault();
  const { range } = plot,
    middle = plot.view ? [range.x, range.y].map(([low, high]) => (low + high) / 2) : [0, 0],
    start = state.cursor || (state.answer ? [state.answer.x, state.answer.y] : middle);
  if (event.key === "Enter") {
    decode(...start);
    return true;
  }
  state.cursor = start.map(
    (v, k) => v + (way[k] * (k ? range.y : range.x)[1] - way[k] * (k ? range.y : range.x)[0]) / 50,
  );
  plot.marks = plot.marks.filter((mark) => mark.item.kind !== "cursor");
  plot.marks.push({ item: { kind: "cursor", i: 0, s: 0 }, x: state.cursor[0], y: state.cursor[1] });
  plot.zoom.follow(state.cursor);
  plot.draw();
  return true;
}

async function start() {
  world = await ask("/map");
  if (!world) return;
  table = unpackTable(world.table);
  const colours = colouring(table, world.names);
  plot = mapPlot(
    byId("map-plot"),
    { ...world, table },
    { shade: colours.shade, x: [], y: [] },
    {
      ratio: 0.72,
      keys,
      far: () => state.rows,
      hover: (item, source) => {
        state.hovered = item;
        plot.show(item, plot.chosen, tell, source);
      },
      pick: (item) => {
        if (item.kind === "row") decodeRow(item.i);
      },
      place: (x, y, item) => {
        if (state.rows) return false;
        state.cursor = [x, y];
        decode(x, y);
        return true;
      },
    },
  );
  fill(byId("controls"), {}, [
    rampLegend(colours.title, colours.values),
    box("click takes the nearest known row", false, (on) => {
      state.rows = on;
    }),
  ]);
  byId("walk-slider").addEventListener("input", (event) => {
    state.at = Number(event.target.value);
    showAnswer(state.walk.answers[state.at], state.walk.name(state.at));
    walkCurve();
  });
  put(byId("answer"), el("p", { class: "empty" }, "No point is chosen yet."));
  plot.draw();
  new ResizeObserver(() =>
    requestAnimationFrame(() => {
      if (state.walk) walkCurve();
    }),
  ).observe(byId("walk"));
}
start();
