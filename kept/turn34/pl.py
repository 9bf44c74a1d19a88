"""pl.py WORLD SEED OUT key=value...: plain infogan with extras; looks each `every` steps."""
import copy, sys, time, math, json, torch, numpy as np
from dataclasses import replace
torch.set_num_threads(1)
from infogan_helpers.worlds import Chairs, Faces, Sprites
from infogan_helpers.codes import CodeSpec
from infogan_helpers.schedules import Ramp, at
from infogan_helpers.methods import infogan
from infogan_helpers import architectures as A
from infogan_helpers.networks import DiscriminatorQ, Generator
from infogan_helpers.deep_networks import shared
from infogan_helpers.evaluation import read_codes, draw_images
from infogan_helpers.code_factors import as_columns, code_factor_table
from infogan_helpers.judges import load_judge, judged
from infogan_helpers.quality import frechet_distance
from infogan_helpers.disentanglement import mutual_information_gap
from infogan_helpers.checkpoints import save_networks
world, seed, out = sys.argv[1], int(sys.argv[2]), sys.argv[3]
O = dict(odd=2, even=3, circ=0, cat="", dims=32, n=50000, noise="1", mirror=0, ema=0.0, inst=0.0)
C = {}
for a in sys.argv[4:]:
    k, v = a.split("=")
    if k in O: O[k] = type(O[k])(v)
    else:
        try: C[k] = json.loads(v)
        except ValueError: C[k] = v
W = {"faces": Faces, "chairs": Chairs, "sprites": Sprites}[world]()
X = W.images_and_factors(O["n"], 0, progress=False).images
T = W.images_and_factors(5000, 12345, progress=False)
spec = CodeSpec(tuple(int(k) for k in O["cat"].split(",") if k), O["odd"] + O["even"], O["dims"], circular=O["circ"], odd=O["odd"])
class MirrorConv(DiscriminatorQ):
    def forward(self, images):
        if self.training and O["inst"]: images = images + O["inst"] * torch.randn_like(images)
        logit, here = super().forward(images)
        _, there = super().forward(images.flip(3))
        return logit, shared(here, there, self.spec)
if O["mirror"]: A.ARCHITECTURES["conv"] = (Generator, MirrorConv)
noise = Ramp(*map(float, O["noise"].split(","))) if "," in O["noise"] else float(O["noise"])
config = replace(infogan.PRESETS["plain"], **({"batch_size": 96, "steps": 2000, "seed": seed, "sample_every": 500} | C))
step = infogan.METHOD.step; seen = {}
class Scaled:
    def __init__(s, spec, a): s.spec, s.a = spec, a
    def __getattr__(s, k): return getattr(s.spec, k)
    def sample(s, *args):
        c = s.spec.sample(*args); return c.replace(noise=s.a * c.noise)
def keep(players, real, sp, cf, gen, done):
    if "e" not in seen and O["ema"]: seen["e"] = copy.deepcopy(players.generator)
    seen["p"], seen["a"] = players, at(noise, done)
    r = step(players, real, Scaled(sp, seen["a"]), cf, gen, done)
    if O["ema"]:
        with torch.no_grad():
            for s, f in zip(seen["e"].parameters(), players.generator.parameters()): s.lerp_(f, 1 - O["ema"])
    return r
infogan.METHOD = infogan.METHOD._replace(step=keep)
t0 = time.time(); J = load_judge(W); real = judged(J, T.images)
def report(g, dq, tag, noise_amount):
    K = len(spec.categorical)
    read = as_columns(read_codes(dq, T.images)); table = code_factor_table(read[:, K:], W.values(T.labels), W, spec.circular)
    c = spec.sample(3000, torch.Generator().manual_seed(1)); c = c.replace(noise=noise_amount * c.noise)
    j = judged(J, draw_images(g, c)); gt = code_factor_table(torch.cat([c.continuous.double(), c.circular], 1), j.values, W, spec.circular)
    f = lambda t: {x: [round(v, 2) for v in t[x]] for x in t}
    extra = ""
    if K:
        from sklearn.metrics import normalized_mutual_info_score as nmi
        kind = W.factors[0].name; extra = f"NMI {nmi(W.values(T.labels)[kind].long(), read[:, 0].long()):.2f}"
    print(tag, f"{time.time()-t0:.0f}s Q {f(table)} G {f(gt)} MIG {mutual_information_gap(read, T.labels):.3f} Fréchet {frechet_distance(j.features, real.features):.1f} {extra}", flush=True)
def look(history):
    p = seen["p"]; g = copy.deepcopy(seen["e"] if O["ema"] else p.generator); dq = copy.deepcopy(p.discriminator_q)
    q = copy.copy(p); q.generator, q.discriminator_q = g, dq
    infogan.finish(q, X[:5000], spec, config)
    for l in g.modules():
        if hasattr(l, "running_mean"): l.reset_running_stats(); l.momentum = None
    g.train()
    with torch.no_grad():
        for i in range(10):
            c = spec.sample(128, torch.Generator().manual_seed(i)); g(c.replace(noise=seen["a"] * c.noise))
    g.eval(); dq.eval()
    r = slice(-100, None)
    report(g, dq, f"{len(history)} L {np.mean(history.bound_continuous[r]):.2f} dacc {np.mean(history.d_accuracy[r]):.2f}", seen["a"])
r = infogan.fit(X, spec, config, device="cpu", callback=look, progress=False)
save_networks(out + ".safetensors", r.generator, r.discriminator_q)
