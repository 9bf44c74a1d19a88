"""nl.py WORLD SEED OUT key=value... : run the module's noise_last with extras, log Q's table of EMA at each 250 steps, G judged if a judge exists."""
import copy, sys, time, math, json, torch, numpy as np
from dataclasses import replace
from scipy.stats import spearmanr
torch.set_num_threads(1)
from infogan_helpers.worlds import Chairs, Faces, Sprites
from infogan_helpers.codes import CodeSpec
from infogan_helpers.schedules import Ramp
from infogan_helpers.methods import noise_last
from infogan_helpers.evaluation import read_codes
from infogan_helpers.code_factors import as_columns, code_factor_table
from infogan_helpers.checkpoints import save_networks
world, seed, out = sys.argv[1], int(sys.argv[2]), sys.argv[3]
O = dict(odd=2, even=3, circ=0, cat="", dims=32, n=20000, every=250)
C = {}
for a in sys.argv[4:]:
    k, v = a.split("=")
    if k in O: O[k] = type(O[k])(v)
    elif v.startswith("R"): C[k] = Ramp(*map(float, v[1:].split(",")))
    else:
        try: C[k] = json.loads(v)
        except ValueError: C[k] = v
W = {"faces": Faces, "chairs": Chairs, "sprites": Sprites}[world]()
X = W.images_and_factors(O["n"], 0, progress=False).images
T = W.images_and_factors(3000, 12345, progress=False)
spec = CodeSpec(tuple(int(k) for k in O["cat"].split(",") if k), O["odd"] + O["even"], O["dims"], circular=O["circ"], odd=O["odd"])
config = replace(noise_last.Config(), seed=seed, sample_every=O["every"], **C)
import os, infogan_helpers.deep_networks as dn
if os.environ.get("XINIT") == "default": dn._initialise = lambda m: None
if os.environ.get("XINIT") == "dcgan":
    def f(m):
        for l in m.modules():
            if isinstance(l, (torch.nn.Linear, torch.nn.Conv2d, torch.nn.ConvTranspose2d)): torch.nn.init.normal_(l.weight, 0, 0.02); torch.nn.init.zeros_(l.bias)
    dn._initialise = f
if os.environ.get("GAMMA"):
    import infogan_helpers.games as gm; gm.R1_GAMMA = float(os.environ["GAMMA"])
if os.environ.get("AVG"): noise_last.AVERAGED = float(os.environ["AVG"])
if os.environ.get("PATCH"): exec(open(os.environ["PATCH"]).read())
from infogan_helpers.judges import load_judge, judged
from infogan_helpers.quality import frechet_distance
from pathlib import Path
jp = True
J = load_judge(W)
RF = judged(J, T.images).features if J else None
def fids():
    if J is None: return ""
    out = []
    for name, noisy in (("average_g", 1), ("generator", 1)):
        g = copy.deepcopy(getattr(seen["p"], name))
        for l in g.modules():
            if hasattr(l, "running_mean"): l.reset_running_stats(); l.momentum = None
        g.train(); R = torch.Generator().manual_seed(5)
        amount = noise_last.at(config.noise, len(seen["h"]) / config.steps)
        with torch.no_grad():
            def draw(n):
                c = spec.sample(n, R); return g(c.replace(noise=amount * c.noise)), c
            for _ in range(10): draw(128)
            g.eval(); x, c = draw(2000)
        j = judged(J, x); out.append(round(frechet_distance(j.features, RF), 1))
        if name == "average_g":
            cols = torch.cat([c.continuous.double(), c.circular.double()], 1)
            t = code_factor_table(cols, j.values, W, circular=spec.circular)
            tt = {f: [round(v, 2) for v in t[f]] for f in t}
    return f"FID ema, live {out} G {tt}"
step = noise_last.METHOD.step
seen = {}
def keep(players, *a):
    seen["p"] = players
    return step(players, *a)
noise_last.METHOD = noise_last.METHOD._replace(step=keep)
t0 = time.time()
def even_distance(c):
    """energy distance of answers on real pictures and of the prior, joint and per code"""
    g = torch.Generator().manual_seed(0); n = 1500
    p = spec.sample(n, g); a = c[:n]; b = torch.cat([p.continuous, p.circular], 1).double()
    if spec.circular:
        k = spec.continuous
        a = torch.cat([a[:, :k], a[:, k:].cos(), a[:, k:].sin()], 1); b = torch.cat([b[:, :k], b[:, k:].cos(), b[:, k:].sin()], 1)
    E = lambda x, y: torch.cdist(x, y).mean()
    return float(2 * E(a, b) - E(a, a) - E(b, b)), [round(float(2 * E(a[:, [i]], b[:, [i]]) - E(a[:, [i]], a[:, [i]]) - E(b[:, [i]], b[:, [i]])), 3) for i in range(a.shape[1])]
def look(history):
    seen['h'] = history
    dq = seen["p"].average_dq.eval()
    post = read_codes(dq, T.images); K = len(spec.categorical)
    c = as_columns(post)[:, K:]
    table = code_factor_table(c, W.values(T.labels), W, circular=spec.circular)
    j, m = even_distance(c)
    kurt = [round(float(((x - x.mean()) ** 4).mean() / x.var() ** 2), 2) for x in c[:, :spec.continuous].T]
    if world == "chairs" and K:
        from sklearn.metrics import normalized_mutual_info_score as nmi
        k = post.categorical_logits[0].argmax(1)
        v = W.values(T.labels)
        print("NMI with type", round(nmi(k, v["type"].long()), 2), "with angle/15", round(nmi(k, (v["rotation"] * 24 / 6.2832).long()), 2), flush=True)
    if world == "chairs":
        rot, a = W.values(T.labels)["rotation"].numpy(), c[:, spec.continuous].numpy()
        b = ((rot + math.pi) / (2 * math.pi) * 12).astype(int) % 12
        e = [np.exp(1j * a[b == k]).mean() for k in range(12)]
        print("by 30 degrees", [f"{np.degrees(np.angle(x)):.0f} ({abs(x):.2f})" for x in e], flush=True)
    r = slice(-100, None)
    zz = (c[:, :spec.continuous] - c[:, :spec.continuous].mean(0)) / c[:, :spec.continuous].std(0)
    print("third", (zz.T @ zz.square() / len(zz)).round(decimals=2)[spec.odd:].tolist(), "run", seen["p"].moments[1].round(decimals=2)[spec.odd:].tolist(), flush=True)
    extra = {}
    if world == "faces":
        v = W.values(T.labels); tr = W._traits[v["identity"].long()]
        for n, t in {"|az|": v["azimuth"].abs(), "|li|": v["light"].abs(), **{f"t{i}": tr[:, i] for i in range(8)}}.items():
            extra[n] = [round(abs(float(spearmanr(c[:, k], t).statistic)), 2) for k in range(spec.odd, spec.continuous)]
    print(len(history), f"{time.time()-t0:.0f}s", {f: [round(x, 2) for x in table[f]] for f in table}, f"L {np.mean(history.bound_continuous[r]):.2f} {np.mean(history.bound_categorical[r]):.2f} dacc {np.mean(history.d_accuracy[r]):.2f} E {j:.3f} {m} kurt {kurt} sd {[round(float(x.std()),2) for x in c[:, :spec.continuous].T]} corr {np.corrcoef(c[:, :spec.continuous].T)[0].round(2).tolist()} {extra} {fids()}", flush=True)
r = noise_last.fit(X, spec, config, device="cpu", callback=look, progress=False)
save_networks(out + ".safetensors", r.generator, r.discriminator_q)
