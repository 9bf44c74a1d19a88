import json,glob
for p in glob.glob('/work/runs/worlds34/*.json'):
    d=json.load(open(p)); f=d["figures"]
    if "L_I continuous" in f:
        f={"L_I":f["L_I continuous"],**{k:v for k,v in f.items() if not k.startswith("L_I ")}}; d["figures"]=f
        json.dump(d,open(p,'w'),indent=1); open(p,'a').write("\n")
