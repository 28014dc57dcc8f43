// Completes references while somebody types them: `[candidate:` or `[c` in a textarea.
"use strict";
if (window.mlops?.float && !window.mlops.suggest) {
  const { made, place } = window.mlops.float;
  const KINDS = ["candidate", "experiment", "model"];
  const [WAIT, KEPT, ENOUGH] = [120, 30000, 150];
  const TYPED = /(?<![\w`\\])\[(\w+)(?::([^[\]\n]{0,200}))?$/;
  const answers = new Map();
  let [list, field, options, active, shown, asked, timer] = [null, null, [], -1, null, "", 0];
  window.mlops.suggest = true;

  const ask = (url) => {
    if (!answers.has(url)) {
      const answer = fetch(url, { headers: { Accept: "application/json" } }).then((found) => (found.ok && !found.redirected ? found.json() : null));
      answers.set(url, answer.catch(() => null));
      setTimeout(() => answers.delete(url), KEPT);
    }
    return answers.get(url);
  };

  // What is typed before the caret: where it starts, and where to ask what it may mean.
  const question = () => {
    const before = field.value.slice(0, field.selectionStart);
    const found = field.selectionStart === field.selectionEnd && TYPED.exec(before);
    const kind = found && KINDS.find((each) => (found[2] === undefined ? each.startsWith(found[1]) : each === found[1]));
    if (!kind) return null;
    const typed = found[2] ?? "";
    const path = typed.slice(0, Math.max(typed.lastIndexOf("/"), 0));
    const query = new URLSearchParams({ kind, q: typed.slice(path && path.length + 1), path });
    return { start: found.index, url: `${field.dataset.mlopsComplete}?${query}` };
  };

  const close = () => {
    clearTimeout(timer);
    asked = "";
    if (!options.length) return;
    [options, active] = [[], -1];
    list.hidden = true;
    for (const name of ["aria-controls", "aria-activedescendant"]) field.removeAttribute(name);
  };

  const activate = (index) => {
    active = (index + options.length) % options.length;
    [...list.children].forEach((each, at) => each.setAttribute("aria-selected", String(at === active)));
    field.setAttribute("aria-activedescendant", list.children[active].id);
    list.children[active].scrollIntoView({ block: "nearest" });
  };

  const option = ({ name, label, detail }, index) => {
    const item = document.createElement("li");
    Object.assign(item, { id: `mlops-suggestion-${index}`, role: "option", ariaSelected: "false" });
    for (const [element, text] of [["bdi", name], ["code", label], ["small", detail]]) {
      item.append(Object.assign(document.createElement(element), { textContent: text, dir: "auto" }));
    }
    return item;
  };

  // A copy of the box with the same lines tells where in it a character is.
  const lineAt = (index) => {
    const [copy, mark, style] = [document.createElement("div"), document.createElement("span"), getComputedStyle(field)];
    for (const name of ["font", "letterSpacing", "lineHeight", "padding", "tabSize", "textIndent", "wordSpacing"]) copy.style[name] = style[name];
    Object.assign(copy.style, { position: "fixed", visibility: "hidden", boxSizing: "border-box", width: `${field.clientWidth}px`, whiteSpace: "pre-wrap", overflowWrap: "break-word" });
    mark.textContent = field.value[index];
    // What follows is a part of the same word, which may not fit into the line.
    copy.append(field.value.slice(0, index), mark, field.value.slice(index + 1, index + 300));
    document.body.append(copy);
    const [box, left, height] = [field.getBoundingClientRect(), mark.offsetLeft + field.clientLeft, mark.offsetHeight];
    const top = mark.offsetTop + field.clientTop - field.scrollTop;
    copy.remove();
    const y = Math.max(box.top, Math.min(box.top + top, box.bottom - height));
    return { left: box.left + left, top: y, bottom: y + height };
  };

  const show = (found, meant) => {
    [options, shown] = [found, meant];
    list ??= Object.assign(made("ul", "mlops-suggestions", "listbox"), { ariaLabel: "Suggestions" });
    list.replaceChildren(...options.map(option));
    list.hidden = false;
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-controls", list.id);
    place(list, lineAt(shown.start), ENOUGH);
    activate(0);
  };

  const suggest = async () => {
    const now = question();
    if (!now) return close();
    asked = now.url;
    const answer = await ask(now.url);
    if (asked !== now.url) return;
    close();
    if (answer?.suggestions.length) show(answer.suggestions, now);
  };

  const insert = (index) => {
    const [{ text }, { start }] = [options[index], shown];
    const end = field.selectionStart + (field.value[field.selectionStart] === "]" ? 1 : 0);
    close();
    field.setSelectionRange(start, end);
    // What is typed by this command can be undone.
    if (!document.execCommand("insertText", false, text)) field.setRangeText(text, start, end, "end");
  };

  const keys = {
    ArrowDown: () => activate(active + 1),
    ArrowUp: () => activate(active - 1),
    Enter: () => insert(active),
    Tab: () => insert(active),
    Escape: close,
  };
  document.addEventListener("input", (event) => {
    if (!event.target.matches?.("textarea[data-mlops-complete]")) return;
    if (field !== event.target) close();
    field = event.target;
    clearTimeout(timer);
    if (!question()) close();
    else if (!event.isComposing) timer = setTimeout(suggest, WAIT);
  });
  document.addEventListener("keydown", (event) => {
    if (event.target !== field || !options.length || event.isComposing) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || !(event.key in keys)) return;
    // Who types on and presses Enter means what is typed, and not what was offered before.
    if (question()?.url !== shown.url) return close();
    // What a key does here, it does not do elsewhere as well.
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  }, true);
  document.addEventListener("selectionchange", () => {
    if (options.length && document.activeElement === field && question()?.start !== shown.start) close();
  });
  document.addEventListener("focusout", (event) => { if (event.target === field) close(); });
  for (const change of ["scroll", "resize"]) {
    addEventListener(change, (event) => { if (options.length && event.target !== list) place(list, lineAt(shown.start), ENOUGH); }, { capture: true, passive: true });
  }
  // Before the box loses the focus.
  document.addEventListener("mousedown", (event) => {
    if (!list?.contains(event.target)) return;
    event.preventDefault();
    const chosen = event.target.closest("[role=option]");
    if (chosen) insert([...list.children].indexOf(chosen));
  });
}
