// Draws a network from its short text: layers along one direction, long edges on ways of their own.

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// `0.3.2.1|AbC` gives types and edges; see `ngae.report.graphs.code_of`.
function graphOf(code) {
  const [types, letters] = code.split("|");
  const graph = { types: types.split(".").map(Number), edges: [] };
  let at = 0;
  for (let v = 1; v < graph.types.length; v++)
    for (let u = 0; u < v; u++, at++)
      if ((DIGITS.indexOf(letters[Math.floor(at / 6)]) >> (5 - (at % 6))) & 1) graph.edges.push([u, v]);
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
  for (const [a, b] of links) { a.near[1].push(b); b.near[-1].push(a); }
  return { layers, chains, nodes };
}

function order({ layers }) {
  for (const layer of layers) layer.forEach((node, k) => { node.at = k - (layer.length - 1) / 2; });
  for (let round = 0; round < 8; round++) {
    const side = round % 2 ? 1 : -1;
    for (const layer of side < 0 ? layers : [...layers].reverse()) {
      for (const node of layer) {
        const near = node.near[side];
        node.wish = near.length ? near.reduce((sum, other) => sum + other.at, 0) / near.length : node.at;
      }
      layer.sort((a, b) => a.wish - b.wish);
      layer.forEach((node, k) => { node.at = k - (layer.length - 1) / 2; });
    }
  }
}

// Places across the layers: near their neighbours, real nodes a box apart, way points less.
function place({ layers }, boxSize, waySize) {
  const size = (node) => (node.real ? boxSize : waySize);
  for (const layer of layers) {
    let at = 0;
    for (const node of layer) { node.at = at + size(node) / 2; at += size(node); }
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
          ? all.reduce((sum, other) => sum + weight(other) * other.at, 0) / total : node.at;
        if (node.real && layer.filter((other) => other.real).length === 1) node.wish = 0;
      }
      settle(layer, size);
    }
  }
}
// Least moves that keep the order and the distances: real nodes get their wish first.
function settle(layer, size) {
  const gap = (a, b) => (size(a) + size(b)) / 2;
  const first = layer.findIndex((node) => node.real);
  const pivot = first < 0 ? Math.floor(layer.length / 2) : first;
  layer[pivot].at = layer[pivot].wish;
  for (let k = pivot + 1; k < layer.length; k++)
    layer[k].at = Math.max(layer[k].wish, layer[k - 1].at + gap(layer[k - 1], layer[k]));
  for (let k = pivot - 1; k >= 0; k--)
    layer[k].at = Math.min(layer[k].wish, layer[k + 1].at - gap(layer[k], layer[k + 1]));
}

// Draws left to right where that fits into `width` pixels, else from top to bottom.
function drawNetwork(code, names, width) {
  const graph = graphOf(code);
  const labels = graph.types.map((type) => names[type] || String(type));
  const boxWidth = 18 + 6.7 * Math.max(...labels.map((label) => label.length)), boxHeight = 26;
  const plan = layered(graph);
  const flat = plan.layers.length * (boxWidth + 30) <= width;
  const along = flat ? boxWidth + 30 : boxHeight + 24;
  order(plan);
  place(plan, (flat ? boxHeight : boxWidth) + 14, flat ? 12 : 10);
  const across = plan.nodes.map((n) => [n.at, ((n.real && (flat ? boxHeight : boxWidth)) || 4) / 2]);
  const low = Math.min(...across.map(([at, half]) => at - half)) - 4;
  const high = Math.max(...across.map(([at, half]) => at + half)) + 4;
  const length = (plan.layers.length - 1) * along + (flat ? boxWidth : boxHeight) + 8;
  const point = (node) => {
    const a = 4 + (flat ? boxWidth : boxHeight) / 2 + node.layer * along, c = node.at - low;
    return flat ? [a, c] : [c, a];
  };
  const half = (flat ? boxWidth : boxHeight) / 2;
  const [w, h] = flat ? [length, high - low] : [high - low, length];
  const text = `${labels.length} nodes: ${labels.join(", ")}; edges ${
    graph.edges.map(([u, v]) => `${u} to ${v}`).join(", ")}`;
  return svg("svg", { class: "net", viewBox: `0 0 ${w.toFixed(1)} ${h.toFixed(1)}`,
      width: w.toFixed(0), height: h.toFixed(0), role: "img", "aria-label": text },
    plan.chains.map((chain) => way(chain, point, half, flat)),
    graph.types.map((type, i) => {
      const [x, y] = point(plan.nodes[i]);
      return [
        svg("rect", { class: `t${type % 10}`, x: x - boxWidth / 2, y: y - boxHeight / 2,
          width: boxWidth, height: boxHeight, rx: 6 }),
        svg("text", { x, y: y + 4 }, labels[i]),
      ];
    }));
}
// One edge: straight through its way points' layers, curved between them, with a head.
function way(chain, point, half, flat) {
  const move = ([x, y], by) => (flat ? [x + by, y] : [x, y + by]);
  const show = ([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`;
  let from = move(point(chain[0]), half), path = `M${show(from)}`;
  for (let k = 1; k < chain.length; k++) {
    const last = k === chain.length - 1;
    const to = move(point(chain[k]), last ? -half - 6 : -half * (flat ? 0.7 : 1));
    const bend = Math.max(6, (flat ? to[0] - from[0] : to[1] - from[1]) / 2);
    path += ` C${show(move(from, bend))} ${show(move(to, -bend))} ${show(to)}`;
    from = to;
    if (!last) { from = move(point(chain[k]), half * (flat ? 0.7 : 1)); path += ` L${show(from)}`; }
  }
  const [x, y] = from;
  const head = flat ? `M${x - 1} ${y - 3.5} L${x + 6} ${y} L${x - 1} ${y + 3.5} z`
    : `M${x - 3.5} ${y - 1} L${x} ${y + 6} L${x + 3.5} ${y - 1} z`;
  return [svg("path", { d: path }), svg("path", { d: head, class: "head" })];
}
