"""exp.py VARIANT[,VARIANT] SEEDS [--until N] [--steps N] : exploration; scored on training digits."""
import sys, json, math, time, argparse
from dataclasses import replace
from pathlib import Path
import torch, torch.nn.functional as F
torch.set_num_threads(1)
sys.path.insert(0, "/work/bench/tests/benchmarks")
from infogan_helpers.methods import digits, players as P
from infogan_helpers import transforms as T
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import load_mnist, load_fashion_mnist, ImageData, as_model_range, mnist_sample
from infogan_helpers.evaluation import score_codes, read_codes, code_attribute_table, followed_measures
from infogan_helpers.losses import answer_information
from infogan_helpers.schedules import Ramp, at
import failures, variants
ap = argparse.ArgumentParser()
ap.add_argument("variant"); ap.add_argument("seeds"); ap.add_argument("--until", type=int, default=1200)
ap.add_argument("--steps", type=int, default=4000); ap.add_argument("--every", type=int, default=200)
ap.add_argument("--data", default="full"); ap.add_argument("--save", action="store_true"); ap.add_argument("--at", type=int, default=0); ap.add_argument("--start", type=int, default=0)
o = ap.parse_args()
out = Path("/work/exp/results"); out.mkdir(exist_ok=True)
spec = CodeSpec()
mnist = {"full": load_mnist, "offline": mnist_sample, "fashion": load_fashion_mnist}[o.data]()
score_on = mnist if o.data != "offline" else load_mnist(train=False)
few = ImageData(mnist.images[:10000], mnist.labels[:10000], mnist.source)
test = ImageData(score_on.images[10000:20000], score_on.labels[10000:20000], "") if o.data != "offline" else score_on
def seeds(t):
    for p in t.split(","):
        a, *b = p.split("-"); yield from range(int(a), int((b or [a])[0]) + 1)
for seed in seeds(o.seeds):
    config = digits.Config(steps=o.steps, seed=seed)
    config = variants.apply(o.variant, config)
    random = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    p = digits.make(spec, (1, 28, 28), config)
    variants.after_make(p, spec, config)
    from infogan_helpers.data import BatchSampler
    random = torch.Generator().manual_seed(seed)
    sampler = BatchSampler(torch.arange(len(mnist.images)), config.batch_size, random)
    states = Path("/work/exp/states"); states.mkdir(exist_ok=True)
    if o.start:
        st = torch.load(states / f"state-{o.data}-{seed}-{o.start}.pt", weights_only=False)
        for n, v in vars(p).items():
            if n.startswith("optimizer"):
                b = [g["betas"] for g in v.param_groups]
                v.load_state_dict(st[n])
                for g, bb in zip(v.param_groups, b): g["betas"] = bb
            else: v.load_state_dict(st[n])
        random.set_state(st["random"]); sampler.order, sampler.position = st["order"], st["position"]
        variants.after_step(p, o.start)
    curve, t0, spent = [], time.perf_counter(), 0.0
    cpu0 = time.process_time(); recent = []
    for step in range(o.start + 1, o.until + 1):
        m = digits.train_step(p, as_model_range(mnist.images[sampler.next()]), spec, config, random, (step - 1) / config.steps)
        variants.after_step(p, step)
        recent = (recent + [[float(x) for x in m]])[-40:]
        if o.at and step == o.at:
            torch.save({**{n: v.state_dict() for n, v in vars(p).items()}, "random": random.get_state(), "order": sampler.order, "position": sampler.position}, states / f"state-{o.data}-{seed}-{step}.pt")
        if step % o.every == 0 or step == o.until:
            c = time.process_time() - cpu0
            import copy
            q = copy.deepcopy(p)
            variants.before_score(q)
            with torch.random.fork_rng():
                digits.finish(q, mnist.images, spec, config)
                s = score_codes(q.discriminator_q, few, test)
                signs = failures.read_signs(q.discriminator_q, mnist.images[:5000], config) if o.data != "x" else {}
            mean = torch.tensor(recent).mean(0).tolist()
            curve.append({"step": step, "acc": s.accuracy, "cpu": c, **signs, **dict(zip(m._fields, mean))})
            cpu0 = time.process_time() - c
    rec = {"variant": o.variant, "seed": seed, "steps": o.steps, "data": o.data, "curve": curve, "confusion": s.confusion.to_numpy().tolist()}
    if o.data != "fashion":
        from infogan_helpers import measures
        pass
        codes = read_codes(q.discriminator_q, mnist.images[:10000]).categorical_logits[0].argmax(1)
        lab = mnist.labels[:10000]
        pairs = []
        cf = s.confusion.to_numpy()
        a, b = divmod((lambda m: int(m.argmax()))((cf - __import__("numpy").diag(cf.diagonal()))), 10)
        sel = lab == a
        vals = {n: torch.as_tensor(f(mnist.images[:10000][sel])) for n, f in measures.MEASURES.items()}
        inv = {int(d): int(k) for k, d in enumerate(s.matching)}
        x = codes[sel] == inv[a]; y = codes[sel] == inv[b]
        split = {}
        for n, v in vals.items():
            v = v.float()
            split[n] = round(float((v[x].nanmean() - v[y].nanmean()) / torch.sqrt(torch.nan_to_num(v, nan=float(v.nanmean())).var())), 2)
        rec["split"] = (a, b, int(x.sum()), int(y.sum()), split)
        t = followed_measures(code_attribute_table(q.generator, spec))
        rec["followed"] = json.loads(t.to_json())
        tab = code_attribute_table(q.generator, spec)
        rec["rho"] = {n: float(tab[n].abs().max()) for n in ("slant", "thickness", "width")}
    with open(out / f"{o.variant}@{o.data}.jsonl", "a") as f: f.write(json.dumps(rec) + "\n")
    if o.save:
        from infogan_helpers.checkpoints import save_networks
        save_networks(out / f"{o.variant}@{o.data}-{seed}.safetensors", q.generator, q.discriminator_q)
    print(o.variant, seed, " ".join(f"{c['step']}:{c['acc']:.3f}" for c in curve), f"conf {curve[-1]['confused']:.3f} agree {curve[-1]['agreement']:.3f} LI {curve[-1]['bound_categorical']:.3f} rec {curve[-1]['code_recovery']:.4f} cpu {curve[-1]['cpu']:.0f}", rec.get("split"), rec.get("rho"), flush=True)
