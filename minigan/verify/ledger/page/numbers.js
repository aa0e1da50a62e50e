"use strict";

/* Numbers that know where they come from.

   A Cell is one number. Most cells have an expression, made of other cells: what a person reads on
   the page is the expression that was evaluated, there is no second copy of the formula for show.

   An expression is a number, a Cell, or { op, args } with an `op` of OPERATIONS and expressions as
   `args`. Three things can be done with one: `valueOf` evaluates it, `written` prints it, and
   `spread` says how much of its change is due to each of several causes. */

class Cell {
  constructor(tensor, at, expression, value) {
    Object.assign(this, { tensor, at, expression, value });
    this.isFree = false; // may the reader change it?
    this.derivative = null; // { target, along, path }: what a finite difference compares it with
    this.parts = null; // how much of its change is due to each cause, see `spread`
    this.before = null; // its value before the change
  }

  get name() {
    return this.at.length ? `${this.tensor.symbol}[${this.at.join(",")}]` : this.tensor.symbol;
  }
}

const sigmoid = (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));
const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/* Functions of one number (LeakyReLU's slope is a second, constant one): `slope` is the derivative,
   `text` what to print where it is not name(x), given [the printed x, ...constants] and x. */
const FUNCTIONS = {
  sigmoid: { of: sigmoid, slope: (x) => sigmoid(x) * (1 - sigmoid(x)) },
  softplus: { of: softplus, slope: sigmoid },
  tanh: { of: Math.tanh, slope: (x) => 1 - Math.tanh(x) ** 2 },
  sqrt: { of: Math.sqrt, slope: (x) => 0.5 / Math.sqrt(x) },
  square: { of: (x) => x * x, slope: (x) => 2 * x, text: ([x]) => [...x, "²"] },
  hinge: {
    of: (x) => Math.max(0, x),
    slope: (x) => (x > 0 ? 1 : 0),
    text: ([x]) => ["max(0, ", ...x, ")"],
  },
  isPositive: {
    of: (x) => (x > 0 ? 1 : 0),
    slope: () => 0,
    text: ([x]) => ["[", ...x, " > 0]"],
  },
  leaky: {
    of: (x, s) => (x > 0 ? x : s * x),
    slope: (x, s) => (x > 0 ? 1 : s),
    text: ([x, s], at, numeric) =>
      numeric ? (at > 0 ? x : [s, " × ", ...x]) : [...x, " if > 0, else ", s, " ", ...x],
  },
  leakySlope: {
    of: (x, s) => (x > 0 ? 1 : s),
    slope: () => 0,
    text: ([x, s], at, numeric) =>
      numeric
        ? [at > 0 ? "1 (" : `${s} (`, ...x, at > 0 ? " > 0)" : " ≤ 0)"]
        : ["(1 if ", ...x, " > 0, else ", s, ")"],
  },
};

const OPERATIONS = {
  "+": { of: (values) => values.reduce((sum, v) => sum + v, 0), rank: 1 },
  "-": { of: ([a, b]) => a - b, rank: 1 },
  "×": { of: ([a, b]) => a * b, rank: 2 },
  "/": { of: ([a, b]) => a / b, rank: 2 },
  negative: { of: ([a]) => -a, rank: 2 },
};

const plus = (...args) => (args.length === 1 ? args[0] : { op: "+", args });
const minus = (a, b) => ({ op: "-", args: [a, b] });
const times = (a, b) => ({ op: "×", args: [a, b] });
const over = (a, b) => ({ op: "/", args: [a, b] });
const negative = (a) => ({ op: "negative", args: [a] });
const call = (name, x, ...constants) => ({ op: "call", name, args: [x], constants });

function valueOf(expression) {
  if (typeof expression === "number") return expression;
  if (expression instanceof Cell) return expression.value;
  const values = expression.args.map(valueOf);
  if (expression.op === "call") {
    return FUNCTIONS[expression.name].of(values[0], ...expression.constants);
  }
  return OPERATIONS[expression.op].of(values);
}

/* The cells that an expression is made of, each once. */
function termsOf(expression, found = new Set()) {
  if (expression instanceof Cell) found.add(expression);
  else if (typeof expression === "object") expression.args.forEach((e) => termsOf(e, found));
  return found;
}

