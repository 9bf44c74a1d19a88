import sys, torch, time
torch.set_num_threads(1)
from infogan_helpers.worlds import Chairs, Faces, Sprites
from infogan_helpers.judges import *
from infogan_helpers.code_factors import circular_correlation
from scipy.stats import spearmanr
from infogan_helpers.quality import frechet_distance
from pathlib import Path
for name in sys.argv[1:]:
    W={"faces":Faces,"chairs":Chairs,"sprites":Sprites}[name](); t=time.time()
    d=W.images_and_factors(50000,0,progress=False); print(name,"rendered",time.time()-t,flush=True); t=time.time()
    j=train_judge(W,d.images,d.labels,progress=False); print("trained",time.time()-t)
    e=W.images_and_factors(5000,12345,progress=False); s=judged(j,e.images); T=W.values(e.labels)
    for f in W.factors:
        a,b=s.values[f.name],T[f.name]
        print(f.name, float((a==b).float().mean()) if not f.unit else circular_correlation(a,b) if f.circular else abs(spearmanr(a,b)[0]))
    print("floor",frechet_distance(s.features,judged(j,d.images[:5000]).features))
    save_judge(j,{"what":"probe"},Path("/work/exp"))
