// The panel of the live page: one answer as drawings, numbers and what can be done with it.

function showAnswer(answer, title) {
  Object.assign(state, { answer, title });
  const host = byId("answer"),
    { names } = world,
    near = answer.neighbour;
  const whole = Math.max(280, host.clientWidth - 44),
    half = (whole - 12) / 2;
  const fits = (code, width) =>
    parseFloat(drawNetwork(code, names.types, width).style.minWidth) <= width;
  const beside = fits(answer.graph, half) && fits(near.graph, half),
    width = beside ? half : whole;
  put(
    host,
    el("h3", {}, title),
    el(
      "div",
      { class: beside ? "two" : "two one" },
      el(
        "div",
        {},
        el("h4", {}, answer.valid ? "decoded network" : "decoded, not in the space"),
        el(
          "div",
          { class: "drawing", id: "decoded" },
          drawNetwork(answer.graph, names.types, width),
        ),
      ),
      el(
        "div",
        {},
        el(
          "h4",
          {},
          near.same ? el("span", { class: "same" }, "known: the same network") : "nearest known",
        ),
        el("div", { class: "drawing" }, drawNetwork(near.graph, names.types, width)),
      ),
    ),
    numbersTable(answer),
    el(
      "p",
      { class: "note" },
      "At the point: what is predicted there. Network: what is predicted where the " +
        "encoder puts the decoded network, which is the safer number. ",
    ),
    el(
      "p",
      { class: "note" },
      near.same
        ? `This network is a ${near.part} row.`
        : `The nearest known network is a ${near.part} row, ${number(near.distance)} away in the latent space.`,
    ),
    answer.architecture && el("code", {}, answer.architecture),
    actions(answer),
  );
  drawMap();
}

// Predicted at the point and where the encoder puts the network; exact; known of the neighbour.
function numbersTable(answer) {
  const { names } = world,
    near = answer.neighbour,
    known = (value) => (Number.isFinite(value) ? number(value) : "–");
  const all = [...new Set([...names.complexity, ...Object.keys(answer.complexity)])];
  const line = (title, ...values) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, title),
      values.map((value) => el("td", {}, known(value))),
    );
  return el(
    "div",
    { class: "scroll" },
    el(
      "table",
      { id: "numbers" },
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          ["", "at the point", "network", "real", near.same ? "in the table" : "nearest"].map(
            (title) => el("th", { scope: "col" }, title),
          ),
        ),
      ),
      el(
        "tbody",
        {},
        line(
          `${names.performance} ↑`,
          answer.predicted ?? NaN,
          answer.encoded.predicted ?? NaN,
          near.same ? (near.performance ?? NaN) : NaN,
          near.performance ?? NaN,
        ),
        all.map((name) =>
          line(
            `${name} ↓`,
            answer.predicted_complexity[name],
            answer.encoded.predicted_complexity[name],
            answer.complexity[name],
            near.complexity[name],
          ),
        ),
      ),
    ),
  );
}

function actions(answer) {
  const button = (text, act, main) =>
    el("button", { type: "button", class: main ? "main" : null, onclick: act }, text);
  const weight = el("input", {
    type: "number",
    min: "0",
    max: "5",
    step: "0.1",
    value: state.weight || "0",
  });
  const rows = [
    el(
      "div",
      { class: "row" },
      button("Set as A", () => setEnd("A", answer)),
      button("Set as B", () => setEnd("B", answer)),
      button("Copy JSON", () => copy(JSON.stringify(answer.json, null, 1), "JSON")),
      answer.pytorch && button("Copy PyTorch", () => copy(answer.pytorch, "PyTorch code")),
    ),
  ];
  if (world.can_search)
    rows.push(
      el(
        "div",
        { class: "row" },
        button("Search from here", () => search(answer, weight), true),
        world.can_weigh && el("label", {}, "weight of", costChoice(), weight),
      ),
    );
  return rows;
}
function costChoice() {
  const options = world.names.complexity.map((name, k) =>
    el("option", { value: k, selected: k === state.column }, name),
  );
  return el(
    "select",
    {
      "aria-label": "complexity",
      onchange: (e) => {
        state.column = Number(e.target.value);
      },
    },
    options,
  );
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
