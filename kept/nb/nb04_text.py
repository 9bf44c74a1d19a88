exec(open("/work/exp/nb04_draft.py").read())
# --- head
sub("text-00", "- name the failure that each addition of this project's recipe answers, what it brought, and what it takes for granted.",
    "- name the failure that each addition of this project's recipe answers, what it brought, what it takes for granted, and what a run without it comes to;\n- tell a run that mixed two digits from one that didn't, without a label.")
sub("text-00", "on an H100 the recipe's training takes 1.5 minutes, the rest was not measured on a GPU.", "not measured on a GPU.")
sub("imports-of-the-module", "from infogan_helpers.plots import curves, dots, heatmap, image_grid, schedules",
    "from infogan_helpers.plots import curves, dots, heatmap, image_grid, schedules")
sub("imports", "from scipy.optimize import linear_sum_assignment", "from scipy.optimize import linear_sum_assignment\nfrom scipy.stats import spearmanr\nfrom sklearn.metrics import roc_auc_score")

# --- 8
sub("text-additions", "all 60,000 training digits, 1,200 steps, seeds 0 to 2, and 3 and 4 too for the last two",
    "all 60,000 training digits, 1,500 steps, which is half of the recipe's own, seeds 0 to 2, and 3 and 4 too for the last two")
put("brought", '''
def brought(*rungs):
    """Accuracy of c1 on the test digits, seed by seed; and the largest |ρ| of any code with slant and thickness."""
    for rung in rungs:
        of = runs[f"{rung}, full"].loc[:99]
        figures = {"c1": of.accuracy, "slant": of["rho slant"], "thickness": of["rho thickness"]}
        words = [f"{name} " + " ".join(f"{value:.2f}"[1:] for value in column) for name, column in figures.items()]
        print(f"{rung.replace('_', ' '):>11}:", "  ".join(words))


brought("nothing", "trunk")
''')
sub("text-copies", "rotated by up to 17 degrees, sheared, scaled, shifted, bent, thickened or thinned, at random.",
    "rotated by up to 17 degrees, sheared by up to 31, scaled by up to a sixth, shifted, bent, thickened or thinned, at random.")
sub("text-11", "A G that wrote c1 into\nslant would earn less for it, because T blurs slant before Q looks.</details>",
    "A G that wrote c1 into\nslant would earn less for it, because T blurs slant before Q looks.</details>\n\nHow much does T blur? Measure slant, thickness and width of real digits and of a copy of each. Were both normal, a correlation ρ would leave $-\\tfrac12\\ln(1-\\rho^2)$ nats.")
t11 = "".join(by["text-11"]["source"])
head, tail = t11.split("\n\nThis is knowledge about digits")
put("text-11", head)
new("text-11", "copies-leave", '''
few = to_model_range(train.images[:2000])
copy = random_style(few, torch.Generator().manual_seed(0))
for name in ("slant", "thickness", "width"):
    rho = spearmanr(MEASURES[name](few), MEASURES[name](copy), nan_policy="omit").statistic
    print(f"{name:>9}: ρ {rho:.2f} between digit and copy, {-np.log(1 - rho**2) / 2:.1f} nats left")
''', "code", [IGNORE])
new("copies-leave", "text-copies-leave", TEXT_LEAVE + "\n\nThis is knowledge about digits" + tail)
put("text-brought-copies", BROUGHT_COPIES)
put("text-brought-start", BROUGHT_START)
put("text-brought-keep", BROUGHT_KEEP)
put("text-brought-schedule", BROUGHT_SCHEDULE)
put("text-trunk", TRUNK)

