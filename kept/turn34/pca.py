import numpy as np, torch, warnings
from scipy.stats import spearmanr, kurtosis
from infogan_helpers.worlds import Faces, Chairs
W=Faces(); d=W.images_and_factors(4000,0,progress=False); T={k:v.numpy() for k,v in W.values(d[1]).items()}
print({k:(len(np.unique(v)), v.min().round(2), v.max().round(2)) for k,v in T.items()})
x=d.images[:,0].float().numpy()/127.5-1
def pcs(y,k=6):
    y=y.reshape(len(y),-1); y=y-y.mean(0); u,s,v=np.linalg.svd(y,full_matrices=False); return u[:,:k]*np.sqrt(len(y)), (s**2/ (s**2).sum())[:k]
for name,y in (("odd",(x-x[:,:,::-1])/2),("even",(x+x[:,:,::-1])/2)):
    p,s=pcs(y); print(name,s.round(3), "total var", y.var(0).sum().round(2))
    for f,t in T.items(): print("  ",f,[round(abs(spearmanr(p[:,i],t)[0]),2) for i in range(6)])
    print("  kurt",kurtosis(p).round(2))
    try:
        from sklearn.decomposition import FastICA
        for k in (2,3,4):
            z=FastICA(k,random_state=0,fun="cube",whiten="unit-variance").fit_transform(y.reshape(len(y),-1))
            print("  ICA",k,{f:[round(abs(spearmanr(z[:,i],t)[0]),2) for i in range(k)] for f,t in T.items()}, kurtosis(z).round(2))
    except ImportError: print("no sklearn")
