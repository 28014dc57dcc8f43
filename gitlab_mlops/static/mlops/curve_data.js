// Points of curves: how they are written, aligned, smoothed and found.
"use strict";

{
  const X_NAMES = { step: "Step", relative: "Relative time", wall: "Wall time (UTC)" };
  // What the ticks of relative time are apart, in milliseconds.
  const DURATIONS = [1, 2, 5, 10, 20, 50, 100, 200, 500,
    ...[1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10800, 21600, 43200].map((s) => s * 1e3),
    ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 1e4, 1e5].map((days) => days * 864e5)];

  const element = (name, attributes = {}, ...children) => {
    const made = Object.assign(document.createElement(name), attributes);
    made.append(...children);
    return made;
  };

  const isMissing = (value) => value === undefined || value === null;
  const number = (value) => {
    if (isMissing(value)) return "–";
    return String(Number.isSafeInteger(value) ? value : Number(value.toPrecision(6)));
  };
  const two = (value) => String(value).padStart(2, "0");
  const elapsed = (ms) => {
    const seconds = Math.floor(ms / 1000);
    if (seconds < 60) return `${number(ms / 1000)} s`;
    return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  };
  const isDate = (ms) => Math.abs(ms) < 8.64e15;
  const moment = (ms) => (isDate(ms) ? new Date(ms).toISOString().slice(0, 19).replace("T", " ") : `${ms} ms`);
  const writeX = { step: (step) => step.toLocaleString("en"), relative: elapsed, wall: moment };

  // The clock, and below it the day where it changes.
  const writeTimes = (u, splits, axis, space, increment) => splits.map((ms, place) => {
    const [day, clock] = new Date(ms).toISOString().split("T");
    if (increment >= 864e5) return day;
    const isNew = place === 0 || day !== new Date(splits[place - 1]).toISOString().slice(0, 10);
    return clock.slice(0, increment < 1000 ? 12 : increment < 6e4 ? 8 : 5) + (isNew ? `\n${day}` : "");
  });

  // One list of x for all curves. Points of a curve with the same x keep a place each.
  const align = (curves) => {
    const most = new Map();
    const numbered = ({ x }) => {
      let count = 0;
      return x.map((value, place) => (count = value === x[place - 1] ? count + 1 : 0));
    };
    const numbers = curves.map(numbered);
    curves.forEach(({ x }, curve) => x.forEach((value, place) => {
      most.set(value, Math.max(most.get(value) ?? 0, numbers[curve][place] + 1));
    }));
    const xs = [];
    const at = new Map();
    for (const x of [...most.keys()].sort((a, b) => a - b)) {
      at.set(x, xs.length);
      for (let count = most.get(x); count--;) xs.push(x);
    }
    return { xs, places: curves.map(({ x }, curve) => x.map((value, place) => at.get(value) + numbers[curve][place])) };
  };

  // TensorBoard's moving average. Points that were picked for their value would lead it.
  const smoothed = ({ y, peaks }, weight) => {
    const skipped = new Set(peaks);
    let [last, count] = [0, 0];
    return y.map((value, place) => {
      if (value === null || skipped.has(place)) return value === null ? null : undefined;
      last = last * weight + (1 - weight) * value;
      return last / (1 - weight ** ++count);
    });
  };

  // The place of the point of a curve that the cursor reads; none beyond the curve's ends.
  const nearest = (u, series, at) => {
    const values = u.data[series];
    let [left, right] = [at, at];
    while (left >= 0 && isMissing(values[left])) left--;
    while (right < values.length && isMissing(values[right])) right++;
    if (left >= 0 && right < values.length) return at - left < right - at ? left : right;
    const end = left >= 0 ? left : right;
    return end < values.length && Math.abs(u.valToPos(u.data[0][end], "x") - u.cursor.left) < 20 ? end : null;
  };

  window.mlops = window.mlops || {};
  window.mlops.curves = { X_NAMES, DURATIONS, element, isMissing, number, isDate, writeX, writeTimes, align, smoothed, nearest };
}