# --- 12
put("text-17", '''
<details><summary>Answer</summary>The last one: ln 4 = 1.3863 nats. Being sure is worth nothing where the answer never changes, and neither is balance without an opinion.</details>

How much does balance weigh in it? Let one of ten answers never be given, and each of the other nine as often as the next: the average answer's entropy falls from ln 10 = 2.303 to ln 9 = 2.197 nats, a twentieth. That is little to pay for two digits on one code and two codes on another digit. So at first the first of the two entropies counts four times (Hu et al. 2017 found the same weight):

$$ 4\\, H\\big(\\mathbb{E}_x\\,Q(\\cdot \\mid x)\\big) - \\mathbb{E}_x\\,H\\big(Q(\\cdot \\mid x)\\big) . $$

Between a quarter and a half of the run the 4 falls to 1, and what is left is the mutual information: no batch of 128 digits is quite even, and a Q that is held to evenness has to call some of them by a wrong name.

The second thing is consistency: whatever Q says on an image, it should say on a copy of it. The loss is the cross-entropy from its answer on the image, held fixed, to its answer on the copy. These are old ideas from clustering and semi-supervised learning, where they are known as information maximisation, class balance and consistency. They train Q and the trunk, not G. Neither knows a label, and each takes something for granted: that the classes are about equally frequent, and that a copy of a digit is the same digit.

Both weigh 3, and rise to it over the first 15 % of the run. *When* they are asked is a choice as well: where Q is sure and wrong, consistency makes it surer. Asked early, Q has nothing yet to hold on to.
''')
put("text-brought-real", BROUGHT_REAL)
# --- 13
put("text-brought-strokes", BROUGHT_STROKES)
drop("failed-run", "text-failed-run")
sub("ladder", "The ladder, 1,200 steps:", "The ladder, 1,500 steps:")
new("ladder", "text-which", TEXT_WHICH)
new("text-which", "omissions", '''
omitted = ["real_digits", *(name.split(",")[0] for name in runs if name.startswith(("without", "asked")))]
left_out = {"all parts": "strokes"} | {rung.replace("_", " "): rung for rung in omitted}
left_out["without strokes"] = left_out.pop("real digits")  # the ladder's last line but one
for name, rung in left_out.items():
    of = runs[f"{rung}, full"].loc[:4]
    figures = {"c1": of.accuracy, "slant": of["rho slant"], "thickness": of["rho thickness"]}
    words = [f"{what} " + " ".join(f"{value:.2f}"[1:] for value in column) for what, column in figures.items()]
    print(f"{name:>21}: {sum(of.accuracy < 0.96)} of {len(of)} failed ", "  ".join(words))
''', "code")
new("omissions", "omissions-figure", '''
dots(
    {name: runs[f"{rung}, full"].loc[:4].accuracy for name, rung in left_out.items()},
    xlabel="c1 accuracy, test digits",
    ylabel="left out",
    caption="The recipe less one part, 1,500 steps. Labels score, nothing else.",
)
''', "code")
new("omissions-figure", "text-omissions", TEXT_OMISSIONS)
new("text-omissions", "text-failed", TEXT_FAILED)
new("text-failed", "failed-run", '''
short = pd.concat([runs[f"{rung}, full"].loc[:4] for rung in left_out.values()], keys=left_out)
pair = {"failed": short.loc[short.accuracy.idxmin()], "good": short.loc[("all parts", 0)]}
for name, of in pair.items():
    print(f"{name:>6}, {of.name[0]}, seed {of.name[1]}: L_I of c1 {of['L_I categorical']:.2f} nats,", end=" ")
    print(f"c1 read back from {of['code recovery']:.3f} of fakes, the digit in {of.accuracy:.3f}")
heatmap(
    pd.DataFrame(np.array(pair["failed"].confusion)),
    xlabel="code c1, in the order of the matched digits",
    ylabel="label (used to score only)",
    decimals=0,
    unit="test digits",
    caption="The run that failed. A row with two coloured cells is a digit that two codes share.",
)
''', "code")
new("failed-run", "text-how-to-know", '''
Labels tell the two apart. L_I does not, and neither does the share of fakes that is read back: ten styles can be told apart as well as ten digits. What would you look at if there were no labels at all?

Two copies of one digit are one digit. So make two copies of each real digit, let Q answer both, and count how often each pair of answers occurs. Where a code holds a digit, its answer comes back. Where two codes share a digit, by how wide it is, say, a copy that is a little wider goes to the other code.
''')
new("text-how-to-know", "answers-by-hand", '''
@torch.no_grad()
def answers_on_copies(discriminator_q, images, random):
    copies = (add_stray_strokes(random_style(images, random), 0.5, random) for _ in range(2))
    one, other = (discriminator_q(x)[1].categorical_logits[0].double().softmax(dim=1) for x in copies)
    return ((one.T @ other + other.T @ one) / (2 * len(images))).numpy()


dq, some = run.discriminator_q.cpu(), train.images[:1000]
mine = answers_on_copies(dq, to_model_range(some), torch.Generator().manual_seed(0))
print(f"the module's, beside yours: {np.abs(mine - recipe.answers_on_copies(dq, some)).max():.3f} apart")
''', "code")
new("answers-by-hand", "answers-figure", '''
for name, of in pair.items():
    share, answer, other = recipe.most_confused(np.array(of["answers on copies"]))
    print(f"{name:>6}: of two copies, where one is answered {answer}, the other is {other} in {share:.0%}")
joint = np.array(pair["failed"]["answers on copies"])
heatmap(
    pd.DataFrame(joint / joint.sum(axis=1, keepdims=True)),
    xlabel="answer to the other copy",
    ylabel="answer to one copy",
    unit="share of the row",
    caption="The run that failed, seen without a label: which answers become which on a second copy.",
)
''', "code")
new("answers-figure", "text-answers", TEXT_ANSWERS)
new("text-answers", "signs", '''
at_a_third = pd.DataFrame(
    (point["confused"], accuracy < 0.96)
    for rung in left_out.values()
    for accuracy, curve in zip(runs[f"{rung}, full"].accuracy, runs[f"{rung}, full"].curve, strict=True)
    for point in curve
    if point["step"] == 600
)
sign, failed = at_a_third[0], at_a_third[1]
print(f"{len(sign)} runs, {failed.sum()} failed; area under the ROC curve {roc_auc_score(failed, sign):.2f}")
print(f"above 0.18: {sum(sign[failed] > 0.18)} of those that failed, {sum(sign[~failed] > 0.18)} of the others")
dots(
    {"good at the end": sign[~failed], "failed": sign[failed]},
    xlabel="largest share of one answer that becomes one other, after 600 steps",
    ylabel="run",
    caption="Read off without a label, 900 steps before the end. Labels say only which runs failed.",
)
''', "code")
new("signs", "text-restart", TEXT_RESTART)
# --- renumber
for id, old, newn in (("text-recipe", "## 14 ·", "## 16 ·"), ("text-66", "## 16 ·", "## 18 ·"), ("text-69", "## 17 ·", "## 19 ·")):
    sub(id, old, newn)
