// Scatter plots and parallel coordinates over candidates. ECharts comes when the first is seen.
"use strict";

{
  const LISTED = 30; // links to candidates that were picked
  const MAX_COMPARED = 20;
  const SYMBOLS = ["circle", "rect", "triangle", "diamond", "roundRect", "pin", "arrow", "emptyCircle"];
  const HOW_TO_PICK = "Drag along an axis to pick candidates.";
  const PICK = "pick"; // in the address: what is brushed, as low~high~column
  const nonce = document.currentScript?.nonce;
  const seen = new WeakSet();
  const redraws = new Map(); // by the element of a chart
  let library;

  const element = (name, text, more = {}) =>
    Object.assign(document.createElement(name), { textContent: text, ...more });

  const loadLibrary = (src) => library ??= new Promise((onload, failed) => {
    const onerror = () => { library = undefined; failed(new Error(src)); };
    document.head.append(element("script", "", { src, nonce, onload, onerror }));
  });

  const loadPoints = async ({ dataset: { mlopsPoints, mlopsUrl } }) => {
    if (mlopsPoints) return JSON.parse(mlopsPoints);
    const answer = await fetch(mlopsUrl);
    if (!answer.ok) throw new Error(answer.status);
    return answer.json();
  };

  // Custom properties as ECharts' own arithmetic takes them.
  const themeOf = (host) => {
    const probe = element("span", "");
    const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
    const brush = canvas.getContext("2d", { willReadFrequently: true });
    const color = (name) => {
      probe.style.color = `var(--mlops-${name})`;
      brush.fillStyle = getComputedStyle(probe).color;
      brush.fillRect(0, 0, 1, 1);
      return `rgb(${brush.getImageData(0, 0, 1, 1).data.slice(0, 3).join(",")})`;
    };
    host.append(probe);
    const theme = { scale: [1, 2, 3, 4, 5].map((number) => color(`scale-${number}`)) };
    theme.levels = SYMBOLS.map((_, index) => color(`level-${index + 1}`));
    for (const name of ["text", "muted", "border", "edge", "accent", "surface"]) theme[name] = color(name);
    theme.font = { color: theme.text, fontFamily: getComputedStyle(probe).fontFamily, fontSize: 12 };
    theme.quiet = { ...theme.font, color: theme.muted };
    probe.remove();
    return theme;
  };

  const UNITS = [[864e5, "d"], [36e5, "h"], [6e4, "min"], [1e3, "s"], [0, "ms"]];
  const write = (value, kind) => {
    if (value === null) return "–";
    if (kind === "text") return value || "(empty)";
    if (kind === "time") return `${new Date(value).toISOString().slice(0, 16).replace("T", " ")} UTC`;
    if (kind === "number") return String(Number(value.toPrecision(6)));
    const [size, unit] = UNITS.find(([length]) => value >= length);
    return `${Number((value / (size || 1)).toPrecision(3))} ${unit}`;
  };

  const axisOf = ({ label, kind, values }, isLog, { theme, width }) => {
    const axisLabel = { ...theme.quiet, hideOverlap: true, textBorderColor: theme.surface, textBorderWidth: 3 };
    const axis = {
      name: label, nameTextStyle: theme.quiet, nameTruncate: { maxWidth: width, ellipsis: "…" }, axisLabel,
      axisLine: { show: true, lineStyle: { color: theme.edge } }, axisTick: { lineStyle: { color: theme.edge } },
      splitLine: { lineStyle: { color: theme.border } },
    };
    if (kind === "time") return { ...axis, type: "time" };
    axisLabel.formatter = (value) => write(value, kind);
    const known = values.filter((value) => value !== null);
    if (kind === "text") {
      Object.assign(axisLabel, { width, overflow: "truncate" });
      const data = [...new Set(known)].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
      return { ...axis, type: "category", data };
    }
    return { ...axis, type: isLog ? "log" : "value", scale: true, minInterval: known.every(Number.isInteger) ? 1 : 0 };
  };

  // What both charts have. Two series, because what has no colour is none of the legend's business.
  const coloured = (data, color, indices, columns, { host, theme, isNarrow }) => {
    const [known, unknown] = [true, false].map((wanted) =>
      indices.filter((index) => (!color || color.values[index] !== null) === wanted));
    const isText = color?.kind === "text";
    const values = color ? known.map((index) => color.values[index]) : [];
    const level = (value) => (color.levels.includes(value) ? write(value, "text") : "others");
    const row = (index) => {
      const shade = color && color.values[index] !== null && isText ? level(color.values[index]) : color?.values[index];
      return { index, value: [...columns.map((column) => column.values[index]), shade ?? null] };
    };
    const legend = {
      ...(isNarrow ? { left: "center", bottom: 0 } : { align: "left", right: 0, top: "middle" }),
      orient: isNarrow ? "horizontal" : "vertical", dimension: columns.length, seriesIndex: 0,
      textStyle: { ...theme.font, width: 90, overflow: "truncate" },
    };
    if (isText) {
      const categories = [...new Set([...color.levels, ...values].map(level))];
      const [colors, symbols] = [theme.levels, SYMBOLS].map((all) => all.slice(0, categories.length));
      Object.assign(legend, { type: "piecewise", categories, inRange: { color: colors, symbol: symbols } });
    } else {
      const [min, max] = [Math.min(...values), Math.max(...values)];
      const text = values.length ? [max, min].map((value) => write(value, color.kind)) : [];
      Object.assign(legend, {
        type: "continuous", min, max: max > min ? max : min + 1, text, itemHeight: isNarrow ? 120 : 160,
        inRange: { color: theme.scale },
      });
    }
    return {
      rows: [known.map(row), unknown.map(row)],
      hasLegend: values.length > 0,
      option: {
        animation: false, useUTC: true, textStyle: theme.font, visualMap: values.length ? legend : undefined,
        aria: { enabled: true, label: { description: host.dataset.mlopsLabel }, decal: { show: true } },
      },
    };
  };

  const bestSoFar = (rows, best) => {
    let found = best === "max" ? -Infinity : Infinity;
    const sorted = rows.map(({ value }) => value).sort((a, b) => a[0] - b[0]);
    return sorted.map(([x, y]) => [x, found = Math[best](found, y)]);
  };

  const scatter = (data, settings, look) => {
    const { theme, isNarrow } = look;
    const [x, y, color] = ["x", "y", "color"].map((name) => data.columns[settings[name]]);
    const [logX, logY] = ["x", "y"].map((axis) => settings.log.includes(axis));
    const fits = (value, isLog) => value !== null && (!isLog || typeof value === "string" || value > 0);
    const indices = [...data.iids.keys()].filter((index) => fits(x.values[index], logX) && fits(y.values[index], logY));
    const { rows, hasLegend, option } = coloured(data, color, indices, [x, y], look);
    const emphasis = { itemStyle: { borderColor: theme.text, borderWidth: 2 } };
    const dots = { type: "scatter", progressive: 0, symbolSize: indices.length > 500 ? 6 : 10, emphasis };
    const lineStyle = { color: theme.text, width: 1.5, type: "dashed" };
    const line = { type: "line", step: "end", symbol: "none", silent: true, z: 3, lineStyle };
    const right = hasLegend && !isNarrow ? 120 : 24;
    return {
      columns: [...new Set([y, x, color].filter(Boolean))],
      missing: data.iids.length - indices.length,
      option: {
        ...option,
        grid: { left: 16, right, top: 36, bottom: hasLegend && isNarrow ? 76 : 32, containLabel: true },
        xAxis: { ...axisOf(x, logX, look), nameLocation: "middle", nameGap: 30 },
        yAxis: { ...axisOf(y, logY, look), nameTextStyle: { ...theme.quiet, align: "left" } },
        series: [
          { ...dots, data: rows[0], itemStyle: { color: theme.accent, opacity: 0.8 } },
          { ...dots, data: rows[1], itemStyle: { color: "transparent", borderColor: theme.muted } },
          ...(settings.best ? [{ ...line, data: bestSoFar(rows.flat(), settings.best) }] : []),
        ],
      },
    };
  };

  const parallel = (data, settings, look) => {
    const { theme, isNarrow } = look;
    const columns = settings.axes.map((name) => data.columns[name]);
    const color = data.columns[settings.color];
    const count = data.iids.length;
    const { rows, option } = coloured(data, color, [...data.iids.keys()], columns, look);
    const emphasis = { lineStyle: { width: 3, opacity: 1 } };
    const lines = { type: "parallel", inactiveOpacity: 0.06, emphasis };
    const style = { width: count > 200 ? 1 : 2, opacity: count > 1000 ? 0.3 : 0.75 };
    const areaSelectStyle = { width: 22, color: theme.accent, borderColor: theme.accent, opacity: 0.25 };
    const size = isNarrow
      ? { layout: "vertical", left: 24, right: 40, top: 30, bottom: 80 } : { left: 70, right: 150, top: 40, bottom: 24 };
    const named = isNarrow ? {
      nameLocation: "start", nameTextStyle: { ...theme.quiet, align: "left", verticalAlign: "bottom", padding: [0, 0, 6, 0] },
    } : { nameLocation: "end" };
    const width = isNarrow ? 200 : Math.max(50, (look.host.clientWidth - 260) / columns.length);
    const axes = columns.map((column) => axisOf(column, column.spreads, { ...look, width }));
    return {
      columns: [...new Set([...columns, color].filter(Boolean))],
      option: {
        ...option,
        parallel: { ...size, parallelAxisDefault: { areaSelectStyle } },
        parallelAxis: axes.map((axis, dim) => ({ ...axis, ...named, dim, id: settings.axes[dim], z: 5 })),
        series: [
          { ...lines, data: rows[0], lineStyle: { ...style, color: theme.accent } },
          { ...lines, data: rows[1], lineStyle: { ...style, color: theme.muted, type: "dashed" } },
        ],
      },
    };
  };

  // ECharts' own tooltip would take names for markup, or for its rich text.
  const point = (host, chart, data, urlOf, columnsOf) => {
    const tip = element("div", "", { className: "mlops-plot-tip", hidden: true });
    host.append(tip);
    chart.on("mouseover", ({ data: row, event }) => {
      if (row?.index === undefined) return;
      const line = ({ label, kind, values }) => element("span", `${label}: ${write(values[row.index], kind)}`);
      tip.replaceChildren(element("strong", data.names[row.index]), ...columnsOf().map(line));
      tip.hidden = false;
      const left = Math.min(event.offsetX + 14, host.clientWidth - tip.offsetWidth - 4);
      const top = Math.min(event.offsetY + 14, host.clientHeight - tip.offsetHeight - 4);
      Object.assign(tip.style, { left: `${Math.max(0, left)}px`, top: `${Math.max(0, top)}px` });
    });
    chart.on("mouseout", () => { tip.hidden = true; });
    chart.on("click", ({ data: row, event: { event } }) => {
      if (row?.index === undefined) return;
      if (event.ctrlKey || event.metaKey) open(urlOf(row.index)); else location.assign(urlOf(row.index));
    });
  };

  const axesOf = (chart) => chart.getModel().findComponents({ mainType: "parallelAxis" });
  const select = (chart, parallelAxisId, intervals) =>
    chart.dispatchAction({ type: "axisAreaSelect", parallelAxisId, intervals });

  const restorePick = (chart) => {
    for (const pick of new URL(location).searchParams.getAll(PICK)) {
      const [low, high, ...id] = pick.split("~");
      const interval = [Number(low), Number(high)];
      if (!interval.some(Number.isNaN)) select(chart, id.join("~"), [interval]);
    }
  };

  const showPick = (host, chart, data, urlOf) => {
    const url = new URL(location);
    url.searchParams.delete(PICK);
    for (const { id, activeIntervals } of axesOf(chart)) {
      for (const [low, high] of activeIntervals) url.searchParams.append(PICK, `${low}~${high}~${id}`);
    }
    history.replaceState(history.state, "", url);
    const remarks = host.nextElementSibling;
    remarks.textContent = HOW_TO_PICK;
    if (!url.searchParams.has(PICK)) return;
    const picked = chart.getOption().series.flatMap(({ data: rows }, number) =>
      chart.getModel().getSeriesByIndex(number).getRawIndicesByActiveState("active").map((place) => rows[place].index));
    const className = "mlops-button mlops-button-small";
    const onclick = () => { for (const { id } of axesOf(chart)) select(chart, id, []); };
    const iids = picked.map((index) => data.iids[index]);
    const href = `${host.closest("form").dataset.mlopsCompare}?candidates=${iids.join(",")}`;
    remarks.replaceChildren(
      element("strong", `${picked.length} of ${data.iids.length} picked`),
      element("button", "Clear", { type: "button", className, onclick }),
      ...(iids.length > 1 && iids.length <= MAX_COMPARED ? [element("a", "Compare them", { className, href })] : []),
      ...picked.slice(0, LISTED).map((index) => element("a", data.names[index], { href: urlOf(index) })),
      picked.length > LISTED ? `and ${picked.length - LISTED} more` : "");
  };

  const show = async (host) => {
    const form = host.closest("form");
    const { mlopsFigure, mlopsSettings } = host.dataset;
    form.mlopsLoaded ??= loadPoints(form); // both charts of a form draw the same
    const [data] = await Promise.all([form.mlopsLoaded, loadLibrary(form.dataset.mlopsLibrary)]);
    const chart = echarts.init(host, null, { locale: "EN" });
    const urlOf = (index) => form.dataset.mlopsCandidates + data.iids[index];
    let made;
    let timer;
    const redraw = () => {
      const isNarrow = host.clientWidth < 560;
      const look = { host, theme: themeOf(host), isNarrow, width: isNarrow ? 80 : 140 };
      made = { scatter, parallel }[mlopsFigure](data, JSON.parse(mlopsSettings), look);
      chart.setOption(made.option, true);
      if (mlopsFigure === "parallel") restorePick(chart);
    };
    chart.on("axisareaselected", () => {
      clearTimeout(timer);
      timer = setTimeout(showPick, 150, host, chart, data, urlOf);
    });
    point(host, chart, data, urlOf, () => made.columns);
    redraw();
    if (mlopsFigure === "parallel") host.nextElementSibling.textContent = HOW_TO_PICK;
    else if (made.missing) {
      host.nextElementSibling.textContent = `Without a value on these axes: ${made.missing} of ${data.iids.length} candidates.`;
    }
    redraws.set(host, redraw);
    new ResizeObserver(() => chart.resize()).observe(host);
  };

  const observer = new IntersectionObserver((entries) => {
    for (const { target: host } of entries.filter(({ isIntersecting }) => isIntersecting)) {
      observer.unobserve(host);
      show(host).catch((error) => {
        host.closest("form").mlopsLoaded = undefined;
        host.textContent = "The chart could not be loaded; the table below has its values.";
        throw error;
      });
    }
  }, { rootMargin: "200px" });

  const start = (root) => {
    for (const button of root.querySelectorAll(".mlops-plots [data-mlops-plain]")) button.hidden = true;
    for (const host of root.querySelectorAll("[data-mlops-figure]")) {
      if (seen.has(host)) continue;
      seen.add(host);
      host.classList.add("mlops-plot-ready");
      host.textContent = "";
      observer.observe(host);
    }
  };

  const redrawAll = () => {
    for (const [host, redraw] of redraws) {
      if (host.isConnected) redraw();
      else redraws.delete(host);
    }
  };

  // Scripts change the address, and then the links and fields in the page are behind.
  const keep = (query, names) => {
    const here = new URL(location).searchParams;
    for (const name of names.split(" ")) {
      query.delete(name);
      for (const value of here.getAll(name)) query.append(name, value);
    }
  };

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
  // A forge may have a switch of its own for its colours.
  new MutationObserver(redrawAll).observe(document.documentElement, { attributeFilter: ["class", "data-theme"] });
  document.addEventListener("change", ({ target }) => {
    if (target.matches("[data-mlops-submits]")) target.form.requestSubmit();
  });
  document.addEventListener("formdata", ({ target, formData }) => {
    if (!target.matches(".mlops-plots")) return;
    // What is not chosen is no part of an address.
    for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
    keep(formData, target.dataset.mlopsKeeps);
  });
  document.addEventListener("click", ({ target }) => {
    const link = target.closest("[data-mlops-keeps] a");
    if (link?.pathname !== location.pathname) return;
    const url = new URL(link.href);
    keep(url.searchParams, link.closest("[data-mlops-keeps]").dataset.mlopsKeeps);
    link.href = url;
  }, true);
  document.addEventListener("htmx:load", ({ target }) => start(target));
  start(document);
}
