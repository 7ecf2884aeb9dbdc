"use strict";
// Small helpers: elements, numbers, colours. Text only ever becomes text nodes, never markup.

const SVG_SPACE = (() => {
  const template = document.createElement("template");
  template.innerHTML = "<svg></svg>";
  return template.content.firstChild.namespaceURI;
})();

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false)
      node.setAttribute(name, value);
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined) continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}
function put(host, ...children) {
  host.replaceChildren();
  return fill(host, {}, children);
}
const el = (name, attributes = {}, ...children) =>
  fill(document.createElement(name), attributes, children);
const svg = (name, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG_SPACE, name), attributes, children);

// Arrays come as base64 of little-endian float32.
function unpack(value) {
  if (value === null || value === undefined) return null;
  const text = atob(value.f32);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return new Float32Array(bytes.buffer);
}
function unpackTable(table) {
  const columns = (list) => (list || []).map(unpack);
  return {
    ...table,
    n: table.graphs.length,
    row: unpack(table.row),
    x: unpack(table.x),
    y: unpack(table.y),
    performance: unpack(table.performance),
    predicted: unpack(table.predicted),
    complexity: columns(table.complexity),
    predictedComplexity: table.predicted_complexity ? columns(table.predicted_complexity) : null,
  };
}

// At most five digits; large numbers with thousands apart.
function number(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "unknown";
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString("en");
  if (size >= 1 || size === 0) return String(+value.toPrecision(5));
  return size < 1e-4 ? value.toExponential(2) : String(+value.toFixed(4));
}
function tickText(value) {
  const size = Math.abs(value);
  for (const [unit, name] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ])
    if (size >= unit) return `${+(value / unit).toPrecision(4)}${name}`;
  return String(+value.toPrecision(6));
}
function ticks(low, high, count) {
  const rough = (high - low) / Math.max(1, count);
  const unit = 10 ** Math.floor(Math.log10(rough));
  const off = (step) => Math.abs(Math.log(step / rough));
  const step = [1, 2, 5, 10].map((f) => f * unit).reduce((a, b) => (off(b) < off(a) ? b : a));
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++)
    found.push(k * step);
  return found;
}
function extent(values, low = Infinity, high = -Infinity) {
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [0, 1];
}
function padded([low, high], share = 0.04) {
  const pad = (high - low || Math.abs(high) || 1) * share;
  return [low - pad, high + pad];
}
function quantile(values, share) {
  const known = Array.from(values)
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  return known.length ? known[Math.round(share * (known.length - 1))] : NaN;
}

// A ramp for performance: what is high stands out from the background, light or dark.
const STEPS = 48;
const STOPS = {
  light: ["#f6d9a8", "#f5a36b", "#dd5a6c", "#96307f", "#35105c"],
  dark: ["#3a2a63", "#8b2f86", "#d94b6c", "#f99c66", "#fcf5b8"],
};
const UNKNOWN = { light: "#b9bdc4", dark: "#4a505b" };
const darkTheme = window.matchMedia("(prefers-color-scheme: dark)");
const theme = () => (darkTheme.matches ? "dark" : "light");
function mixed(stops, share) {
  const at = share * (stops.length - 1),
    k = Math.min(stops.length - 2, Math.floor(at));
  const channel = (text, i) => parseInt(text.slice(1 + 2 * i, 3 + 2 * i), 16);
  const parts = [0, 1, 2].map((i) => {
    const a = channel(stops[k], i),
      b = channel(stops[k + 1], i);
    return Math.round(a + (b - a) * (at - k));
  });
  return `rgb(${parts.join(",")})`;
}
function ramp() {
  const colours = [];
  for (let i = 0; i < STEPS; i++) colours.push(mixed(STOPS[theme()], i / (STEPS - 1)));
  return colours;
}
// Colour number of each value by its rank, so that each colour has as many; -1: not known.
function shades(values) {
  const known = Float64Array.from(values).filter(Number.isFinite).sort();
  const rank = (value) => {
    let low = 0,
      high = known.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (known[middle] < value) low = middle + 1;
      else high = middle;
    }
    return low / known.length;
  };
  return Int8Array.from(values, (value) =>
    Number.isFinite(value) ? Math.min(STEPS - 1, Math.floor(rank(value) * STEPS)) : -1,
  );
}
function rampLegend(title, values) {
  const canvas = el("canvas", { width: STEPS, height: 1, "aria-hidden": "true" });
  const paint = () => {
    const context = canvas.getContext("2d");
    ramp().forEach((colour, i) => {
      context.fillStyle = colour;
      context.fillRect(i, 0, 1, 1);
    });
  };
  paint();
  darkTheme.addEventListener("change", paint);
  if (!values.some(Number.isFinite)) return null;
  const [low, high] = extent(values),
    middle = quantile(values, 0.5);
  return el(
    "span",
    { class: "legend", title: "coloured by rank: each colour has as many rows" },
    `${title} by rank: ${number(low)}`,
    canvas,
    `${number(high)} (median ${number(middle)})`,
  );
}
const pairs = (entries) =>
  el(
    "dl",
    {},
    entries
      .filter(Boolean)
      .map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
  );
const box = (title, checked, change) =>
  el(
    "label",
    {},
    el("input", { type: "checkbox", checked, onchange: (e) => change(e.target.checked) }),
    title,
  );
