"""Prototype of issue 32: R1, noise last, symmetric Q, slow average, answers on real pictures like the prior.

turn.py WORLD SEED key=value...   prints Q's table every 500 steps; saves EMA G and DQ at the end.
"""
import copy, math, sys, time
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from scipy.stats import spearmanr
from infogan_helpers.worlds import Chairs, Faces, Sprites
from infogan_helpers.code_factors import circular_correlation

torch.set_num_threads(1)
O = dict(steps=2000, batch=64, lam=0.4, gamma=0.3, every=4, floor=0.3, lr=1e-3, last=0.9, noise=32, odd=2, even=3, circ=0, cat="",
         hold=2.0, holdfrom=0.2, prior=0.0, ch=32, n=20000, coin=1, ema=0.999, out="", fall=0.5, joint=1)
world_name, seed = sys.argv[1], int(sys.argv[2])
for a in sys.argv[3:]:
    k, v = a.split("="); O[k] = type(O[k])(v) if not isinstance(O[k], str) else v
W = {"faces": Faces, "chairs": Chairs, "sprites": Sprites}[world_name]()
cats = tuple(int(k) for k in O["cat"].split(",") if k)
odd, even, circ = O["odd"], O["even"], O["circ"]
X = W.images_and_factors(O["n"], 0, progress=False).images
T = W.images_and_factors(3000, 12345, progress=False)
truth = {k: v.numpy() for k, v in W.values(T[1]).items()}
torch.manual_seed(seed); R = torch.Generator().manual_seed(seed)

