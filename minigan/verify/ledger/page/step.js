"use strict";

/* One training step of a GAN: minigan's seven steps, written out as cells.

   Everything is created in the order in which it is computed, so `evaluate` is one walk along the
   list of cells, and the step button of the page shows the tensors in the order of their creation. */

class Tensor {
  constructor(band, symbol, formula, moment) {
    Object.assign(this, { band, symbol, formula, moment, rows: [] });
    this.id = `${band}/${symbol}`;
  }

  get cells() {
    return this.rows.flat();
  }

  at(i, j) {
    return this.rows[i][j];
  }

  get columns() {
    return this.rows[0].length;
  }
}

/* y = phi(x): the value, phi' and phi'' of an entry x whose value y is known. */
const ACTIVATIONS = {
  LeakyReLU: {
    value: (x, { slope }) => call("leaky", x, slope),
    slope: (x, y, { slope }) => call("leakySlope", x, slope),
    bend: null,
    words: ({ slope }) => ["LeakyReLU(x)", slope ? `(1 or ${slope})` : "(1 or 0)"],
  },
  Tanh: {
    value: (x) => call("tanh", x),
    slope: (x, y) => minus(1, call("square", y)),
    bend: (x, y) => times(times(-2, y), minus(1, call("square", y))),
    words: () => ["tanh(x)", "(1 − y²)"],
  },
  Sigmoid: {
    value: (x) => call("sigmoid", x),
    slope: (x, y) => times(y, minus(1, y)),
    bend: (x, y) => times(times(y, minus(1, y)), minus(1, times(2, y))),
    words: () => ["sigmoid(x)", "y (1 − y)"],
  },
  Softplus: {
    value: (x) => call("softplus", x),
    slope: (x) => call("sigmoid", x),
    bend: (x) => times(call("sigmoid", x), minus(1, call("sigmoid", x))),
    words: () => ["softplus(x)", "sigmoid(x)"],
  },
  SiLU: {
    value: (x) => times(x, call("sigmoid", x)),
    slope: (x) => times(call("sigmoid", x), plus(1, times(x, minus(1, call("sigmoid", x))))),
    bend: (x) =>
      times(
        times(call("sigmoid", x), minus(1, call("sigmoid", x))),
        plus(2, times(x, minus(1, times(2, call("sigmoid", x))))),
      ),
    words: () => ["x sigmoid(x)", "sigmoid(x) (1 + x (1 − sigmoid(x)))"],
  },
};

/* L_D = mean real + mean fake, L_G = mean generator, and the derivative of one term of each. */
const LOSSES = {
  Minimax: {
    real: (r) => call("softplus", negative(r)),
    fake: (f) => call("softplus", f),
    dReal: (r) => negative(call("sigmoid", negative(r))),
    dFake: (r, f) => call("sigmoid", f),
    generator: (r, f) => negative(call("softplus", f)),
    dGenerator: (r, f) => negative(call("sigmoid", f)),
    words: {
      discriminator: "mean softplus(−r) + mean softplus(f)",
      generator: "−mean softplus(f)",
      dReal: "−sigmoid(−r) / N",
      dFake: "sigmoid(f) / N",
      dGenerator: "−sigmoid(f) / N",
    },
  },
  LeastSquares: {
    real: (r) => over(call("square", minus(r, 1)), 2),
    fake: (f) => over(call("square", f), 2),
    dReal: (r) => minus(r, 1),
    dFake: (r, f) => f,
    generator: (r, f) => over(call("square", minus(f, 1)), 2),
    dGenerator: (r, f) => minus(f, 1),
    words: {
      discriminator: "mean (r − 1)²/2 + mean f²/2",
      generator: "mean (f − 1)²/2",
      dReal: "(r − 1) / N",
      dFake: "f / N",
      dGenerator: "(f − 1) / N",
    },
  },
  Wasserstein: {
    real: (r) => negative(r),
    fake: (f) => f,
    dReal: () => -1,
    dFake: () => 1,
    generator: (r, f) => negative(f),
    dGenerator: () => -1,
    words: {
      discriminator: "mean f − mean r",
      generator: "−mean f",
      dReal: "−1 / N",
      dFake: "1 / N",
      dGenerator: "−1 / N",
    },
  },
  Relativistic: {
    pairs: (r, f) => call("softplus", minus(f, r)),
    dReal: (r, f) => negative(call("sigmoid", minus(f, r))),
    dFake: (r, f) => call("sigmoid", minus(f, r)),
    generator: (r, f) => call("softplus", minus(r, f)),
    dGenerator: (r, f) => negative(call("sigmoid", minus(r, f))),
    words: {
      discriminator: "mean softplus(f − r)",
      generator: "mean softplus(r − f)",
      dReal: "−sigmoid(f − r) / N",
      dFake: "sigmoid(f − r) / N",
      dGenerator: "−sigmoid(r − f) / N",
    },
  },
};
LOSSES.NonSaturating = {
  ...LOSSES.Minimax,
  generator: (r, f) => call("softplus", negative(f)),
  dGenerator: (r, f) => negative(call("sigmoid", negative(f))),
  words: {
    ...LOSSES.Minimax.words,
    generator: "mean softplus(−f)",
    dGenerator: "−sigmoid(−f) / N",
  },
};
LOSSES.Hinge = {
  ...LOSSES.Wasserstein,
  real: (r) => call("hinge", minus(1, r)),
  fake: (f) => call("hinge", plus(1, f)),
  dReal: (r) => negative(call("isPositive", minus(1, r))),
  dFake: (r, f) => call("isPositive", plus(1, f)),
  words: {
    ...LOSSES.Wasserstein.words,
    discriminator: "mean max(0, 1 − r) + mean max(0, 1 + f)",
    dReal: "−[r < 1] / N",
    dFake: "[f > −1] / N",
  },
};

