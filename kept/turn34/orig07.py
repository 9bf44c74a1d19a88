md("text-00", by and "".join(by["text-00"]["source"]).split("**You will be able to**")[0] + """**You will be able to**
- set up the paper's two experiments on 3D objects, and give the table that the paper could not: which code found which factor, in Q and in what G draws;
- write a penalty that keeps D from running away, and say what it asks of D;
- let the noise come last, so that the loudest properties of the pictures settle on the codes;
- give a code the shape of what it is to follow: a circle for what goes round, a sign for what a mirror turns;
- tell from five seeds what was found, what was not, and what was only lucky.

**You should know** λ and the trunk ([notebook 04](04_training_on_mnist.ipynb)), the metrics and `Sprites` ([notebook 06](06_measuring_disentanglement.ipynb)).

**Time** TIME minutes on two CPU cores, one training of two minutes among them; not yet measured on a GPU. The five-seed models come trained. `INFOGAN_BUDGET=quick` makes fewer pictures.

**Symbols** [in one table](../README.md#notation) · **Previous** [06 · Measuring disentanglement](06_measuring_disentanglement.ipynb) · **Next** this is the last one; [back to the first](01_entropy_and_mutual_information.ipynb)
""")
keep("set-up")
code("imports", """
import math

import numpy as np
import pandas as pd
import torch
from IPython.display import Image
from torch import nn
""")
code("imports-of-the-module", """
from infogan_helpers.checkpoints import load_pretrained
from infogan_helpers.code_factors import as_columns, circular_correlation, code_factor_table
from infogan_helpers.codes import CodeSpec
from infogan_helpers.data import to_model_range
from infogan_helpers.deep_networks import MirroredDiscriminatorQ
from infogan_helpers.evaluation import draw_images, read_codes
from infogan_helpers.exercises.notebook_07 import check_circular_correlation, check_mirrored_answers, check_r1_penalty
from infogan_helpers.games import R1_GAMMA, r1_penalty
from infogan_helpers.judges import judged, load_judge
from infogan_helpers.methods import noise_last
from infogan_helpers.pictures import animation
from infogan_helpers.plots import curves, heatmap, image_grid, scatter, schedules
from infogan_helpers.runtime import by_budget
from infogan_helpers.world_presets import WORLD_PRESETS
from infogan_helpers.worlds import Chairs, Faces
""")
for id in ("text-04", "faces-sheet", "sweeps", "chairs-sheet", "chairs-sweeps"): keep(id)
md("text-09", """
## 2 · The paper's settings, and the plain algorithm

The paper gives its faces 5 uniform codes, and its chairs three codes of 20 classes and a uniform one; each with 128 dimensions of noise. Our faces have the same 5 uniform codes. Our chairs have one code of 24 classes, two uniform ones, and one that goes round (section 6).

First the paper's algorithm and nothing added: the networks of notebook 03 at a quarter of their width, λ as the paper has it, STEPS steps. Five seeds were trained beforehand. Factors enter only to score, on 5,000 pictures that no training saw. A table of one seed first: |ρ|, Spearman's rank correlation without its sign, of each of Q's codes with each factor that has an order.

> **Before you run the next cell.** Five codes, four factors that one number can follow. How many columns will have one code, and one only, above 0.9?
""")
code("plain-table", """
model = load_pretrained("faces")
plain = model.card["runs"]["faces_plain"]
heatmap(
    pd.DataFrame(plain[0]["Q"]),
    xlabel="factor",
    ylabel="code",
    limits=(0, 1),
    caption="The plain algorithm, seed 0: |ρ| of each code with each factor.",
)
""")
code("plain-seeds", """
def by_seed(runs):
    \"\"\"For every seed and factor the code that follows it best, its |ρ| and the next code's; MIG; L_I in nats.\"\"\"
    rows = {}
    for row in runs:
        table = {}
        for factor, follows in row["Q"].items():
            (code, best), (_, other) = sorted(follows.items(), key=lambda item: -item[1])[:2]
            table[factor] = f"{code} {best:.2f} ({other:.2f})"
        rows[f"seed {row['seed']}"] = table | {"MIG": f"{row['MIG']:.2f}", "L_I": f"{row['L_I continuous']:.1f}"}
    return pd.DataFrame(rows).T


by_seed(plain)
""")
md("text-plain", """
<details><summary>Answer</summary>PLAIN-ANSWER</details>

PLAIN-TEXT
""")
md("text-judge", """
## 3 · A judge for what G draws

Q is one side of InfoGAN. The paper's figures show the other: what G draws. To score that, somebody has to look at a picture and say how far the head is turned. So a small network was trained on 50,000 rendered pictures *with* their factors; it is called a judge, it scores, and it trains nothing. How good is it, on pictures that it never saw?
""")
code("judge", """
judge = load_judge(faces)
pictures, factors, _ = faces.images_and_factors(by_budget(full=2000, quick=1000), seed=12345, progress=False)
says, truth = judged(judge, pictures), faces.values(factors)
for name in ("azimuth", "elevation", "light", "expression"):
    print(f"{name:>10}: correlation {np.corrcoef(says.values[name], truth[name])[0, 1]:.2f}")
print(f"  identity: right in {(says.values['identity'] == truth['identity']).float().mean():.2f}")
""")
md("text-judge-2", """
The judge's last hidden layer has 64 features, and gives a Fréchet distance, as the classifier did in notebook 04: 0 where fakes have the features of real pictures, and FLOOR between two draws of real ones.

## 4 · A D that does not run away

Notebook 03 bounded D's weights to keep it from winning too early. Here is another way. Where fakes are as good as real pictures D has nothing to say, so that it may as well be flat there. R1 asks for that (Mescheder et al. 2018): a penalty on the slope of D's logit at real pictures,

$$ R_1 = \\frac{\\gamma}{2} \\, \\mathbb{E}_{x \\sim p_\\text{data}} \\big\\| \\nabla_x D(x) \\big\\|^2 . $$

In words: move one pixel of a real picture a little; D's opinion should hardly change. γ says how hard it is asked; it is R1_GAMMA here. For a D that is linear, D(x) = w·x, the slope is w at every picture, and the penalty is known without any data.
""".replace("R1_GAMMA", "0.3"))
code("r1-by-hand", """
weights = torch.randn(32 * 32, generator=torch.Generator().manual_seed(0))
real = to_model_range(pictures[:8]).requires_grad_()
logit = real.flatten(1) @ weights
(slope,) = torch.autograd.grad(logit.sum(), real, create_graph=True)
penalty = R1_GAMMA / 2 * slope.flatten(1).square().sum(dim=1).mean()
module = r1_penalty(lambda images: (images.flatten(1) @ weights, None), real, None, None)
print(f"by hand {penalty:.1f}, γ/2 |w|² = {R1_GAMMA / 2 * weights.square().sum():.1f}, the module's {module:.1f}")
""")
md("text-r1", """
*From here on it comes from `infogan_helpers.games`.* It is asked every fourth step, and counts four times there. D has no batch norm any more: the penalty is on each picture by itself.

R1-TEXT
""")
md("text-noise", """
## 5 · The noise comes last

G has 32 dimensions of noise besides its five codes. Nothing tells it to draw azimuth with a code rather than with noise; λ only asks that the codes be *seen*. So let the noise wait: multiply it by a weight that grows from 0 to 1 over nine tenths of the run. At first only the codes can make one picture differ from another. D asks for heads that are turned and lit in all ways, so that codes have to do it, and the loudest properties of the pictures settle on them. Then the rest moves in, into the noise.

The picture shows all weights that change over a run. G waits a little as well: for a tenth of the run its rate rises, while D and Q already look at real pictures.
""")
code("schedules", """
config = noise_last.Config()
weights = {"noise": config.noise, "learning rates": config.learning_rate_factor, "memory": config.memory}
schedules(weights, caption="Shares of each weight's largest value over a run.")
""")
md("text-floor", """
One thing more is asked of Q. Its answer for a uniform code is a Gaussian with a σ of its own. The smaller σ is, the more nats an exact answer is worth, so that a G that is pushed for nats hides a code's last digits in texture, where Q can read them and no eye sees them. So σ has a floor, 0.3: an answer that is exact may not claim to be.

> **Before you run the next cell.** A code on [-1, 1] that Q reads exactly, with a σ of 0.3. Is it worth half a nat, one, or two?
""")
code("floor", """
for sigma in (0.3, 0.1, 0.05):
    worth = math.log(2) - 0.5 * math.log(2 * math.pi * sigma**2)
    print(f"σ = {sigma:.2f}: an exact answer is worth {worth:.2f} nats")
""")
md("text-floor-2", """
<details><summary>Answer</summary>One: 0.98. It is the code's entropy, log 2, and the log-likelihood of an answer that hits the mean, -½ log 2πσ². With a σ of 0.05, the least that the networks of notebook 03 allow, it is 2.77.</details>

Five uniform codes are worth 4.9 nats at most, then. That is enough: it is about what it takes to tell a few positions of each apart, and there is nothing to be had for more.
""")
md("text-circle", """
## 6 · A circle for what goes round

A chair turns all the way round. A uniform code lies on [-1, 1]. A map from the circle to the segment that never jumps has to come back: walk once round, and the code that went up comes down again. It may come down steeply, over a small part of the circle.

> **Before you run the next cell.** The circular correlation is 1 where an angle follows another, and 0 where it doesn't. A code rises over most of the circle and returns over 20, 10, 5 or 1 % of it. How well does it follow the angle?
""")
code("tents", """
angle = np.linspace(-np.pi, np.pi, 10_000, endpoint=False)
turn = (angle + np.pi) / (2 * np.pi)  # the share of a turn, 0 to 1
tents = {f"{back:.0%} to return": np.interp(turn, [0, 1 - back, 1], [-1, 1, -1]) for back in (0.2, 0.1, 0.05, 0.01)}
for name, code in tents.items():
    by_hand = max(abs(np.exp(1j * (np.pi * code - s * angle)).mean()) for s in (1, -1))
    print(f"{name:>13}: {by_hand:.2f}; the module: {circular_correlation(np.pi * code, angle):.2f}")
curves(turn, tents, xlabel="share of a turn", ylabel="code", caption="Four codes without a jump.")
""")
md("text-tents", """
<details><summary>Answer</summary>0.78, 0.89, 0.95, 0.99: 1 is approached and never reached. Without a jump a code can follow nearly the whole circle. The price is paid on the way back, where a small turn runs through the whole range of the code.</details>

A network has to learn that way back. Here is one of two layers that is shown where an angle points, its cosine and sine, and asked for the angle on [-1, 1]:
""")
code("learned-tent", """
torch.manual_seed(0)
network = nn.Sequential(nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))
optimizer = torch.optim.Adam(network.parameters(), 3e-3)
at = torch.tensor(angle, dtype=torch.float32)
points = torch.stack([at.cos(), at.sin()], dim=1)
for step in range(by_budget(full=1000, quick=500)):
    rows = torch.randint(len(at), (256,))
    loss = (network(points[rows])[:, 0] - at[rows] / math.pi).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
learned = network(points)[:, 0].detach().numpy()
print(f"circular correlation {circular_correlation(math.pi * learned, angle):.2f}")
""", ["nbval-ignore-output"])
code("learned-tent-figure", """
error = np.abs(np.angle(np.exp(1j * (math.pi * learned - angle))))
shown = {"asked for": angle / np.pi, "learned": learned}
print(f"off by more than 30° on {np.mean(error > math.pi / 6):.2f} of the circle")
curves(turn, shown, xlabel="share of a turn", ylabel="code", caption="The way back, at the cut, is where it errs.")
""", ["nbval-ignore-output"])
md("text-circle-2", """
So a segment can nearly do it, and a network learns it with a few degrees of the circle lost, when somebody tells it the angle. In InfoGAN nobody does. The honest way is a code that *is* a circle: drawn as an angle, even on the circle; given to G as its cosine and sine; read by Q as a direction with a von Mises density, the Gaussian of the circle. The price is one sentence: we tell the networks that something goes round.
""")
md("text-mirror", """
## 7 · The mirror

A mirrored picture of a head is a picture of a head. What happens to the factors is known without looking at any: azimuth and light change their sign, elevation and expression stay. A chair's rotation becomes its negative. So let Q read a picture *and* its reflection, and let the two answers settle it. For a code that is to be odd (change its sign), take half the difference of the two answers; for one that is to be even (stay), half the sum.

> **Before you run the next cell.** Q is new, its weights are random. How far is its answer on a mirrored picture from the mirrored answer?
""")
code("mirror", """
torch.manual_seed(0)
spec = CodeSpec(categorical=(), continuous=5, noise=32, odd=2)
new = MirroredDiscriminatorQ(spec)
here, there = (read_codes(new, x).mean for x in (pictures[:100], pictures[:100].flip(3)))
signs = torch.tensor([-1, -1, 1, 1, 1])
print(f"spread of the answers {here.std(dim=0).mean():.3f}")
print(f"largest distance from the mirrored answer {(there - signs * here).abs().max():.6f}")
""")
md("text-mirror-2", """
<details><summary>Answer</summary>Nowhere, whatever the weights: half the difference of two numbers changes its sign when they change places, and half the sum does not. A loss would have to be learned; this holds by construction.</details>

D judges the picture alone. What a prior takes for granted, in one sentence: *a mirrored picture is as likely as the picture, and we know how many of the codes the mirror turns.* For faces that is two odd codes of five; for chairs the circle. That is less than to say what the two are.

## 8 · Answers that lie as codes do

Azimuth and light are both odd. Nothing so far tells them apart: c1 may follow their sum and c2 their difference, and G can draw that. Codes are uniform and independent of each other, so Q's answers on *real* pictures should be, too. That says more than it seems to. Take two uniform codes, and turn the square that they fill:
""")
code("moments", """
codes = 3**0.5 * (2 * torch.rand(100_000, 2, generator=torch.Generator().manual_seed(0)) - 1)  # variance 1
for degrees in (0, 15, 45):
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    z = codes @ torch.tensor([[c, -s], [s, c]])
    fourth, joint = (z[:, 0] ** 4).mean(), (z[:, 0] ** 2 * z[:, 1] ** 2).mean()
    print(f"turned by {degrees:2}°: correlation {(z[:, 0] * z[:, 1]).mean():.2f}, E z⁴ = {fourth:.2f}, E z₁² z₂² = {joint:.2f}")
""")
md("text-moments", """
All three have the same variances and no correlation; second moments can't tell them apart. Fourth moments can: a mixture of two uniform codes is a tent, with a larger E z⁴ (Comon 1994; independent component analysis lives on it). So one more term for Q: the moments of its answers on real pictures, up to the fourth and of each pair of codes, are pulled towards those of codes. And it owes real pictures a memory: once a slow average of Q's weights has read a picture in one way, Q is held to that reading (a squared distance), or the noise, as it comes in, takes over what the codes had.

Independence is not enough to name axes. MOMENTSTEXT

## 9 · Two minutes on your machine

All of it is one page, `methods/noise_last.py`; lay it beside `methods/infogan.py`. Here is a short run, the same in every budget.
""")
code("short-run", """
config = noise_last.Config(steps=600, sample_every=600)
few, _, _ = faces.images_and_factors(4000, seed=7, progress=False)
run = noise_last.fit(few, WORLD_PRESETS["faces"].spec, config)
""", ["nbval-ignore-output"])
code("short-run-facts", """
read = read_codes(run.discriminator_q, pictures).mean
short = code_factor_table(read, truth, faces)
print(short.round(2))
assert short["light"].iloc[:2].max() > 0.5  # a claim that held on SEEDS
""", ["nbval-ignore-output"])
md("text-short", """
SHORT-TEXT

## 10 · Faces, five seeds

The models that come with this notebook were trained for longer. First pictures, as the paper shows them: a row moves one code from -1 to 1 and holds the others and the noise.
""")
code("faces-rows", """
base = model.spec.sample(1, torch.Generator().manual_seed(3))
rows = [base.sweep_continuous(k, np.linspace(-1, 1, 9)) for k in range(5)]
image_grid(
    torch.cat([draw_images(model.generator, row) for row in rows]),
    9,
    ink=False,
    scale=0.9,
    row_labels=model.spec.names,
    column_labels=np.linspace(-1, 1, 9).tolist(),
    caption="What each code does to one head. Nobody labelled a pose.",
)
""")
code("faces-beside", """
drawn = draw_images(model.generator, model.spec.sample(12, torch.Generator().manual_seed(5)))
image_grid(
    torch.cat([drawn, to_model_range(pictures[:12])]),
    12,
    ink=False,
    scale=0.7,
    row_labels=["drawn by G", "rendered"],
    caption="Twelve heads by G, codes and noise drawn at random, and twelve rendered ones.",
)
""")
md("text-faces-rows", "FACES-ROWS")
code("faces-judged", """
codes = model.spec.sample(by_budget(full=2000, quick=1000), torch.Generator().manual_seed(4))
obeyed = code_factor_table(codes.continuous, judged(judge, draw_images(model.generator, codes)).values, faces)
read = code_factor_table(read_codes(model.discriminator_q, pictures).mean, truth, faces)
both = pd.concat({"Q reads": read, "G draws": obeyed}, axis=1)
both.columns = [f"{factor}, {who}" for who, factor in both.columns]
heatmap(both, xlabel="factor", ylabel="code", limits=(0, 1), caption="|ρ|: what Q reads, and what a judge sees in G's.")
""")
md("text-faces-judged", "Now every seed, not the best of five. Each cell has the code that follows the factor best, its |ρ|, and the next code's in brackets.")
code("faces-seeds", "by_seed(model.card[\"runs\"][\"faces\"])")
code("faces-g", """
def by_judge(runs):
    \"\"\"The same for what the judge sees in G's pictures, and their Fréchet distance.\"\"\"
    rows = [row | {"Q": row["G"]} for row in runs]
    frechet = {f"seed {row['seed']}": f"{row['Fréchet distance']:.1f}" for row in runs}
    return by_seed(rows).drop(columns=["MIG", "L_I"]).assign(Fréchet=frechet)


by_judge(model.card["runs"]["faces"])
""")
md("text-faces-seeds", "FACES-SEEDS")
md("text-ideas", """
## 11 · Each idea left out once
""")
code("ideas", """
def means(prefix, factors):
    \"\"\"For each variant: seeds, mean and worst |ρ| of the best code of Q and of G, mean Fréchet distance.\"\"\"
    rows = {}
    for name, runs in model.card["runs"].items():
        best = {(who, f): [max(row[who][f].values()) for row in runs] for who in "QG" for f in factors}
        cells = {f"{f}, {who}": f"{np.mean(b):.2f} ({min(b):.2f})" for (who, f), b in best.items()}
        frechet = np.mean([row["Fréchet distance"] for row in runs])
        rows[name.removeprefix(prefix)] = {"seeds": len(runs)} | cells | {"Fréchet": f"{frechet:.0f}"}
    return pd.DataFrame(rows).T


means("faces_", ("azimuth", "elevation", "light"))
""")
md("text-ideas-2", "IDEAS")
md("text-chairs", """
## 12 · Chairs
""")
code("chairs-turn", """
seats = load_pretrained("chairs")
base = seats.spec.sample(4, torch.Generator().manual_seed(2))
angles = np.linspace(-math.pi, math.pi, 36, endpoint=False)
turning = base.sweep_circular(0, angles)
turned = draw_images(seats.generator, turning)
image_grid(turned[::4], 9, ink=False, scale=0.9, column_labels=[f"{math.degrees(a):.0f}°" for a in angles[::4]], caption="Four chairs; along a row c4 goes once round.")
""")
code("chairs-loop", """
order = torch.arange(4 * 36).reshape(4, 36).T.flatten()
Image(animation(turned[order], 4, 36, ink=False), format="gif", alt="Four chairs that turn as c4 runs round.")
""")
md("text-chairs-2", "CHAIRS")
code("chairs-seeds", "by_seed(seats.card[\"runs\"][\"chairs\"])")
code("chairs-g", "by_judge(seats.card[\"runs\"][\"chairs\"])")
md("text-chairs-3", "CHAIRS-SEEDS")
md("text-not-found", """
## 13 · What was not found, and what it would cost

NOTFOUND

An earlier version of this notebook reached azimuth 0.97, elevation 0.94, light 0.94 and rotation 0.97 on five seeds of five. It had a *view* for every code, a measurement written by hand: an outline for azimuth, a lopsided brightness for light, an angle computed from seat and back for rotation. That is nearly the answer, and Q was taught it; what G drew followed rotation with 0.03. It cost 1,000 lines of the module, which no other picture would have had a use for.
""")
for id in ("text-62", "exercise-1", "solution-1"): keep(id)
md("text-65", """
<details><summary>In words</summary>

Each difference of angles is a point on the unit circle. If they all agree, their mean has length 1, wherever it points: an offset does no harm. The second term lets one angle run backwards.

</details>

**2 · Odd and even** (medium, 10 minutes). Write `answers(read, images)`. `read` gives two numbers for each image, shape `(n, 2)`. Make the first one odd and the second one even, whatever `read` is: ask it about the images and about their reflections.
""")
code("exercise-2", """
def answers(read, images):
    return ...


# check_mirrored_answers(answers)
""")
code("solution-2", """
# @title Solution
def answers(read, images):
    here, there = read(images), read(images.flip(3))
    return torch.stack([here[:, 0] - there[:, 0], here[:, 1] + there[:, 1]], dim=1) / 2


check_mirrored_answers(answers)
""", ["solution"])
md("text-68", """
<details><summary>In words</summary>

Reflect the images, and `here` and `there` change places. A difference then changes its sign, and a sum does not.

</details>

**3 · R1** (hard, 20 minutes). Write `r1(d, real, gamma)` for a `d` that gives a logit for each image: γ/2 times the mean squared norm of its slope at the real images. A step on it has to reach D's weights.
""")
code("exercise-3", """
def r1(d, real, gamma):
    return ...


# check_r1_penalty(r1)
""")
code("solution-3", """
# @title Solution
def r1(d, real, gamma):
    x = real.detach().clone().requires_grad_()
    (slope,) = torch.autograd.grad(d(x).sum(), x, create_graph=True)
    return gamma / 2 * slope.flatten(1).square().sum(dim=1).mean()


check_r1_penalty(r1)
""", ["solution"])
md("text-71", """
<details><summary>In words</summary>

The sum over the batch has each image's own slope in its gradient, since no image's logit depends on another image. `create_graph=True` keeps the way back from the slope to the weights; without it the penalty is a number that nobody can step on.

</details>
""")
md("text-72", "SUMMARY")
md("text-73", """
## References

- Chen et al., [InfoGAN](https://arxiv.org/abs/1606.03657), 2016, section 7.2 and appendix C.4 and C.5: the settings, and the figures with faces and chairs.
- Paysan et al., [A 3D Face Model for Pose and Illumination Invariant Face Recognition](https://doi.org/10.1109/AVSS.2009.58), 2009; Aubry et al., [Seeing 3D Chairs](https://doi.org/10.1109/CVPR.2014.487), 2014: the paper's data.
- Mescheder, Geiger, Nowozin, [Which Training Methods for GANs do actually Converge?](https://arxiv.org/abs/1801.04406), 2018: R1.
- Comon, [Independent component analysis, a new concept?](https://doi.org/10.1016/0165-1684(94)90029-9), 1994: mixtures taken apart by their fourth moments.
- Locatello et al., [Challenging Common Assumptions in the Unsupervised Learning of Disentangled Representations](https://arxiv.org/abs/1811.12359), 2019: why something has to be taken for granted.
- Jammalamadaka & SenGupta, Topics in Circular Statistics, 2001: correlation of angles.
""")
