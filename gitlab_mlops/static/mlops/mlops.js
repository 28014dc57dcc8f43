// Conveniences; every page is complete without them.
"use strict";

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

for (const button of document.querySelectorAll("[data-mlops-copy]")) {
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const done = await copied(button.dataset.mlopsCopy);
    button.textContent = done ? "Copied" : "Not copied";
    button.focus();
    setTimeout(() => { button.textContent = label; }, 2000);
  });
}

// MLflow's client prints links to <tracking URI>/#/experiments/1/runs/<run id>; they lead here.
const claimed = /^#\/experiments\/(\d+)(?:\/runs\/(\w+))?/.exec(location.hash);
if (claimed && location.pathname.endsWith("/-/ml/experiments")) {
  const [, experiment, run] = claimed;
  location.replace(`${location.pathname.slice(0, -"experiments".length)}${run ? `runs/${run}` : `experiments/${experiment}`}`);
}
