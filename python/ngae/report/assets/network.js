// Draws a network from its short text: layers along one direction, long edges on ways of their own.

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// `0.3.2.1|AbC` gives types and edges; see `ngae.report.graphs.code_of`.
function graphOf(code) {
  const [types, letters] = code.split("|");
  const graph = { types: types.split(".").map(Number), edges: [] };
  let at = 0;
  for (let v = 1; v < graph.types.length; v++)
    for (let u = 0; u < v; u++, at++)
      if ((DIGITS.indexOf(letters[Math.floor(at / 6)]) >> (5 - (at % 6))) & 1)
        graph.edges.push([u, v]);
  return graph;
}

function depths(graph) {
  const depth = graph.types.map(() => 0);
  for (const [u, v] of [...graph.edges].sort((a, b) => a[1] - b[1]))
    depth[v] = Math.max(depth[v], depth[u] + 1);
  return depth;
}

// Layers of real nodes and of way points of long edges, ordered so that few edges cross.
function layered(graph) {
  const depth = depths(graph);
  const nodes = graph.types.map((type, i) => ({ i, layer: depth[i], real: true, at: 0 }));
  const links = [];
  const chains = graph.edges.map(([u, v]) => {
    const chain = [nodes[u]];
    for (let layer = depth[u] + 1; layer < depth[v]; layer++) {
      const way = { layer, real: false, at: 0 };
      nodes.push(way);
      chain.push(way);
    }
    chain.push(nodes[v]);
    for (let k = 1; k < chain.length; k++) links.push([chain[k - 1], chain[k]]);
    return chain;
  });
  const layers = [];
  for (const node of nodes) (layers[node.layer] = layers[node.layer] || []).push(node);
  for (const node of nodes) node.near = { "-1": [], 1: [] };
  for (const [a, b] of links) {
    a.near[1].push(b);
    b.near[-1].push(a);
  }
  return { layers, chains, nodes };
}

function order({ layers }) {
  for (const layer of layers)
    layer.forEach((node, k) => {
      node.at = k - (layer.length - 1) / 2;
    });
  for (let round = 0; round < 8; round++) {
    const side = round % 2 ? 1 : -1;
    for (const layer of side < 0 ? layers : [...layers].reverse()) {
      for (const node of layer) {
        const near = node.near[side];
        node.wish = near.length
          ? near.reduce((sum, other) => sum + other.at, 0) / near.length
          : node.at;
      }
      layer.sort((a, b) => a.wish - b.wish);
      layer.forEach((node, k) => {
        node.at = k - (layer.length - 1) / 2;
      });
    }
  }
}

const PULL = 0.97; // a little towards the middle, so that no part drifts away

// Places across the layers: near their neighbours, real nodes a box apart, way points less.
function place({ layers }, boxSize, waySize) {
  const size = (node) => (node.real ? boxSize : waySize);
  for (const layer of layers) {
    let at = 0;
    for (const node of layer) {
      node.at = at + size(node) / 2;
      at += size(node);
    }
    for (const node of layer) node.at -= at / 2;
  }
  for (let round = 0; round < 24; round++) {
    const side = round % 2 ? 1 : -1;
    for (const layer of side < 0 ? layers : [...layers].reverse()) {
      for (const node of layer) {
        const all = [...node.near[-1], ...node.near[1]];
        const weight = (other) => (node.real && other.real ? 6 : 1);
        const total = all.reduce((sum, other) => sum + weight(other), 0);
        node.wish = total
          ? (PULL * all.reduce((sum, other) => sum + weight(other) * other.at, 0)) / total
          : node.at;
        if (node.real && layer.filter((other) => other.real).length === 1) node.wish = 0;
      }
      settle(layer, size);
    }
  }
}
// Keeps order and distances: a real node alone in its layer stays where it is wished; else each
// goes to the middle between the least place that the left and the right ones leave it.
function settle(layer, size) {
  const gap = (k) => (size(layer[k]) + size(layer[k + 1])) / 2;
  const right = layer.map((node) => node.wish),
    left = [...right];
  const fixed =
    layer.filter((node) => node.real).length === 1 ? layer.findIndex((node) => node.real) : -1;
  for (let k = Math.max(1, fixed + 1); k < layer.length; k++)
    right[k] = Math.max(right[k], right[k - 1] + gap(k - 1));
  for (let k = (fixed < 0 ? layer.length - 1 : fixed) - 1; k >= 0; k--)
    left[k] = Math.min(left[k], left[k + 1] - gap(k));
  layer.forEach((node, k) => {
    node.at = fixed < 0 ? (left[k] + right[k]) / 2 : k < fixed ? left[k] : right[k];
  });
}