/* theta, one entry of it, after a step of its optimizer. `split` says the same as a sum:
   moved - theta = remembered + rate * gradient, the denominators taken as they came out. */
const OPTIMIZERS = {
  SGD: {
    moments: ["velocity"],
    words: ["velocity = momentum velocity + g", "θ − lr velocity"],
    next: ({ momentum }, g, [velocity]) => [plus(times(momentum, velocity), g)],
    move: ({ lr }, theta, [velocity]) => minus(theta, times(lr, velocity)),
    split: ({ lr, momentum }, [velocity]) => ({
      remembered: -lr * momentum * velocity.value,
      rate: -lr,
    }),
  },
  RMSProp: {
    moments: ["square"],
    words: ["square = decay square + (1 − decay) g²", "θ − lr g / (√square + eps)"],
    next: ({ decay }, g, [square]) => [
      plus(times(decay, square), times(1 - decay, call("square", g))),
    ],
    move: ({ lr, eps }, theta, [square], g) =>
      minus(theta, over(times(lr, g), plus(call("sqrt", square), eps))),
    split: ({ lr, eps }, before, [square]) => ({
      remembered: 0,
      rate: -lr / (Math.sqrt(square.value) + eps),
    }),
  },
  Adam: {
    moments: ["first", "second"],
    words: [
      "first = beta1 first + (1 − beta1) g,  second = beta2 second + (1 − beta2) g²",
      "θ − lr (first / (1 − beta1^t)) / (√(second / (1 − beta2^t)) + eps)",
    ],
    next: ({ beta1, beta2 }, g, [first, second]) => [
      plus(times(beta1, first), times(1 - beta1, g)),
      plus(times(beta2, second), times(1 - beta2, call("square", g))),
    ],
    move: ({ lr, beta1, beta2, eps, steps }, theta, [first, second]) =>
      minus(
        theta,
        over(
          times(lr, over(first, 1 - beta1 ** (steps + 1))),
          plus(call("sqrt", over(second, 1 - beta2 ** (steps + 1))), eps),
        ),
      ),
    split: ({ lr, beta1, beta2, eps, steps }, [first], [, second]) => {
      const root = Math.sqrt(second.value / (1 - beta2 ** (steps + 1)));
      const scale = lr / ((1 - beta1 ** (steps + 1)) * (root + eps));
      return { remembered: -scale * beta1 * first.value, rate: -scale * (1 - beta1) };
    },
  },
};

