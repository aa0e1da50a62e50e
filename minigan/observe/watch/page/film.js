"use strict";

/* A training, step by step: two pictures of the plane, and a chart of everything measured. */

const $ = (id) => document.getElementById(id);
let at = 0; // the index of the frame that is shown
let playing = null; // the timer of the player

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/* -- what was recorded -------------------------------------------------------------------------- */

function unpack(text, Kind) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Kind(bytes.buffer);
}

/* Points as numbers from 0 to 65535, over three times the extent: -1 ... 2 in widths of it. */
function places(text) {
  return Float32Array.from(unpack(text, Uint16Array), (number) => (3 * number) / 65535 - 1);
}

const unpacked = (frame) => ({
  step: frame.step,
  fake: places(frame.fake),
  push: unpack(frame.push, Float32Array),
  verdict: unpack(frame.verdict, Uint8Array),
  grid: places(frame.grid),
});

const frames = FILM.frames.map(unpacked);
const real = places(FILM.real);
const [left, right, bottom, top_] = FILM.extent;

/* The length of an arrow for a gradient of 1: the same for all frames, a round number. */
function arrowScale() {
  const lengths = frames.flatMap(({ push }) =>
    Array.from({ length: push.length / 2 }, (_, i) => Math.hypot(push[2 * i], push[2 * i + 1])),
  ).filter(Number.isFinite); // those of a training that diverged are not
  const typical = lengths.sort((a, b) => a - b)[Math.floor(0.95 * (lengths.length - 1))] || 1e-12;
  const exact = (right - left) / 8 / Math.max(typical, 1e-12);
  const power = 10 ** Math.floor(Math.log10(exact));
  return power * [5, 2, 1].find((digit) => digit * power <= exact);
}

/* -- the two pictures --------------------------------------------------------------------------- */

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function rgb(name) {
  const number = parseInt(colour(name).slice(1), 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
}

/* A canvas as sharp as the screen, and a function that puts a place into it. */
function prepare(canvas) {
  const width = canvas.clientWidth;
  const height = (width * (top_ - bottom)) / (right - left);
  canvas.style.height = `${height}px`;
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.fillStyle = colour("--card");
  context.fillRect(0, 0, width, height);
  return { context, width, height, put: (x, y) => [x * width, (1 - y) * height] };
}

function dots({ context, width, put }, points, fill) {
  const radius = width < 500 ? 1.3 : 2;
  context.fillStyle = fill;
  for (let i = 0; i < points.length; i += 2) {
    const [x, y] = put(points[i], points[i + 1]);
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fill();
  }
}

function drawSurface(frame) {
  const picture = prepare($("surface"));
  const { context, width, height, put } = picture;
  const [rows, columns] = FILM.resolution;
  const small = Object.assign(document.createElement("canvas"), { width: columns, height: rows });
  const pixels = new ImageData(columns, rows);
  const [fake, middle, isReal] = ["--above", "--card", "--below"].map(rgb);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const verdict = frame.verdict[(rows - 1 - row) * columns + column] / 255;
      const share = 0.75 * Math.abs(2 * verdict - 1);
      const end = verdict < 0.5 ? fake : isReal;
      const pixel = middle.map((from, k) => from + share * (end[k] - from));
      pixels.data.set([...pixel, 255], 4 * (row * columns + column));
    }
  }
  small.getContext("2d").putImageData(pixels, 0, 0);
  context.imageSmoothingEnabled = true;
  // the outer grid points lie on the edge of the picture: half a pixel is left out on each side
  context.drawImage(small, 0.5, 0.5, columns - 1, rows - 1, 0, 0, width, height);
  drawContour(picture, frame, rows, columns);
  dots(picture, real, colour("--below"));
  dots(picture, frame.fake, colour("--above"));
  context.strokeStyle = context.fillStyle = colour("--ink");
  context.lineWidth = 1.2;
  const scale = arrowScale();
  for (let i = 0; i < frame.push.length; i += 2) {
    const [x, y] = [frame.fake[i], frame.fake[i + 1]];
    const along = [(scale * frame.push[i]) / (right - left), (scale * frame.push[i + 1]) / (top_ - bottom)];
    arrow(context, put(x, y), put(x + along[0], y + along[1]));
  }
  $("scale").textContent = String(+scale.toPrecision(3));
}

