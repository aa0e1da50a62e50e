"use strict";

/* What the reader sees: bands of maps, one open number, the step button, and who moved a sample. */

let step = null; // the Step that is shown
let opened = null; // the open Cell
let history = []; // the cells that were open before it
let walked = null; // the index of the moment that was walked to; null: everything is shown
let chosen = { row: 0, column: 0 }; // the fake and the coordinate of "Who moved this sample?"
const buttons = new Map(); // Cell -> its buttons on the page
const users = new Map(); // Cell -> the cells that it is a term of
const otherwise = new Map(); // Cell -> its number in the run, where that is not what is computed

const $ = (id) => document.getElementById(id);

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== false && value != null) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child != null));
  return made;
}

/* -- what stands where ------------------------------------------------------------------------- */

/* A column: `above` and `below` the network's line, lists of tensors. */
const column = (label, above, below, isLayer = false, note = "") => ({
  label,
  above,
  below,
  isLayer,
  note,
});

/* The columns of a network: what goes in, each layer, and what it makes. */
function columnsOf(network, pass, { gradients, signals, fixed }) {
  const made = [column(pass.values[0].symbol, [pass.values[0]], signals ? [signals[0]] : [])];
  network.forEach((layer, k) => {
    const parameters = [layer.weight, layer.bias].filter(Boolean);
    const below = gradients ? parameters.map((p) => gradients.get(p)).filter(Boolean) : [];
    const note = fixed && parameters.length ? "fixed" : "";
    made.push(column(layer.label, parameters, below, true, note));
    const y = pass.values[k + 1];
    made.push(column(y.symbol, [y], signals ? [signals[k + 1]] : []));
  });
  return made;
}

function bandsOf(step) {
  const lossOf = (tensor) => [
    column(step.game.loss, [], [], true),
    column(tensor.symbol, [tensor], []),
  ];
  const backD = { gradients: step.back.gradients, signals: step.back.signals };
  const bands = [
    {
      title: "1, 2, 3: generate",
      text: "G makes samples of noise. Its gradients, below, arrive in step 6: they have come through D.",
      columns: columnsOf(step.G, step.made, {
        gradients: step.onwards.gradients,
        signals: step.onwards.signals,
      }),
    },
    {
      title: "4, 5: the discriminator's update",
      text: "D judges real samples (the first rows) and fakes; its loss goes back to its weights. The fakes are constants here.",
      columns: [...columnsOf(step.D, step.judged, backD), ...lossOf(step.lossD)],
    },
  ];
  for (const { name, value, gradients, sweeps } of step.R) {
    const places = [];
    step.judged.values.forEach((_, k) => {
      const signal = sweeps.signals.filter((t) => t.symbol === `∂${step.judged.values[k].symbol}˙`);
      const tangent = sweeps.tangents[k];
      places.push(column(step.judged.values[k].symbol, [sweeps.slopes[k], tangent], signal));
      const layer = step.D[k];
      if (!layer) return;
      const found = [layer.weight, layer.bias].map((p) => gradients.get(p)).filter(Boolean);
      places.push(column(layer.label, [], found, true));
    });
    places.push(column(name, [value], []));
    bands.push({
      title: `4: ${name}, the gradient of a gradient`,
      text:
        `${name} makes D flat at the ${name === "R1" ? "real samples" : "fakes"}. ∂z1 is D's slope there, from a backward ` +
        "pass that begins with 1; a dot says how a number moves as x moves along v. Below: what is added to D's gradients.",
      columns: places,
    });
  }
  const moves = (network) =>
    network
      .flatMap(({ weight, bias }) => [weight, bias])
      .filter(Boolean)
      .map((moved) => column(`${moved.origin.symbol} → ${moved.symbol}`, [moved], moved.after));
  const optimizerOf = (player) => step.game[`${player}_optimizer`].label;
  bands.push(
    {
      title: "5: the discriminator moves",
      text: `${optimizerOf("discriminator")}. Above: the weights after the step; below: what the optimizer remembers.`,
      columns: moves(step.moved.network),
      isList: true,
    },
    {
      title: "6: the generator's update",
      text: "D, which has moved, judges the fakes anew. L_G goes back through D, whose weights stay as they are, to the fakes, and on through G (in the first band).",
      columns: [
        ...columnsOf(step.moved.network, step.anew, { signals: step.through.signals, fixed: true }),
        ...(step.realPass ? [column("r = D(real)", [step.realPass.output], [])] : []),
        ...lossOf(step.lossG),
      ],
    },
    {
      title: "6: the generator moves",
      text: `${optimizerOf("generator")}. Above: the weights after the step; below: what the optimizer remembers.`,
      columns: moves(step.movedG.network),
      isList: true,
    },
    {
      title: "7: the same noise after the step",
      text: "G with its new weights. Then the next minibatch, and so on.",
      columns: columnsOf(step.movedG.network, step.after, {}),
      forward: true,
    },
  );
  return bands;
}