class Step {
  /* game: the networks, data, noise, loss, penalties and optimizers, as explorer.py writes them. */
  constructor(game) {
    Object.assign(this, { game, cells: [], tensors: new Map(), moments: [] });
    const { loss, penalties } = game;
    const n = game.real.length;
    const L = LOSSES[loss];
    this.count = n;

    this.moment("1", "Take a real minibatch.");
    const real = this.given("data", "real", game.real, "real samples");
    this.moment("2", "Draw noise z from N(0, 1).");
    const z = this.given("noise", "z", game.noise, "noise, N(0, 1)");

    this.moment("3", "Generate: fake = G(z).");
    const G = this.parameters("G", game.generator);
    const made = this.forward("G", G, z, "fake");
    const fake = made.output;

    this.moment("4", "Judge both: D gives each real sample and each fake a logit.");
    const D = this.parameters("D", game.discriminator);
    const x = this.stacked("D", "x", [real, fake], "[real; fake]: the first rows are real");
    const judged = this.forward("L_D", D, x, "logits");
    const r = judged.output.rows.slice(0, n).map(([cell]) => cell);
    const f = judged.output.rows.slice(n).map(([cell]) => cell);
    const mean = (terms) => over(plus(...terms), n);
    const played = L.pairs
      ? mean(r.map((_, i) => L.pairs(r[i], f[i])))
      : plus(mean(r.map((c) => L.real(c))), mean(f.map((c) => L.fake(c))));
    const active = Object.keys(penalties).filter((name) => penalties[name] > 0);
    let play;
    if (active.length)
      play = this.tensor("L_D", "L_D without R", L.words.discriminator, 1, 1, () => played);
    const R = active.map((name) => this.penalty(name, penalties[name], D, judged, { real, fake }));
    this.moment("4", "D's loss. Both players make their losses small.");
    const formula = L.words.discriminator + active.map((name) => ` + ${name}`).join("");
    const lossD = this.tensor("L_D", "L_D", formula, 1, 1, () =>
      active.length ? plus(play.at(0, 0), ...R.map((p) => p.value.at(0, 0))) : played,
    );

    // 5. back through D
    const target = (play ?? lossD).at(0, 0);
    const ofD = [...judged.cells, target];
    this.moment("5", "Back through D: how does its loss answer to each logit?");
    const words = `real rows ${L.words.dReal}, fake rows ${L.words.dFake}`;
    const dlogits = this.gradient("L_D", judged.output, words, target, ofD, (i) => {
      const k = i % n;
      return over(i < n ? L.dReal(r[k], f[k]) : L.dFake(r[k], f[k]), n);
    });
    const ofAll = [...ofD, ...R.flatMap((p) => p.cells), lossD.at(0, 0)];
    dlogits.loss = target;
    const back = this.backward("L_D", D, judged, dlogits, {
      target: [target, ofD],
      total: [lossD.at(0, 0), ofAll],
      extra: R.map((p) => p.gradients),
    });
    this.moment("5", "The discriminator moves, down its gradient.");
    const moved = this.update("D", D, back.gradients, game.discriminator_optimizer);

    // 6. the generator
    this.moment("6", "D, which has moved, judges the fakes anew.");
    const anew = this.forward("L_G", moved.network, fake, "f");
    let realPass = null;
    if (L.pairs) {
      this.moment("6", "This loss of G compares with real samples, so D judges those anew too.");
      realPass = this.forward("real", moved.network, real, "r");
    }
    this.moment("6", "The generator's loss.");
    const fs = anew.output.rows.map(([cell]) => cell);
    const pair = (i) => [realPass?.output.at(i, 0), fs[i]];
    const lossG = this.tensor("L_G", "L_G", L.words.generator, 1, 1, () =>
      mean(fs.map((_, i) => L.generator(...pair(i)))),
    );
    const ofG = [...made.cells, ...anew.cells, lossG.at(0, 0)];
    this.moment("6", "Back through D: its parameters stay as they are, the gradient only passes through.");
    const df = this.gradient("L_G", anew.output, L.words.dGenerator, lossG.at(0, 0), ofG, (i) =>
      over(L.dGenerator(...pair(i)), n),
    );
    df.loss = lossG.at(0, 0);
    const toG = { target: [lossG.at(0, 0), ofG] };
    const through = this.backward("L_G", moved.network, anew, df, { ...toG, fixed: true });
    this.moment("6", "On through G, from the fakes back to the noise.");
    const onwards = this.backward("G", G, made, through.input, {
      ...toG,
      total: toG.target,
      extra: [],
    });
    this.moment("6", "The generator moves, down its gradient.");
    const movedG = this.update("G", G, onwards.gradients, game.generator_optimizer);

    this.moment("7", "The same noise after the step. Then repeat, until converged.");
    const after = this.forward("after", movedG.network, z, "fake⁺");

    Object.assign(this, {
      real,
      z,
      fake,
      x,
      G,
      D,
      made,
      judged,
      play,
      lossD,
      dlogits,
      back,
      moved,
    });
    Object.assign(this, { R, anew, realPass, lossG, df, through, onwards, movedG, after });
    this.evaluate();
  }

