// A scatter plot: many points on a canvas, few marks and lines as SVG above it, one tooltip.

const EDGE = { left: 60, right: 10, top: 8, bottom: 42 };

class Plot {
  // options: title, note, label, x and y ({title, range}), ratio; functions: pick, hover, place
  // (a click anywhere), keys, far (whether the nearest is taken at any distance).
  constructor(host, options) {
    Object.assign(this, {
      options,
      points: null,
      marks: [],
      lines: [],
      hovered: null,
      chosen: null,
    });
    this.ends = [];
    this.view = null; // what of the axes is shown; null: all (zoom.js)
    this.zoom = null;
    this.canvas = el("canvas", { "aria-hidden": "true" });
    this.grid = svg("svg", { "aria-hidden": "true" });
    this.axes = svg("svg", { "aria-hidden": "true" });
    this.cursor = svg("svg", { "aria-hidden": "true" });
    this.tip = el("div", { class: "tip", hidden: true });
    this.title = el("div", { class: "title" }, options.title, el("span", {}, options.note || ""));
    this.area = el(
      "div",
      { class: "area picks", tabindex: "0", role: "application", "aria-label": options.label },
      this.grid,
      this.canvas,
      this.axes,
      this.cursor,
      this.tip,
    );
    this.host = host;
    host.classList.add("plot");
    put(host, this.title, this.area);
    this.listen();
    this.width = 0;
    new ResizeObserver(() =>
      requestAnimationFrame(() => {
        if (this.area.clientWidth !== this.width) this.draw();
      }),
    ).observe(this.area);
    darkTheme.addEventListener("change", () => this.draw());
  }

  listen() {
    this.area.addEventListener("pointermove", (event) => this.hover(this.near(event)));
    this.area.addEventListener("pointerleave", () => this.hover(null));
    this.area.addEventListener("click", (event) => {
      const item = this.near(event);
      if (this.options.place && this.options.place(...this.values(event), item)) return;
      if (item) this.options.pick(item);
    });
    this.area.addEventListener("keydown", (event) => this.key(event));
    this.area.addEventListener("blur", () => this.hover(null));
  }

