"""The page of the latent laboratory: G runs in the browser, one slider for each direction."""

import base64
import json

import numpy as np

import minigan as mg

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>The latent laboratory</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; color: #22252a; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; }
main { display: flex; flex-wrap: wrap; gap: 2rem; }
canvas { image-rendering: pixelated; border: 1px solid #e1e4e8; }
#large { width: 280px; height: 280px; }
.strip { display: flex; gap: 4px; } .strip canvas { width: 56px; height: 56px; }
label { display: grid; grid-template-columns: 15rem 12rem 4rem; align-items: center; }
button { padding: 0.2rem 0.8rem; margin-right: 0.5rem; }
</style>
</head>
<body>
<h1>The latent laboratory</h1>
<p>A generator of <span id="size"></span> parameters, running in this page. Its noise z has
<span id="latent"></span> values. The directions are those along which its image changes most:
eigenvectors of the mean of J'J, with J = dG/dz.</p>
<main>
<div><canvas id="large"></canvas>
<p>|z| = <span id="length"></span>, noise: <span id="typical"></span> on average</p></div>
<div>
<div id="sliders"></div>
<p><button id="new">new z</button><button id="reset">sliders to 0</button></p>
</div>
</main>
<h2>From one z to another</h2>
<p>Above on a line, below on the great circle, which keeps |z|. <button id="ends">new ends</button>
</p>
<div class="strip" id="line"></div><div class="strip" id="circle"></div>
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
MODEL.strengths.forEach((s, k) => slider(`direction ${k + 1}, strength ${s.toFixed(2)}`, -4, 4, 0));
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
    path.write_text(PAGE.replace("__MODEL__", json.dumps(model)), encoding="utf-8")


def _text(array):
    """Little-endian float32, in base64."""
    return base64.b64encode(np.ascontiguousarray(array, "<f4").tobytes()).decode()
