md("text-00", by and "".join(by["text-00"]["source"]).split("**You will be able to**")[0] + """**You will be able to**
- set up the paper's two experiments on 3D objects, and give the table that the paper could not: which code found which factor, in Q and in what G draws;
- write a penalty that keeps D from running away, and say what it asks of D;
- let the noise come last, so that the loudest properties of the pictures settle on the codes;
- give a code the shape of what it is to follow: a circle for what goes round, a sign for what a mirror turns;
- tell from five seeds what was found, what was not, and what was only lucky.

**You should know** λ and the trunk ([notebook 04](04_training_on_mnist.ipynb)), the metrics and `Sprites` ([notebook 06](06_measuring_disentanglement.ipynb)).

**Time** TIME minutes on two CPU cores, one training of a minute among them; not yet measured on a GPU. The other models come trained. `INFOGAN_BUDGET=quick` makes fewer pictures.

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
## 2 · The paper's settings, and the paper's algorithm on faces

The paper gives its faces 5 uniform codes, and its chairs three codes of 20 classes and a uniform one; each with 128 dimensions of noise. Our faces have the same 5 uniform codes, our chairs two uniform ones and one that goes round (section 7), each with 32 dimensions of noise.

Faces first, by the paper's algorithm and nothing added: the networks of notebook 03 at a quarter of their width, one learning rate, λ = 0.1, 5,333 steps of 96 pictures. Five seeds were trained beforehand, FACEMIN minutes each on one thread. Nobody labelled a pose. Here is seed 0, shown as the paper shows its faces: a row moves one code from -1 to 1 and holds the others and the noise.
""")
code("faces-rows", """
model = load_pretrained("faces")
base = model.spec.sample(1, torch.Generator().manual_seed(3))
rows = [base.sweep_continuous(k, np.linspace(-1, 1, 9)) for k in range(5)]
image_grid(
    torch.cat([draw_images(model.generator, row) for row in rows]),
    9,
    ink=False,
    scale=0.9,
    row_labels=model.spec.names,
    column_labels=np.linspace(-1, 1, 9).tolist(),
    caption="What each code does to one head.",
)
""")
md("text-faces-rows", """
FACES-ROWS

The paper stops at such pictures. Now the table that it could not give. Q reads pictures that no training saw; factors enter to score only. |ρ| is Spearman's rank correlation without its sign.

> **Before you run the next cell.** Five codes, four factors that one number can follow. How many columns will have one code, and one only, above 0.8?
""")
code("faces-table", """
pictures, factors, _ = faces.images_and_factors(by_budget(full=2000, quick=1000), seed=12345, progress=False)
truth = faces.values(factors)
follows = code_factor_table(read_codes(model.discriminator_q, pictures).mean, truth, faces)
heatmap(
    follows,
    xlabel="factor",
    ylabel="code",
    limits=(0, 1),
    caption="Seed 0: |ρ| of each of Q's codes with each factor that has an order.",
)
""")
md("text-faces-table", "FACES-TABLE\n\nAnd every seed, not the best of five. Each cell has the code that follows the factor best, its |ρ|, and the next code's in brackets; MIG and L_I of the five codes, in nats, stand beside them.")
code("faces-seeds", """
def by_seed(runs, who="Q"):
    \"\"\"For every seed and factor the code that follows it best, its |ρ| and the next code's; MIG; L_I in nats.\"\"\"
    rows = {}
    for row in runs:
        table = {}
        for factor, follow in row[who].items():
            (code, best), (_, other) = sorted(follow.items(), key=lambda item: -item[1])[:2]
            table[factor] = f"{code} {best:.2f} ({other:.2f})"
        rows[f"seed {row['seed']}"] = table | {"MIG": f"{row['MIG']:.2f}", "L_I": f"{row['L_I']:.1f}"}
    return pd.DataFrame(rows).T


by_seed(model.card["runs"]["faces"])
""")
md("text-faces-seeds", "FACES-SEEDS")
code("faces-short", "by_seed(model.card[\"runs\"][\"faces_short\"])")
md("text-faces-short", "FACES-SHORT")
md("text-judge", """
## 3 · A judge for what G draws

Q is one side of InfoGAN. The paper's figures show the other: what G draws. To score that, somebody has to look at a picture and say how far the head is turned. So a small network was trained on 50,000 rendered pictures *with* their factors; it is called a judge, it scores, and it trains nothing. How good is it, on pictures that it never saw?
""")
code("judge", """
judge = load_judge(faces)
says = judged(judge, pictures)
for name in ("azimuth", "elevation", "light", "expression"):
    print(f"{name:>10}: correlation {np.corrcoef(says.values[name], truth[name])[0, 1]:.2f}")
print(f"  identity: right in {(says.values['identity'] == truth['identity']).float().mean():.2f}")
""")
md("text-judge-2", """
The judge's last hidden layer has 64 features, and gives a Fréchet distance, as the classifier did in notebook 04: 0 where fakes have the features of real pictures, and 0.5 between two draws of real ones. What it says of the five runs, of 5,000 pictures by each G:
""")
code("faces-g", """
def by_judge(runs):
    \"\"\"The same for what the judge sees in G's pictures, and their Fréchet distance.\"\"\"
    distances = {f"seed {row['seed']}": f"{row['Fréchet distance']:.1f}" for row in runs}
    return by_seed(runs, "G").drop(columns=["MIG", "L_I"]).assign(Fréchet=distances)


by_judge(model.card["runs"]["faces"])
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
md("text-faces-g", """
FACES-G

## 4 · The same algorithm on chairs

A chair is thin bars on black, and it turns all the way round. The same networks, the same five minutes, and the chairs' own codes:
""")
code("chairs-plain", """
seats = load_pretrained("chairs")
by_judge(seats.card["runs"]["chairs_plain"])
""")
md("text-chairs-plain", "CHAIRS-PLAIN")
md("text-r1-0", """
## 5 · A D that does not run away

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
## 6 · The noise comes last

G has 32 dimensions of noise besides its codes. Nothing tells it to turn a chair with a code rather than with noise; λ only asks that the codes be *seen*. So let the noise wait: multiply it by a weight that grows from 0 to 1 over nine tenths of the run. At first only the codes can make one picture differ from another. D asks for chairs that are turned in all ways, so that codes have to do it, and the loudest properties of the pictures settle on them. Then the rest moves in, into the noise.

The picture shows both weights that change over a run. G waits a little as well: for a tenth of the run its rate rises, while D and Q already look at real pictures.
""")
code("schedules", """
config = noise_last.Config()
weights = {"noise": config.noise, "learning rates": config.learning_rate_factor}
schedules(weights, caption="Shares of each weight's largest value over a run.")
""")
md("text-circle", """
## 7 · A circle for what goes round

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
for _ in range(by_budget(full=1000, quick=500)):
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
## 8 · The mirror

A mirrored picture of a chair is a picture of a chair. What happens to the factors is known without looking at any: the rotation becomes its negative, the size stays. (Of a head, azimuth and light change their sign, elevation and expression stay.) So let Q read a picture *and* its reflection, and let the two answers settle it. For a code that is to be odd (change its sign), take half the difference of the two answers; for one that is to be even (stay), half the sum; of two directions the mean, the reflection's turned back first.

> **Before you run the next cell.** Q is new, its weights are random. How far is its answer on a mirrored picture from the mirrored answer?
""")
code("mirror", """
torch.manual_seed(0)
spec = CodeSpec(categorical=(), continuous=2, noise=32, circular=1, odd=1)
new = MirroredDiscriminatorQ(spec)
here, there = (as_columns(read_codes(new, x)) for x in (pictures[:100], pictures[:100].flip(3)))
signs = torch.tensor([-1, 1, -1])  # c1 is odd, c2 is even, c3 is an angle
print(f"spread of the answers {here.std(dim=0).mean():.3f}")
print(f"largest distance from the mirrored answer {(there - signs * here).abs().max():.6f}")
""")
md("text-mirror-2", """
<details><summary>Answer</summary>Nowhere, whatever the weights: half the difference of two numbers changes its sign when they change places, and half the sum does not. A loss would have to be learned; this holds by construction.</details>

D judges the picture alone. What the prior takes for granted, in one sentence: *a mirrored picture is as likely as the picture, and we know how many of the codes the mirror turns.* For chairs that is the circle and no other code. It is less than to say what the circle is.

## 9 · A minute on your machine

All of it is one page, `methods/noise_last.py`; lay it beside `methods/infogan.py`. Here is a short run, the same in every budget.
""")
code("short-run", """
config = noise_last.Config(steps=600, sample_every=600)
few, _, _ = chairs.images_and_factors(4000, seed=7, progress=False)
run = noise_last.fit(few, WORLD_PRESETS["chairs"].spec, config)
""", ["nbval-ignore-output"])
code("short-run-facts", """
seen, kinds, _ = chairs.images_and_factors(1000, seed=12345, progress=False)
rotations = chairs.values(kinds)
short = code_factor_table(as_columns(read_codes(run.discriminator_q, seen)), rotations, chairs, circular=1)
print(short.round(2))
assert short.loc["c3", "rotation"] > 0.25  # a claim that held on every seed and processor that we tried
""", ["nbval-ignore-output"])
md("text-short", """
SHORT-TEXT

## 10 · Chairs, CHAIRSEEDS seeds

The models that come with this notebook ran for 6,000 steps of 32 pictures, CHAIRMIN minutes on one thread. Seed 0:
""")
code("chairs-turn", """
base = seats.spec.sample(4, torch.Generator().manual_seed(2))
angles = np.linspace(-math.pi, math.pi, 36, endpoint=False)
turned = draw_images(seats.generator, base.sweep_circular(0, angles))
image_grid(
    turned[::4],
    9,
    ink=False,
    scale=0.9,
    column_labels=[f"{math.degrees(angle):.0f}°" for angle in angles[::4]],
    caption="Four chairs; along a row c3 goes once round.",
)
""")
code("chairs-loop", """
order = torch.arange(4 * 36).reshape(4, 36).T.flatten()
Image(animation(turned[order], 4, 36, ink=False), format="gif", alt="Four chairs that turn as c3 runs round.")
""")
md("text-chairs-2", "CHAIRS")
code("rotation-figure", """
reads = as_columns(read_codes(seats.discriminator_q, seen))
scatter(
    {"one picture": np.stack([rotations["rotation"] / math.pi - 1, reads[:, 2] / math.pi], axis=1)},
    xlabel="rotation, in half turns from the rear",
    ylabel="c3 as Q reads it, in half turns",
    caption="Seed 0. A circle that follows would be a line that leaves at the top and comes back at the bottom.",
)
""")
md("text-rotation", "ROTATION")
code("chairs-seeds", "by_seed(seats.card[\"runs\"][\"chairs\"])")
code("chairs-g", "by_judge(seats.card[\"runs\"][\"chairs\"])")
md("text-chairs-3", "CHAIRS-SEEDS\n\nAnd a segment in the circle's place: c1 odd, on [-1, 1], everything else the same.")
code("segment-seeds", "by_judge(seats.card[\"runs\"][\"chairs_segment\"])")
md("text-chairs-4", """
SEGMENT

## 11 · Each idea left out

1,500 steps each, a quarter of the run above. |ρ| is of the best code, by Q and by the judge; the worst seed in brackets.
""")
code("ideas", """
def means(names, factors):
    \"\"\"For each variant the mean and the worst |ρ| of the best code of Q and of G, and the mean Fréchet distance.\"\"\"
    rows = {}
    for name, shown in names.items():
        runs = seats.card["runs"][f"chairs_{name}"]
        best = {(who, f): [max(row[who][f].values()) for row in runs] for who in "QG" for f in factors}
        cells = {f"{f}, {who}": f"{np.mean(b):.2f} ({min(b):.2f})" for (who, f), b in best.items()}
        frechet = np.mean([row["Fréchet distance"] for row in runs])
        rows[shown] = {"seeds": len(runs)} | cells | {"Fréchet": f"{frechet:.0f}"}
    return pd.DataFrame(rows).T


variants = {"whole": "all of it", "batch": "batch norm for R1", "spectral": "spectral norm for R1"}
variants |= {"noise_first": "all noise from the start", "no_mirror": "no mirror", "control": "λ = 0"}
means(variants, ("rotation", "width"))
""")
md("text-ideas-2", "IDEAS")
md("text-not-found", """
## 12 · What was not found, and what was tried

NOTFOUND

TRIED

An earlier version of this notebook reached azimuth 0.97, elevation 0.94, light 0.94 and rotation 0.97 on five seeds of five. It had a *view* for every code, a measurement written by hand: an outline for azimuth, a lopsided brightness for light, an angle computed from seat and back for rotation. That is nearly the answer, and Q was taught it; in what G drew, rotation followed its code with 0.03. It cost a thousand lines of the module that no other picture had a use for.
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
- Cohen & Welling, [Group Equivariant Convolutional Networks](https://arxiv.org/abs/1602.07576), 2016: answers that turn as pictures do, by construction.
- Locatello et al., [Challenging Common Assumptions in the Unsupervised Learning of Disentangled Representations](https://arxiv.org/abs/1811.12359), 2019: why something has to be taken for granted.
- Jammalamadaka & SenGupta, Topics in Circular Statistics, 2001: correlation of angles.
""")
