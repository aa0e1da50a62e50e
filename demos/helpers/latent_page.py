"""The page of the latent laboratory: G runs in the browser, one slider for each direction.

Its look is that of the explorer's page.
"""

import base64
import json
from importlib.resources import files

import numpy as np

import minigan as mg

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline';
  img-src data:">
<link rel="icon" href="data:,">
<title>The latent laboratory</title>
<style>
__STYLE__
body { max-width: 64rem; margin: auto; padding: 0 1rem 3rem; }
header { padding: 1.2rem 0 0.5rem; }
main { display: grid; gap: 1rem; }
.lab { display: flex; flex-wrap: wrap; gap: 1rem 2rem; }
.lab > :last-child { flex: 1 1 18rem; min-width: 0; }
canvas { image-rendering: pixelated; border: 1px solid var(--line); }
#large { width: min(280px, 100%); aspect-ratio: 1; }
.strip { display: grid; grid-template-columns: repeat(9, minmax(0, 60px)); gap: 4px; }
.strip { margin: 4px 0; }
.strip canvas { width: 100%; }
label { display: grid; grid-template-columns: 10rem 1fr 3rem; align-items: center; gap: 0.5rem; }
label input { width: 100%; padding: 0; accent-color: var(--value); }
label span { text-align: right; }
</style>
</head>
<body>
<header>
<h1>The latent laboratory</h1>
<p>A generator of <span id="size"></span> parameters runs in this page. Its noise z has
<span id="latent"></span> values. A slider moves z along a direction: those along which the image
changes most, in turn (eigenvectors of the mean of J'J, with J = dG/dz). In brackets: by how much
the image changes for each unit of z. Truncation multiplies z.</p>
</header>
<main>
<section class="band">
<div class="lab">
<div><canvas id="large" role="img" aria-label="the image that G makes of z"></canvas>
<p>|z| = <span id="length"></span>; of noise, <span id="typical"></span> on average</p></div>
<div>
<div id="sliders"></div>
<p><button id="new" class="main">New z</button> <button id="reset">Sliders back</button></p>
</div>
</div>
</section>
<section class="band">
<h2>From one z to another</h2>
<p>Above along a straight line, on which |z| shrinks; below along the great circle, which keeps |z|.
</p>
<div class="strip" id="line"></div><div class="strip" id="circle"></div>
<p><button id="ends">New ends</button></p>
</section>
</main>
<noscript>This page computes images in the browser, which needs JavaScript.</noscript>
<script>
const MODEL = __MODEL__;
const numbers = text => new Float32Array(
  Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer);
const layers = MODEL.layers.map(l => ({...l, W: numbers(l.W), b: numbers(l.b)}));
const U = numbers(MODEL.directions), n = MODEL.latent;

function G(z) {                       // linear layers; LeakyReLU between them, tanh at the end
  let x = z;
  layers.forEach((layer, k) => {
    const y = Float32Array.from(layer.b);
    for (let i = 0; i < layer.inputs; i++)
      for (let j = 0, row = i * layer.outputs; j < layer.outputs; j++)
        y[j] += x[i] * layer.W[row + j];
    const last = k === layers.length - 1;
    x = y.map(v => last ? Math.tanh(v) : (v > 0 ? v : 0.2 * v));
  });
  return x;
}
function draw(canvas, pixels) {
  const [h, w] = MODEL.shape, image = new ImageData(w, h);
  canvas.width = w; canvas.height = h;
  pixels.forEach((v, i) => image.data.set([...Array(3).fill(127.5 * (1 - v)), 255], 4 * i));
  canvas.getContext("2d").putImageData(image, 0, 0);
}
let seed = MODEL.seed;
function uniform() {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return (seed + 0.5) / 2**32;
}
const noise = () => Array.from({length: n}, () =>
  Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
const norm = z => Math.sqrt(z.reduce((s, v) => s + v * v, 0));
const strip = id => Array.from({length: 9}, () =>
  document.getElementById(id).appendChild(document.createElement("canvas")));
const lineStrip = strip("line"), circleStrip = strip("circle"), sliders = [];
function slider(name, low, high, value) {
  const label = document.createElement("label"), input = document.createElement("input");
  const shown = document.createElement("span");
  Object.assign(input, {type: "range", min: low, max: high, step: 0.01, value});
  input.setAttribute("aria-label", name);
  input.oninput = show;
  label.append(name, input, shown);
  document.getElementById("sliders").append(label);
  sliders.push({input, shown, value});
}
MODEL.strengths.forEach((s, k) => slider(`direction ${k + 1} (${s.toFixed(1)})`, -4, 4, 0));
slider("truncation", 0, 1.5, 1);
let z0 = noise();
function show() {
  const at = sliders.map(s => +s.input.value), truncation = at[at.length - 1];
  const z = z0.map((v, i) => truncation * v
    + at.slice(0, -1).reduce((sum, a, k) => sum + a * U[i * n + k], 0));
  draw(document.getElementById("large"), G(z));
  sliders.forEach((s, k) => s.shown.textContent = at[k].toFixed(2));
  document.getElementById("length").textContent = norm(z).toFixed(2);
}
function ends() {
  const a = noise(), b = noise(), product = a.reduce((s, v, i) => s + v * b[i], 0);
  const w = Math.acos(product / norm(a) / norm(b));
  for (let k = 0; k < 9; k++) {
    const t = k / 8, p = Math.sin((1 - t) * w) / Math.sin(w), q = Math.sin(t * w) / Math.sin(w);
    draw(lineStrip[k], G(a.map((v, i) => (1 - t) * v + t * b[i])));
    draw(circleStrip[k], G(a.map((v, i) => p * v + q * b[i])));
  }
}
document.getElementById("size").textContent = MODEL.parameters.toLocaleString("en");
document.getElementById("latent").textContent = n;
document.getElementById("typical").textContent = Math.sqrt(n).toFixed(2);
document.getElementById("new").onclick = () => { z0 = noise(); show(); };
document.getElementById("reset").onclick = () => {
  sliders.forEach(s => s.input.value = s.value); show();
};
document.getElementById("ends").onclick = ends;
show(); ends();
</script>
</body>
</html>
"""


def write(path, generator, strengths, U, *, shape, seed, shown=6):
    """Writes the page of a generator of Linear and LeakyReLU(0.2) layers that ends in Tanh."""
    linear = [x for x in generator.layers if isinstance(x, mg.layers.Linear)]
    model = {
        "layers": [
            {
                "inputs": layer.in_features,
                "outputs": layer.out_features,
                "W": _text(layer.params["weight"]),
                "b": _text(layer.params["bias"]),
            }
            for layer in linear
        ],
        "latent": linear[0].in_features,
        "shape": list(shape),
        "seed": seed + 1,
        "parameters": int(generator.theta.size),
        "strengths": [float(s) for s in strengths[:shown]],
        "directions": _text(U),
    }
    style = (files("minigan.verify.ledger") / "page" / "page.css").read_text("utf-8")
    page = PAGE.replace("__STYLE__", style).replace("__MODEL__", json.dumps(model))
    path.write_text(page, encoding="utf-8")


def _text(array):
    """Little-endian float32, in base64."""
    return base64.b64encode(np.ascontiguousarray(array, "<f4").tobytes()).decode()