sub("exercises-06", "The ladder adds; now subtract. Repeat section 14 for two seeds and 1,200 steps with one part of the recipe switched off: `consistency=0.0`, or `stray_strokes=0.0`, or `instance_noise=0.0`, or `information_trains_trunk=False`.",
    "Section 14 takes whole parts away; take a piece. Repeat section 16 for two seeds and half the steps with `restarts=0` and one number of the recipe changed: `consistency=1.0`, or `class_balance=1.0`, or `augment=0.5`.")
sub("exercises-06", 'for changes in ({}, {"consistency": 0.0}):', 'for changes in ({}, {"consistency": 1.0}):')
sub("exercises-06", "replace(config, steps=1200, seed=seed, **changes)", "replace(config, steps=1500, restarts=0, seed=seed, **changes)")
sub("text-recipe", "for 4,000 steps. With `INFOGAN_BUDGET=quick`, as in the tests, the same cell trains for 240 steps,", "for 3,000 steps. With `INFOGAN_BUDGET=quick`, as in the tests, the same cell trains for 240 steps, too few to be judged on,")
sub("config", "steps=by_budget(full=4000, quick=240), sample_every=by_budget(full=400, quick=60)", "steps=by_budget(full=3000, quick=240), restarts=by_budget(full=4, quick=0), sample_every=by_budget(full=300, quick=60)")
put("config", '''
config = recipe.Config(
    steps=by_budget(full=3000, quick=240),
    restarts=by_budget(full=4, quick=0),
    sample_every=by_budget(full=300, quick=60),
)
''')
sub("config-facts", '''print("\\n".join(f"{name} = {value}" for name, value in changed.items() if name not in ("steps", "sample_every")))''',
 '''by_name = (f"{name} = {value}" for name, value in changed.items() if name not in ("steps", "restarts", "sample_every"))
print("\\n".join(by_name))''')
put("text-52", TEXT_SEEDS)
put("seeds", '''
seeds = runs["recipe, full"]
shown = ["accuracy", "nmi", "code recovery", "L_I categorical", "rho slant", "rho thickness", "sure"]
print(seeds[shown].agg(["min", "median", "max"]).round(3).to_string())
print(f"{len(seeds)} seeds, in order of their number:", *(f"{a:.4f}"[1:] for a in seeds.accuracy))
print("started again after a fifth, seeds:", *seeds.index[seeds["steps given up"] > 0])
''')
put("text-56", TEXT_56)
sub("by-the-clock", 'some = {"recipe": (0, 1, 2), "plain": (0, 1, 2), "paper": (0, 3)}', 'some = {"recipe": (100, 101, 102), "plain": (0, 1, 2), "paper": (0, 3)}')
sub("text-66", "The recipe passes 95 % within five minutes;", TEXT_CLOCK)
for _s in [by_text("text-00")]:
    put("text-00", _s.replace("**Previous**", "**Symbols** [in one table](../README.md#notation) · **Previous**", 1))