  /* -- making tensors ------------------------------------------------------------------------ */

  moment(number, text) {
    this.moments.push({ number, text, tensors: [] });
  }

  tensor(band, symbol, formula, rows, columns, entry) {
    const tensor = new Tensor(band, symbol, formula, this.moments.length - 1);
    for (let i = 0; i < rows; i++) {
      tensor.rows.push([]);
      for (let j = 0; j < columns; j++) {
        const cell = new Cell(tensor, SCALARS.has(symbol) ? [] : [i, j], entry(i, j), 0);
        tensor.rows[i].push(cell);
        this.cells.push(cell);
      }
    }
    return this.noted(tensor);
  }

  noted(tensor) {
    this.tensors.set(tensor.id, tensor);
    this.moments.at(-1).tensors.push(tensor);
    return tensor;
  }

  /* Numbers that nothing computes: weights, data, noise, moments. */
  given(band, symbol, values, formula, isFree = true) {
    const tensor = this.tensor(band, symbol, formula, values.length, values[0].length, () => null);
    tensor.cells.forEach((cell, k) => {
      cell.value = values.flat()[k];
      cell.isFree = isFree;
    });
    return tensor;
  }

  stacked(band, symbol, tensors, formula) {
    const tensor = new Tensor(band, symbol, formula, this.moments.length - 1);
    tensor.rows = tensors.flatMap((one) => one.rows);
    return this.noted(tensor);
  }

  /* dL/d(each entry of `of`), which a finite difference along that entry can be set beside. */
  gradient(band, of, formula, target, path, entry) {
    const [rows, columns] = [of.rows.length, of.columns];
    const tensor = this.tensor(band, `d${of.symbol}`, formula, rows, columns, entry);
    tensor.cells.forEach((cell, k) => {
      cell.derivative = { target, along: [[of.cells[k], 1]], path };
      cell.at = of.cells[k].tensor.symbol === of.symbol ? of.cells[k].at : cell.at;
    });
    return tensor;
  }

  /* -- networks ------------------------------------------------------------------------------ */

  /* [{ kind, weight, bias, slope, symbols }] of a network, its weights as tensors. */
  parameters(band, layers) {
    let k = 0;
    const seen = {};
    return layers.map((layer) => {
      if (layer.kind === "Linear") {
        k += 1;
        const weight = this.given(band, `W${k}`, layer.weight, `weight of ${band}`);
        const bias = layer.bias && this.given(band, `b${k}`, [layer.bias], `bias of ${band}`);
        if (bias) bias.cells.forEach((cell) => (cell.at = cell.at.slice(1)));
        return {
          kind: "Linear",
          weight,
          bias,
          symbol: this.next(seen, `z${k}`),
          label: layer.label,
        };
      }
      return { ...layer, symbol: this.next(seen, `a${k}`) };
    });
  }

  /* z1; of a second activation after the same layer a1b, a1c, ... */
  next(seen, symbol) {
    seen[symbol] = (seen[symbol] ?? 0) + 1;
    return symbol + (seen[symbol] > 1 ? "abcdefgh"[seen[symbol] - 1] : "");
  }

  forward(band, network, x, last) {
    const values = [x];
    network.forEach((layer, position) => {
      const [input] = values.slice(-1);
      const symbol = position === network.length - 1 ? last : layer.symbol;
      if (position) this.moment(this.moments.at(-1).number, `${layer.label}.`);
      let y;
      if (layer.kind === "Linear") {
        const { weight, bias } = layer;
        const formula = `${input.symbol} ${weight.symbol}${bias ? ` + ${bias.symbol}` : ""}`;
        y = this.tensor(band, symbol, formula, input.rows.length, weight.columns, (i, j) =>
          plus(
            ...input.rows[i].map((cell, m) => times(cell, weight.at(m, j))),
            ...(bias ? [bias.at(0, j)] : []),
          ),
        );
      } else {
        const { value, words } = ACTIVATIONS[layer.kind];
        const formula = worded(words(layer)[0], input.symbol, symbol);
        y = this.tensor(band, symbol, formula, input.rows.length, input.columns, (i, j) =>
          value(input.at(i, j), layer),
        );
      }
      values.push(y);
    });
    return { values, output: values.at(-1), cells: values.slice(1).flatMap((y) => y.cells) };
  }

