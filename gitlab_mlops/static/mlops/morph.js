// Makes a part of a page what the server sent for it, and leaves alone what is the same: folds, the
// focus, a selection and how far a table is scrolled stay through an update.
"use strict";
window.mlops = window.mlops || {};
{
  const morph = (old, fresh) => {
    if (old.isEqualNode(fresh)) return;
    if (old.nodeName !== fresh.nodeName || old.id !== fresh.id || !old.hasChildNodes()) {
      old.replaceWith(fresh);
      return;
    }
    // What is not in the fresh one, such as an open fold or the focus' own marks, stays.
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    morphChildren(old, fresh);
  };

  // Children with an id are found by it; others by their place.
  const morphChildren = (old, fresh) => {
    const ids = new Set([...fresh.children].map((child) => child.id).filter(Boolean));
    for (const child of [...old.children]) if (child.id && !ids.has(child.id)) child.remove();
    const known = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
    let place = old.firstChild;
    for (const child of [...fresh.childNodes]) {
      let same = known.get(child.id);
      if (!child.id && place && !place.id && place.nodeName === child.nodeName) same = place;
      if (!same) {
        old.insertBefore(child, place);
      } else {
        if (same === place) place = place.nextSibling;
        else old.insertBefore(same, place);
        morph(same, child);
      }
    }
    while (place) {
      const next = place.nextSibling;
      place.remove();
      place = next;
    }
  };

  window.mlops.morph = morph;
}
