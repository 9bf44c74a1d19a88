exec(open("/work/exp/nb05_draft.py").read())
sub("imports", "import pandas as pd\nimport torch", "from copy import deepcopy\n\nimport numpy as np\nimport pandas as pd\nimport torch")
sub("imports", "from infogan_helpers import evaluation, measures", "from infogan_helpers import evaluation")
sub("imports", "from infogan_helpers.measures import slant, thickness", "from infogan_helpers.measures import slant, thickness, width")
sub("imports", "from infogan_helpers.plots import curves, heatmap, image_grid, measure_curves", "from infogan_helpers.plots import curves, dots, heatmap, image_grid, measure_curves\nfrom infogan_helpers.quality import classify, load_classifier")
put("eval-mode", '''
codes = spec.sample(100, torch.Generator().manual_seed(0))
in_train_mode = deepcopy(generator).train()  # a copy: drawing in train mode moves batch norm's running statistics
with torch.no_grad():
    for mode, g in {"train": in_train_mode, "eval": generator}.items():
        apart = (g(codes)[0] - g(codes[:50])[0]).abs().max()
        print(f"{mode:>5} mode: of pixels in [-1, 1] the two pictures differ by up to {apart:.2f}")
''')
sub("text-05", "One code, drawn alone and drawn in a batch of 100.", "One code, drawn in a batch of 50 and drawn in a batch of 100.")
sub("text-05", "so a digit would depend on the ninety-nine drawn beside it", "so a digit would depend on those drawn beside it")
sub("text-00", "- tell where the prior ends and the network is guessing;", "- tell where the prior ends and the networks extrapolate;")
put("recovery", '''
codes = spec.sample(2000, torch.Generator().manual_seed(3))
posterior = read_codes(discriminator_q, draw_images(generator, codes))
bound, most = lower_bound(posterior, codes, spec), spec.entropy()
print(f"c1 read back on {code_recovery(posterior, codes):.1%} of 2,000 fakes")
print(f"L_I of c1: {bound.categorical:.2f} of {most.categorical:.2f} nats; of c2 and c3: {bound.continuous:.1f}")
''')
put("slant-by-hand", '''
ink = (images[40, 0].double() + 1) / 2  # the middle of the plane
y, x = torch.meshgrid(torch.arange(28.0), torch.arange(28.0), indexing="ij")
weight = ink / ink.sum()
dx, dy = x - (weight * x).sum(), y - (weight * y).sum()
by_hand = torch.atan(-(weight * dx * dy).sum() / (weight * dy * dy).sum())
print(f"by hand {by_hand:.3f} radians, the module {slant(images[40:41])[0]:.3f}")
''')
put("measure-facts", '''
swept_along = {"c2": measured["c2"]["slant (radians)"], "c3": measured["c3"]["thickness (pixels)"]}
strokes = measured["c3"]["thickness (pixels)"].mean(axis=0)
rows = {f"{code}, {what}": getattr(x, what)(axis=0) for code, x in swept_along.items() for what in ("mean", "std")}
print(pd.DataFrame(rows, index=values.tolist()).T[[-2, -1, 0, 1, 2]].round(2).to_string())
real = thickness(mnist_sample(train=None).images)
print("of 5,000 real digits, bolder than c3's mean at -1 and at -2:", *((real > strokes[i]).sum() for i in (2, 0)))
''')
put("text-29", TEXT_29)
put("table-facts", '''
followed = evaluation.followed_measures(table)
print(followed.round(2).to_string())
''')
put("text-33", by_text("text-33").replace("That is a choice that we made, not a discovery.", "That is a choice that we made, not a discovery: at the paper's settings, which choose nothing, no code follows either of them at 0.9 (notebook 04, section 7)."))
put("text-35", TEXT_35)
put("five-seeds", '''
seeds = pd.DataFrame(card["runs"]["recipe, full"]).set_index("seed")
dots(
    {"slant": seeds["rho slant"], "thickness": seeds["rho thickness"]},
    xlabel="the larger |ρ| of c2 and c3, everything random",
    ylabel="measure",
    caption=f"{len(seeds)} seeds of the recipe, every one that was run.",
)
''')
new("five-seeds", "which-code", '''
print(seeds.groupby(["code of slant", "code of thickness"]).size().rename("seeds").to_string())
print(seeds[["rho slant", "rho thickness"]].agg(["min", "median", "max"]).round(2).to_string())
''', "code")
put("text-37", TEXT_37)
put("beyond", '''
for value in (-2, -1, 1, 2):
    print(f"c2 at {value:+d}: Q reads {means[values == value].item():+.2f} on average")
''')
put("text-41", TEXT_41)
put("variance", '''
codes = spec.sample(100, torch.Generator().manual_seed(6))
noises = spec.sample(100, torch.Generator().manual_seed(7)).noise
with torch.no_grad():
    grid = torch.stack([generator(codes.replace(noise=n.expand(100, -1))) for n in noises])  # (noise, codes, 1, 28, 28)
total = grid.flatten(0, 1).var(dim=0).sum()
by_codes, by_noise = (float(grid.mean(dim=d).var(dim=0).sum() / total) for d in (0, 1))
print(f"codes alone {by_codes:.2f}, noise alone {by_noise:.2f}, only both together {1 - by_codes - by_noise:.2f}")
''')
put("text-46", TEXT_46)
put("text-47", '''
## 9 · A traversal that lies

A common script draws new noise for every cell of its grid. Compare: on top one code moves; below, the same code moves and the noise with it.

> **Before you run the next cells.** Below, can you still tell that c2 leans the digit? And would you say that it changes the digit's width?
''')
sub("lying", 'caption="The lower row can\'t tell you what c2 does: each picture differs from its neighbour in 63 numbers."', 'caption="On top a picture differs from its neighbour in one number, below in 63."')
new("lying", "lying-facts", '''
inside = torch.linspace(-1, 1, 9)
held = samples.sweep_continuous(0, inside)
other_noise = spec.sample(len(held), torch.Generator().manual_seed(8)).noise
rows = {"noise held": held, "noise redrawn": held.replace(noise=other_noise)}
for name, codes in rows.items():
    x = {m.__name__: m(draw_images(generator, codes)).reshape(200, 9) for m in (slant, thickness, width)}
    steps = "  ".join(f"{m} {np.abs(np.diff(v)).mean():.2f}" for m, v in x.items())
    follows = np.mean([np.corrcoef(inside, row)[0, 1] for row in x["slant"]])
    print(f"{name:>13}: from picture to picture {steps}; correlation of c2 with slant {follows:.2f}")
''', "code")
put("text-49", TEXT_49)
put("text-56", TEXT_56B)
new("redraw", "survives", '''
unseen = mnist_sample(train=None)  # 5,000 digits that no training of this model saw; labels score the class
pick = torch.randperm(5000, generator=torch.Generator().manual_seed(0))[:1000]
real, labels = unseen.images[pick], unseen.labels[pick]
posterior = read_codes(discriminator_q, real)
redrawn = draw_images(generator, codes_read(posterior, noise_seed=1))
named = classify(load_classifier(), redrawn)[0].argmax(dim=1)
print(f"class kept: {(named == labels).float().mean():.1%}, says a classifier")
for measure in (slant, thickness, width):
    before, after = measure(real), measure(redrawn)
    slope = np.polyfit(before, after, 1)[0]
    print(f"{measure.__name__:>9}: mean error {np.abs(after - before).mean():.2f}, spread {before.std():.2f}", end=", ")
    print(f"correlation {np.corrcoef(before, after)[0, 1]:.2f}, slope {slope:.2f}")
''', "code")
put("redraw", '''
def codes_read(posterior, noise_seed):  # what Q says of c1, c2, c3; the noise is chance
    codes = spec.sample(len(posterior.mean), torch.Generator().manual_seed(noise_seed))
    c1 = posterior.categorical_logits[0].argmax(dim=1, keepdim=True)
    return codes.replace(categorical=c1, continuous=posterior.mean.clamp(-1, 1))


real = mnist_sample(train=False).images[60:1000:120]
codes = codes_read(read_codes(discriminator_q, real), noise_seed=1)
turned = codes.replace(continuous=codes.continuous * torch.tensor([0.0, 1.0]) + torch.tensor([1.0, 0.0]))
drawn = [draw_images(generator, c) for c in (codes, turned)]
image_grid(
    torch.cat([to_model_range(real), *drawn]),
    8,
    row_labels=["real", "redrawn", "c2 at 1"],
    caption="No label is used: Q reads c1, c2 and c3 off each real digit. The noise is chance.",
)
''')
sub("control", '''recovered = [c["measured"]["code recovery"] for c in (card, control_card)]
print(
    "λ:", weights, "· steps:", control_card["config"]["steps"], "· c1 read back from fakes, and without λ:", recovered
)''', '''print("λ:", weights, "· steps:", control_card["config"]["steps"])
for name, c in {"InfoGAN": card, "λ = 0": control_card}.items():
    print(f"{name:>7}: c1 read back from {c['measured']['code recovery']:.1%} of fakes")''')