# ============ issue 31 ============
put("the-loop", '''
spec = CodeSpec(categorical=(10,), continuous=2, noise=62)
plain = replace(
    infogan.PRESETS["plain"], steps=by_budget(full=800, quick=150), sample_every=by_budget(full=200, quick=30)
)


def train_by_hand(images, config, step=train_step):
    seed_everything(config.seed)
    players, draws = make_players(spec, images.shape[1:], config), torch.Generator().manual_seed(config.seed)
    for _ in range(config.steps):
        batch = images[torch.randint(len(images), (config.batch_size,), generator=draws)]
        step(players, to_model_range(batch), spec, config, draws)
    return players
''')
put("loop-agrees", '''
short = replace(plain, steps=10, batch_size=32)
mine, theirs = (train_by_hand(train.images, short, step).generator for step in (train_step, infogan.train_step))
apart = max((a - b).abs().max() for a, b in zip(mine.parameters(), theirs.parameters(), strict=True))
print(f"G's weights after ten steps, the module's step beside yours: {apart:.3f} apart")
''')
put("facts", '''
recent = slice(-50, None)
read, recovered, right = (
    np.mean(getattr(run.history, name)[recent]) for name in ("bound_categorical", "code_recovery", "d_accuracy")
)
print(f"the last 50 steps: L_I of c1 {read:.2f} of 2.30 nats, c1 read back from {recovered:.0%} of fakes,", end=" ")
print(f"D right on {right:.0%}")
assert min(read - 0.7, recovered - 0.8, right - 0.55) > 0  # nats and shares; after the quick run, too
''')
tag("facts", IGNORE)
put("text-28", by_text("text-28").replace("> **Before you run the next cell.** Would the two runs still agree if only the weights had been saved?", "> **Before you run the next cell.** The file holds all that the next step depends on. How much of it is the weights of both networks: nearly all, half, or less?"))
put("resume", '''
small = replace(infogan.PRESETS["plain"], steps=20, batch_size=32, width=0.1, checkpoint_every=5, sample_every=20)
whole = infogan.fit(train.images[:500], spec, small, device="cpu", progress=False)
with tempfile.TemporaryDirectory() as folder:
    file = f"{folder}/run.safetensors"
    infogan.fit(train.images[:500], spec, replace(small, steps=10), device="cpu", checkpoint=file, progress=False)
    saved = pd.Series({name: tensor.numel() for name, tensor in load_tensors(file)[0].items()})
    resumed = infogan.fit(train.images[:500], spec, small, device="cpu", checkpoint=file, progress=False)
pairs = zip(whole.generator.state_dict().values(), resumed.generator.state_dict().values(), strict=True)
print(f"weights of G in one piece and cut in two: {max((a - b).abs().max() for a, b in pairs):.3f} apart")
print(saved.groupby(lambda name: name.split(".")[0]).sum().sort_values(ascending=False).to_string())
''')
put("text-30", by_text("text-30").replace("<details><summary>Answer</summary>No. Adam would start again with moments at zero and take other steps from the first update on, and the codes and the order of the images would be others too.</details>",
    "<details><summary>Answer</summary>Less than a third of the numbers. Adam keeps two moments for each weight; with moments at zero it would take other steps from the first update on. Random states and the order of the images are in the file too: without them the codes would be others. The rest is a sample picture and the curves.</details>"))