function isGradient({ symbol }) {
  return /^(d(?!ata)|∂|g$|v$)|˙$/.test(symbol);
}

/* -- drawing ----------------------------------------------------------------------------------- */

function draw() {
  buttons.clear();
  users.clear();
  for (const cell of step.cells) {
    for (const term of termsOf(cell.expression ?? 0)) {
      if (!users.has(term)) users.set(term, []);
      users.get(term).push(cell);
    }
  }
  const bands = bandsOf(step).map((band) =>
    element(
      "section",
      { class: "band" },
      element("h2", {}, band.title),
      element("p", {}, band.text),
      element(
        "div",
        { class: "flow" },
        band.columns.map((one) => drawColumn(one, band)),
      ),
    ),
  );
  $("bands").replaceChildren(...bands, element("section", { class: "band", id: "moved" }));
  refresh();
  level();
}

function drawColumn({ label, above, below, isLayer, note }, { forward, isList }) {
  const maps = (tensors) => {
    const [first] = tensors;
    const together = first && first.columns === (tensors[1] ?? first).columns && isLayer;
    const drawn = tensors.map(drawTensor);
    return together ? element("div", { class: "stack" }, drawn) : drawn;
  };
  const rail = isList ? "rail none" : forward ? "rail forward" : "rail";
  return element(
    "div",
    { class: "column" },
    element("div", { class: "maps above" }, maps(above)),
    element(
      "div",
      { class: rail },
      element("span", { class: `node${isLayer ? " layer" : ""}` }, label),
    ),
    element(
      "div",
      { class: "maps below" },
      maps(below),
      note && element("span", { class: "fixed" }, note),
    ),
  );
}

function drawTensor(tensor) {
  const sides = `${tensor.rows.length} × ${tensor.columns}`;
  const isOne = tensor.cells.length === 1;
  const rows = tensor.rows.map((row, i) =>
    element(
      "tr",
      {},
      row.map((cell, j) =>
        element(
          "td",
          {
            class:
              tensor.symbol === "x" ||
              tensor.symbol === "dx" ||
              tensor.rows.length === 2 * step.count
                ? i === step.count
                  ? "split"
                  : ""
                : "",
          },
          cellButton(cell, i === 0 && j === 0),
        ),
      ),
    ),
  );
  return element(
    "figure",
    { class: `map ${isGradient(tensor) ? "gradient" : "value"}`, "data-tensor": tensor.id },
    element("figcaption", {}, isOne ? tensor.symbol : `${tensor.symbol}  ${sides}`),
    element("table", { "aria-label": `${tensor.symbol}, ${sides}: ${tensor.formula}` }, rows),
  );
}

function cellButton(cell, first) {
  const made = element("button", {
    class: cell.isFree ? "free" : "",
    tabindex: first ? 0 : -1,
    onclick: () => made.dataset.dragged || open(cell, made),
    onkeydown: (event) => steer(event, cell, made),
  });
  if (cell.isFree) makeDraggable(made, cell);
  if (!buttons.has(cell)) buttons.set(cell, []);
  buttons.get(cell).push(made);
  return made;
}

/* Numbers again, after a change; the page itself stays as it is. */
function refresh() {
  const scale = new Map();
  const open = new Set(opened ? termsOf(opened.expression ?? 0) : []);
  for (const [cell, made] of buttons) {
    const { tensor } = cell;
    if (!scale.has(tensor))
      scale.set(tensor, Math.max(...tensor.cells.map((c) => Math.abs(c.value)), 1e-300));
    const strength = Math.min(1, Math.abs(cell.value) / scale.get(tensor));
    for (const button of made) {
      button.textContent = tiny(cell.value);
      button.style.setProperty("--strength", strength.toFixed(3));
      button.classList.toggle("plus", cell.value > 0);
      button.classList.toggle("minus", cell.value < 0);
      button.classList.toggle("term", open.has(cell));
      button.classList.toggle("is-open", cell === opened);
      button.classList.toggle("otherwise", otherwise.has(cell));
      const ran = otherwise.has(cell) ? `, in the run ${short(otherwise.get(cell), 6)}` : "";
      button.setAttribute("aria-label", `${cell.name} = ${short(cell.value, 6)}${ran}`);
    }
  }
  showMoment();
  if (opened) drawOpen();
  drawMoved();
}