function arrow(context, [x, y], [toX, toY]) {
  const length = Math.hypot(toX - x, toY - y);
  if (length < 1) return;
  const [dx, dy] = [(toX - x) / length, (toY - y) / length];
  const head = Math.min(6, length);
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(toX, toY);
  context.stroke();
  context.beginPath();
  context.moveTo(toX, toY);
  context.lineTo(toX - head * dx - (head / 2) * dy, toY - head * dy + (head / 2) * dx);
  context.lineTo(toX - head * dx + (head / 2) * dy, toY - head * dy - (head / 2) * dx);
  context.fill();
}

/* Where the verdict is 1/2: in each square of the grid, the line between the sides it crosses. */
function drawContour({ context, put }, { verdict }, rows, columns) {
  context.strokeStyle = colour("--soft");
  context.lineWidth = 1;
  context.beginPath();
  const value = (row, column) => verdict[row * columns + column] - 127.5;
  for (let row = 0; row < rows - 1; row++) {
    for (let column = 0; column < columns - 1; column++) {
      const corners = [[row, column], [row, column + 1], [row + 1, column + 1], [row + 1, column]]; // prettier-ignore
      const crossed = [];
      corners.forEach(([r, c], k) => {
        const [otherR, otherC] = corners[(k + 1) % 4];
        const [a, b] = [value(r, c), value(otherR, otherC)];
        if (a < 0 === b < 0) return;
        const share = a / (a - b);
        crossed.push([
          (c + share * (otherC - c)) / (columns - 1),
          (r + share * (otherR - r)) / (rows - 1),
        ]);
      });
      for (let k = 0; k + 1 < crossed.length; k += 2) {
        context.moveTo(...put(...crossed[k]));
        context.lineTo(...put(...crossed[k + 1]));
      }
    }
  }
  context.stroke();
}

function drawManifold(frame) {
  const picture = prepare($("manifold"));
  const { context, put } = picture;
  dots(picture, real, colour("--below"));
  const [kinds, lines, points] = FILM.lines;
  context.lineWidth = 1;
  for (let kind = 0; kind < kinds; kind++) {
    context.strokeStyle = colour(kind ? "--gradient" : "--above");
    for (let line = 0; line < lines; line++) {
      context.beginPath();
      for (let point = 0; point < points; point++) {
        const k = 2 * ((kind * lines + line) * points + point);
        context[point ? "lineTo" : "moveTo"](...put(frame.grid[k], frame.grid[k + 1]));
      }
      context.stroke();
    }
  }
}

/* -- the charts --------------------------------------------------------------------------------- */

const W = 300;
const H = 64;
const charts = []; // {chart, steps, values, cursor, number}
const short = (value) =>
  value === null ? "not a number" : String(+value.toPrecision(3)).replace("-", "−");
const svg = (name, attributes) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
};

const lastStep = () => Math.max(frames.at(-1)?.step ?? 1, ...charts.map(({ steps }) => steps.at(-1) ?? 1));

function makeCharts(groups) {
  charts.length = 0;
  const bands = groups.map(({ title, text, steps, columns }) => {
    const made = Object.entries(columns).map(([name, values]) => {
      const chart = element("div", { class: "chart" });
      const number = element("span");
      const cursor = svg("line", { y1: 0, y2: H, stroke: "var(--ink)", "stroke-width": 1, "vector-effect": "non-scaling-stroke" }); // prettier-ignore
      const one = { name, steps, values, cursor, number };
      charts.push(one);
      one.fill = () => {
        const found = values.filter((value) => value !== null);
        const [low, high] = [Math.min(...found), Math.max(...found)];
        const isLog = low > 0 && high / low > 100;
        const scaled = (value) => (isLog ? Math.log(value) : value);
        const span = scaled(high) - scaled(low) || 1;
        const end = lastStep();
        const line = steps
          .map((step, k) => [step, values[k]])
          .filter(([, value]) => value !== null)
          .map(([step, value]) => {
            const height = (scaled(value) - scaled(low)) / span;
            return `${((W * step) / end).toFixed(1)},${(H - 4 - (H - 8) * height).toFixed(1)}`;
          });
        one.picture = svg("svg", { viewBox: `0 0 ${W} ${H}`, preserveAspectRatio: "none", role: "img" }); // prettier-ignore
        one.picture.append(
          svg("polyline", { points: line.join(" "), fill: "none", stroke: "var(--value)", "stroke-width": 1.5, "vector-effect": "non-scaling-stroke" }), // prettier-ignore
          cursor,
        );
        one.picture.addEventListener("click", (event) => {
          const box = one.picture.getBoundingClientRect();
          show(nearest((lastStep() * (event.clientX - box.left)) / box.width));
        });
        const range = found.length
          ? `${short(low)} to ${short(high)}${isLog ? ", logarithmic" : ""}`
          : "nothing finite";
        chart.replaceChildren(
          element("div", { class: "top" }, element("span", {}, name.replaceAll("_", " ")), number),
          one.picture,
          element("div", { class: "range" }, range),
        );
      };
      return chart;
    });
    return element(
      "section",
      { class: "band" },
      element("h2", {}, title),
      element("p", {}, text),
      element("div", { class: "charts" }, ...made),
    );
  });
  for (const one of charts) one.fill();
  $("signs").replaceChildren(...bands);
}

