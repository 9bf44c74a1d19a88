import numpy as np, torch
from scipy.stats import spearmanr
from sklearn.preprocessing import PolynomialFeatures
from sklearn.linear_model import Ridge
from infogan_helpers.worlds import Faces
W=Faces(); d=W.images_and_factors(4000,0,progress=False); T={k:v.numpy() for k,v in W.values(d[1]).items()}
x=d.images[:,0].float().numpy()/127.5-1
ev=((x+x[:,:,::-1])/2).reshape(len(x),-1)
P=PolynomialFeatures(6).fit_transform(np.stack([T["azimuth"],T["light"]],1))
r=ev-Ridge(1e-3).fit(P,ev).predict(P)
print("even var",ev.var(0).sum(),"residual after az, light",r.var(0).sum())
P2=PolynomialFeatures(6).fit_transform(np.stack([T["azimuth"],T["light"],T["elevation"]],1))
print("after elevation too",(ev-Ridge(1e-3).fit(P2,ev).predict(P2)).var(0).sum())
P3=PolynomialFeatures(3).fit_transform(np.stack([T["azimuth"],T["light"],T["expression"]],1))
print("after expression",(ev-Ridge(1e-3).fit(P3,ev).predict(P3)).var(0).sum())
tr=W._traits.numpy()[T["identity"].astype(int)]
u,s,v=np.linalg.svd(r-r.mean(0),full_matrices=False)
print((s**2/(s**2).sum())[:8].round(3))
for n,t in [("elev",T["elevation"])]+[(f"trait{i}",tr[:,i]) for i in range(8)]: print(n,[round(abs(spearmanr(u[:,i],t)[0]),2) for i in range(8)])