  // Arrow keys go to the nearest point in their direction, Enter takes it.
  key(event) {
    if (this.zoom && this.zoom.key(event)) return;
    if (this.options.keys && this.options.keys(event)) return;
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[
      event.key
    ];
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      const item = this.hovered || this.chosen;
      if (item) this.options.pick(item);
    } else if (way) {
      event.preventDefault();
      this.hover(this.neighbour(way) || this.hovered);
    } else if (event.key === "Escape") this.hover(null);
  }

  neighbour([dx, dy]) {
    const start = this.hovered || this.chosen;
    const at =
      start && this.at(start)
        ? this.pixels(this.at(start))
        : [EDGE.left + this.inner[0] / 2, EDGE.top + this.inner[1] / 2];
    let best = null,
      least = Infinity;
    this.each((item, x, y) => {
      const [px, py] = [x - at[0], y - at[1]];
      const forward = px * dx + py * dy,
        aside = Math.abs(px * dy) + Math.abs(py * dx);
      const cost = forward + 3 * aside;
      if (forward > 1.5 && aside <= 2 * forward && cost < least) {
        least = cost;
        best = item;
      }
    });
    return best;
  }

  // Whether pixels are in sight; where all is shown everything is.
  sees([x, y]) {
    const [w, h] = this.inner;
    const inside = x >= EDGE.left && x <= EDGE.left + w && y >= EDGE.top && y <= EDGE.top + h;
    return !this.view || inside;
  }
  // Calls visit(item, x, y) with the pixels of all in sight that can be picked.
  each(visit) {
    const { points } = this;
    if (points)
      for (let i = 0; i < points.x.length; i++) {
        const [x, y] = this.pixels([points.x[i], points.y[i]]);
        if (Number.isFinite(x) && Number.isFinite(y) && this.sees([x, y]))
          visit({ kind: "row", i: i + points.first }, x, y);
      }
    for (const mark of this.marks) {
      const at = this.pixels([mark.x, mark.y]);
      if (this.sees(at)) visit(mark.item, ...at);
    }
  }

  near(event) {
    const [ex, ey] = this.local(event);
    let best = null,
      least = this.options.far && this.options.far() ? Infinity : 28;
    this.each((item, x, y) => {
      const bonus = item.kind === "row" ? 0 : -5;
      const distance = Math.hypot(x - ex, y - ey) + bonus;
      if (distance < least) {
        least = distance;
        best = item;
      }
    });
    return best;
  }
  local(event) {
    const frame = this.area.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  }
  values(event) {
    const [x, y] = this.local(event),
      { range } = this;
    return [
      range.x[0] + ((x - EDGE.left) / this.inner[0]) * (range.x[1] - range.x[0]),
      range.y[1] - ((y - EDGE.top) / this.inner[1]) * (range.y[1] - range.y[0]),
    ];
  }
  pixels([x, y]) {
    const { range } = this;
    return [
      EDGE.left + ((x - range.x[0]) / (range.x[1] - range.x[0])) * this.inner[0],
      EDGE.top + ((range.y[1] - y) / (range.y[1] - range.y[0])) * this.inner[1],
    ];
  }
  // Where an item stands, in values of the axes; null where it is not in this plot.
  at(item) {
    if (item.kind !== "row") {
      const mark = this.marks.find(
        (m) => m.item.kind === item.kind && m.item.i === item.i && m.item.s === item.s,
      );
      return mark ? [mark.x, mark.y] : null;
    }
    const i = item.i - (this.points ? this.points.first : 0);
    if (!this.points || i < 0 || i >= this.points.x.length) return null;
    const at = [this.points.x[i], this.points.y[i]];
    return at.every(Number.isFinite) ? at : null;
  }

  hover(item) {
    this.options.hover(item, this);
  }
  show(hovered, chosen, tell, source) {
    this.hovered = hovered;
    this.chosen = chosen;
    const seen = (place) => (place && this.sees(this.pixels(place)) ? place : null);
    const at = hovered && seen(this.at(hovered));
    const rings = [];
    if (chosen && seen(this.at(chosen))) {
      const [x, y] = this.pixels(this.at(chosen));
      rings.push(
        svg("circle", { cx: x, cy: y, r: 8, class: "chosen-halo" }),
        svg("circle", { cx: x, cy: y, r: 8, class: "chosen" }),
      );
    }
    if (at) {
      const [x, y] = this.pixels(at);
      rings.push(svg("circle", { cx: x, cy: y, r: 6, class: "hover" }));
    }
    for (const end of this.ends.filter((e) => seen([e.x, e.y]))) {
      const [x, y] = this.pixels([end.x, end.y]);
      rings.push(
        svg("circle", { cx: x, cy: y, r: 9, class: `end-${end.name.toLowerCase()}` }),
        svg("text", { x, y: y + 4, class: "end-name" }, end.name),
      );
    }
    put(this.cursor, ...rings);
    this.tip.hidden = !(at && source === this);
    if (this.tip.hidden) return;
    const [x, y] = this.pixels(at);
    this.tip.textContent = tell(hovered);
    const w = this.tip.offsetWidth,
      h = this.tip.offsetHeight;
    this.tip.style.left = `${Math.max(4, Math.min(this.width - w - 4, x - w / 2))}px`;
    this.tip.style.top = `${y - h - 14 < 0 ? y + 14 : y - h - 14}px`;
  }

  draw() {
    const width = (this.width = this.area.clientWidth);
    if (!width) return;
    const ratio = width < 520 ? 0.95 : this.options.ratio || 0.8;
    const height = Math.round(Math.max(230, Math.min(520, width * ratio)));
    this.area.style.height = `${height}px`;
    this.inner = [width - EDGE.left - EDGE.right, height - EDGE.top - EDGE.bottom];
    this.range = this.view || { x: this.options.x.range, y: this.options.y.range };
    for (const layer of [this.grid, this.axes, this.cursor]) {
      layer.setAttribute("width", width);
      layer.setAttribute("height", height);
    }
    this.drawPoints(width, height);
    this.drawAxes(height);
    this.show(this.hovered, this.chosen, () => "", null);
  }

  drawPoints(width, height) {
    const scale = window.devicePixelRatio || 1,
      { canvas, points } = this;
    canvas.width = width * scale;
    canvas.height = height * scale;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    if (!points) return;
    const context = canvas.getContext("2d");
    context.scale(scale, scale);
    context.beginPath();
    if (this.view) context.rect(EDGE.left, EDGE.top, ...this.inner);
    else context.rect(EDGE.left, 0, width - EDGE.left, height - EDGE.bottom);
    context.clip();
    const colours = ramp(),
      size = points.size || (points.x.length > 5000 ? 1.5 : 2.25);
    context.globalAlpha = points.alpha || 0.85;
    for (let shade = -1; shade < STEPS; shade++) {
      context.fillStyle = shade < 0 ? UNKNOWN[theme()] : colours[shade];
      context.beginPath();
      for (let i = 0; i < points.x.length; i++) {
        if (points.shade[i] !== shade) continue;
        const [x, y] = this.pixels([points.x[i], points.y[i]]);
        context.moveTo(x + size, y);
        context.arc(x, y, size, 0, 2 * Math.PI);
      }
      context.fill();
    }
  }

  drawAxes(height) {
    const { x, y } = this.options,
      [w, h] = this.inner,
      parts = [],
      rules = [];
    const bottom = EDGE.top + h;
    for (const value of ticks(...this.range.x, w / 80)) {
      const [px] = this.pixels([value, 0]);
      rules.push(svg("path", { class: "rule", d: `M${px.toFixed(1)} ${EDGE.top}V${bottom}` }));
      parts.push(svg("text", { x: px, y: bottom + 16, "text-anchor": "middle" }, tickText(value)));
    }
    for (const value of ticks(...this.range.y, h / 55)) {
      const [, py] = this.pixels([0, value]);
      rules.push(svg("path", { class: "rule", d: `M${EDGE.left} ${py.toFixed(1)}h${w}` }));
      parts.push(
        svg("text", { x: EDGE.left - 7, y: py + 4, "text-anchor": "end" }, tickText(value)),
      );
    }
    const middle = EDGE.top + h / 2;
    parts.push(
      svg(
        "text",
        { class: "axis", x: EDGE.left + w / 2, y: height - 7, "text-anchor": "middle" },
        x.title,
      ),
      svg(
        "text",
        {
          class: "axis",
          x: 12,
          y: middle,
          "text-anchor": "middle",
          transform: `rotate(-90 12 ${middle})`,
        },
        y.title,
      ),
    );
    const drawn = this.lines.flatMap((line) => this.line(line));
    for (const mark of this.marks) {
      const [px, py] = this.pixels([mark.x, mark.y]);
      drawn.push(
        svg("circle", {
          cx: px,
          cy: py,
          r: mark.best ? 6 : 4.5,
          class: mark.best ? "mark best" : "mark",
        }),
      );
    }
    put(this.grid, ...rules);
    put(this.axes, ...parts, ...(this.view ? [this.framed(drawn)] : drawn));
  }

  // Cuts what is drawn off at the frame.
  framed(drawn) {
    const [width, height] = this.inner,
      [x, y] = [EDGE.left, EDGE.top];
    const viewBox = `${x} ${y} ${width} ${height}`;
    return svg("svg", { class: "framed", x, y, width, height, viewBox }, ...drawn);
  }

  line({ values, kind, head }) {
    const spots = values.map((value) => this.pixels(value));
    if (spots.length < 2) return [];
    const d = "M" + spots.map(([px, py]) => `${px.toFixed(1)} ${py.toFixed(1)}`).join("L");
    const parts = [svg("path", { class: kind, d })];
    if (head) {
      const [ex, ey] = spots[spots.length - 1],
        [sx, sy] = spots[spots.length - 2];
      const turn = (Math.atan2(ey - sy, ex - sx) * 180) / Math.PI;
      parts.push(
        svg("path", {
          class: `${kind}-end`,
          d: "M4 0L-4 -4.5L-2 0L-4 4.5z",
          transform: `translate(${ex.toFixed(1)} ${ey.toFixed(1)}) rotate(${turn.toFixed(1)})`,
        }),
      );
    }
    return parts;
  }
}
