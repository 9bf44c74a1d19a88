"""Build notebook 07 anew on branch turn; markdown that quotes figures is in T (filled by hand from the card)."""
import json, sys
ROOT = "/work/main"
P = ROOT + "/notebooks/07_faces_and_chairs.ipynb"
import subprocess; old = json.loads(subprocess.run(["git","-C",ROOT,"show","996c4c8:notebooks/07_faces_and_chairs.ipynb"],capture_output=True,text=True,check=True).stdout)
by = {c["id"]: c for c in old["cells"]}
cells = []
def lines(text):
    parts = text.strip("\n").split("\n")
    return [p + "\n" for p in parts[:-1]] + [parts[-1]]
def md(id, text): cells.append({"cell_type": "markdown", "id": id, "metadata": {}, "source": lines(text)})
def code(id, text, tags=None):
    cells.append({"cell_type": "code", "execution_count": None, "id": id, "metadata": dict(by["solution-1"]["metadata"]) if tags == ["solution"] else {"tags": tags} if tags else {}, "outputs": [], "source": lines(text)})
def keep(id):
    c = dict(by[id])
    if c["cell_type"] == "code": c["outputs"], c["execution_count"] = [], None
    cells.append(c)
exec(open("/work/exp/nb07t_text.py").read())
out = dict(old, cells=cells)
json.dump(out, open(P, "w"), ensure_ascii=False, indent=1); open(P, "a").write("\n")
import os
if os.path.exists("/tmp/T.json"):
    T = json.load(open("/tmp/T.json"))
    for c in cells:
        t = "".join(c["source"])
        if c["cell_type"] != "markdown": continue
        for k in sorted(T, key=len, reverse=True):
            import re
            t = re.sub(r"(?<![A-Za-z-])" + re.escape(k) + r"(?![A-Za-z-])", lambda m: T[k], t)
        c["source"] = lines(t)
    json.dump(dict(old, cells=cells), open(P, "w"), ensure_ascii=False, indent=1); open(P, "a").write("\n")
