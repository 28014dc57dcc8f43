// Completion in the filter box, as ARIA describes a combobox whose list only proposes.
"use strict";
{
  const MAX_SHOWN = 50;
  const PIECE = /'[^']*'?|[<>=!~]+|[(),]|(?:`[^`]*`?|"[^"]*"?|[\w./:-])+/g;
  const OPERATOR = /^(?:[<>=!~]+|LIKE|ILIKE|IN|NOT|IS)$/i;
  const LABELS = { metric: "metric", param: "parameter", attribute: "attribute", tag: "tag" };
  let known = null;
  let [options, active, start] = [[], -1, 0];

  const box = () => document.getElementById("mlops-filter");
  const list = () => {
    const found = document.getElementById("mlops-names");
    if (found) return found;
    const made = document.createElement("ul");
    Object.assign(made, { id: "mlops-names", className: "mlops-options", hidden: true, role: "listbox", ariaLabel: "Completions" });
    box().after(made);
    const roles = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": made.id };
    for (const [name, value] of Object.entries(roles)) box().setAttribute(name, value);
    return made;
  };

  const load = async () => {
    known ??= fetch(box().dataset.mlopsNames).then((answer) => (answer.ok ? answer.json() : null)).catch(() => null);
    return known;
  };

  // What the text before the caret asks for next, and the piece of it that is being typed.
  const context = (text) => {
    const pieces = [...text.matchAll(PIECE)];
    const open = pieces.at(-1);
    const typed = open && open.index + open[0].length === text.length && !/[(),]/.test(open[0]) ? pieces.pop()[0] : "";
    let [next, name] = ["name", ""];
    for (const [piece] of pieces) {
      if (OPERATOR.test(piece)) next = "value";
      else if (piece === "(") next = next === "value" ? "value" : "name";
      else if (piece === ",") next = "value";
      else if (/^(?:AND|OR)$/i.test(piece)) next = "name";
      else if (piece === ")" || next === "value") next = "joint";
      else [next, name] = ["operator", piece];
    }
    return { next, name, typed };
  };

  const plain = (text) => text.replace(/[`"']/g, "").toLowerCase();
  const operators = (all, name) => {
    const entity = { metrics: "metric", params: "param", tags: "tag" }[name.split(".")[0]];
    return all.operators[entity ?? name] ?? all.operators[`attributes.${name}`] ?? ["=", "!="];
  };
  const proposals = (all, { next, name, typed }) => {
    const wanted = plain(typed);
    if (next === "name") {
      const every = Object.entries(all.names).flatMap(([kind, names]) => names.map((text) => ({ text, label: LABELS[kind] })));
      const rank = ({ text }) => {
        const found = plain(text);
        return found.startsWith(wanted) ? 0 : found.slice(found.indexOf(".") + 1).startsWith(wanted) ? 1 : found.includes(wanted) ? 2 : 3;
      };
      return every.map((each) => [rank(each), each]).filter(([place]) => place < 3).sort(([a], [b]) => a - b).map(([, each]) => each);
    }
    const texts = { operator: () => operators(all, name), value: () => all.values[name] ?? [], joint: () => ["AND", "OR"] }[next]();
    return texts.filter((text) => plain(text).startsWith(wanted) && text !== typed).map((text) => ({ text, label: "" }));
  };

  const close = () => {
    [options, active] = [[], -1];
    list().hidden = true;
    box().setAttribute("aria-expanded", "false");
    box().removeAttribute("aria-activedescendant");
  };

  const activate = (index) => {
    active = index;
    [...list().children].forEach((each, place) => each.setAttribute("aria-selected", String(place === index)));
    box().setAttribute("aria-activedescendant", `mlops-option-${index}`);
    list().children[index].scrollIntoView({ block: "nearest" });
  };

  const option = ({ text, label }, index) => {
    const made = document.createElement("li");
    const [name, kind] = [document.createElement("bdi"), document.createElement("span")];
    [name.textContent, kind.textContent] = [text, label];
    Object.assign(made, { id: `mlops-option-${index}`, role: "option", ariaSelected: "false" });
    made.append(name, kind);
    return made;
  };

  const propose = async () => {
    const all = await load();
    const field = box();
    if (!all || document.activeElement !== field) return;
    const before = field.value.slice(0, field.selectionStart);
    const found = context(before);
    close();
    options = proposals(all, found).slice(0, MAX_SHOWN);
    if (!options.length || (options.length === 1 && options[0].text === found.typed)) return;
    start = before.length - found.typed.length;
    list().replaceChildren(...options.map(option));
    list().hidden = false;
    list().scrollTop = 0;
    field.setAttribute("aria-expanded", "true");
  };

  const insert = (index) => {
    const field = box();
    field.setRangeText(`${options[index].text} `, start, field.selectionStart, "end");
    propose();
  };

  const move = (step) => {
    if (list().hidden) propose();
    else activate((active + step + options.length + (active < 0 && step < 0 ? 1 : 0)) % options.length);
  };

  const keys = {
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    Enter: () => active >= 0 && insert(active),
    Tab: () => active >= 0 && insert(active),
    Escape: () => !list().hidden && close(),
  };
  const on = (type, act) => document.addEventListener(type, (event) => { if (event.target.id === "mlops-filter") act(event); });
  on("focusin", () => { list(); load(); });
  on("focusout", close);
  on("input", propose);
  on("click", propose);
  on("keydown", (event) => {
    if (event.isComposing || !(event.key in keys)) return;
    // What a key does here, it does not do elsewhere as well.
    if (keys[event.key]() !== false) event.preventDefault();
  });
  // Before the field loses the focus.
  document.addEventListener("mousedown", (event) => {
    const chosen = event.target.closest("#mlops-names [role=option]");
    if (event.target.closest("#mlops-names")) event.preventDefault();
    if (chosen) insert([...list().children].indexOf(chosen));
  });
}