sub("exercises-02", "That is what the traversals in section 10 that lie do differently.", "That is what the traversals of section 9 that lie do differently.")
put("solution-3", '''
# @title Solution
every = spec.sample(500, torch.Generator().manual_seed(0))
fixed = every.replace(categorical=torch.full((500, 1), 3), continuous=torch.zeros(500, 2))
held, free = (width(draw_images(generator, codes)).std() for codes in (fixed, every))
assert 0 < held / free < 1, held / free
print(f"width varies by {held:.1f} pixels where only the noise does, by {free:.1f} over everything: {held / free:.2f}")
''')
sub("exercise-3", "# assert 0.2 < ratio < 1, ratio", "# assert 0 < ratio < 1, ratio")

put("export", '''
page = export_explorer("explorer.html", generator, discriminator_q, seed=1)
print(f"{page.name}: {page.stat().st_size / 1e6:.1f} MB")
''')
for _s in [by_text("text-00")]:
    put("text-00", _s.replace("**Previous**", "**Symbols** [in one table](../README.md#notation) · **Previous**", 1))
new("plane", "plane-facts", '''
base = spec.sample(200, torch.Generator().manual_seed(9))


def at(c2, c3):
    return draw_images(generator, base.replace(continuous=torch.tensor([[c2, c3]]).repeat(200, 1)))


digit = classify(load_classifier(), at(0.0, 0.0))[0].argmax(dim=1)  # trained with labels, used to score only
for c3 in (-1.0, 0.0, 1.0):
    turned = (slant(at(1.0, c3)) - slant(at(-1.0, c3))).mean()
    print(f"c3 at {c3:+.0f}: c2 from -1 to +1 turns the digit by {turned:.2f} radians on average")
for reach in (1.0, 2.0):
    corners = [at(x, y) for x in (-reach, reach) for y in (-reach, reach)]
    stays = np.mean([(classify(load_classifier(), x)[0].argmax(dim=1) == digit).float().mean() for x in corners])
    print(f"in the corners at ±{reach:.0f} {stays:.1%} are still the digit that they are in the middle")
''', "code")
put("text-22", TEXT_22)