  /* Back from dy. `target`: [the cell that is differentiated, the cells between]; `total`: the same
     for parameters; `extra`: further terms of the parameters' gradients, of penalties. */
  backward(band, network, pass, dy, { target, total, extra = [], fixed = false }) {
    const gradients = new Map();
    const signals = [dy];
    for (let position = network.length - 1; position >= 0; position--) {
      const layer = network[position];
      const [x, y] = [pass.values[position], pass.values[position + 1]];
      const dy = signals[0];
      const number = this.moments.at(-1).number;
      if (position < network.length - 1) this.moment(number, `Back through ${layer.label}.`);
      if (layer.kind === "Linear" && !fixed) {
        for (const parameter of [layer.weight, layer.bias].filter(Boolean)) {
          const added = extra.map((of) => of.get(parameter)).filter(Boolean);
          const isBias = parameter === layer.bias;
          const formula =
            (isBias ? `sum of ${dy.symbol} over the rows` : `${x.symbol}′ ${dy.symbol}`) +
            added.map((tensor) => ` + ${tensor.symbol}`).join("");
          const gradient = this.gradient(band, parameter, formula, ...total, (i, j) =>
            plus(
              ...dy.rows.map((row, m) => (isBias ? row[j] : times(x.at(m, i), row[j]))),
              ...added.map((tensor) => tensor.at(i, j)),
            ),
          );
          gradients.set(parameter, gradient);
        }
      }
      signals.unshift(this.inputGradient(band, layer, x, y, dy, target));
    }
    return { gradients, signals, input: signals[0] };
  }

  inputGradient(band, layer, x, y, dy, [target, path]) {
    if (layer.kind === "Linear") {
      const { weight } = layer;
      return this.gradient(band, x, `${dy.symbol} ${weight.symbol}′`, target, path, (i, j) =>
        plus(...dy.rows[i].map((cell, m) => times(cell, weight.at(j, m)))),
      );
    }
    const { slope, words } = ACTIVATIONS[layer.kind];
    const formula = `${dy.symbol} ${worded(words(layer)[1], x.symbol, y.symbol)}`;
    return this.gradient(band, x, formula, target, path, (i, j) =>
      times(dy.at(i, j), slope(x.at(i, j), y.at(i, j), layer)),
    );
  }

  /* -- the gradient of a gradient ------------------------------------------------------------ */