/* The network's line at one height within each line of columns, however much stands above it. */
function level() {
  for (const flow of document.querySelectorAll(".flow")) {
    const columns = [...flow.children];
    columns.forEach((one) => one.style.removeProperty("--rows"));
    const lines = Map.groupBy(columns, (one) => one.offsetTop);
    for (const line of lines.values()) {
      const highest = (side) =>
        Math.max(...line.map((one) => one.querySelector(side).offsetHeight));
      const rows = `${highest(".above")}px auto ${highest(".below")}px`;
      line.forEach((one) => one.style.setProperty("--rows", rows));
    }
  }
}

/* A number in six characters, for a map. */
function tiny(value) {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size < 0.0005 || size >= 9999.5) return short(value, 1);
  return fixed(value, size < 0.0995 ? 3 : size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
}

const fixed = (value, digits) => value.toFixed(digits).replace("-", "−");

/* -- the open number --------------------------------------------------------------------------- */

function open(cell, from = null) {
  if (opened && opened !== cell) history.push(opened);
  opened = cell;
  $("open").from = from ?? $("open").from;
  const shown = from ?? buttons.get(cell)?.[0];
  showPanel(true, shown);
  $("open").scrollTop = 0;
  shown?.scrollIntoView({ block: "nearest", inline: "nearest" });
  $("open").focus({ preventScroll: true });
}

function close() {
  opened = null;
  history = [];
  const { from } = $("open");
  showPanel(false, from);
  from?.focus({ preventScroll: true });
}

/* Shows or hides the panel. The networks wrap anew beside it, so the page is scrolled by as much as
   the button `kept` moves. */
function showPanel(isShown, kept) {
  const top = () => kept?.getBoundingClientRect().top ?? 0;
  const before = top();
  $("open").hidden = !isShown;
  refresh();
  level();
  scrollBy({ top: top() - before, behavior: "instant" });
}

function chip(cell, numeric) {
  const kind = isGradient(cell.tensor) ? "gradient" : "value";
  const label = numeric ? short(cell.value, 4) : cell.name;
  return element("button", { class: `chip ${kind}`, onclick: () => open(cell), title: cell.name,
    "aria-label": `${cell.name} = ${short(cell.value, 6)}` }, label); // prettier-ignore
}

const inChips = (pieces, numeric) =>
  pieces.map((piece) => {
    if (Array.isArray(piece)) return element("span", { class: "whole" }, inChips(piece, numeric));
    return piece instanceof Cell ? chip(piece, numeric) : piece;
  });

function drawOpen() {
  const cell = opened;
  const { tensor, expression, derivative } = cell;
  const typing =
    document.activeElement?.closest(".edit") && document.activeElement.dataset.cell === cell.name;
  if (typing) {
    $("open").querySelector(".figure").textContent = exact(cell.value);
    for (const input of $("open").querySelectorAll(".edit input")) {
      if (input !== document.activeElement) input.value = cell.value;
    }
    return;
  }
  const parts = [
    element(
      "div",
      { class: "top" },
      element(
        "button",
        { onclick: goBack, disabled: !history.length, "aria-label": "the number before" },
        "←",
      ),
      element("h2", {}, `${ownerOf(tensor)}${cell.name}`),
      element("button", { onclick: close, "aria-label": "close" }, "✕"),
    ),
    element("p", { class: "figure" }, exact(cell.value)),
    element("p", { class: "what" }, meaning(cell)),
  ];
  if (otherwise.has(cell)) {
    const ran = `In the run it was ${exact(otherwise.get(cell))}: its code computes something else than the formula.`;
    parts.push(element("p", { class: "ran" }, ran));
  }
  if (cell.isFree) parts.push(...editor(cell));
  if (expression !== null) {
    parts.push(
      element("h3", {}, "The formula"),
      element("p", { class: "formula" }, `${tensor.symbol} = ${tensor.formula}`),
      element(
        "p",
        { class: "formula" },
        `${cell.name} = `,
        inChips(written(expression, false), false),
      ),
      element("h3", {}, "With the numbers put in"),
      element("p", { class: "formula" }, "= ", inChips(written(expression, true), true)),
      element("p", { class: "formula" }, `= ${exact(cell.value)}`),
      ...summary(expression),
    );
  }
  if (tensor.loss) {
    parts.push(
      element("h3", {}, "The loss it is the slope of"),
      element("p", { class: "formula" }, chip(tensor.loss, false), ` = ${tensor.loss.tensor.formula}`),
    );
    if (tensor.loss.tensor.formula.includes("softplus"))
      parts.push(element("p", { class: "what" }, "softplus(z) = log(1 + exp z); its slope is sigmoid(z)."));
  }
  if (derivative) parts.push(...besideDifference(cell));
  const uses = users.get(cell) ?? [];
  if (uses.length) {
    parts.push(
      element("h3", {}, "Where it goes"),
      element(
        "div",
        { class: "chips" },
        uses.slice(0, 24).map((user) => chip(user, false)),
      ),
    );
    if (uses.length > 24)
      parts.push(element("p", { class: "what" }, `and ${uses.length - 24} more`));
  }
  $("open").replaceChildren(...parts);
}