/* An expression as a list of texts and cells, to be shown as names or (`numeric`) as numbers, the
   negative ones in brackets wherever a sign may stand before or after them: a list of its own. */
function written(expression, numeric, rank = 0) {
  if (typeof expression === "number") return [short(expression)];
  if (expression instanceof Cell) {
    return numeric && rank && expression.value < 0 ? [["(", expression, ")"]] : [expression];
  }
  const { op, args } = expression;
  if (op === "call") {
    const { text } = FUNCTIONS[expression.name];
    const constants = expression.constants.map(String);
    const isFactor = expression.name === "square" || expression.name === "leaky";
    const inside = written(args[0], numeric, isFactor ? 3 : 0);
    if (text) return text([inside, ...constants], valueOf(args[0]), numeric);
    return [`${expression.name}(`, ...inside, ")"];
  }
  const own = OPERATIONS[op].rank;
  let texts = [];
  if (op === "negative") texts = ["−", ...written(args[0], numeric, 2)];
  else {
    args.forEach((arg, k) => {
      if (k) texts.push(` ${op === "-" ? "−" : op} `);
      texts.push(...written(arg, numeric, own + (k && (op === "-" || op === "/") ? 1 : 0)));
    });
  }
  return own < rank ? ["(", ...texts, ")"] : texts;
}

/* How the change of an expression, from the cells' `before` to their `value`, is made up of the
   cells' `parts`: a list of the same length, whose sum is the change.

   This is the chain rule for steps that are not small. A product changes by
   a'b' - ab = (a + a')/2 (b' - b) + (b + b')/2 (a' - a), and a function by its secant,
   f(x') - f(x) = (f(x') - f(x))/(x' - x) · (x' - x). Both are exact, so no rest is left over. */
function spread(expression, count) {
  if (typeof expression === "number") return { before: expression, value: expression, parts: null };
  if (expression instanceof Cell) {
    const { value, parts } = expression;
    return { before: parts ? expression.before : value, value, parts };
  }
  const args = expression.args.map((arg) => spread(arg, count));
  const combined = (...factors) => {
    if (args.every((arg) => !arg.parts)) return null;
    const parts = new Float64Array(count);
    args.forEach((arg, k) => {
      if (arg.parts) for (let p = 0; p < count; p++) parts[p] += factors[k] * arg.parts[p];
    });
    return parts;
  };
  const [a, b] = args;
  const mean = (arg) => (arg.before + arg.value) / 2;
  switch (expression.op) {
    case "call": {
      const { of, slope } = FUNCTIONS[expression.name];
      const from = of(a.before, ...expression.constants);
      const to = of(a.value, ...expression.constants);
      return { before: from, value: to, parts: combined(secant(expression, a, from, to, slope)) };
    }
    case "+":
      return {
        before: args.reduce((sum, arg) => sum + arg.before, 0),
        value: args.reduce((sum, arg) => sum + arg.value, 0),
        parts: combined(...args.map(() => 1)),
      };
    case "-":
      return { before: a.before - b.before, value: a.value - b.value, parts: combined(1, -1) };
    case "×":
      return {
        before: a.before * b.before,
        value: a.value * b.value,
        parts: combined(mean(b), mean(a)),
      };
    case "/": // by a constant
      return {
        before: a.before / b.value,
        value: a.value / b.value,
        parts: combined(1 / b.value, 0),
      };
    default:
      return { before: -a.before, value: -a.value, parts: combined(-1) };
  }
}

/* (f(x') - f(x)) / (x' - x). Of a step so small that the difference would be rounding, the
   derivative half way, unless f has a kink or a jump in between. */
function secant({ constants }, x, from, to, slope) {
  const step = x.value - x.before;
  const crossesZero = x.before > 0 !== x.value > 0;
  if (Math.abs(step) > 1e-6 || crossesZero) return step ? (to - from) / step : 0;
  return slope((x.value + x.before) / 2, ...constants);
}

/* A number in few characters. */
function short(value, digits = 3) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text =
    size >= 1e5 || size < 1e-3
      ? value.toExponential(digits - 1)
      : String(+value.toPrecision(digits));
  return text.replace("-", "−").replace("e+", "e").replace("e-", "e−");
}