  /* R = gamma / 2N sum |g|², g = dD/dx at the real samples (R1) or the fakes (R2): four sweeps.
     The first, forward, was D's own pass over these rows. */
  penalty(name, gamma, D, judged, samples) {
    const n = this.count;
    const offset = name === "R1" ? 0 : n;
    const at = name === "R1" ? "the real samples" : "the fakes";
    const row = (tensor) => ({
      symbol: tensor.symbol,
      rows: tensor.rows.slice(offset, offset + n),
      columns: tensor.columns,
      cells: tensor.rows.slice(offset, offset + n).flat(),
      at: (i, j) => tensor.at(offset + i, j),
    });
    const values = judged.values.map(row);
    const path = judged.cells;
    const sweeps = { slopes: [], tangents: [], signals: [] };

    this.moment(
      "4",
      `${name} asks D to be flat at ${at}. Backward, from 1 at each logit: g = dD/dx.`,
    );
    const logit = values.at(-1);
    const seeds = this.tensor(name, "∂logit", "1 at every logit", n, 1, () => 1);
    sweeps.slopes = [seeds];
    for (let position = D.length - 1; position >= 0; position--) {
      const [x, y, layer] = [values[position], values[position + 1], D[position]];
      const dy = sweeps.slopes[0];
      const symbol = position ? `∂${x.symbol}` : "g";
      const { weight } = layer;
      const formula = weight
        ? `${dy.symbol} ${weight.symbol}′`
        : `${dy.symbol} ${worded(ACTIVATIONS[layer.kind].words(layer)[1], x.symbol, y.symbol)}`;
      const slopes = this.tensor(name, symbol, formula, n, x.columns, (i, j) =>
        weight
          ? plus(...dy.rows[i].map((cell, m) => times(cell, weight.at(j, m))))
          : times(dy.at(i, j), ACTIVATIONS[layer.kind].slope(x.at(i, j), y.at(i, j), layer)),
      );
      slopes.cells.forEach((cell, k) => {
        const i = Math.floor(k / x.columns);
        cell.derivative = { target: logit.at(i, 0), along: [[x.cells[k], 1]], path };
      });
      sweeps.slopes.unshift(slopes);
    }
    const g = sweeps.slopes[0];
    const value = this.tensor(name, name, `${short(gamma)}/2 · mean |g|²`, 1, 1, () =>
      times(gamma / 2 / n, plus(...g.cells.map((cell) => call("square", cell)))),
    );
    const computed = [...sweeps.slopes].reverse().flatMap((tensor) => tensor.cells);
    const cells = [...computed, ...value.cells];

    this.moment("4", `${name}: v = dR/dg, then forward: how D's values move as x moves along v.`);
    const factor = gamma / n;
    const v = this.tensor(name, "v", `${short(gamma)} g / N`, n, g.columns, (i, j) =>
      times(factor, g.at(i, j)),
    );
    v.cells.forEach((cell, k) => {
      cell.derivative = { target: value.at(0, 0), along: [[g.cells[k], 1]], path: value.cells };
    });
    sweeps.tangents = [v];
    D.forEach((layer, position) => {
      const [x, y] = [values[position], values[position + 1]];
      const [x_dot] = sweeps.tangents.slice(-1);
      const { weight } = layer;
      const formula = weight
        ? `${x_dot.symbol} ${weight.symbol}`
        : `${x_dot.symbol} ${worded(ACTIVATIONS[layer.kind].words(layer)[1], x.symbol, y.symbol)}`;
      const y_dot = this.tensor(name, `${y.symbol}˙`, formula, n, y.columns, (i, j) =>
        weight
          ? plus(...x_dot.rows[i].map((cell, m) => times(cell, weight.at(m, j))))
          : times(x_dot.at(i, j), ACTIVATIONS[layer.kind].slope(x.at(i, j), y.at(i, j), layer)),
      );
      y_dot.cells.forEach((cell, k) => {
        const i = Math.floor(k / y.columns);
        const along = values[0].rows[i].map((entry, m) => [entry, v.at(i, m)]);
        cell.derivative = { target: y.cells[k], along, path };
      });
      sweeps.tangents.push(y_dot);
    });

    this.moment("4", `${name}: and backward: how D's own backward pass moves along v.`);
    const gradients = new Map();
    let dy_dot = null; // the seed, 1, does not move
    for (let position = D.length - 1; position >= 0; position--) {
      const [layer, x, y] = [D[position], values[position], values[position + 1]];
      const [x_dot, dy] = [sweeps.tangents[position], sweeps.slopes[position + 1]];
      if (layer.kind === "Linear") {
        const { weight, bias } = layer;
        const words = [`${x_dot.symbol}′ ${dy.symbol}`];
        if (dy_dot) words.push(`${x.symbol}′ ${dy_dot.symbol}`);
        const ofWeight = this.tensor(
          name, `d${name}/d${weight.symbol}`, words.join(" + "), weight.rows.length, weight.columns,
          (i, j) =>
            plus(
              ...dy.rows.map((row, m) => times(x_dot.at(m, i), row[j])),
              ...(dy_dot ? dy_dot.rows.map((row, m) => times(x.at(m, i), row[j])) : []),
            ),
        ); // prettier-ignore
        this.beside(ofWeight, weight, value.at(0, 0), [...path, ...cells]);
        gradients.set(weight, ofWeight);
        if (bias && dy_dot) {
          const words = `sum of ${dy_dot.symbol} over the rows`;
          const seconds = dy_dot;
          const ofBias = this.tensor(
            name,
            `d${name}/d${bias.symbol}`,
            words,
            1,
            bias.columns,
            (i, j) => plus(...seconds.rows.map((row) => row[j])),
          );
          this.beside(ofBias, bias, value.at(0, 0), [...path, ...cells]);
          gradients.set(bias, ofBias);
        }
        if (dy_dot && position) {
          const seconds = dy_dot;
          const formula = `${seconds.symbol} ${weight.symbol}′`;
          dy_dot = this.tensor(name, `∂${x.symbol}˙`, formula, n, x.columns, (i, j) =>
            plus(...seconds.rows[i].map((cell, m) => times(cell, weight.at(j, m)))),
          );
        } else dy_dot = null;
      } else {
        const { slope, bend, words } = ACTIVATIONS[layer.kind];
        if (!bend && !dy_dot) continue;
        const seconds = dy_dot;
        const formulas = [];
        if (seconds)
          formulas.push(`${seconds.symbol} ${worded(words(layer)[1], x.symbol, y.symbol)}`);
        if (bend) formulas.push(`phi″(${x.symbol}) ${x_dot.symbol} ${dy.symbol}`);
        dy_dot = this.tensor(name, `∂${x.symbol}˙`, formulas.join(" + "), n, x.columns, (i, j) =>
          plus(
            ...(seconds ? [times(seconds.at(i, j), slope(x.at(i, j), y.at(i, j), layer))] : []),
            ...(bend
              ? [times(times(bend(x.at(i, j), y.at(i, j), layer), x_dot.at(i, j)), dy.at(i, j))]
              : []),
          ),
        );
      }
      if (dy_dot) {
        sweeps.signals.unshift(dy_dot);
        const [before, base] = [sweeps.slopes[position], values[0]];
        dy_dot.cells.forEach((cell, k) => {
          const i = Math.floor(k / x.columns);
          const along = base.rows[i].map((entry, m) => [entry, v.at(i, m)]);
          cell.derivative = { target: before.cells[k], along, path: [...path, ...cells] };
        });
      }
    }
    return { name, value, gradients, cells, sweeps };
  }

