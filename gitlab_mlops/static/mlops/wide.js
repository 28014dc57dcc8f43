// The wide table: up to a thousand candidates with all that they logged. Rows and columns are drawn
// as they come into sight. Sorting, filtering and choosing columns are the server's, by address.
"use strict";
{
  const byId = (id) => document.getElementById(id);
  const place = byId("mlops-wide");
  // Asked for at once, while the library is loading.
  const loading = place && fetch(place.dataset.rows).then((answer) => {
    if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
    return answer.json();
  });
  const KINDS = { metric: "Metric", param: "Parameter", tag: "Tag" };
  const GROUPS = { attribute: "Candidate", metric: "Metrics", param: "Parameters", tag: "Tags" };
  const NUMBER = /^\s*[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?\s*$/i;
  const MAX_ADDRESS = 7000;

  const made = (name, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };
  const say = (...content) => byId("mlops-found").replaceChildren(...content);

  // Links to this page with a part of its query changed. They follow when that is changed elsewhere.
  const links = [];
  const aim = ([element, changes]) => {
    const url = new URL(location);
    url.searchParams.delete("page_token");
    for (const [name, value] of Object.entries(changes)) url.searchParams.set(name, value);
    element.href = url;
  };
  const link = (changes, ...content) => {
    const element = made("a", {}, ...content);
    links.push([element, changes]);
    aim(links.at(-1));
    return element;
  };

  // Numbers to six significant digits; those that a parameter has as text too, if they are long.
  const shown = (column, value) => {
    const isLong = column.isNumber && value.length > 9;
    if (typeof value !== "number" && !isLong) return value;
    const number = Number(value);
    return Number.isInteger(number) || !Number.isFinite(number) ? `${value}` : `${Number(number.toPrecision(6))}`;
  };

  // Whether a column belongs to the right, and how wide it is, going by its first values.
  const measure = (column) => {
    const given = column.values.filter((value) => value !== null);
    column.isNumber = column.entity === "metric"
      || (column.entity === "param" && given.length > 0 && given.every((value) => NUMBER.test(value)));
    const longest = given.slice(0, 40).reduce((length, value) => Math.max(length, shown(column, value).length), 0);
    const [icon, arrow] = [column.name === "status" ? 24 : 0, column.sorted ? 18 : 0];
    column.width = Math.min(Math.max(longest * 7.6 + icon, column.label.length * 8.3 + arrow, 50) + 32, 280);
  };

  // Where a value lies between the lowest and the highest of its column, from 0 to 1.
  const rank = (column, value) => {
    if (!column.range) {
      const numbers = column.values.filter((each) => each !== null).map(Number).filter(Number.isFinite);
      column.range = [Math.min(...numbers), Math.max(...numbers)];
    }
    const [low, high] = column.range;
    return high > low && Number.isFinite(Number(value)) ? (Number(value) - low) / (high - low) : 0;
  };

  const head = (column, place) => (title, _parameters, whenDrawn) => {
    const label = made("bdi", { textContent: column.label });
    const arrow = { ascending: " ↑", descending: " ↓" }[column.sorted] ?? "";
    const name = column.order_by ? link({ order_by: column.order_by }, label, arrow) : made("span", {}, label);
    name.title = column.order_by ? `Sort by ${column.label}` : column.label;
    whenDrawn(() => title.getElement().closest("[role=columnheader]").setAttribute("aria-colindex", place));
    const kind = made("small", { textContent: KINDS[column.entity] ?? "" });
    return made("span", { className: "mlops-wide-head" }, kind, name);
  };

  const cell = (column, place) => (drawn) => {
    const value = column.values[drawn.getData().row];
    const element = drawn.getElement();
    element.setAttribute("aria-colindex", place);
    if (value === null || value === "") return made("span", { className: "mlops-muted", textContent: value === null ? "–" : "(empty)" });
    if (column.name === "status") return byId("mlops-statuses").content.querySelector(`.mlops-status-${value}`).cloneNode(true);
    if (column.isNumber) element.style.setProperty("--mlops-heat", rank(column, value));
    const text = shown(column, value);
    if (text !== `${value}` || text.length * 7.6 + 24 > column.width) element.title = value;
    return document.createTextNode(text);
  };

  // `place` counts from 1, as ARIA does.
  const define = (column, place) => ({
    field: `${place}`,
    title: column.label,
    titleFormatter: head(column, place),
    formatter: cell(column, place),
    hozAlign: column.isNumber ? "right" : "left",
    headerHozAlign: column.isNumber ? "right" : "left",
    width: column.width,
    cssClass: column.isNumber ? "mlops-wide-number" : "",
  });

  const names = ({ name, names, iids }) => ({
    ...define({ ...name, width: innerWidth < 560 ? 150 : 230 }, 1),
    frozen: true,
    formatter: (drawn) => {
      const { row } = drawn.getData();
      drawn.getElement().setAttribute("aria-colindex", 1);
      const title = `${names[row]} [candidate:${iids[row]}]`;
      return made("a", { className: "mlops-name", href: place.dataset.candidates + iids[row], title }, made("bdi", { textContent: names[row] }));
    },
  });

  const draw = (data) => {
    data.columns.forEach(measure);
    const above = place.getBoundingClientRect().top + scrollY + 24;
    const table = new Tabulator(place, {
      data: data.iids.map((_iid, row) => ({ row })),
      index: "row",
      columns: [names(data), ...data.columns.map((column, index) => define(column, index + 2))],
      columnDefaults: { headerSort: false, resizable: "header" },
      maxHeight: `max(30rem, calc(100vh - ${above}px))`,
      layout: "fitDataFill",
      nestedFieldSeparator: false,
      renderHorizontal: "virtual",
      renderVerticalBuffer: 100,
      rowFormatter: (row) => row.getElement().setAttribute("aria-rowindex", row.getData().row + 2),
      rowHeight: 32,
      selectableRows: false,
    });
    table.on("tableBuilt", () => {
      const labels = { "aria-label": place.dataset.label, "aria-rowcount": data.iids.length + 1, "aria-colcount": data.columns.length + 1 };
      for (const [name, value] of Object.entries(labels)) place.setAttribute(name, value);
      // What scrolls is reached by the keyboard, and so has to have a role in the grid.
      place.querySelector(".tabulator-tableholder").setAttribute("role", "rowgroup");
      place.querySelector(".tabulator-table").removeAttribute("role");
      place.dataset.drawn = "";
      const sorted = [data.name, ...data.columns].findIndex((column) => column.sorted);
      if (sorted < 0) return;
      table.getColumn(`${sorted + 1}`).getElement().setAttribute("aria-sort", [data.name, ...data.columns][sorted].sorted);
      // Who has sorted by a column wants to see it.
      if (sorted > 0) table.scrollToColumn(`${sorted + 1}`, "middle", false).catch(() => {});
    });
  };

  const tell = ({ iids, columns, total, next }) => {
    const [rows, all] = [iids.length, total ?? 0].map((each) => each.toLocaleString("en"));
    const of = total === null || total === iids.length ? "" : ` of ${all}`;
    const query = new URL(location).searchParams;
    const nothing = query.get("filter") ? "No candidate matches this filter." : "There are no candidates here.";
    say(iids.length ? `${rows}${of} ${iids.length === 1 ? "candidate" : "candidates"}, ${columns.length} columns` : nothing);
    if (query.has("page_token")) byId("mlops-found").append(" · ", link({}, "First page"));
    if (next) byId("mlops-found").append(" · ", link({ page_token: next }, `Next ${rows}`));
  };

  // The columns to choose from: those that are there, ticked, and the others.
  const offer = ({ columns, others, is_limited: isLimited }) => {
    const form = byId("mlops-columns").querySelector("form");
    const every = [...columns.map((each) => [each, true]), ...others.map((each) => [each, false])];
    const boxes = every.map(([{ name }, checked], index) => made("input", { type: "checkbox", name: "columns", value: name, checked, id: `mlops-column-${index}` }));
    for (const [entity, title] of Object.entries(GROUPS)) {
      const choices = boxes.filter((_box, index) => every[index][0].entity === entity).map((box) => {
        const { label } = every[boxes.indexOf(box)][0];
        return made("div", { className: "mlops-choice" }, box, made("label", { htmlFor: box.id }, made("bdi", { textContent: label })));
      });
      if (choices.length) form.querySelector(".mlops-panel-body").append(made("fieldset", {}, made("legend", { textContent: title }), ...choices));
    }
    const varies = (_box, index) => index >= columns.length ? false
      : columns[index].entity === "attribute" || new Set(columns[index].values).size > 1;
    const picks = { all: () => true, none: () => false, varying: varies };
    form.addEventListener("click", ({ target }) => {
      const pick = picks[target.dataset.mlopsPick];
      if (pick) boxes.forEach((box, index) => { box.checked = pick(box, index); });
    });
    form.addEventListener("submit", (event) => {
      const isAll = !isLimited && boxes.every((box) => box.checked);
      for (const box of boxes) box.disabled = isAll;
      if (`${new URLSearchParams(new FormData(form))}`.length < MAX_ADDRESS) return;
      event.preventDefault();
      form.querySelector("[role=alert]").textContent = "So many columns make too long an address. Choose fewer, or all.";
    });
    byId("mlops-columns").hidden = false;
  };

  const heat = () => {
    const button = byId("mlops-heat");
    const apply = (isOn) => {
      button.setAttribute("aria-pressed", isOn);
      place.classList.toggle("mlops-heated", isOn);
      for (const input of document.querySelectorAll("input[name=heat]")) input.disabled = !isOn;
    };
    button.addEventListener("click", () => {
      const isOn = button.getAttribute("aria-pressed") !== "true";
      const url = new URL(location);
      if (isOn) url.searchParams.set("heat", "1");
      else url.searchParams.delete("heat");
      history.replaceState(history.state, "", url);
      apply(isOn);
      links.forEach(aim);
    });
    apply(button.getAttribute("aria-pressed") === "true");
    button.hidden = false;
  };

  // All deferred scripts have run by then, the library among them.
  document.addEventListener("DOMContentLoaded", async () => {
    if (!place) return;
    try {
      const data = await loading;
      if (data.iids.length) draw(data);
      tell(data);
      offer(data);
      heat();
    } catch (error) {
      say("The candidates could not be loaded. Reload the page to try again.");
      throw error;
    }
  });
}