/* Each term of a sum as a bar. */
function summary(expression) {
  const inside =
    expression.op === "/" && expression.args[0].op === "+" ? expression.args[0] : expression;
  if (inside.op !== "+" || inside.args.length < 2) return [];
  const values = inside.args.map(valueOf);
  const rows = inside.args.flatMap((arg, k) =>
    bar(inChips(written(arg, true), true), values[k], values),
  );
  const total = valueOf(inside);
  const divided = inside === expression ? "sum" : "sum, before the division";
  return [
    element("h3", {}, "Its terms"),
    element("div", { class: "bars" }, rows, bar(divided, total, [...values, total], "total")),
  ];
}

function bar(label, value, all, style = "") {
  const width = (50 * Math.abs(value)) / Math.max(...all.map(Math.abs), 1e-300);
  const line = element("i", { class: value < 0 ? "minus" : "", style: `width: ${width}%` });
  return [
    element("span", { class: style }, label),
    element("span", { class: `bar ${style}`, "aria-hidden": "true" }, line),
    element("span", { class: `number ${style}` }, short(value, 4)),
  ];
}

function besideDifference(cell) {
  const { target, along } = cell.derivative;
  const difference = step.difference(cell.derivative);
  const error =
    Math.abs(difference - cell.value) / Math.max(Math.abs(difference), Math.abs(cell.value), 1e-12);
  const agrees = error < 1e-5 || Math.abs(difference - cell.value) < 1e-9;
  const isAlong = along.length > 1 || along[0][1] !== 1;
  const at = (sign) =>
    `${target.name}(${isAlong ? `x ${sign} h v` : `${along[0][0].name} ${sign} h`})`;
  return [
    element("h3", {}, "Its finite difference"),
    element(
      "p",
      { class: "formula" },
      `(${at("+")} − ${at("−")}) / 2h = ${exact(difference)}`,
    ),
    element("p", {}, agrees ? element("span", { class: "ok" }, "✓ ") : "≠ ",
      agrees
        ? `relative error ${short(error, 2)}`
        : `relative error ${short(error, 2)}: the difference straddles a kink, where the slope jumps`), // prettier-ignore
  ];
}

function meaning(cell) {
  const { tensor, derivative } = cell;
  if (derivative && derivative.along.length === 1 && derivative.along[0][1] === 1) {
    const [[moved]] = derivative.along;
    return `The derivative of ${derivative.target.name} with respect to ${moved.name}. ${playerOf(tensor)}`;
  }
  if (derivative)
    return `How ${derivative.target.name} moves as x moves along v: a derivative along a direction.`;
  if (cell.isFree) return `${tensor.formula}. Change it, and everything is computed again.`;
  return playerOf(tensor) || tensor.formula;
}

function playerOf({ band }) {
  return (
    {
      G: "In the generator.",
      D: "In the discriminator.",
      L_D: "In the discriminator, before it moves.",
      L_G: "In the discriminator, after it has moved.",
      after: "In the generator, after it has moved.",
      "move D": "The discriminator's optimizer.",
      "move G": "The generator's optimizer.",
    }[band] ?? ""
  );
}

