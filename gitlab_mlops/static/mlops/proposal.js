// Keeps the section about a merge request's candidates up to date while somebody looks at it.
"use strict";
window.mlops = window.mlops || {};
// The forge's base template and a page may both load this.
if (!window.mlops.follow) {
  const [EVERY, AFTER_FAILURE] = [10_000, 60_000];

  // The answer's section; null if it is the one that shows, undefined if it is none for this reader.
  const ask = async (url, state) => {
    const headers = { Accept: "text/html" };
    if (state.etag) headers["If-None-Match"] = state.etag;
    const answer = await fetch(url, { headers, cache: "no-store", credentials: "same-origin" });
    if (answer.status === 304) return null;
    if (answer.status >= 500) throw new Error("The server is busy");
    if (!answer.ok || answer.redirected) return undefined;
    state.etag = answer.headers.get("ETag");
    return new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("mlops-proposal");
  };

  const follow = (section) => {
    const state = { etag: "" };
    const wait = (delay) => { setTimeout(look, delay); };
    const look = async () => {
      const now = document.getElementById(section);
      if (!now || !now.dataset.mlopsLive) return;
      if (document.hidden) {
        document.addEventListener("visibilitychange", look, { once: true });
        return;
      }
      try {
        const fresh = await ask(now.dataset.mlopsLive, state);
        if (fresh === undefined) return;
        if (fresh) {
          if (!fresh.dataset.mlopsLive) now.removeAttribute("data-mlops-live");
          window.mlops.morph(now, document.adoptNode(fresh));
        }
        wait(EVERY);
      } catch {
        wait(AFTER_FAILURE);
      }
    };
    wait(EVERY);
  };

  window.mlops.follow = follow;
  if (document.querySelector("#mlops-proposal[data-mlops-live]")) follow("mlops-proposal");
}