  beside(tensor, of, target, path) {
    tensor.cells.forEach((cell, k) => {
      cell.derivative = { target, along: [[of.cells[k], 1]], path };
      cell.at = of.cells[k].at;
    });
  }

  /* -- optimizers ---------------------------------------------------------------------------- */

  /* The parameters after a step, as a network of the same form. */
  update(player, network, gradients, optimizer) {
    const rule = OPTIMIZERS[optimizer.kind];
    const moves = [];
    let offset = 0;
    const movedOf = (parameter) => {
      const gradient = gradients.get(parameter);
      const [rows, columns] = [parameter.rows.length, parameter.columns];
      const { symbol } = parameter;
      const start = offset;
      offset += rows * columns;
      const before = rule.moments.map((moment) => {
        const flat = optimizer.moments[moment] ?? new Array(start + rows * columns).fill(0);
        const values = parameter.rows.map((_, i) =>
          flat.slice(start + i * columns, start + (i + 1) * columns),
        );
        return this.given(
          `move ${player}`,
          `${moment} ${symbol}`,
          values,
          `${moment}, before`,
          false,
        );
      });
      const g = (i, j) => gradient.at(i, j);
      const at = (tensors, i, j) => tensors.map((tensor) => tensor.at(i, j));
      const after = before.map((tensor, m) =>
        this.tensor(`move ${player}`, `${rule.moments[m]}⁺ ${symbol}`, rule.words[0], rows, columns,
          (i, j) => rule.next(optimizer, g(i, j), at(before, i, j))[m]),
      ); // prettier-ignore
      const moved = this.tensor(
        `move ${player}`, `${symbol}⁺`, rule.words[1].replaceAll("θ", symbol), rows, columns,
        (i, j) => rule.move(optimizer, parameter.at(i, j), at(after, i, j), g(i, j)),
      ); // prettier-ignore
      for (const tensor of [...before, ...after, moved]) {
        tensor.cells.forEach((cell, k) => (cell.at = parameter.cells[k].at));
      }
      parameter.cells.forEach((cell, k) => {
        const of = (tensors) => tensors.map((tensor) => tensor.cells[k]);
        moves.push({
          from: cell,
          to: moved.cells[k],
          gradient: gradient.cells[k],
          split: () => rule.split(optimizer, of(before), of(after)),
        });
      });
      return Object.assign(moved, { origin: parameter, before, after });
    };
    const moved = network.map((layer) =>
      layer.kind === "Linear"
        ? { ...layer, weight: movedOf(layer.weight), bias: layer.bias && movedOf(layer.bias) }
        : layer,
    );
    return { network: moved, moves };
  }

  /* -- computing ----------------------------------------------------------------------------- */

  evaluate(cells = this.cells) {
    for (const cell of cells) if (cell.expression !== null) cell.value = valueOf(cell.expression);
  }