/* Whose number it is: "D: ", "G: ", or nothing for data, noise and the losses. */
function ownerOf({ band, symbol }) {
  if (SCALARS.has(symbol) || band === "data" || band === "noise") return "";
  return ["G", "after", "move G"].includes(band) ? "G: " : "D: ";
}

/* A number as a person compares it with another: twelve digits. */
function exact(value) {
  return String(+value.toPrecision(12)).replaceAll("-", "−");
}

function goBack() {
  const last = history.pop();
  opened = null;
  open(last);
}

/* -- changing numbers -------------------------------------------------------------------------- */

function change(cell, value) {
  if (!Number.isFinite(value)) return;
  cell.value = value;
  otherwise.clear(); // the run's step was another one
  step.evaluate();
  refresh();
}

/* Finds the numbers of the run that are not those computed here. */
function compareWithRun(run) {
  otherwise.clear();
  for (const [id, rows] of Object.entries(run)) {
    const tensor = step.tensors.get(id);
    if (!tensor) continue;
    const largest = Math.max(...rows.flat().map(Math.abs));
    tensor.rows.forEach((row, i) =>
      row.forEach((cell, j) => {
        const apart = Math.abs(cell.value - rows[i][j]);
        if (apart > 1e-9 * largest + 1e-12) otherwise.set(cell, rows[i][j]);
      }),
    );
  }
  const n = otherwise.size;
  $("ran").hidden = !n;
  $("ran").textContent =
    `In this run ${n} numbers were not what the formulas give. They are marked.`;
}

function editor(cell) {
  const size = Math.max(2, Math.ceil(Math.abs(cell.value)) + 1);
  const set = (event) => event.target.value !== "" && change(cell, Number(event.target.value));
  const shared = { "data-cell": cell.name, oninput: set, onchange: drawOpen };
  return [
    element(
      "div",
      { class: "edit" },
      element("input", { type: "range", min: -size, max: size, step: 0.01, value: cell.value,
        "aria-label": `drag ${cell.name}`, ...shared }),
      element("input", { type: "number", step: "any", value: cell.value, "aria-label": `type ${cell.name}`, ...shared }),
    ),
  ]; // prettier-ignore
}

function makeDraggable(button, cell) {
  button.addEventListener("pointerdown", ({ clientX, button: pressed }) => {
    if (pressed !== 0) return;
    const start = cell.value;
    delete button.dataset.dragged;
    const move = (event) => {
      if (!button.dataset.dragged && Math.abs(event.clientX - clientX) < 4) return;
      button.dataset.dragged = "yes";
      const scale = event.shiftKey ? 0.001 : 0.01; // of a number, for each pixel
      change(cell, +(start + scale * (event.clientX - clientX)).toFixed(6));
    };
    const end = () => removeEventListener("pointermove", move);
    addEventListener("pointermove", move);
    addEventListener("pointerup", end, { once: true });
    addEventListener("pointercancel", end, { once: true });
  });
}

/* Arrows move in a map; + and - change a number; Escape closes the open one. */
function steer(event, cell, button) {
  const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[
    event.key
  ];
  const nudge = { "+": 0.1, "=": 0.1, "-": -0.1 }[event.key];
  if (by) {
    const rows = [...button.closest("table").rows];
    const at = button.closest("td");
    const row = rows[rows.indexOf(at.parentNode) + by[0]];
    const target = row?.cells[at.cellIndex + by[1]]?.firstChild;
    if (target) {
      button.tabIndex = -1;
      target.tabIndex = 0;
      target.focus();
    }
  } else if (nudge && cell.isFree) change(cell, +(cell.value + nudge).toFixed(6));
  else return;
  event.preventDefault();
}

/* -- the step button --------------------------------------------------------------------------- */

function walk(to) {
  walked = to === null || to < 0 ? null : Math.min(to, step.moments.length - 1);
  showMoment();
  const now = document.querySelector(".now");
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  now?.scrollIntoView({ block: "center", inline: "center", behavior: calm ? "auto" : "smooth" });
}

function showMoment() {
  for (const figure of document.querySelectorAll("[data-tensor]")) {
    const { moment } = step.tensors.get(figure.dataset.tensor);
    figure.classList.toggle("later", walked !== null && moment > walked);
    figure.classList.toggle("now", moment === walked);
  }
  const moment = step.moments[walked];
  $("moment").replaceChildren(
    ...(moment
      ? [element("b", {}, `${moment.number}.`), ` ${moment.text}`]
      : ["Everything is shown. Step walks through it, from the data to the moved generator."]),
  );
  $("back").disabled = walked === null;
  $("all").disabled = walked === null;
  $("next").disabled = walked === step.moments.length - 1;
}

