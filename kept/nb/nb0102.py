import json
def load(n): return json.load(open(f"/work/main/notebooks/{n}.ipynb"))
def save(n, nb): open(f"/work/main/notebooks/{n}.ipynb", "w").write(json.dumps(nb, indent=1, ensure_ascii=False) + "\n")
def lines(t):
    p = t.strip("\n").split("\n"); return [x + "\n" for x in p[:-1]] + [p[-1]]
class NB:
    def __init__(self, n): self.n, self.nb = n, load(n); self.cells = self.nb["cells"]; self.by = {c["id"]: c for c in self.cells}
    def put(self, i, t): self.by[i]["source"] = lines(t)
    def sub(self, i, a, b):
        s = "".join(self.by[i]["source"]); assert a in s, (i, a); self.by[i]["source"] = lines(s.replace(a, b))
    def new(self, after, i, t, kind="markdown"):
        c = {"cell_type": kind, "id": i, "metadata": {}, "source": lines(t)}
        if kind == "code": c = {"cell_type": kind, "execution_count": None, "id": i, "metadata": {}, "outputs": [], "source": lines(t)}
        self.cells.insert(next(k for k, x in enumerate(self.cells) if x["id"] == after) + 1, c); self.by[i] = c
    def save(self): save(self.n, self.nb)

a = NB("01_entropy_and_mutual_information")
a.sub("text-71", "exercise 4 tries another one", "exercise 5 tries another one")
a.put("text-86", r'''
At the left the generator ignores the code, and all is doubt. At the right every output gives its code away. In between the curve is bent: the last few mistakes are the expensive ones.

Nats are hard to picture, and "right in so many cases" is not. How do the two go together? Here are three channels with one thing in common: whoever reads $x$ as well as it can be read names the right code in 91 of 100 cases. The first now and then shows any of the other nine. The second is sometimes blank. The third is sometimes a shape that could be either of two digits, and never in doubt otherwise.

> **Before you run the next cell.** All three are read right in 91 % of cases. Which of them carries the most of the $\ln 10$ nats, and does any of them carry more than 91 %?
''')
a.put("code-87", '''
channels = {  # p(x | c), rows are codes
    "any of nine": 0.90 * np.eye(10) + 0.01,
    "blank": np.hstack([0.90 * np.eye(10), np.full((10, 1), 0.10)]),
    "one of two": np.hstack([0.82 * np.eye(10), 0.18 * np.repeat(np.eye(5), 2, axis=0)]),
}
for name, channel in channels.items():
    joint = channel / 10
    right, kept = joint.max(axis=0).sum(), mutual_information(joint)
    print(f"{name:>11}: right in {right:.0%} of cases, I = {kept:.4f} nats = {kept / np.log(10):.1%} of ln 10")
''')
a.new("code-87", "text-fano", r'''
<details><summary>Answer</summary>The third, 94.6 %, and it alone passes 91 %. What counts is not how often you are wrong but how much doubt a wrong case leaves: one digit in nine, one in ten, or one in two.</details>

Let $a$ be the share of cases in which the best reader is right. The doubt is largest if a wrong case may be any of the other nine digits: this is **Fano's inequality**, $H(c \mid x) \le h(a) + (1 - a) \ln 9$, with $h$ the entropy of a coin. It is smallest if the doubt is always between as few digits as can be, all equally likely. Between the two lies all that there is:
''')
a.new("text-fano", "fano-region", '''
right, few = np.linspace(0.1, 1, 181), np.arange(10, 0, -1)
most_doubt = np.array([entropy(np.array([p] + [(1 - p) / 9] * 9)) for p in right])  # Fano
least_doubt = np.interp(right, 1 / few, np.log(few))  # between k digits: right in 1 / k of cases, ln k nats
border = {"the most": np.log(10) - least_doubt, "the least (Fano)": np.log(10) - most_doubt}
curves(
    right, border | {"blank": np.log(10) * (right - 0.1) / 0.9}, levels={"H(c) = ln 10": np.log(10)},
    xlabel="share of cases in which the best reader is right", ylabel="I(c; x) (nats)",
    caption="Every channel lies between the upper and the lower curve: nine in ten may be 1.8 nats, or almost 2.2.",
)  # fmt: skip
''', "code")
a.new("fano-region", "fano-promise", '''
for nats in (1.8, 2.0, 2.2, 2.29):
    least, most = (np.interp(nats, border[name], right) for name in ("the most", "the least (Fano)"))
    print(f"{nats:.2f} nats: the best reader is right in at least {least:.1%} and at most {most:.1%} of cases")
''', "code")
s = "".join(a.by["text-88"]["source"]); tail = s[s.index("Two warnings go with the term."):]
a.put("text-88", '''
Read the rows from below. At 2.29 of 2.3026 nats nearly every output gives its code away. At 2.2 it may be one case in fourteen that does not, at 2.0 one in five, and 1.8 nats may belong to a channel that is read right in only 64 of 100 cases. Notebook 02 puts a lower bound in the place of $I$; then only the "at least" is promised. And all of this is about the outputs of $G$, not about real digits: notebook 04, section 6, asks about those.

''' + tail)
a.sub("text-88", "That $c_2$ turns out to be rotation in practice is owed to the shape of the prior and to what the networks find natural, and it has to be *measured*: notebook 05 does.",
      "In the paper's pictures $c_2$ turned out to be rotation. At the paper's settings we find that on no seed (notebook 04, section 7), and in this project's recipe it is owed to a choice of ours (notebook 04, section 10). So it has to be *measured*: notebook 05 does.")
a.save()

b = NB("02_variational_lower_bound")
b.sub("text-30", "exercise 2)", "exercise 3)")
s = "".join(b.by["text-16"]["source"])
b.sub("text-16", "The lemma is true, but one step of the proof printed in the paper turns an x into an x′\nwithout a reason. A proof with all of them", "The lemma is true, but one step of the proof printed in the paper turns an x into an x′ without a reason. It goes from\n\n$$ \\int_x \\int_y P(x, y)\\, f(x, y) \\int_{x'} P(x' \\mid y) \\quad\\text{to}\\quad \\int_x P(x) \\int_y P(y \\mid x) \\int_{x'} P(x' \\mid y)\\, f(x', y) , $$\n\nas if the terms under the integrals over x and y were the same. On the table above, with any f, they are not:\n@@A proof with all of them")
first, second = "".join(b.by["text-16"]["source"]).split("@@")
b.put("text-16", first)
b.new("text-16", "printed-slip", '''
f = np.random.default_rng(0).normal(size=(2, 3))  # any f(x, y) will do; here x is the code and y the image
before = joint * f * posterior.sum(axis=0)  # P(x, y) f(x, y), and the P(x' | y), which sum to 1
after = joint * (posterior * f).sum(axis=0)  # P(x) P(y | x), and f(x', y) averaged over x'
print("for each (x, y):\\n", before.round(4), "and\\n", after.round(4))
print("summed over x, for each y:", before.sum(axis=0).round(4), "and", after.sum(axis=0).round(4))
''', "code")
b.new("printed-slip", "text-repair", '''
No entry of the one table is that of the other, so the step is no equality of terms. Their columns have the same sums: what is missing is to sum over x first, for each y, and only then to call the x of one side x′. ''' + second)
b.sub("code-17", "f = np.random.default_rng(0).normal(size=(2, 3))  # any f(c, x) will do\n", "")
b.save()
