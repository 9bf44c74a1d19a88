import sys, torch, time
torch.set_num_threads(1)
from infogan_helpers.worlds import Chairs
from infogan_helpers.methods import noise_last
from infogan_helpers.world_presets import WORLD_PRESETS
from infogan_helpers.code_factors import as_columns, code_factor_table
from infogan_helpers.evaluation import read_codes
chairs=Chairs(); few,_,_=chairs.images_and_factors(4000,seed=7,progress=False); seen,kinds,_=chairs.images_and_factors(1000,seed=12345,progress=False)
for seed in map(int,sys.argv[2:]):
    t=time.time(); run=noise_last.fit(few,WORLD_PRESETS["chairs"].spec,noise_last.Config(steps=int(sys.argv[1]),sample_every=600,seed=seed),progress=False,device="cpu")
    s=code_factor_table(as_columns(read_codes(run.discriminator_q,seen)),chairs.values(kinds),chairs,circular=1)
    print(seed,round(time.time()-t),s.round(2).to_dict(),flush=True)
