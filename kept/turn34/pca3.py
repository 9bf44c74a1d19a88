import numpy as np, torch, warnings; warnings.filterwarnings("ignore")
from scipy.stats import spearmanr
from sklearn.decomposition import FastICA
from infogan_helpers.worlds import Faces
W=Faces(); d=W.images_and_factors(6000,0,progress=False); T={k:v.numpy() for k,v in W.values(d[1]).items()}
tr=W._traits.numpy()[T["identity"].astype(int)]
x=d.images[:,0].float().numpy()/127.5-1
y=((x+x[:,:,::-1])/2).reshape(len(x),-1); y=y-y.mean(0)
tests={"elev":T["elevation"],"|az|":abs(T["azimuth"]),"|li|":abs(T["light"]),"hair":tr[:,6],"long":tr[:,1],"wide":tr[:,0]}
for k in (3,4,5,6,8,10,14):
    z=FastICA(k,random_state=0,fun="cube",whiten="unit-variance",max_iter=500).fit_transform(y)
    print(k,{f:[round(abs(spearmanr(z[:,i],t)[0]),2) for i in range(k)] for f,t in tests.items() if f in("elev","|az|","|li|","hair")}, ((z**4).mean(0)).round(1))
