// A chart of curves, drawn with uPlot, with its legend, its remarks and its table.
"use strict";

{
  const POINTS = 1000; // of a curve at once
  const ROWS = 400; // of a table
  const [POLL, LONGEST_WAIT] = [5000, 60000]; // milliseconds
  const COLORS = 8;
  const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 2], [14, 4, 2, 4, 2, 4]];
  const SVG = "http://www.w3.org/2000/svg";
  const { X_NAMES, DURATIONS, element, isMissing, number, isDate, writeX, writeTimes, align, smoothed, nearest } = window.mlops.curves;

  class Chart {
    constructor(panel, section) {
      Object.assign(this, { panel, section, metrics: JSON.parse(section.dataset.mlopsChart), off: new Set(), wait: POLL });
      for (const part of ["plot", "at", "legend", "remark", "table"]) this[part] = section.querySelector(`.mlops-chart-${part}`);
      [this.host, this.plot] = [this.plot, null];
      this.table.open = false;
      this.table.addEventListener("toggle", () => this.fillTable());
      this.host.addEventListener("keydown", (event) => this.onKey(event));
      panel.watcher.observe(section);
      panel.sizes.observe(this.host);
    }

    remove() {
      this.panel.watcher.unobserve(this.section);
      this.panel.sizes.unobserve(this.host);
      this.plot?.destroy();
      this.request?.abort();
      this.section.remove();
    }

    get url() {
      const { root, names, zoom, settings: { x } } = this.panel;
      const query = new URLSearchParams({ candidates: [...names.keys()], x, points: POINTS, ...zoom });
      for (const metric of this.metrics) query.append("metrics", metric);
      return `${root.dataset.mlopsCurves}?${query}`;
    }

    async load() {
      const { url } = this;
      if (this.loading === url) return;
      this.request?.abort();
      this.request = new AbortController();
      this.loading = url;
      this.host.ariaBusy = String(this.loaded !== url);
      try {
        const headers = this.loaded === url ? { "If-None-Match": this.etag } : {};
        const answer = await fetch(url, { headers, signal: this.request.signal });
        if (answer.status !== 304) {
          const data = await answer.json().catch(() => ({}));
          if (!answer.ok) throw new Error(data.error ?? `The server answered ${answer.status}.`);
          Object.assign(this, { loaded: url, etag: answer.headers.get("ETag"), data });
          this.panel.news(data.metrics);
          this.draw();
        }
        this.wait = POLL;
      } catch (error) {
        if (error.name === "AbortError") return;
        this.wait = Math.min(LONGEST_WAIT, 2 * this.wait);
        const again = element("button", { type: "button", onclick: () => this.load() }, "Try again");
        this.remark.replaceChildren(`The points could not be loaded. ${error.message} `, again);
      }
      this.loading = null;
      this.next = Date.now() + this.wait;
      this.host.ariaBusy = "false";
    }

    get isRunning() { return this.data?.curves.some((curve) => curve.is_running) ?? true; }

    name(curve) {
      const candidate = this.panel.name(curve.candidate);
      if (this.panel.names.size === 1) return curve.metric;
      return this.metrics.length > 1 ? `${candidate}, ${curve.metric}` : candidate;
    }

    // A candidate has the same colour in all charts; if it is alone, its metrics have one each.
    look(curve) {
      const candidates = [...this.panel.names.keys()];
      const [who, what] = [candidates.indexOf(curve.candidate), this.metrics.indexOf(curve.metric)];
      const place = candidates.length === 1 ? what : who + what * Math.ceil(candidates.length / COLORS) * COLORS;
      return { color: place % COLORS, dash: DASHES[Math.floor(place / COLORS) % DASHES.length] };
    }

    draw() {
      const { curves } = this.data;
      const isSingle = !this.panel.zoom && curves.length > 0 && curves.every(({ total }) => total <= 1);
      this.section.classList.toggle("mlops-chart-single", isSingle);
      this.curves = curves.filter(({ x }) => x.length);
      if (isSingle) this.drawNumbers(); else this.drawCurves();
      this.remark.textContent = this.remarks().join(" ");
      this.fillTable();
    }

    drawNumbers() {
      this.plot = this.plot?.destroy();
      const { names, settings } = this.panel;
      this.host.replaceChildren(element("ul", { className: "mlops-chart-numbers" }, ...this.curves.map((curve) => {
        const value = curve.y[0] ?? curve.marks[0][1];
        const where = `${settings.x === "step" ? "step " : ""}${writeX[settings.x](curve.x[0])}`;
        return element("li", {},
          element("span", { className: "mlops-chart-number", title: value }, curve.marks.length ? value : number(value)), " ",
          element("span", { className: "mlops-muted" }, names.size > 1 || this.curves.length > 1 ? this.name(curve) : where));
      })));
    }

    drawCurves() {
      const { log, smooth, x } = this.panel.settings;
      const { xs, places } = align(this.curves);
      const column = (values, curve) => {
        const filled = new Array(xs.length).fill(undefined);
        values.forEach((value, place) => { filled[places[curve][place]] = log && value <= 0 ? null : value; });
        return filled;
      };
      const data = [xs, ...this.curves.map((curve, place) => column(curve.y, place))];
      if (smooth) data.push(...this.curves.map((curve, place) => column(smoothed(curve, smooth), place)));
      const isTime = x === "wall" && xs.every(isDate);
      const shape = JSON.stringify([this.curves.map((curve) => this.name(curve)), log, Boolean(smooth), x, isTime]);
      if (!this.plot || this.shape !== shape) {
        this.shape = shape;
        this.plot?.destroy();
        this.host.replaceChildren();
        this.plot = new uPlot(this.options(isTime), data, this.host);
        const label = `Chart of ${this.section.querySelector("h3").textContent}. Plus and minus zoom, arrows read values, 0 shows everything.`;
        Object.assign(this.host, { tabIndex: 0, role: "group", ariaLabel: label });
        this.drawLegend();
      } else if (!this.plot.select.width) this.plot.setData(data); // or somebody is choosing a part
      this.readValues();
    }

    options(isTime) {
      const { panel } = this;
      const { log, smooth, x } = panel.settings;
      const series = (curve, isSoft) => {
        const { color, dash } = this.look(curve);
        return {
          stroke: () => panel.theme.curves[color], dash, show: !this.off.has(this.name(curve)), width: isSoft ? 2 : 1.5,
          alpha: smooth && !isSoft ? 0.3 : 1, pxAlign: 0, points: { size: 5, show: isSoft ? false : curve.x.length < 3 || undefined },
        };
      };
      const lines = { stroke: () => panel.theme.grid, width: 1 };
      const axis = { stroke: () => panel.theme.text, font: panel.theme.font, gap: 4, grid: lines, ticks: { ...lines, size: 5 } };
      const plain = (u, splits) => splits.map(writeX[x === "wall" ? "step" : x]);
      const values = (u, splits) => splits.map((value) => (value === null ? "" : number(value).replace("e+", "e")));
      const size = (u, texts) => 14 + 7 * Math.max(2, ...(texts ?? []).map((text) => text.length));
      return {
        width: this.host.clientWidth, height: this.host.clientHeight, padding: [8, 28, 0, 0],
        ms: 1, tzDate: (ms) => uPlot.tzDate(new Date(ms), "Etc/UTC"),
        legend: { show: false },
        series: [{}, ...[false, true].slice(0, smooth ? 2 : 1).flatMap((isSoft) => this.curves.map((curve) => series(curve, isSoft)))],
        scales: {
          x: { time: isTime, range: (u, min, max) => (panel.zoom ? [panel.zoom.from, panel.zoom.to] : min === max ? [min - 1, max + 1] : [min, max]) },
          y: { distr: log ? 3 : 1 },
        },
        axes: [
          { ...axis, size: isTime ? 44 : 28, space: 80, values: isTime ? writeTimes : plain, incrs: x === "relative" ? DURATIONS : undefined },
          { ...axis, values, size },
        ],
        cursor: {
          y: false, dataIdx: nearest, points: { size: 7 }, drag: { x: true, y: false, setScale: false },
          bind: { dblclick: () => () => panel.setZoom(null) },
          sync: { key: panel.root.id, setSeries: false, scales: ["x", null], filters: { pub: (type) => type.startsWith("mousemove") || type === "mouseleave" } },
        },
        hooks: { setCursor: [() => this.readValues()], setSelect: [(u) => this.onSelect(u)], draw: [(u) => this.drawMarks(u)] },
      };
    }

    // What is no number stands at the edge: NaN and -Infinity below, Infinity above.
    drawMarks({ ctx, bbox, valToPos }) {
      const size = 5 * devicePixelRatio;
      ctx.save();
      ctx.setLineDash([]);
      ctx.lineWidth = 2 * devicePixelRatio;
      for (const curve of this.curves.filter((each) => !this.off.has(this.name(each)))) {
        ctx.strokeStyle = this.panel.theme.curves[this.look(curve).color];
        ctx.beginPath();
        for (const [place, value] of curve.marks) {
          const x = valToPos(curve.x[place], "x", true);
          const y = bbox.top + (value === "Infinity" ? size : bbox.height - size);
          for (const way of [-size, size]) { ctx.moveTo(x - size, y - way); ctx.lineTo(x + size, y + way); }
        }
        ctx.stroke();
      }
      ctx.restore();
    }

    drawLegend() {
      const isAlone = this.curves.length === 1 && this.panel.names.size === 1;
      this.outputs = this.curves.map(() => element("output"));
      this.legend.replaceChildren(...this.curves.map((curve, place) => {
        if (isAlone) return element("li", {}, this.outputs[place]);
        const [name, { color, dash }] = [this.name(curve), this.look(curve)];
        const line = document.createElementNS(SVG, "svg");
        const path = line.appendChild(document.createElementNS(SVG, "path"));
        path.setAttribute("d", "M0 5h22");
        path.setAttribute("stroke-dasharray", dash.join(" "));
        path.style.stroke = `var(--mlops-curve-${color + 1})`;
        line.setAttribute("aria-hidden", true);
        const button = element("button", { type: "button", title: name, ariaPressed: !this.off.has(name) }, line, element("bdi", {}, name), this.outputs[place]);
        button.onclick = () => {
          if (!this.off.delete(name)) this.off.add(name);
          button.ariaPressed = !this.off.has(name);
          for (let series = place + 1; series < this.plot.series.length; series += this.curves.length) this.plot.setSeries(series, { show: !this.off.has(name) });
        };
        return element("li", {}, button);
      }));
    }

    // At the cursor; if there is none, the latest values.
    readValues() {
      if (!this.plot || !this.outputs) return;
      const { settings } = this.panel;
      const { cursor: { idx, idxs, left }, data } = this.plot;
      const isAt = !isMissing(data[0][idx]) && left >= 0;
      const read = (series) => (isAt ? data[series][idxs[series]] : data[series].findLast((value) => !isMissing(value)));
      this.at.textContent = isAt ? `${X_NAMES[settings.x]}: ${writeX[settings.x](data[0][idx])}` : "";
      this.outputs.forEach((output, place) => {
        const raw = number(read(place + 1));
        output.replaceChildren(settings.smooth ? number(read(place + 1 + this.curves.length)) : raw);
        if (settings.smooth) output.append(" ", element("small", {}, raw));
      });
    }

    sum(name) { return this.data.curves.reduce((total, curve) => total + curve[name], 0).toLocaleString("en"); }

    remarks() {
      const { zoom, settings } = this.panel;
      const found = [];
      if (this.data.curves.some(({ sampled }) => sampled)) {
        found.push(`Showing ${this.sum("shown")} of ${this.sum("total")} points${zoom ? " here" : ""}, with all peaks.${zoom ? "" : " Drag over a part for more detail."}`);
      } else if (!this.curves.length) found.push("There are no points here.");
      for (const curve of this.curves) {
        const kinds = new Map();
        for (const [place, value] of curve.marks) kinds.set(value, [...kinds.get(value) ?? [], writeX[settings.x](curve.x[place])]);
        for (const [value, places] of kinds) {
          const more = places.length > 3 ? ` and ${places.length - 3} more` : "";
          found.push(`${this.curves.length > 1 ? `${this.name(curve)}: ` : ""}${value} at ${settings.x === "step" ? "step " : ""}${places.slice(0, 3).join(", ")}${more}.`);
        }
      }
      if (settings.log && this.curves.some(({ y }) => y.some((value) => !isMissing(value) && value <= 0))) found.push("A log scale has no room for values up to 0.");
      return found;
    }

    fillTable() {
      if (!this.table.open || !this.curves) return;
      const { names, settings } = this.panel;
      const rows = this.curves.flatMap((curve) => {
        const marks = new Map(curve.marks);
        const every = Math.ceil(curve.x.length / Math.max(5, ROWS / this.curves.length / 8));
        const places = [...curve.x.keys()].filter((place) => place % every === 0 || place === curve.x.length - 1 || marks.has(place));
        return places.map((place) => {
          const texts = [writeX[settings.x](curve.x[place]), marks.get(place) ?? number(curve.y[place])];
          const heads = [names.size > 1 && this.panel.name(curve.candidate), this.metrics.length > 1 && curve.metric].filter(Boolean);
          return element("tr", {}, ...heads.map((text) => element("td", {}, element("bdi", {}, text))), ...texts.map((text) => element("td", { className: "mlops-number" }, text)));
        });
      });
      this.table.querySelector("[data-mlops-x]").textContent = X_NAMES[settings.x];
      this.table.querySelector("tbody").replaceChildren(...rows);
      this.table.querySelector(".mlops-count").textContent = `${rows.length.toLocaleString("en")} of ${this.sum("total")} points`;
    }

    onSelect(u) {
      const { left, width } = u.select;
      if (width < 5) return;
      u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
      this.panel.setZoom({ from: u.posToVal(left, "x"), to: u.posToVal(left + width, "x") });
    }

    onKey(event) {
      const { plot, panel } = this;
      if (!plot || event.target !== this.host || event.ctrlKey || event.metaKey || event.altKey) return;
      const { min, max } = plot.scales.x;
      const width = plot.over.clientWidth;
      const left = plot.cursor.left >= 0 ? plot.cursor.left : width / 2;
      const center = plot.posToVal(left, "x");
      const scale = (factor) => panel.setZoom({ from: center - (center - min) * factor, to: center + (max - center) * factor });
      const move = (pixels) => plot.setCursor({ left: Math.max(0, Math.min(width, left + pixels)), top: 0 });
      const keys = {
        "+": () => scale(0.5), "=": () => scale(0.5), "-": () => panel.zoom && scale(2), 0: () => panel.setZoom(null),
        ArrowLeft: () => move(-width / 50), ArrowRight: () => move(width / 50),
      };
      if (!keys[event.key]) return;
      event.preventDefault();
      keys[event.key]();
    }
  }

  Object.assign(window.mlops.curves, { Chart, COLORS, POLL });
}