  /* d target / d(the cells `along`), as a central difference: they are moved, what stands between
     them and the target is computed again, all else stays. */
  difference({ target, along, path }) {
    const between = path.filter((cell) => !along.some(([moved]) => moved === cell));
    const start = along.map(([cell]) => cell.value);
    const weights = along.map(([, weight]) => (weight instanceof Cell ? weight.value : weight));
    const h = 1e-5 * Math.max(1, ...start.map(Math.abs));
    const ends = [1, -1].map((sign) => {
      along.forEach(([cell], k) => (cell.value = start[k] + sign * h * weights[k]));
      this.evaluate(between);
      return target.value;
    });
    along.forEach(([cell], k) => (cell.value = start[k]));
    this.evaluate(path);
    return (ends[0] - ends[1]) / (2 * h);
  }

  /* The causes of what a step does to the fakes, in the order of `shares`. */
  get causes() {
    const n = this.count;
    const each = (what) => Array.from({ length: n }, (_, i) => ({ what, row: i }));
    return [
      ...each("real"), // what D learned from a real sample
      ...each("fake"), // what D learned from a fake
      { what: "penalty" },
      { what: "momentum of D" },
      ...each("push"), // the gradient at a fake, as D was before it moved
      { what: "momentum of G" },
    ];
  }

  /* For each fake and each of its values, the displacement by this step as a sum over `causes`.

     Parameters: D's move is a sum over the rows of its minibatch, the penalties and the momentum.
     Spread along L_G's backward pass, it gives the part of G's gradient that is due to D's move;
     the rest is the gradient that the old D would have given. G's move, its sum and its momentum,
     spread along G's pass over the same noise, are the shares of the displacement. */
  shares() {
    const n = this.count;
    const count = this.causes.length;
    const [PENALTY, MOMENTUM_D, PUSH, MOMENTUM_G] = [2 * n, 2 * n + 1, 2 * n + 2, 3 * n + 2];
    const none = () => new Float64Array(count);

    const move = ({ from, to, split }, ofGradient, slot) => {
      const { remembered, rate } = split();
      const parts = ofGradient.map((part) => rate * part);
      parts[slot] += remembered;
      to.before = from.value;
      to.parts = parts;
    };
    for (const step of this.moved.moves) {
      const parts = none();
      summands(step.gradient).forEach((term, k) => {
        parts[k < 2 * n ? k : PENALTY] += valueOf(term);
      });
      move(step, parts, MOMENTUM_D);
    }

    const passes = [this.anew, this.realPass].filter(Boolean);
    const signals = [this.df, ...this.through.signals, ...this.onwards.signals];
    const along = new Set([...passes, ...signals].flatMap(({ cells }) => cells));
    const ordered = this.cells.filter((cell) => along.has(cell));
    this.trace(
      ordered,
      this.moved.moves.map(({ to }) => to),
      count,
    );

    for (const step of this.movedG.moves) {
      const parts = none();
      summands(step.gradient).forEach((term, k) => {
        const traced = spread(term, count);
        if (traced.parts) traced.parts.forEach((part, p) => (parts[p] += part));
        parts[PUSH + k] += traced.before;
      });
      move(step, parts, MOMENTUM_G);
    }
    for (const cell of ordered) cell.parts = null;
    this.trace(
      this.after.cells,
      this.movedG.moves.map(({ to }) => to),
      count,
    );
    const shares = this.after.output.rows.map((row) =>
      row.map((cell) => Array.from(cell.parts ?? none())),
    );
    for (const cell of this.cells) cell.parts = null;
    return shares;
  }

  /* Spreads the sources' parts over the cells behind them. */
  trace(cells, sources, count) {
    const now = sources.map((cell) => cell.value);
    sources.forEach((cell) => (cell.value = cell.before));
    this.evaluate(cells);
    cells.forEach((cell) => (cell.before = cell.value));
    sources.forEach((cell, k) => (cell.value = now[k]));
    this.evaluate(cells);
    for (const cell of cells) cell.parts = spread(cell.expression, count).parts;
  }
}

const SCALARS = new Set(["L_D", "L_G", "R1", "R2", "L_D without R"]);

function summands({ expression }) {
  return expression.op === "+" ? expression.args : [expression];
}

/* A formula in x and y with their symbols put in. */
function worded(formula, x, y) {
  return formula.replace(/\b[xy]\b/g, (letter) => (letter === "x" ? x : y));
}
