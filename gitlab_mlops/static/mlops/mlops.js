// Conveniences; every page is complete without them.
"use strict";
{
  const copied = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // The clipboard's interface is there under https only.
      const field = document.createElement("textarea");
      field.value = text;
      field.className = "mlops-unseen";
      document.body.append(field);
      field.select();
      const done = document.execCommand("copy");
      field.remove();
      return done;
    }
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-mlops-copy]");
    if (!button) return;
    const done = await copied(button.dataset.mlopsCopy);
    button.textContent = done ? "Copied" : "Not copied";
    button.focus();
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });

  const showCopyButtons = (element) => {
    for (const button of element.querySelectorAll("[data-mlops-copy]")) button.hidden = false;
  };
  showCopyButtons(document);
  document.addEventListener("htmx:load", (event) => showCopyButtons(event.detail.elt));

  document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
    if (!detail.target.matches("[data-mlops-morph]")) return;
    detail.shouldSwap = false;
    window.mlops.morph(detail.target, detail.fragment.firstElementChild);
  });

  // What asks again and again rests while nobody looks.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && event.detail.elt.matches("[data-mlops-poll]")) event.preventDefault();
  });
  // The page that waits for the first candidate no longer waits: something came.
  document.addEventListener("htmx:afterRequest", ({ detail: { elt, successful, xhr } }) => {
    if (elt.id === "mlops-waiting" && successful && !xhr.responseText.includes('"mlops-waiting"')) {
      location.reload();
    }
  });

  // MLflow's client prints links to <tracking URI>/#/experiments/1/runs/<run id>; they lead here.
  const claimed = /^#\/experiments\/(\d+)(?:\/runs\/(\w+))?/.exec(location.hash);
  if (claimed && location.pathname.endsWith("/-/ml/experiments")) {
    const [, experiment, run] = claimed;
    location.replace(`${location.pathname.slice(0, -"experiments".length)}${run ? `runs/${run}` : `experiments/${experiment}`}`);
  }
}