put("diverge", '''
try:
    infogan.fit(train.images[:500], spec, replace(small, learning_rate_g=1e30), device="cpu", progress=False)
except FloatingPointError as error:
    print(str(error).partition(". ")[2])
''')
put("bound-facts", '''
ours, theirs = (np.mean(of.history.bound_categorical[-50:]) for of in (run, control))
print(f"L_I of c1 over the last 50 steps: {ours:.2f} nats with λ = 1, {theirs:.2f} with λ = 0")
assert min(ours - theirs - 0.7, 0.4 - theirs) > 0  # after the quick runs, too
''')
tag("bound-facts", IGNORE)
put("score-facts", '''
differ = (match_codes_to_labels(seen, train.labels) != matching).sum()
print("codes that the module matches otherwise:", differ)
off = evaluation.score_codes(run.discriminator_q, train, test).accuracy - accuracy
print(f"score_codes does all of this: its accuracy, less yours: {off:.4f}")
''')
new("text-plain-seeds", "one-to-one", '''
for seed, confusion in runs["paper, full"].confusion.items():
    table = np.array(confusion)  # rows: labels; columns: codes, in the order of the matched digits
    unnamed = sorted(set(range(10)) - set(table.argmax(axis=0).tolist())) or "none"
    print(f"paper, seed {seed}: one-to-one {np.trace(table) / table.sum():.3f},", end=" ")
    print(f"by majority {table.max(axis=0).sum() / table.sum():.3f}, digits that no code is called then: {unnamed}")
''', "code")
new("one-to-one", "text-one-to-one", ONE_TO_ONE)
put("answer-information", by_text("answer-information").replace('''    agrees = bool((answer_information(q.log().clamp(-100)) - by_hand).abs() < 1e-6)
    print(f"{name:>21}: {by_hand:.4f} nats, the module agrees: {agrees}")''', '''    print(f"{name:>21}: {by_hand:.4f} nats, the module {answer_information(q.log().clamp(-100)):.4f}")'''))
