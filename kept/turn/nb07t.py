"""Build notebook 07 anew on branch turn; markdown that quotes figures is in T (filled by hand from the card)."""
import json, sys
ROOT = "/work/turn"
P = ROOT + "/notebooks/07_faces_and_chairs.ipynb"
old = json.load(open(P))
by = {c["id"]: c for c in old["cells"]}
cells = []
def lines(text):
    parts = text.strip("\n").split("\n")
    return [p + "\n" for p in parts[:-1]] + [parts[-1]]
def md(id, text): cells.append({"cell_type": "markdown", "id": id, "metadata": {}, "source": lines(text)})
def code(id, text, tags=None):
    cells.append({"cell_type": "code", "execution_count": None, "id": id, "metadata": {"tags": tags} if tags else {}, "outputs": [], "source": lines(text)})
def keep(id):
    c = dict(by[id])
    if c["cell_type"] == "code": c["outputs"], c["execution_count"] = [], None
    cells.append(c)
exec(open("/work/exp/nb07t_text.py").read())
out = dict(old, cells=cells)
json.dump(out, open(P, "w"), ensure_ascii=False, indent=1); open(P, "a").write("\n")
