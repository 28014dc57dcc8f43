// The card of a reference, for who points at it or moves the focus to it; the link works without.
"use strict";
window.mlops = window.mlops || {};
// The forge's base template and a page may both load this.
if (!window.mlops.float) {
  const [OPEN_AFTER, CLOSE_AFTER, MARGIN, GAP] = [300, 200, 8, 6];
  const cards = new Map();
  let [card, link, wanted, dismissed, timer] = [null, null, null, null, 0];

  const made = (element, id, role) => {
    const box = document.createElement(element);
    Object.assign(box, { id, role, className: "mlops mlops-floating", hidden: true });
    document.body.append(box);
    return box;
  };

  // Puts a box below a part of the page, or above it if there is more room for it in the window.
  const place = (box, { left, top, bottom }, enough = Infinity) => {
    box.style.maxHeight = "";
    const { clientWidth, clientHeight } = document.documentElement;
    const [below, above] = [clientHeight - bottom - GAP - MARGIN, top - GAP - MARGIN];
    const isBelow = below >= Math.min(box.offsetHeight, enough) || below >= above;
    box.style.maxHeight = `${Math.min(Math.max(isBelow ? below : above, 80), parseFloat(getComputedStyle(box).maxHeight) || Infinity)}px`;
    box.style.left = `${Math.max(MARGIN, Math.min(left, clientWidth - box.offsetWidth - MARGIN))}px`;
    box.style.top = `${isBelow ? bottom + GAP : top - GAP - box.offsetHeight}px`;
  };
  window.mlops.float = { made, place };

  // A text may name any address, if the forge lets `data-` attributes through; uploads are no cards.
  const isCard = ({ ok, redirected, headers }) =>
    ok && !redirected && !headers.has("Content-Disposition") && (headers.get("Content-Type") ?? "").startsWith("text/html");

  const load = (url) => {
    if (!cards.has(url)) {
      const card = fetch(url, { headers: { Accept: "text/html" }, mode: "same-origin" }).then((answer) => (isCard(answer) ? answer.text() : ""));
      cards.set(url, card.catch(() => { cards.delete(url); return ""; }));
    }
    return cards.get(url);
  };

  const close = () => {
    clearTimeout(timer);
    wanted = null;
    if (!link) return;
    link.removeAttribute("aria-describedby");
    link = null;
    card.hidden = true;
  };

  // Where a link is broken into two lines, the card is at neither of them.
  const follow = () => {
    const lines = link && link.isConnected ? [...link.getClientRects()] : [];
    if (!lines.length) return close();
    place(card, { left: lines[0].left, top: lines[0].top, bottom: lines.at(-1).bottom });
  };

  const open = async (target) => {
    const html = await load(target.dataset.mlopsCard);
    if (wanted !== target || !html) return;
    close();
    [wanted, link] = [target, target];
    card ??= made("div", "mlops-card", "tooltip");
    card.innerHTML = html;
    card.hidden = false;
    link.setAttribute("aria-describedby", card.id);
    follow();
  };

  const want = (target, after) => {
    clearTimeout(timer);
    wanted = target;
    if (target !== link) timer = setTimeout(() => (target ? open(target) : close()), after);
  };

  const linkOf = (event) => {
    const found = event.target.closest?.("a[data-mlops-card]") ?? null;
    // Whoever closed a card leaves its link before it opens again.
    if (found !== dismissed) dismissed = null;
    return found;
  };
  const isInCard = (node) => card?.contains(node);
  // A card that the focus opened stays until the focus goes.
  const leave = () => { if (wanted && wanted !== document.activeElement) want(null, CLOSE_AFTER); };
  document.addEventListener("pointerover", (event) => {
    // A finger has come to follow the link.
    if (event.pointerType === "touch") return;
    const target = linkOf(event);
    if (target && target !== dismissed) want(target, OPEN_AFTER);
    else if (link && isInCard(event.target)) want(link, 0);
    else leave();
  });
  document.documentElement.addEventListener("pointerleave", leave);
  document.addEventListener("focusin", (event) => {
    const target = linkOf(event);
    if (target?.matches(":focus-visible")) want(target, OPEN_AFTER);
    else if (!isInCard(event.target)) close();
  });
  document.addEventListener("focusout", close);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !link) return;
    dismissed = link;
    close();
    event.stopPropagation();
  }, true);
  for (const change of ["scroll", "resize"]) addEventListener(change, () => link && follow(), { capture: true, passive: true });
}
