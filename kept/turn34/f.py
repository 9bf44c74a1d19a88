import json,glob,sys
for p in sorted(glob.glob('/work/runs/worlds34/*.json')):
    d=json.load(open(p)); f=d["figures"]
    print(d["run"],d["seed"],round(d["seconds"]),"MIG %.3f F %.1f L %.2f"%(f["MIG"],f["Fréchet distance"],f.get("L_I",f.get("L_I continuous"))),{k:round(v,2) for k,v in f.items() if k.startswith("NMI") or k=="FactorVAE"}, *(f"{w}:"+" ".join(f"{a} "+"/".join(f"{x:.2f}" for x in v.values()) for a,v in f[w].items()) for w in "QG"))
