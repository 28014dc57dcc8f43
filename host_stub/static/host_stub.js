// Conveniences; every page works without them.
"use strict";

for (const button of document.querySelectorAll("[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  button.hidden = false;
  field.addEventListener("focus", () => field.select());
  button.addEventListener("click", async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      document.execCommand("copy"); // the clipboard's interface is there under https only
    }
    button.textContent = "Copied";
  });
}

document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

// Shows a text as it will look, without leaving the page.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-preview]");
  if (!button) return;
  event.preventDefault();
  const [form, id] = [button.form, button.value];
  const body = new FormData();
  body.set("csrf_token", form.elements.csrf_token.value);
  body.set("text", document.getElementById(id).value);
  try {
    const answer = await fetch(button.dataset.preview, { method: "POST", body, redirect: "error" });
    if (!answer.ok) throw new Error(answer.statusText);
    const place = document.getElementById(`${id}-preview`);
    place.hidden = false;
    place.innerHTML = await answer.text(); // sanitized by the server
  } catch {
    form.requestSubmit(button); // the long way, which says what is wrong
  }
});

const closeMenus = (except) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (menu !== except) menu.open = false;
  }
};
document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeMenus();
});

// On a phone the navigation is one scrolling line: show where we are.
document
  .querySelector(".sidebar-nav [aria-current]")
  ?.scrollIntoView({ block: "nearest", inline: "center", behavior: "instant" });