/* -- who moved this sample --------------------------------------------------------------------- */

const CAUSES = {
  real: ["What D learned from the real samples", (row) => `real ${row}`],
  fake: ["What D learned from the fakes", (row) => `fake ${row}`],
  penalty: ["D's penalty and momentum", () => "penalty"],
  "momentum of D": [null, () => "momentum of D"],
  push: ["The gradient at the fakes, as D was before it moved", (row) => `gradient at fake ${row}`],
  "momentum of G": ["G's momentum", () => "momentum of G"],
};

function drawMoved() {
  const n = step.count;
  const width = step.fake.columns;
  chosen = { row: Math.min(chosen.row, n - 1), column: Math.min(chosen.column, width - 1) };
  const all = step.shares();
  const shares = all[chosen.row][chosen.column];
  const total =
    step.after.output.at(chosen.row, chosen.column).value -
    step.fake.at(chosen.row, chosen.column).value;
  const rows = step.causes.flatMap(({ what, row }, k) => {
    const [title, name] = CAUSES[what];
    const heads = title && !(row > 0) ? [element("span", { class: "group" }, title)] : [];
    return [...heads, ...bar(name(row), shares[k], [...shares, total])];
  });
  const choose = (key, count, name) =>
    Array.from(
      { length: count },
      (_, k) =>
      element("button", { "aria-pressed": String(chosen[key] === k),
        onclick: () => { chosen = { ...chosen, [key]: k }; drawMoved(); } }, name(k)), // prettier-ignore
    );
  const plane = width <= 2 ? drawPlane() : null;
  $("moved").replaceChildren(
    element("h2", {}, "Who moved this sample?"),
    element("p", {}, "The way of a fake in this step, from G(z) to the new G(z), split exactly into what caused it: the shares add up to the displacement."),
    element("div", { class: "choice" }, choose("row", n, (k) => `fake ${k}`),
      ...(width > 1 ? ["  value ", ...choose("column", width, (k) => `[${k}]`)] : [])),
    element("div", { class: "moved" },
      element("div", { class: "bars" }, rows, bar("displacement", total, [...shares, total], "total")), plane),
  ); // prettier-ignore
}

/* The data, the fakes and where the step takes them; along one axis if the data have one value. */
function drawPlane() {
  const flat = step.fake.columns === 1;
  const point = (row) => [row[0].value, flat ? 0 : row[1].value];
  const real = step.real.rows.map(point);
  const before = step.fake.rows.map(point);
  const after = step.after.output.rows.map(point);
  const every = [...real, ...before, ...after];
  const [xs, ys] = [0, 1].map((k) => every.map((p) => p[k]));
  const span =
    Math.max(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys), 1e-6) * 1.25;
  const centre = [xs, ys].map((all) => (Math.max(...all) + Math.min(...all)) / 2);
  const [W, H] = [400, flat ? 110 : 400];
  const at = ([x, y]) => [
    W / 2 + ((x - centre[0]) / span) * W,
    H / 2 - ((y - centre[1]) / span) * W,
  ];
  const svg = (name, attributes, text = "") => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    return made;
  };
  const made = svg("svg", { viewBox: `0 0 ${W} ${H + 22}`, role: "img",
    "aria-label": "real samples, fakes, and where this step takes the fakes" }); // prettier-ignore
  made.append(
    svg("line", { x1: 0, y1: at([0, 0])[1], x2: W, y2: at([0, 0])[1], stroke: "var(--line)" }),
  );
  if (!flat)
    made.append(
      svg("line", { y1: 0, x1: at([0, 0])[0], y2: H, x2: at([0, 0])[0], stroke: "var(--line)" }),
    );
  for (const p of real) {
    const [cx, cy] = at(p);
    made.append(svg("circle", { cx, cy, r: 6, fill: "var(--below)" }));
  }
  before.forEach((p, k) => {
    const [[x1, y1], [x2, y2]] = [at(p), at(after[k])];
    const is = k === chosen.row;
    made.append(
      svg("circle", {
        cx: x1,
        cy: y1,
        r: 5,
        fill: "none",
        stroke: "var(--above)",
        "stroke-width": 2,
      }),
      svg("line", { x1, y1, x2, y2, stroke: "var(--ink)", "stroke-width": is ? 2.5 : 1 }),
      svg("circle", { cx: x2, cy: y2, r: is ? 6 : 4, fill: "var(--above)" }),
    );
  });
  made.append(
    svg("text", { x: 0, y: H + 16 }, "blue: real · ring: fake before · orange: after the step"),
  );
  return made;
}