def init(m):
    for l in m.modules():
        if isinstance(l, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            nn.init.kaiming_normal_(l.weight, 0.2); nn.init.zeros_(l.bias)
    return m

class G(nn.Module):
    def __init__(s):
        super().__init__(); c = O["ch"]; d = sum(cats) + odd + even + 2 * circ + O["noise"]
        s.net = nn.Sequential(nn.Linear(d, 4 * c * 16), nn.BatchNorm1d(4 * c * 16), nn.ReLU(), nn.Unflatten(1, (4 * c, 4, 4)),
            nn.ConvTranspose2d(4 * c, 2 * c, 4, 2, 1), nn.BatchNorm2d(2 * c), nn.ReLU(),
            nn.ConvTranspose2d(2 * c, c, 4, 2, 1), nn.BatchNorm2d(c), nn.ReLU(), nn.ConvTranspose2d(c, 1, 4, 2, 1), nn.Tanh())
    def forward(s, c, amount, flip=None):
        k, u, a, n = c
        if flip is not None:  # odd codes and the picture flip together
            sign = torch.where(flip, -1.0, 1.0)[:, None]
            u = torch.cat([u[:, :odd] * sign, u[:, odd:]], 1); a = a * sign
        z = torch.cat([*(F.one_hot(k[:, i], K).float() for i, K in enumerate(cats)), u, a.cos(), a.sin(), n * amount], 1)
        x = s.net(z)
        return x if flip is None else torch.where(flip[:, None, None, None], x.flip(3), x)

class DQ(nn.Module):
    def __init__(s):
        super().__init__(); c = O["ch"]
        s.trunk = nn.Sequential(nn.Conv2d(1, c, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(c, 2 * c, 4, 2, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(2 * c, 4 * c, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten())
        f = 4 * c * 16
        s.d = nn.Linear(f, 1); s.h = nn.Sequential(nn.Linear(f, 128), nn.LeakyReLU(0.2))
        s.m = nn.Linear(128, odd + even); s.v = nn.Linear(128, odd + even); s.dir = nn.Linear(128, 2 * circ); s.conc = nn.Linear(128, circ)
        s.k = nn.ModuleList(nn.Linear(128, K) for K in cats)
    def forward(s, x):
        n = len(x); f = s.trunk(torch.cat([x, x.flip(3)])); d = s.d(f)[:, 0]; h = s.h(f)
        def pair(y): return y[:n], y[n:]
        a, b = pair(s.m(h)); m = torch.cat([(a - b)[:, :odd], (a + b)[:, odd:]], 1) / 2
        a, b = pair(s.v(h)); v = (a + b) / 2
        low = 2 * math.log(max(O["floor"], 0.05)); v = low + (2.0 - low) * torch.sigmoid(v)
        a, b = pair(s.dir(h)); co, si = ((a + b) / 2)[:, :circ], ((a - b) / 2)[:, circ:]
        a, b = pair(s.conc(h)); kap = torch.exp(-(low + (2.0 - low) * torch.sigmoid((a + b) / 2)))
        ks = [sum(pair(q(h))) / 2 for q in s.k]
        a, b = pair(d)
        return (a + b) / 2, (m, v, co, si, kap, ks)

def sample(n):
    return (torch.stack([torch.randint(K, (n,), generator=R) for K in cats], 1) if cats else torch.zeros(n, 0, dtype=torch.long),
            2 * torch.rand(n, odd + even, generator=R) - 1, math.pi * (2 * torch.rand(n, circ, generator=R) - 1), torch.randn(n, O["noise"], generator=R))

def bound(q, c):
    m, v, co, si, kap, ks = q; k, u, a, _ = c
    L = -0.5 * (math.log(2 * math.pi) + v + (u - m) ** 2 / v.exp()).sum(1).mean() + (odd + even) * math.log(2)
    if circ:
        r = (co ** 2 + si ** 2).sqrt().clamp_min(1e-4)
        cosd = (co * a.cos() + si * a.sin()) / r
        L = L + (kap * cosd - math.log(2 * math.pi) - torch.log(torch.special.i0e(kap)) - kap).sum(1).mean() + circ * math.log(2 * math.pi)
    return L, sum(math.log(K) - F.cross_entropy(l, k[:, i]) for i, (K, l) in enumerate(zip(cats, ks)))

def energy(a, b):
    """Energy distance of two batches of vectors."""
    d = lambda x, y: (x[:, None] - y[None]).pow(2).sum(-1).add(1e-6).sqrt()
    n = len(a)
    return 2 * d(a, b).mean() - d(a, a).sum() / (n * (n - 1)) - d(b, b).sum() / (n * (n - 1))

def like_prior(q, c):
    """Answers on real pictures should lie as codes do: evenly, and independently of each other."""
    m, v, co, si, kap, ks = q
    total = 0.0
    cols = m; other = c[1]
    if circ:
        r = (co ** 2 + si ** 2).sqrt().clamp_min(1e-4)
        cols = torch.cat([m, co / r, si / r], 1); other = torch.cat([c[1], c[2].cos(), c[2].sin()], 1)
    if O["joint"]:
        total = energy(cols, other)
    else:
        total = sum(energy(cols[:, i:i + 1], other[:, i:i + 1]) for i in range(cols.shape[1]))
    for l in ks:
        p = l.softmax(1); total = total - 0.5 * (torch.special.entr(p.mean(0)).sum() - torch.special.entr(p).sum(1).mean())
    return total

g, dq = init(G()), init(DQ()); ge, slow = copy.deepcopy(g), copy.deepcopy(dq)
og = torch.optim.Adam(g.parameters(), O["lr"], betas=(0.0, 0.99)); od = torch.optim.Adam(dq.parameters(), O["lr"], betas=(0.0, 0.99))
def f32(x): return x.float() / 127.5 - 1
def report(step):
    with torch.no_grad():
        qs = [slow(f32(T[0][i:i + 500]))[1] for i in range(0, 3000, 500)] if O["hold"] else [dq(f32(T[0][i:i + 500]))[1] for i in range(0, 3000, 500)]
    m = torch.cat([q[0] for q in qs]).numpy(); rows = {}
    for name, t in truth.items():
        if name in ("identity", "type", "shape"): continue
        if name == "rotation":
            ang = torch.cat([torch.atan2(q[3], q[2]) for q in qs]).numpy()
            rows[name] = [round(circular_correlation(ang[:, i], t), 2) for i in range(circ)] + [round(circular_correlation(np.pi * m[:, i], t), 2) for i in range(m.shape[1])]
        else:
            rows[name] = [round(abs(spearmanr(m[:, i], t)[0]), 2) for i in range(m.shape[1])]
    print(f"{step} {time.time()-t0:.0f}s L {Lc:.2f} {Lk:.2f} d {float(dl):.2f}", rows, flush=True)
t0 = time.time(); Lc = Lk = 0.0; dl = torch.zeros(()); order = torch.randperm(len(X), generator=R); at = 0
for t in range(O["steps"]):
    done = t / O["steps"]
    for o in (og, od):
        o.param_groups[0]["lr"] = O["lr"] * min(1.0, (1 - done) / O["fall"] + 0.02)
    if at + O["batch"] > len(X): order = torch.randperm(len(X), generator=R); at = 0
    real = f32(X[order[at:at + O["batch"]]]); at += O["batch"]
    amount = min(1.0, done / O["last"]) if O["last"] else 1.0
    c = sample(O["batch"]); flip = torch.rand(O["batch"], generator=R) < 0.5 if O["coin"] else None
    fake = g(c, amount, flip)
    r1 = t % O["every"] == 0
    real.requires_grad_(r1)
    lr_, qr = dq(real); lf, qf = dq(fake)
    bc, bk = bound(qf, c); info = O["lam"] * (bc + bk)
    dl = F.softplus(-lr_).mean() + F.softplus(lf).mean()
    pen = 0.0
    if r1:
        (s,) = torch.autograd.grad(lr_.sum(), real, create_graph=True)
        pen = O["every"] * O["gamma"] / 2 * s.flatten(1).pow(2).sum(1).mean()
    of_real = 0.0
    if O["hold"] and done >= O["holdfrom"]:
        with torch.no_grad(): qs = slow(real.detach())[1]
        of_real = O["hold"] * (qr[0] - qs[0]).pow(2).sum(1).mean()
        if circ: of_real = of_real + O["hold"] * ((qr[2] - qs[2]).pow(2) + (qr[3] - qs[3]).pow(2)).sum(1).mean()
    if O["prior"]:
        of_real = of_real + O["prior"] * like_prior(qr, sample(O["batch"]))
    gl = F.softplus(-lf).mean() - info
    gg = torch.autograd.grad(gl, list(g.parameters()), retain_graph=True)
    od.zero_grad(); (dl + pen + of_real - info).backward(inputs=list(dq.parameters())); od.step()
    for p, x in zip(g.parameters(), gg): p.grad = x
    og.step()
    with torch.no_grad():
        for e, m in ((ge, g), (slow, dq)):
            w = min(O["ema"], 1 - 1 / (t + 2))
            for a, b in zip(e.parameters(), m.parameters()): a.lerp_(b, 1 - w)
            for a, b in zip(e.buffers(), m.buffers()): a.copy_(b)
    Lc, Lk = 0.98 * Lc + 0.02 * float(bc), 0.98 * Lk + 0.02 * float(bk)
    if (t + 1) % 500 == 0 or t + 1 in (200, 30): report(t + 1)
if O["out"]:
    torch.save({"g": ge.state_dict(), "dq": slow.state_dict(), "o": O}, O["out"])
    from infogan_helpers.plots import image_grid
    ge.eval(); R2 = torch.Generator().manual_seed(7); R.manual_seed(7); c = sample(4); rows = []
    with torch.no_grad():
        for i in range(odd + even):
            u = c[1][:1].repeat(10, 1) * 0; u[:, i] = torch.linspace(-1, 1, 10)
            rows.append(ge((c[0][:1].repeat(10, 1), u, c[2][:1].repeat(10, 1), c[3][:1].repeat(10, 1)), 1.0))
        for i in range(circ):
            a = torch.zeros(10, circ); a[:, i] = torch.linspace(-math.pi, math.pi, 11)[:10]
            for j in range(3): rows.append(ge((c[0][j:j+1].repeat(10, 1), c[1][j:j+1].repeat(10, 1), a, c[3][j:j+1].repeat(10, 1)), 1.0))
    image_grid(torch.cat(rows), 10, ink=False, scale=0.9).savefig(O["out"] + ".png", dpi=90)
