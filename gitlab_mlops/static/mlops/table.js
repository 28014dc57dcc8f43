// The table of candidates: what htmx swaps, what is ticked, which columns are offered.
"use strict";
{
  const MAX_SELECTED = 200;
  const byId = (id) => document.getElementById(id);
  const ticks = () => [...(byId("mlops-selection")?.elements ?? [])].filter((each) => each.name === "candidates");
  const inTable = () => ticks().filter((each) => each.closest("table"));
  const ticked = () => ticks().filter((each) => each.checked).map((each) => each.value).join(",");

  // The bar tells what is ticked, and so does the address. What was done is told only once.
  const show = () => {
    const form = byId("mlops-selection");
    if (!form) return;
    const [every, here] = [ticks().filter((each) => each.checked), inTable()];
    form.hidden = !every.length;
    form.classList.add("mlops-sticky");
    form.querySelector("[data-mlops-selected]").textContent = every.length > MAX_SELECTED
      ? `${every.length} selected; at most ${MAX_SELECTED} will do` : `${every.length} selected`;
    for (const button of form.querySelectorAll("[type=submit]")) button.disabled = every.length > MAX_SELECTED;
    form.querySelector("[data-mlops-untick]").hidden = false;
    const all = byId("mlops-all");
    all.hidden = false;
    all.checked = here.every((each) => each.checked);
    all.indeterminate = !all.checked && here.some((each) => each.checked);
    for (const each of here) each.closest("tr").classList.toggle("mlops-ticked", each.checked);
    const address = new URL(location.href);
    for (const name of ["selected", "done", "deleted", "freed"]) address.searchParams.delete(name);
    if (every.length) address.searchParams.set("selected", ticked());
    if (address.href !== location.href) history.replaceState(history.state, "", address);
  };

  let last = null;
  document.addEventListener("click", (event) => {
    const { target } = event;
    for (const menu of document.querySelectorAll(".mlops-menu[open]")) if (!menu.contains(target)) menu.open = false;
    if (target.matches("[data-mlops-untick]")) {
      for (const each of ticks()) each.checked = false;
      show();
    } else if (target.matches("input[name=candidates]")) {
      // With the shift key, everything from the one before to this.
      const rows = inTable();
      const [from, to] = [rows.indexOf(last), rows.indexOf(target)].sort((a, b) => a - b);
      if (event.shiftKey && from >= 0) for (const each of rows.slice(from, to + 1)) each.checked = target.checked;
      last = target;
      show();
    } else if (target.id === "mlops-all") {
      for (const each of inTable()) each.checked = target.checked;
      show();
    }
  });

  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target.closest(".mlops-menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  document.addEventListener("input", (event) => {
    if (event.target.id !== "mlops-columns-search") return;
    const wanted = event.target.value.toLowerCase();
    for (const group of event.target.form.querySelectorAll("fieldset")) {
      const choices = [...group.querySelectorAll(".mlops-choice")];
      for (const each of choices) each.hidden = !each.textContent.toLowerCase().includes(wanted);
      group.hidden = choices.every((each) => each.hidden);
    }
  });

  const begin = () => {
    for (const each of document.querySelectorAll("[data-mlops-search]")) each.hidden = false;
    show();
  };

  // What is ticked goes along; what is empty stays out of the address.
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    const address = new URL(detail.path, location.href);
    for (const [name, value] of [...detail.formData]) if (!value) detail.formData.delete(name);
    detail.formData.delete("selected");
    address.searchParams.delete("selected");
    if (ticked()) address.searchParams.set("selected", ticked());
    detail.path = address.pathname + address.search;
  });

  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (!detail.xhr.responseText.includes('id="mlops-region"')) {
      // Another page, such as the one to sign in.
      detail.shouldSwap = false;
      location.assign(detail.pathInfo.finalRequestPath);
      return;
    }
    // A mistake in the filter answers 400, and is shown at its place.
    if (detail.xhr.status === 400) [detail.shouldSwap, detail.isError] = [true, false];
    detail.pathInfo.anchor = undefined;
  });

  document.addEventListener("htmx:afterSettle", ({ detail }) => {
    begin();
    byId("mlops-live").textContent = byId("mlops-found")?.textContent ?? "";
    const region = byId("mlops-region");
    if (detail.requestConfig?.elt.closest("[data-mlops-paging]")) region.scrollIntoView();
    if (!document.activeElement || document.activeElement === document.body) {
      region.tabIndex = -1;
      region.focus({ preventScroll: true });
    }
  });

  begin();
}