/* -- the game ---------------------------------------------------------------------------------- */

/* The game as the reader has changed it; `moved`: with the weights and moments after the step. */
function current(moved = false) {
  const numbers = (tensor) => tensor.rows.map((row) => row.map((cell) => cell.value));
  const layers = (old, network) =>
    old.map((layer, k) => {
      const { weight, bias } = network[k];
      return weight
        ? { ...layer, weight: numbers(weight), bias: bias ? numbers(bias)[0] : null }
        : layer;
    });
  const optimizer = (old, network) => {
    if (!moved) return old;
    const moments = {};
    for (const { weight, bias } of network) {
      for (const parameter of [weight, bias].filter(Boolean)) {
        OPTIMIZERS[old.kind].moments.forEach((name, m) => {
          (moments[name] ??= []).push(...parameter.after[m].cells.map((cell) => cell.value));
        });
      }
    }
    return { ...old, moments, steps: old.steps + 1 };
  };
  const { game } = step;
  return {
    ...game,
    real: numbers(step.real),
    noise: numbers(step.z),
    generator: layers(game.generator, moved ? step.movedG.network : step.G),
    discriminator: layers(game.discriminator, moved ? step.moved.network : step.D),
    generator_optimizer: optimizer(game.generator_optimizer, step.movedG.network),
    discriminator_optimizer: optimizer(game.discriminator_optimizer, step.moved.network),
  };
}

function play(game) {
  const place = opened && { id: opened.tensor.id, k: opened.tensor.cells.indexOf(opened) };
  step = new Step(game);
  const tensor = place && step.tensors.get(place.id);
  opened = tensor ? tensor.cells[place.k] : null;
  history = [];
  $("open").hidden = !opened;
  if (walked !== null) walked = Math.min(walked, step.moments.length - 1);
  const taken = game.discriminator_optimizer.steps;
  $("title").textContent =
    `${GAME.title.replace(/: \w+,/, `: ${game.loss},`)}${taken ? `, after ${taken} step${taken > 1 ? "s" : ""}` : ""}`;
  $("loss").value = game.loss;
  for (const name of ["R1", "R2"]) {
    if (document.activeElement !== $(name)) $(name).value = game.penalties[name];
  }
  compareWithRun((game === GAME && GAME.run) || {});
  draw();
}

$("loss").append(
  ...Object.keys(LOSSES)
    .sort()
    .map((name) => element("option", {}, name)),
);
$("loss").addEventListener("change", () => play({ ...current(), loss: $("loss").value }));
for (const name of ["R1", "R2"]) {
  $(name).addEventListener("input", () => {
    const typed = $(name).value;
    if (typed === "" || !(Number(typed) >= 0)) return;
    const game = current();
    play({ ...game, penalties: { ...game.penalties, [name]: Number(typed) } });
  });
  $(name).addEventListener("change", () => ($(name).value = step.game.penalties[name]));
}
$("next").addEventListener("click", () => walk(walked === null ? 0 : walked + 1));
$("back").addEventListener("click", () => walk(walked - 1));
$("all").addEventListener("click", () => walk(null));
$("repeat").addEventListener("click", () => play(current(true)));
$("reset").addEventListener("click", () => play(GAME));
$("theme").addEventListener("click", () => {
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark";
  document.documentElement.dataset.theme = dark ? "light" : "dark";
});
new ResizeObserver(() => requestAnimationFrame(level)).observe($("bands"));
document.addEventListener("keydown", (event) => event.key === "Escape" && opened && close());
play(GAME);
if (GAME.open) {
  const [id, row, column] = GAME.open;
  const tensor = step.tensors.get(id);
  if (tensor) {
    opened = tensor.at(row, column);
    showPanel(true);
    const at = buttons.get(opened)?.[0].getBoundingClientRect().top ?? 0;
    scrollTo(0, at - 0.3 * innerHeight); // scrollIntoView would scroll the page around a frame too
  }
}