/* The index of the frame whose step is nearest. */
function nearest(step) {
  let best = 0;
  frames.forEach((frame, k) => {
    if (Math.abs(frame.step - step) < Math.abs(frames[best].step - step)) best = k;
  });
  return best;
}

/* The last measurement up to this step, or the first one. */
function measured({ steps, values }, step) {
  let k = steps.findLastIndex((each) => each <= step);
  return values[Math.max(k, 0)] ?? null;
}

/* -- showing ------------------------------------------------------------------------------------ */

function show(index) {
  if (!frames.length) return;
  at = Math.max(0, Math.min(index, frames.length - 1));
  const frame = frames[at];
  const words = `step ${frame.step.toLocaleString("en")}`;
  $("at").max = frames.length - 1;
  $("at").value = at;
  $("at").setAttribute("aria-valuetext", words);
  $("step").textContent = words;
  drawSurface(frame);
  drawManifold(frame);
  const inside = frame.verdict.reduce((sum, value) => sum + value, 0) / frame.verdict.length / 255;
  $("surface").setAttribute("aria-label",
    `at ${words}: the discriminator's verdict, on average ${inside.toFixed(2)} over the picture, with real samples, fakes and arrows`); // prettier-ignore
  $("manifold").setAttribute("aria-label", `at ${words}: the generator's image of a grid`);
  for (const one of charts) {
    const x = (W * frame.step) / lastStep();
    one.cursor.setAttribute("x1", x);
    one.cursor.setAttribute("x2", x);
    const value = short(measured(one, frame.step));
    one.number.textContent = value;
    one.picture.setAttribute("aria-label", `${one.name.replaceAll("_", " ")}: ${value} at ${words}`);
  }
}

function play(on) {
  clearInterval(playing);
  playing = null;
  if (on) {
    if (at === frames.length - 1) show(0);
    playing = setInterval(() => (at < frames.length - 1 ? show(at + 1) : play(false)), 120);
  }
  $("play").textContent = playing ? "❚❚ Pause" : "▶ Play";
}

$("at").addEventListener("input", () => show(Number($("at").value)));
$("play").addEventListener("click", () => play(!playing));
$("theme").addEventListener("click", () => {
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark";
  document.documentElement.dataset.theme = dark ? "light" : "dark";
  show(at);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => show(at));
new ResizeObserver(() => requestAnimationFrame(() => show(at))).observe(document.body);
makeCharts(FILM.groups);
show(frames.length - 1);

/* -- while it trains ---------------------------------------------------------------------------- */

/* Asks for what is new every second; what has come so far stays when the run has ended. */
async function follow() {
  try {
    const answer = await fetch(`frames?from=${frames.length}`);
    const news = await answer.json();
    const isLast = at >= frames.length - 1;
    if (news.frames.length) {
      frames.push(...news.frames.map(unpacked));
      makeCharts(news.groups);
      show(isLast && !playing ? frames.length - 1 : at);
    }
    $("live").textContent = news.over ? "The run has ended." : "Training ...";
    if (!news.over) setTimeout(follow, 1000);
  } catch {
    $("live").textContent = "The run no longer answers; what was recorded stays here.";
  }
}
if (FILM.live) follow();
