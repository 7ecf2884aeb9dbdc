// The map of the latent space, the same in the report and in the live page.

// What colours the rows: what is known of them, else what is predicted, else nothing.
function colouring(table, names) {
  const labelled = table.performance.some(Number.isFinite);
  const values = labelled ? table.performance : table.predicted || table.performance;
  const title = labelled ? names.performance : `predicted ${names.performance}`;
  return { title, values, shade: shades(values) };
}
function mapPlot(host, { names, shares, table }, extra, options) {
  const share = (k) => (shares[k] ? `, ${(100 * shares[k]).toFixed(0)} % of the variance` : "");
  const plot = new Plot(host, {
    title: "Latent map",
    label: "Latent map: arrow keys move, Enter shows a network, plus and minus zoom",
    x: {
      title: `first principal component${share(0)}`,
      range: padded(extent(extra.x, ...extent(table.x))),
    },
    y: { title: `second${share(1)}`, range: padded(extent(extra.y, ...extent(table.y))) },
    ...options,
  });
  plot.points = { x: table.x, y: table.y, first: 0, shade: extra.shade };
  plot.range = { x: plot.options.x.range, y: plot.options.y.range };
  plot.zoom = new Zoom(plot);
  return plot;
}
// What is told of a row, in lines.
function rowEntries(table, names, i) {
  const part = i < table.train ? "training" : "test";
  const entries = [["where", `${part} row`]];
  if (Number.isFinite(table.performance[i]))
    entries.push([names.performance, number(table.performance[i])]);
  if (table.predicted) entries.push([`predicted ${names.performance}`, number(table.predicted[i])]);
  names.complexity.forEach((name, c) => {
    entries.push([name, number(table.complexity[c][i])]);
    if (table.predictedComplexity)
      entries.push([`predicted ${name}`, number(table.predictedComplexity[c][i])]);
  });
  return entries;
}
