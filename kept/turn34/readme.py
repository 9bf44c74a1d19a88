import json, numpy as np
R=json.load(open('/work/main/tests/benchmarks/results/worlds.json'))
def runs(n): return [r for r in R if r["run"]==n]
def best(r,who,f): return max(r["figures"][who][f].values())
def nxt(r,who,f): return sorted(r["figures"][who][f].values())[-2] if len(r["figures"][who][f])>1 else 0
rows=[]
def row(label,n,fn,d=2):
    v=[fn(r) for r in runs(n)]
    if v: rows.append(f"| {label} | {len(v)} | {np.mean(v):.{d}f} | {min(v):.{d}f} to {max(v):.{d}f} |")
for f in ("azimuth","elevation","light"):
    row(f"Faces, by the paper's algorithm: {f}, Q","faces",lambda r:best(r,"Q",f)); row(f"the same, the next code","faces",lambda r:nxt(r,"Q",f)); row(f"Faces: {f}, what the judge sees in G's","faces",lambda r:best(r,"G",f))
row("Faces: expression, Q","faces",lambda r:best(r,"Q","expression"))
row("Faces: MIG","faces",lambda r:r["figures"]["MIG"]); row("Faces: Fréchet distance","faces",lambda r:r["figures"]["Fréchet distance"],1)
for f in ("azimuth","elevation","light"): row(f"Faces, the same after 800 steps: {f}, Q","faces_short",lambda r:best(r,"Q",f))
row("Faces, after 800 steps: Fréchet distance","faces_short",lambda r:r["figures"]["Fréchet distance"],1)
for f in ("azimuth","elevation","light"): row(f"Faces, by `noise_last`: {f}, Q","faces_noise_last",lambda r:best(r,"Q",f))
row("Faces, by `noise_last`: Fréchet distance","faces_noise_last",lambda r:r["figures"]["Fréchet distance"],1)
for n,lab in (("chairs","Chairs"),("chairs_plain","Chairs, by the paper's algorithm"),("chairs_segment","Chairs, a segment for the circle")):
    row(f"{lab}: rotation, Q",n,lambda r:best(r,"Q","rotation")); row(f"{lab}: rotation, the next code",n,lambda r:nxt(r,"Q","rotation")); row(f"{lab}: rotation, G",n,lambda r:best(r,"G","rotation"))
    row(f"{lab}: width, Q",n,lambda r:best(r,"Q","width")); row(f"{lab}: height, Q",n,lambda r:best(r,"Q","height")); row(f"{lab}: Fréchet distance",n,lambda r:r["figures"]["Fréchet distance"],1)
for n,lab in (("sprites","Sprites"),("sprites_plain","Sprites, by the paper's algorithm"),("sprites_control","Sprites, λ = 0")):
    row(f"{lab}: MIG",n,lambda r:r["figures"]["MIG"]); row(f"{lab}: FactorVAE score",n,lambda r:r["figures"]["FactorVAE"])
    for f in ("x","y","scale"): row(f"{lab}: {f}, Q",n,lambda r:best(r,"Q",f))
    row(f"{lab}: Fréchet distance",n,lambda r:r["figures"]["Fréchet distance"],1)
print("\n".join(["| | seeds | mean | lowest to highest |","|---|---|---|---|",*rows]))
