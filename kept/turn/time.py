import torch, time, torch.nn as nn, torch.nn.functional as F
torch.set_num_threads(1)
c=32
def dq():
    return nn.Sequential(nn.Conv2d(1,c,4,2,1),nn.LeakyReLU(.2),nn.Conv2d(c,2*c,4,2,1),nn.LeakyReLU(.2),nn.Conv2d(2*c,4*c,4,2,1),nn.LeakyReLU(.2),nn.Flatten(),nn.Linear(4*c*16,1))
def g():
    return nn.Sequential(nn.Linear(40,4*c*16),nn.BatchNorm1d(4*c*16),nn.ReLU(),nn.Unflatten(1,(4*c,4,4)),nn.ConvTranspose2d(4*c,2*c,4,2,1),nn.BatchNorm2d(2*c),nn.ReLU(),nn.ConvTranspose2d(2*c,c,4,2,1),nn.BatchNorm2d(c),nn.ReLU(),nn.ConvTranspose2d(c,1,4,2,1),nn.Tanh())
for fmt in (torch.contiguous_format, torch.channels_last):
    D,G=dq().to(memory_format=fmt),g().to(memory_format=fmt)
    x=torch.randn(128,1,32,32).to(memory_format=fmt); z=torch.randn(64,40)
    def timeit(f,n=8):
        f(); t=time.time(); 
        for _ in range(n): f()
        return round(1000*(time.time()-t)/n)
    def fd(): D(x).sum().backward()
    def fr1():
        y=x.clone().requires_grad_(); (s,)=torch.autograd.grad(D(y).sum(),y,create_graph=True); s.pow(2).sum().backward()
    def fg(): G(z).sum().backward()
    with torch.no_grad(): print("D fwd",timeit(lambda: D(x)))
    print(fmt,"D fwd+bwd 128",timeit(fd),"R1",timeit(fr1),"G fwd+bwd 64",timeit(fg))
