// A panel of charts of curves: what is in view is fetched, a zoom fetches more detail.
"use strict";

{
  const MAX_METRICS = 50; // of one chart
  const INT64 = 2 ** 63;
  const OWN = ["chart", "overlay", "x", "scale", "smooth", "from", "to"]; // in the address
  const { Chart, COLORS, POLL, element } = window.mlops.curves;
  const started = new WeakSet();

  // What a canvas can draw with; custom properties it cannot.
  const themeOf = (root) => {
    const probe = root.appendChild(element("span"));
    const color = (name) => { probe.style.color = `var(--mlops-${name})`; return getComputedStyle(probe).color; };
    const curves = Array.from({ length: COLORS }, (_, place) => color(`curve-${place + 1}`));
    const theme = { text: color("muted"), grid: color("border"), curves, font: `12px ${getComputedStyle(root).fontFamily}` };
    probe.remove();
    return theme;
  };

  class Panel {
    constructor(root) {
      this.root = root;
      this.form = this.find("form");
      this.names = new Map(JSON.parse(root.dataset.mlopsCandidates));
      this.zoom = JSON.parse(root.dataset.mlopsZoom);
      this.theme = themeOf(root);
      this.readForm();
      this.charts = new Map(); // from their sections
      this.seen = new Set();
      this.watcher = new IntersectionObserver((entries) => this.onSight(entries), { rootMargin: "300px" });
      this.sizes = new ResizeObserver((entries) => this.onSize(entries));
      this.blank = this.find("[data-mlops-charts] > section").cloneNode(true);
      for (const part of this.blank.querySelectorAll(".mlops-chart-plot, tbody, summary .mlops-count")) part.replaceChildren();
      for (const section of root.querySelectorAll("[data-mlops-charts] > section")) this.charts.set(section, new Chart(this, section));
      root.dataset.mlopsLive = "";
      this.listen();
      this.timer = setInterval(() => this.poll(), 1000);
    }

    find(selector) { return this.root.querySelector(selector); }

    name(candidate) { return this.names.get(candidate).trim() || "(no name)"; }

    listen() {
      this.form.addEventListener("submit", (event) => event.preventDefault());
      this.form.addEventListener("input", ({ target }) => this.onInput(target));
      this.form.addEventListener("change", () => this.writeAddress());
      this.find("[data-mlops-whole]").addEventListener("click", (event) => { event.preventDefault(); this.setZoom(null); });
      this.find("[data-mlops-find]").hidden = this.boxes().length < 10;
      document.addEventListener("click", ({ target }) => { if (!this.find(".mlops-picker").contains(target)) this.find(".mlops-picker").open = false; });
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
        this.theme = themeOf(this.root);
        for (const { plot } of this.charts.values()) plot?.redraw(false);
      });
    }

    boxes() { return [...this.form.querySelectorAll("[name=chart]")]; }

    readForm() {
      const data = new FormData(this.form);
      this.find("form output").textContent = Number(data.get("smooth")).toFixed(2);
      this.settings = { x: data.get("x"), log: data.has("scale"), smooth: Number(data.get("smooth")), overlay: data.has("overlay") };
    }

    onInput({ type, name, value }) {
      if (type === "search") {
        for (const box of this.boxes()) box.parentNode.hidden = !box.value.toLowerCase().includes(value.trim().toLowerCase());
        return;
      }
      this.readForm();
      if (name === "x") this.setZoom(null);
      else if (name === "chart" || name === "overlay") this.arrange();
      else for (const chart of this.charts.values()) if (chart.data) chart.draw();
    }

    // The charts that the form asks for; those that are there stay.
    arrange() {
      const picked = this.boxes().filter((box) => box.checked);
      const left = new Map([...this.charts.values()].map((chart) => [JSON.stringify(chart.metrics), chart]));
      for (const grid of this.root.querySelectorAll("[data-mlops-charts]")) {
        const metrics = picked.filter((box) => box.dataset.mlopsGroup === grid.dataset.mlopsCharts).map((box) => box.value);
        const wanted = this.settings.overlay && metrics.length ? [metrics.slice(0, MAX_METRICS)] : metrics.map((metric) => [metric]);
        for (const each of wanted) {
          const key = JSON.stringify(each);
          grid.append(left.get(key)?.section ?? this.make(each));
          left.delete(key);
        }
        grid.closest("details")?.toggleAttribute("hidden", !metrics.length);
      }
      for (const chart of left.values()) {
        chart.remove();
        this.charts.delete(chart.section);
        this.seen.delete(chart);
      }
      this.find("[data-mlops-picked]").textContent = `${picked.length} of ${this.root.dataset.mlopsKnown}`;
    }

    make(metrics) {
      const section = this.blank.cloneNode(true);
      const title = metrics.length > 1 ? `${metrics.length} metrics` : metrics[0];
      section.dataset.mlopsChart = JSON.stringify(metrics);
      section.querySelector("h3 bdi").textContent = title;
      section.querySelector("caption").textContent = `Points of ${title}`;
      section.querySelector("[role=region]").ariaLabel = `Points of ${title}`;
      section.querySelector("[data-mlops-metric]").hidden = metrics.length < 2;
      this.charts.set(section, new Chart(this, section));
      return section;
    }

    setZoom(zoom) {
      const bound = (value) => Math.max(-INT64, Math.min(INT64 - 1024, value));
      this.zoom = zoom && { from: bound(Math.floor(zoom.from)), to: bound(Math.ceil(zoom.to)) };
      this.find("[data-mlops-whole]").hidden = !zoom;
      this.writeAddress();
      if (zoom) for (const { plot } of this.charts.values()) plot?.setScale("x", { min: this.zoom.from, max: this.zoom.to });
      for (const chart of this.seen) chart.load();
    }

    writeAddress() {
      const query = new URLSearchParams(location.search);
      for (const name of OWN) query.delete(name);
      const isUsual = this.boxes().every((box) => box.checked === "mlopsUsual" in box.dataset);
      for (const box of isUsual ? [] : this.boxes()) if (box.checked) query.append("chart", box.value);
      const { x, log, smooth, overlay } = this.settings;
      const given = { overlay: overlay ? 1 : "", x: x === "step" ? "" : x, scale: log ? "log" : "", smooth: smooth || "", ...this.zoom };
      for (const [name, value] of Object.entries(given)) if (value !== "") query.set(name, value);
      history.replaceState(history.state, "", `${location.pathname}${query.size ? `?${query}` : ""}${location.hash}`);
    }

    onSight(entries) {
      for (const { target, isIntersecting } of entries) {
        const chart = this.charts.get(target);
        if (chart) this.seen[isIntersecting ? "add" : "delete"](chart);
        if (chart && isIntersecting && chart.loaded !== chart.url) chart.load();
      }
    }

    onSize(entries) {
      for (const { target } of entries) {
        const { clientWidth: width, clientHeight: height } = target;
        if (width) this.charts.get(target.closest("section"))?.plot?.setSize({ width, height });
      }
    }

    // Candidates that are running get more points; who does not look does not ask.
    poll() {
      if (!this.root.isConnected) clearInterval(this.timer);
      else if (!document.hidden) for (const chart of this.seen) if (chart.isRunning && Date.now() >= (chart.next ?? Infinity)) chart.load();
    }

    news(metrics) { this.find("[data-mlops-news]").hidden = metrics <= Number(this.root.dataset.mlopsKnown); }
  }

  // A training that has logged no metric yet.
  const waitForMetrics = (root) => {
    const iids = JSON.parse(root.dataset.mlopsCandidates).map(([iid]) => iid);
    setInterval(async () => {
      if (document.hidden) return;
      const answer = await fetch(`${root.dataset.mlopsCurves}?candidates=${iids}`).catch(() => null);
      if (answer?.ok && (await answer.json()).metrics) location.reload();
    }, POLL);
  };

  const init = (root) => {
    if (started.has(root)) return;
    started.add(root);
    if (root.querySelector("form")) new Panel(root);
    else if ("mlopsRunning" in root.dataset) waitForMetrics(root);
  };
  const find = (node) => node.querySelectorAll("[data-mlops-curves]").forEach(init);

  window.mlops = window.mlops || {};
  window.mlops.charts = { init };
  find(document);
  document.addEventListener("htmx:load", ({ target }) => find(target.parentNode ?? document));
}
