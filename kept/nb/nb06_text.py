put("mig-toys", '''
for name, codes in toys.items():
    ours = mutual_information_gap(codes, toy_factors)
    module = disentanglement.mutual_information_gap(codes, toy_factors)
    print(f"{name:>15}: MIG = {ours:.2f}   the module: {module:.2f}")
''')
put("mig-bins", '''
scores = {
    f"{bins} bins": [disentanglement.mutual_information_gap(codes, toy_factors, bins) for codes in toys.values()]
    for bins in (5, 20, 100)
}
print(pd.DataFrame(scores, index=list(toys)).round(2).to_string())
''')
put("impossible", '''
u = rng.uniform(-1, 1, (20_000, 2))  # the codes of a perfectly disentangled model
gaussian = norm.ppf((u + 1) / 2)
turn = np.array([[1, -1], [1, 1]]) / np.sqrt(2)
v = 2 * norm.cdf(gaussian @ turn.T) - 1  # the codes of its twin
deciles = np.linspace(-0.8, 0.8, 9)
off = np.abs([(v[:, i] < d).mean() - (d + 1) / 2 for i in (0, 1) for d in deciles]).max()
print(f"share of either code below a decile: off by {off:.3f} at most")
print(f"correlation of the twin's two codes: {np.corrcoef(v.T)[0, 1]:.3f}")
''')
sub("text-38", "Half of the metrics call it perfect and three call it worthless.", "Five of the nine metrics call it perfect and three call it worthless.")
sub("text-38", "- **Pure noise** scores one half at Higgins and FactorVAE,", "- **Pure noise** scores 0.57 at Higgins and 0.50 at FactorVAE,")
sub("text-38", "which is chance with two factors.", "which is about chance with two factors.")
sub("s8-02", "From a tenth of the run on λ rises, and G has to obey (`methods.viewed.Config`, `views`; notebook 07, section 5). Here is what it does to one code in 200 steps, at any budget:",
    "From a tenth of the run on λ rises, and G has to obey (`methods.viewed.Config`, `views`; notebook 07 builds the loss in front of you). Here is what it does to one code in 200 steps, at any budget:")
put("sprite-run-facts", '''
pictures, truth, _ = world.images_and_factors(2000, seed=12345, progress=False)
read = read_codes(run.discriminator_q, pictures).mean
follows = code_factors.code_factor_table(read, truth, world).loc["c1"]
print("|ρ| of c1 with each factor:", follows.round(2).to_dict())
assert follows["x"] == follows.max() > 0.8  # a claim that holds on every processor that we tried
''')
tag("sprite-run-facts", IGNORE)
put("sprite-facts", by_text("sprite-facts").replace('print(f"this seed, measured here: MIG above 0.22: {gap > 0.22}, FactorVAE above 0.7: {score > 0.7}")', 'print(f"this seed, measured here: MIG {gap:.2f}, FactorVAE {score:.1f}")'))
put("sprite-obeys", by_text("sprite-obeys").replace('print(f"c{k + 2} and {name} of what G draws: correlation above 0.85: {bool(followed > 0.85)}")', 'print(f"c{k + 2} and {name} of what G draws: correlation {followed:.2f}")'))
sub("text-47", "2018: the two metrics of section 5.", "2018: the two metrics that hold one factor.")
for _s in [by_text("text-00")]:
    put("text-00", _s.replace("**Previous**", "**Symbols** [in one table](../README.md#notation) · **Previous**", 1))
sub("text-00", "- write such an assumption as a *view*, and score what InfoGAN makes of it over five seeds.", "- read a score of InfoGAN's beside its floors, and say which assumption a *view* puts in and what it decides.")
