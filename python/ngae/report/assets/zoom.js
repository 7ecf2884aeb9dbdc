// Zoom and pan of a plot: wheel, pinch, drag, + - 0 and buttons; a double click shows all again.

const MOST_ZOOM = 64;
const ZOOM_STEP = 1.5;
const DRAG = 4; // pixels from which on a press is no click

class Zoom {
  constructor(plot) {
    this.plot = plot;
    this.pointers = new Map();
    this.dragged = false;
    const button = (text, label, act) =>
      el("button", { type: "button", title: label, "aria-label": label, onclick: act }, text);
    this.closer = button("+", "Zoom in", () => this.middle(ZOOM_STEP));
    this.wider = button("−", "Zoom out", () => this.middle(1 / ZOOM_STEP));
    this.whole = button("all", "Show the whole map", () => this.reset());
    plot.host.prepend(el("div", { class: "zoom" }, this.closer, this.wider, this.whole));
    plot.area.classList.add("zooms");
    this.listen(plot.area);
    this.mark();
  }

  listen(area) {
    area.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    area.addEventListener("pointerdown", (event) => this.press(event));
    area.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"])
      area.addEventListener(name, (event) => this.pointers.delete(event.pointerId));
    // What ends a drag, and the second click of a double one, is no click on a point.
    area.addEventListener(
      "click",
      (event) => {
        if (this.dragged || event.detail > 1) event.stopPropagation();
        this.dragged = false;
      },
      true,
    );
    area.addEventListener("dblclick", () => this.reset());
  }

  get full() {
    return { x: this.plot.options.x.range, y: this.plot.options.y.range };
  }
  get scale() {
    const { full } = this,
      { range } = this.plot;
    return (full.x[1] - full.x[0]) / (range.x[1] - range.x[0]);
  }

  // Zooms so that the value under the pixel stays under it, as far as the map reaches.
  at([px, py], times) {
    const { inner, range } = this.plot;
    const share = { x: (px - EDGE.left) / inner[0], y: 1 - (py - EDGE.top) / inner[1] };
    const scale = Math.min(MOST_ZOOM, Math.max(1, this.scale * times));
    const next = {};
    for (const axis of ["x", "y"]) {
      const at = Math.min(1, Math.max(0, share[axis])),
        [low, high] = range[axis],
        width = (this.full[axis][1] - this.full[axis][0]) / scale;
      next[axis] = this.inside(axis, low + at * (high - low) - at * width, width);
    }
    this.view(scale > 1.0001 ? next : null);
  }
  pan(dx, dy) {
    const { inner, range, view } = this.plot;
    if (!view) return;
    const wide = range.x[1] - range.x[0],
      high = range.y[1] - range.y[0];
    this.view({
      x: this.inside("x", range.x[0] - (dx / inner[0]) * wide, wide),
      y: this.inside("y", range.y[0] + (dy / inner[1]) * high, high),
    });
  }
  inside(axis, low, width) {
    const [least, most] = this.full[axis];
    const start = Math.max(least, Math.min(low, most - width));
    return [start, start + width];
  }
  // Pans so that a value is in sight.
  follow([x, y]) {
    const { plot } = this,
      { inner } = plot,
      [px, py] = plot.pixels([x, y]);
    const beyond = (at, from, size) => Math.min(0, at - from) + Math.max(0, at - from - size);
    this.pan(-beyond(px, EDGE.left, inner[0]), -beyond(py, EDGE.top, inner[1]));
  }
  middle(times) {
    const { inner } = this.plot;
    this.at([EDGE.left + inner[0] / 2, EDGE.top + inner[1] / 2], times);
  }
  reset() {
    this.view(null);
  }
  view(view) {
    const { plot } = this;
    plot.view = view;
    plot.range = view || this.full;
    plot.area.classList.toggle("zoomed", Boolean(view));
    this.mark();
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      plot.draw();
    });
  }
  mark() {
    const { view } = this.plot;
    this.wider.disabled = this.whole.disabled = !view;
    this.closer.disabled = Boolean(view) && this.scale >= MOST_ZOOM * 0.9999;
  }

  // With nothing to zoom out of, the page scrolls on.
  wheel(event) {
    if (event.deltaY > 0 && !this.plot.view) return;
    event.preventDefault();
    const lines = [1, 16, 400][event.deltaMode] || 1;
    const far = Math.max(-240, Math.min(240, event.deltaY * lines));
    this.at(this.plot.local(event), Math.exp(-far / 300));
  }
  press(event) {
    if (event.button) return;
    if (!this.pointers.size) this.dragged = false;
    this.pointers.set(event.pointerId, { at: this.plot.local(event), from: this.plot.local(event) });
  }
  move(event) {
    const pointer = this.pointers.get(event.pointerId);
    if (!pointer) return;
    const before = [...this.pointers.values()].map((p) => p.at);
    const [x, y] = (pointer.at = this.plot.local(event));
    const after = [...this.pointers.values()].map((p) => p.at);
    if (this.pointers.size === 2) {
      this.dragged = true;
      this.pinch(before, after);
    } else if (this.pointers.size === 1 && this.plot.view) {
      if (Math.hypot(x - pointer.from[0], y - pointer.from[1]) > DRAG && !this.dragged) {
        this.dragged = true;
        this.plot.area.setPointerCapture(event.pointerId);
        this.pan(x - pointer.from[0], y - pointer.from[1]);
      } else if (this.dragged) this.pan(x - before[0][0], y - before[0][1]);
    }
  }
  // What lay between the fingers stays between them.
  pinch(before, after) {
    const middle = ([a, b]) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
    const apart = ([a, b]) => Math.max(1, Math.hypot(a[0] - b[0], a[1] - b[1]));
    const [was, now] = [middle(before), middle(after)];
    this.at(was, apart(after) / apart(before));
    this.pan(now[0] - was[0], now[1] - was[1]);
  }

  // + and - zoom, 0 shows all, Shift with an arrow moves; whether the key was one of these.
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const { inner } = this.plot;
    const way = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[
      event.key
    ];
    if (event.key === "+" || event.key === "=") this.middle(ZOOM_STEP);
    else if (event.key === "-") this.middle(1 / ZOOM_STEP);
    else if (event.key === "0") this.reset();
    else if (way && event.shiftKey) this.pan((way[0] * inner[0]) / 8, (way[1] * inner[1]) / 8);
    else return false;
    event.preventDefault();
    return true;
  }
}
