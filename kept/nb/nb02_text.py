sub("code-12", '''print("smallest of 1,000 divergences is positive:", min(kl_divergence(p, q) for p, q in pairs) > 0)
print("and from p to itself it is 0:", all(kl_divergence(p, p) == 0 for p, _ in pairs))''', '''print(f"the smallest of 1,000 divergences: {min(kl_divergence(p, q) for p, q in pairs):.4f}")
print(f"the largest from p to itself: {max(kl_divergence(p, p) for p, _ in pairs):.4f}")''')
sub("code-17", '''print("one by one:", np.allclose(left_terms, right_terms))
print("in total:", np.isclose(left_terms.sum(), right_terms.sum(), rtol=0, atol=1e-12))
print("and as the plain sum over (c, x):", np.isclose(left_terms.sum(), np.sum(joint * f), rtol=0, atol=1e-12))
print("swapping c and c' leaves p(c, x, c') as it was:", np.allclose(triple, triple.swapaxes(0, 2)))''', '''print(f"one by one, at most apart: {np.abs(left_terms - right_terms).max():.4f}")
print(f"in total: {left_terms.sum():.12f}, {right_terms.sum():.12f}")
print(f"and as the plain sum over (c, x): {np.sum(joint * f):.12f}")
print(f"p(c, x, c') after swapping c and c', at most apart: {np.abs(triple - triple.swapaxes(0, 2)).max():.12f}")''')
sub("code-19", '''    error = np.log(q[drawn, images]).mean() - line_4
    print(f"{name:>21}: within 0.01 nat of the exact E[log Q]: {abs(error) < 0.01}")''', '''    print(f"{name:>21}: mean of log Q {np.log(q[drawn, images]).mean():.3f}, exactly {line_4:.3f}")''')
sub("code-23", 'print("same numbers:", np.allclose(mine, theirs, rtol=0, atol=1e-12))', 'print(f"the module\'s numbers, beside yours: {np.subtract(mine, theirs).max():.12f} apart")')
sub("code-29", 'print("I - L_I equals E KL(P || Q) to 1e-12 for all of them:", max(map(abs, errors)) < 1e-12)', 'print(f"I - L_I and E KL(P || Q) for 100 random Qs, at most apart: {max(map(abs, errors)):.12f}")')
sub("code-32", '''    print(f"{name:>22}: L_I is 0: {abs(variational_lower_bound(p, q)) < 1e-12}, I(c; x) = {mutual_information(p):.4f}")''', '''    print(f"{name:>22}: L_I = {abs(variational_lower_bound(p, q)):.4f}, I(c; x) = {mutual_information(p):.4f}")''')
sub("code-34", 'print(f"a know-nothing Q in its place gives 0: {abs(variational_lower_bound(joint, lazy)) < 1e-12}")', 'print(f"a know-nothing Q in its place: L_I = {abs(variational_lower_bound(joint, lazy)):.4f}")')
sub("learned-bounds", '''gap = mutual_information(joint) - bounds["G uses c"][-1]
print("G uses c: the gap has closed to under 0.02 nat:", 0 <= gap < 0.02)
print("G ignores c: L_I stays within 0.02 nat of 0:", abs(bounds["G ignores c"][-1]) < 0.02)
print("G uses c: no step passed I(c; x):", max(bounds["G uses c"]) <= mutual_information(joint))''', '''for name, climb in bounds.items():
    print(f"{name}: L_I {climb[-1]:.3f} at the end, {max(climb):.3f} at most")
print(f"I(c; x) where G uses c: {mutual_information(joint):.3f}")''')
sub("code-43", 'print("identical gradients with and without H(c):", torch.equal(*gradients))', 'print(f"gradients with and without H(c), at most apart: {(gradients[0] - gradients[1]).abs().max():.12f}")')
sub("code-48", 'print("sample mean equals the exact bound to 1e-12:", abs(from_batch.total.item() - from_table) < 1e-12)', 'print(f"sample mean {from_batch.total.item():.12f}\\nexact bound {from_table:.12f}")')
sub("code-51", '''print("about every second batch lies above I(c; x):", bool(0.4 < np.mean(batch_bounds > information) < 0.6))
print("any batch lies above H(c):", bool((batch_bounds > math.log(10)).any()))
print("mean of 2,000 batches within 0.02 nat of I(c; x):", bool(abs(batch_bounds.mean() - information) < 0.02))''', '''print(f"share of 2,000 batches above I(c; x): {np.mean(batch_bounds > information):.2f}")
print(f"the highest batch: {batch_bounds.max():.2f} nats of H(c) = {math.log(10):.2f}")
print(f"their mean: {batch_bounds.mean():.3f} nats, I(c; x) = {information:.3f}")''')
sub("code-56", '''print("gradient of -L_I equals that of MSE / 2:", torch.allclose(from_bound, from_mse, rtol=0, atol=1e-12))
print("and it is not zero:", bool(from_bound.abs().max() > 0))''', '''print(f"gradients of -L_I and of MSE / 2, at most apart: {(from_bound - from_mse).abs().max():.12f}")
print(f"the largest of them: {from_bound.abs().max():.6f}")''')
sub("code-71", 'nats, L_I within 0.02 of it: {abs(bound - exact) < 0.02}")', 'nats, L_I = {bound:.3f}")')
sub("code-75", 'print("neither passes I(c; x):", bool((learned < exact).all() and (fixed < exact).all()))', 'print(f"the least lost at any noise: σ learned {min(exact - learned):.3f}, σ fixed {min(exact - fixed):.3f} nats")')
for _c in cells:
    _s = "".join(_c["source"])
    if "I(c; x), yes, about every second batch: the bound holds" in _s:
        _c["source"] = lines(_s.replace("I(c; x), yes, about every second batch: the bound holds", "I(c; x), yes, and 57 batches of 100 do: the bound holds"))

sub("text-70", "so a Gaussian Q can be perfect and the gap should vanish.", "so a Gaussian Q can be perfect and the gap should vanish, but for what a mean over 200,000 draws is off by: some thousandths of a nat.")
put("solution-3", '''
# @title Solution
mine = np.roll(np.eye(10), 1, axis=1) / 10
check_lower_bound_above(mine, joint, posterior)
for name, table in {"mine": mine, "channel": joint}.items():
    print(f"{name:>7}: L_I = {variational_lower_bound(table, posterior):7.4f}, I = {mutual_information(table):.4f}")
''')
sub("solution-1", "check_value(\"best epsilon\", max(scores, key=scores.get))", "check_value(\"best epsilon\", max(scores, key=scores.get))\nprint(f\"L_I there: {max(scores.values()):.4f}\")")
for _s in [by_text("text-00")]:
    put("text-00", _s.replace("**Previous**", "**Symbols** [in one table](../README.md#notation) · **Previous**", 1))