drop("recipe-facts")
put("score-recipe", '''
score = evaluation.score_codes(full.discriminator_q, train, test)
print(f"c1 on the test digits: {score.accuracy:.3f}, the plain run {accuracy:.3f}")
codes = spec.sample(5000, torch.Generator().manual_seed(1))
posterior = evaluation.read_codes(full.discriminator_q, evaluation.draw_images(full.generator, codes))
bound, recovered = lower_bound(posterior, codes, spec), code_recovery(posterior, codes)
print(f"on 5,000 fresh fakes: c1 recovered {recovered:.3f}, ", end="")
print(f"L_I {bound.categorical:.2f} nats for c1, {bound.continuous:.2f} for c2 and c3 together")
assert recovered > 0.5  # after the quick run, too
''')
put("solution-1", '''
# @title Solution
missing = spec.entropy().categorical - float(bound.categorical)
assert 0 < missing < 0.7, missing
print(f"{missing:.3f} nats are missing, {missing / spec.entropy().categorical:.1%} of them all")
''')
tag("solution-1", IGNORE)
put("solution-3", '''
# @title Solution
alone = infogan.fit(
    train.images,
    CodeSpec(categorical=(10,), continuous=0),
    replace(plain, steps=by_budget(full=250, quick=40), sample_every=1000),
    progress=False,
)
for name, history in {"alone": alone.history, "with c2 and c3": run.history}.items():
    steps = range(25, len(alone.history) + 1, 25)
    read = [np.mean(history.bound_categorical[n - 25 : n]) for n in steps]
    print(f"{name:>14}: L_I of c1, in nats, every 25 steps:", *(f"{nats:.2f}" for nats in read))
''')
tag("solution-3", IGNORE)
put("exercises-05", EX3_WORDS)
put("cost", '''
parts = {"restarts": 0, "stray_strokes": 0.0, "consistency": 0.0, "answer_information": 0.0}  # which are added in turn
stages = {
    "plain": (infogan, plain),
    "+ copies of fakes": (recipe, replace(config, **parts)),
    "+ copies of digits": (recipe, replace(config, restarts=0, stray_strokes=0.0)),
    "+ strokes: the recipe": (recipe, replace(config, restarts=0)),
}
for name, (method, settings) in stages.items():
    timed = method.fit(train.images, spec, replace(settings, steps=30), progress=False)
    print(f"{name:>21}: {1000 * timed.history.seconds / 30:.0f} ms per step of {settings.batch_size} images")
print(f"the recipe's run: {len(full.history)} steps in {full.history.seconds / 60:.1f} minutes on {default_device()}")
''')
put("text-68", COST)
new("text-36", "lambda-grid", '''
lambdas, pictures = (0.1, 0.3, 1.0, 3.0, 10.0), []
row = spec.sample(1, torch.Generator().manual_seed(1)).sweep_categorical(0, range(10))
for lam in lambdas:
    weighed = replace(plain, steps=by_budget(full=300, quick=20), lambda_categorical=lam, lambda_continuous=lam / 10)
    short_run = infogan.fit(train.images, spec, weighed, progress=False)
    read, right = (np.mean(short_run.history.metrics._asdict()[k][-50:]) for k in ("bound_categorical", "d_accuracy"))
    print(f"λ = {lam:>4}: L_I of c1 {read:5.2f} nats, D right on {right:.0%}")
    pictures.append(evaluation.draw_images(short_run.generator, row))
image_grid(
    torch.cat(pictures),
    10,
    row_labels=[f"λ = {lam}" for lam in lambdas],
    column_name="c1, everything else held",
    caption="The ten values of c1 after a short run, by λ.",
)
''', "code", [IGNORE])
new("text-36", "text-lambda", LAMBDA_Q)
new("lambda-grid", "text-lambda-answer", LAMBDA_A)
# --- section 10: what a copy leaves of what it keeps and of what it does not
new("views", "keeps-leave", '''
kept = random_style(few, torch.Generator().manual_seed(0), keep=("lean", "stroke"))
for name, rows in {"keep the lean": slice(0, None, 2), "keep the stroke": slice(1, None, 2)}.items():
    for measure in ("slant", "thickness"):
        rho = spearmanr(MEASURES[measure](few[rows]), MEASURES[measure](kept[rows]), nan_policy="omit").statistic
        print(f"copies that {name}: {measure} ρ {rho:.2f}, {-np.log(1 - rho**2) / 2:.1f} nats left")
''', "code", [IGNORE])
put("text-13", TEXT_13)
cells.remove(by["keeps-leave"]); cells.insert(cells.index(by["text-13"]) + 1, by["keeps-leave"])
new("keeps-leave", "text-13-answer", TEXT_13_ANSWER)
# --- the exercise in which the reader writes the step
sub("imports-of-the-module", "from infogan_helpers.exercises.notebook_04 import check_drawing", "from infogan_helpers.exercises.notebook_04 import check_drawing, check_training_step")
sub("imports-of-the-module", "from infogan_helpers.methods import digits as recipe", "from infogan_helpers.measures import MEASURES\nfrom infogan_helpers.methods import digits as recipe")
sub("imports-of-the-module", "from infogan_helpers.training_plots import", "from infogan_helpers.tensor_files import load_tensors\nfrom infogan_helpers.training_plots import")
sub("imports", "import torch\n", "import torch\nimport torch.nn.functional as F\n")
new("exercises-06", "exercises-07", '''
**5 · Write the training** (hard, 60 minutes). From an empty cell to a step with copies (section 8) and the term on real digits (section 12), without schedules, in at most 30 lines. c1 is read from a copy of the fake, c2 and c3 from the fake itself; consistency and `answer_information` weigh 1, λ stands in the configuration; L_I trains the trunk. You have all that you need: `discriminator_loss`, `generator_loss`, `lower_bound`, `random_style`, `answer_information`, `F.cross_entropy`, `descend`. The check watches who is shown what, who moves, and what is held fixed.
''')
new("exercises-07", "exercise-5", '''
def my_step(players, real, spec, config, generator=None):
    ...


# check_training_step(my_step)
''', "code")
new("exercise-5", "solution-5", '''
# @title Solution
def my_step(players, real, spec, config, generator=None):
    g, dq, n = players.generator, players.discriminator_q, len(real)
    codes = spec.sample(n, generator)
    fake = g(codes)
    (real_logit, on_real), (fake_logit, on_fake) = dq(real), dq(fake)
    on_copies = dq(torch.cat([random_style(fake, generator), random_style(real, generator)]))[1]
    on_copy = on_copies.rows(slice(0, n)).categorical_logits
    bound = lower_bound(on_fake._replace(categorical_logits=on_copy), codes, spec)
    information = config.lambda_categorical * bound.categorical + config.lambda_continuous * bound.continuous
    answer, again = on_real.categorical_logits[0], on_copies.rows(slice(n, None)).categorical_logits[0]
    of_real = F.cross_entropy(again, answer.detach().softmax(dim=1)) - answer_information(answer)
    d_loss, g_loss = discriminator_loss(real_logit, fake_logit), generator_loss(fake_logit)
    of_d, of_g = d_loss + of_real - information, g_loss - information
    descend({players.optimizer_d: of_d, players.optimizer_g: of_g, players.optimizer_q: of_real - bound.total})


check_training_step(my_step)
''', "code", ["solution"])
by["solution-5"]["metadata"]["jupyter"] = {"source_hidden": True, "outputs_hidden": True}
new("solution-5", "solution-5-run", '''
# @title Solution
weights = dict.fromkeys(("lambda_categorical", "consistency", "answer_information", "class_balance"), 1.0)
off = {"keep": (), "stray_strokes": 0.0, "instance_noise": 0.0, "learning_rate_factor": 1.0, "code_gain": 1.0}
mine = replace(config, steps=by_budget(full=400, quick=10), lambda_continuous=0.1, **weights, **off)
for name, step in {"yours": my_step, "the module's": recipe.train_step}.items():
    players = train_by_hand(train.images, mine, step)
    score = evaluation.score_codes(players.discriminator_q.eval(), train, test)
    print(f"{name:>12}: c1 on the test digits after {mine.steps} steps {score.accuracy:.3f}")
''', "code", ["solution", IGNORE])
by["solution-5-run"]["metadata"]["jupyter"] = {"source_hidden": True, "outputs_hidden": True}
new("solution-5-run", "exercises-08", '''
<details><summary>In words</summary>

Both draw the same codes, copies and batches, so the two figures are one. It is the recipe without its schedules, and without the start of section 9: enough to see that the copies and the real digits do their work.

</details>
''')
