// Small curves over epochs, one a figure, with the last value written at the end.

const CURVES = [
  ["objective", "objective", "nats, down", true],
  ["nodes", "nodes", "nats, down", true],
  ["edges", "edges", "nats, down", true],
  ["kl", "KL divergence", "nats", false],
  ["performance", "performance", "squared error, down", true],
  ["complexity", "complexity", "squared error, down", true],
  ["test_reconstruction", "test reconstruction", "share, up", false],
  ["test_pearson_r", "test Pearson r", "r, up", false],
];

function curveFigure(epochs, values, title, unit, log) {
  const points = epochs
    .map((epoch, i) => [epoch, values[i]])
    .filter(([, value]) => Number.isFinite(value) && value !== null && (!log || value > 0));
  if (points.length < 1) return null;
  const host = el("figure", { class: "plot" });
  host.style.margin = "0";
  const area = el("div", { class: "area" });
  const last = points[points.length - 1];
  host.append(
    el("figcaption", { class: "title" }, title, el("span", {}, `last ${number(last[1])}`)),
    area,
  );
  const draw = () => drawCurve(area, points, title, unit, log);
  new ResizeObserver(() => requestAnimationFrame(draw)).observe(area);
  return host;
}

function drawCurve(area, points, title, unit, log) {
  const width = area.clientWidth,
    height = 176;
  if (!width || area.dataset.width === String(width)) return;
  area.dataset.width = width;
  area.style.height = `${height}px`;
  const to = (value) => (log ? Math.log10(value) : value);
  const x = extent(points.map(([epoch]) => epoch)),
    y = padded(extent(points.map(([, v]) => to(v))), 0.08);
  const frame = { left: 52, right: 10, top: 10, bottom: 38 };
  const w = width - frame.left - frame.right,
    h = height - frame.top - frame.bottom;
  const px = (epoch) => frame.left + ((epoch - x[0]) / (x[1] - x[0] || 1)) * w;
  const py = (value) => frame.top + ((y[1] - value) / (y[1] - y[0])) * h;
  const parts = [];
  for (const [value, text] of curveTicks(y, log)) {
    parts.push(
      svg("path", { class: "rule", d: `M${frame.left} ${py(value).toFixed(1)}h${w}` }),
      svg("text", { x: frame.left - 7, y: py(value) + 4, "text-anchor": "end" }, text),
    );
  }
  for (const value of ticks(x[0], x[1], w / 60).filter(Number.isInteger))
    parts.push(
      svg("text", { x: px(value), y: frame.top + h + 15, "text-anchor": "middle" }, value),
    );
  const d = "M" + points.map(([e, v]) => `${px(e).toFixed(1)} ${py(to(v)).toFixed(1)}`).join("L");
  const [le, lv] = points[points.length - 1];
  const middle = frame.top + h / 2;
  parts.push(
    svg("path", { class: "curve", d }),
    svg("circle", { class: "curve-end", cx: px(le), cy: py(to(lv)), r: 3 }),
    svg(
      "text",
      { class: "axis", x: frame.left + w / 2, y: height - 5, "text-anchor": "middle" },
      "epoch",
    ),
    svg(
      "text",
      {
        class: "axis",
        x: 11,
        y: middle,
        "text-anchor": "middle",
        transform: `rotate(-90 11 ${middle})`,
      },
      unit,
    ),
  );
  put(
    area,
    svg(
      "svg",
      {
        width,
        height,
        role: "img",
        "aria-label": `${title}, ${unit}: from ${number(points[0][1])} to ${number(lv)}`,
      },
      parts,
    ),
  );
}
function curveTicks([low, high], log) {
  if (!log) return ticks(low, high, 3).map((value) => [value, tickText(value)]);
  for (const factors of [[1], [1, 3], [1, 2, 5]]) {
    const found = [];
    for (let power = Math.floor(low); power <= high; power++)
      for (const factor of factors) {
        const at = power + Math.log10(factor);
        if (at >= low && at <= high)
          found.push([at, tickText(+(factor * 10 ** power).toPrecision(3))]);
      }
    if (found.length > 1) return found;
  }
  return [low, high].map((at) => [at, tickText(+(10 ** at).toPrecision(2))]);
}
function showCurves(host, log) {
  for (const [key, title, unit, isLog] of CURVES) {
    const figure = log[key] && curveFigure(log.epoch, log[key], title, unit, isLog);
    if (figure) host.append(figure);
  }
}
