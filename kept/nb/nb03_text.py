sub("sample-by-hand", 'print("each one-hot row sums to 1:", (one_hot.sum(dim=1) == 1).all().item())', 'print("classes:", classes[:, 0].tolist(), "· sums of the one-hot rows:", one_hot.sum(dim=1).tolist())')
sub("sample-with-spec", 'print("same draw as by hand:", torch.equal(spec.encode(codes), z))', 'print(f"beside the draw by hand: {(spec.encode(codes) - z).abs().max():.4f} apart")')
sub("adversarial-losses-from-the-module", 'print("the module\'s losses are yours:", all(torch.equal(a, b) for a, b in zip(mine, theirs, strict=True)))', 'print("the module\'s losses, less yours:", [f"{b - a:.4f}" for a, b in zip(mine, theirs, strict=True)])')
sub("mse-is-a-fixed-variance", 'print("same gradient:", torch.allclose(slope_fixed, slope_squared))', 'print(f"gradients of up to {slope_squared.abs().max():.2f}, {(slope_fixed - slope_squared).abs().max():.4f} apart")')
sub("code-losses-from-the-module", 'print("the module\'s bound is yours:", all(torch.allclose(a, b) for a, b in zip(mine, theirs, strict=True)))', 'print("the module\'s bound, at most apart:", [f"{(b - a).abs().max():.4f}" for a, b in zip(mine, theirs, strict=True)])')
sub("moves-against-train-step", '''    same_gradients = all(torch.allclose(a.grad, b.grad, atol=1e-6) for a, b in pairs)
    same_weights = all(torch.allclose(a, b, atol=1e-6) for a, b in pairs)
    print(f"{part:>15}: same gradients {same_gradients}, same weights after the step {same_weights}")''', '''    of_gradients = max((a.grad - b.grad).abs().max() for a, b in pairs)
    of_weights = max((a - b).abs().max() for a, b in pairs)
    print(f"{part:>15}: gradients {of_gradients:.4f} apart at most, weights after the step {of_weights:.4f}")''')
put("toy-results", '''
results = {run: measure(players) for run, (players, _) in runs.items()}
for (name, seed), (bound, recovered, of_arc, taken) in results.items():
    print(
        f"{name}, seed {seed}: L_I = {bound:.2f}, {recovered:4.0%} recovered, I(c1; arc) = {of_arc:.2f}, {taken} arcs"
    )
    if name.startswith("control"):
        assert bound < 0.9  # of ln 5 = 1.61 nats, at any budget
    else:
        assert bound > 0.9
        assert recovered > 0.8
''')
drop("toy-claims")
sub("solution-5", 'print("L_I lies between ln 5 and ln 8:", math.log(5) < eight < math.log(8))', 'print(f"L_I = {eight:.1f} nats, between ln 5 = {math.log(5):.2f} and ln 8 = {math.log(8):.2f}")')
tag("solution-5", IGNORE)
for _s in [by_text("text-00")]:
    put("text-00", _s.replace("**Previous**", "**Symbols** [in one table](../README.md#notation) · **Previous**", 1))
sub("text-10", "From logits, -log sigmoid(l) is softplus(-l) and -log(1 - sigmoid(l)) is softplus(l), neither", "From logits ℓ, -log sigmoid(ℓ) is softplus(-ℓ) and -log(1 - sigmoid(ℓ)) is softplus(ℓ), neither")
sub("text-10", "D(x) = sigmoid(logit) is its probability", "D(x) = sigmoid(ℓ) is its probability")
sub("text-10", "gives one number, its **logit**;", "gives one number, its **logit** ℓ;")
