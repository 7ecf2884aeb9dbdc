// The networks of the report: the one that is chosen, and the gallery of what a search found.

function detail(item) {
  const host = byId("detail");
  if (!item) {
    put(host, el("p", { class: "empty" }, "No network is chosen yet."));
    return;
  }
  const trial = item.kind === "trial" ? searches[item.s].trials[item.i] : null;
  const code = trial ? trial.graph : table.graphs[item.i];
  const entries = trial ? trialEntries(trial, searches[item.s]) : rowEntries(table, names, item.i);
  put(
    host,
    el(
      "h3",
      {},
      trial ? `Query ${trial.number + 1} of ${searches[item.s].name}` : "A known architecture",
    ),
    el("div", { class: "drawing" }, drawNetwork(code, names.types, host.clientWidth - 40)),
    pairs(entries),
    ...(trial && trial.architecture ? [el("code", {}, trial.architecture)] : []),
  );
}
function trialEntries(trial) {
  const entries = [
    [
      names.performance,
      trial.status && trial.status !== "ok" ? `failed: ${trial.error}` : number(trial.performance),
    ],
  ];
  if (trial.predicted_performance !== null)
    entries.push([`predicted ${names.performance}`, number(trial.predicted_performance)]);
  const predicted = trial.predicted_complexity || {};
  for (const [name, value] of Object.entries(trial.complexity || {})) {
    entries.push([name, number(value)]);
    if (name in predicted) entries.push([`predicted ${name}`, number(predicted[name])]);
  }
  return entries;
}

function gallery() {
  const host = byId("gallery"),
    search = searches[state.search];
  if (!host || !search) return;
  const ranked = search.trials
    .map((trial, i) => [trial, i])
    .filter(([trial]) => Number.isFinite(trial.performance) && trial.performance !== null)
    .sort(([a], [b]) => b.best - a.best || b.performance - a.performance);
  const front = ranked.filter(([trial]) => trial.front);
  const { queries } = search,
    known = search.trials.length;
  byId("found-note").textContent =
    known < queries
      ? `${search.name}: ${known.toLocaleString("en")} of its ${queries.toLocaleString("en")} queries are on this page.`
      : `${search.name}: ${queries.toLocaleString("en")} queries.`;
  const chosen = [...new Set([...front, ...ranked])].slice(
    0,
    Math.max(9, Math.min(front.length, 24)),
  );
  chosen.sort(([a], [b]) => b.best - a.best || b.performance - a.performance);
  put(host, ...chosen.map(([trial, i]) => foundCard(trial, i)));
}
function foundCard(trial, i) {
  const badge = trial.best ? "best" : trial.front ? "on the front" : null;
  return el(
    "article",
    { class: "card found" },
    el(
      "header",
      {},
      el("span", {}, el("strong", {}, number(trial.performance)), ` ${names.performance}`),
      badge && el("span", { class: "badge" }, badge),
    ),
    el("div", { class: "drawing" }, drawNetwork(trial.graph, names.types, 144)),
    el(
      "div",
      {},
      pairs([["query", trial.number + 1], ...trialEntries(trial).slice(1)]),
      trial.architecture && el("code", {}, trial.architecture),
      el(
        "p",
        {},
        el(
          "button",
          {
            type: "button",
            onclick: () => {
              links.pick({ kind: "trial", s: state.search, i });
              byId("map").scrollIntoView({ behavior: "smooth" });
            },
          },
          "Show on the map",
        ),
      ),
    ),
  );
}