// Where everything is if the layers follow each other from left to right (flat) or downwards.
function layout(graph, boxWidth, boxHeight, flat) {
  const plan = layered(graph);
  const [deep, wide] = flat ? [boxWidth, boxHeight] : [boxHeight, boxWidth];
  const along = deep + (flat ? 30 : 24);
  order(plan);
  place(plan, wide + 14, flat ? 12 : 10);
  const half = (node) => (node.real ? wide / 2 : 2);
  const low = Math.min(...plan.nodes.map((node) => node.at - half(node))) - 4;
  const high = Math.max(...plan.nodes.map((node) => node.at + half(node))) + 4;
  const length = (plan.layers.length - 1) * along + deep + 8;
  const point = (node) => {
    const a = 4 + deep / 2 + node.layer * along,
      c = node.at - low;
    return flat ? [a, c] : [c, a];
  };
  const [w, h] = flat ? [length, high - low] : [high - low, length];
  return { plan, flat, half: deep / 2, point, w, h };
}
const LEAST = 0.6; // of their size are letters still read; what is wider scrolls

// Draws left to right where that fits into `width` pixels, else in the way that stays larger.
function drawNetwork(code, names, width) {
  const graph = graphOf(code);
  const labels = graph.types.map((type) => names[type] || String(type));
  const boxWidth = 18 + 6.7 * Math.max(...labels.map((label) => label.length)),
    boxHeight = 26;
  const both = [true, false].map((flat) => layout(graph, boxWidth, boxHeight, flat));
  const { plan, flat, half, point, w, h } =
    both[0].w <= Math.max(width, both[1].w) ? both[0] : both[1];
  const text = `${labels.length} nodes: ${labels.join(", ")}; edges ${graph.edges
    .map(([u, v]) => `${u} to ${v}`)
    .join(", ")}`;
  const drawn = svg(
    "svg",
    {
      class: "net",
      viewBox: `0 0 ${w.toFixed(1)} ${h.toFixed(1)}`,
      width: w.toFixed(0),
      height: h.toFixed(0),
      role: "img",
      "aria-label": text,
    },
    plan.chains.map((chain) => way(chain, point, half, flat)),
    graph.types.map((type, i) => {
      const [x, y] = point(plan.nodes[i]);
      return [
        svg("rect", {
          class: `t${type % 10}`,
          x: x - boxWidth / 2,
          y: y - boxHeight / 2,
          width: boxWidth,
          height: boxHeight,
          rx: 6,
        }),
        svg("text", { x, y: y + 4 }, labels[i]),
      ];
    }),
  );
  drawn.style.minWidth = `${(LEAST * w).toFixed(0)}px`;
  return drawn;
}
// One edge: straight through its way points' layers, curved between them, with a head.
function way(chain, point, half, flat) {
  const move = ([x, y], by) => (flat ? [x + by, y] : [x, y + by]);
  const show = ([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`;
  let from = move(point(chain[0]), half),
    path = `M${show(from)}`;
  for (let k = 1; k < chain.length; k++) {
    const last = k === chain.length - 1;
    const to = move(point(chain[k]), last ? -half - 6 : -half * (flat ? 0.7 : 1));
    const bend = Math.max(6, (flat ? to[0] - from[0] : to[1] - from[1]) / 2);
    path += ` C${show(move(from, bend))} ${show(move(to, -bend))} ${show(to)}`;
    from = to;
    if (!last) {
      from = move(point(chain[k]), half * (flat ? 0.7 : 1));
      path += ` L${show(from)}`;
    }
  }
  const [x, y] = from;
  const head = flat
    ? `M${x - 1} ${y - 3.5} L${x + 6} ${y} L${x - 1} ${y + 3.5} z`
    : `M${x - 3.5} ${y - 1} L${x} ${y + 6} L${x + 3.5} ${y - 1} z`;
  return [svg("path", { d: path }), svg("path", { d: head, class: "head" })];
}
