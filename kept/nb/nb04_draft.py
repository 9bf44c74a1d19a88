# Texts of notebook 04; @ stands for a number that is still to come from the records.
TRUNK = '''
By itself it buys nothing: @. A better reader reads style as well as it reads digits. But a Q that is to read something harder needs a trunk that learns it, so the switch stays on from here.
'''
TEXT_LEAVE = '''
Style is noisier on a copy, not gone. Of a digit's slant 0.2 nats are left, of its thickness 0.3, of its width 0.9. Data processing has done its work, and what is left can still be taken: section 15 shows a run that took it.
'''
BROUGHT_COPIES = '''
@ That is what telling Q to look past style buys, and it is knowledge about digits, not a better optimiser. Slant, which pays less for c1 now, @; thickness @.
'''
BROUGHT_START = '''
Without help the two seeds @; with it they reach @. Seeds that start well by themselves @. What is bought here is insurance against a dead start, not accuracy.
'''
BROUGHT_KEEP = '''
@ For c2 and c3 to be worth writing, λ had to rise from 0.1 to 0.5, and now all codes ask to be written from the first step on, while G draws blobs. G is paid for being read before it can draw.
'''
BROUGHT_SCHEDULE = '''
@: the same copies, the same weights at the end, another order. What is left of the errors are real digits that look like none that G draws.
'''
BROUGHT_REAL = '''
@ A Q that has never been asked about a real digit leaves a tenth of them to chance.
'''
BROUGHT_STROKES = '''
Compare seed by seed: @. Strokes mend one kind of error.
'''
TEXT_WHICH = '''
## 14 · Which part matters

The ladder adds; now subtract. The same half of a run, and of the recipe one part at a time is left out; nothing starts again (section 15). A run below 0.96 counts as failed: it has mixed digits.

> **Before you run the next cell.** Seven parts stand behind you. Is there one that the recipe can do without, now that the others are there?
'''
TEXT_OMISSIONS = '''
<details><summary>Answer</summary>@</details>

@
'''
TEXT_FAILED = '''
## 15 · A run that failed, and how to know without a label

With all parts in place a start still fails now and then, about one in five. Here is a failed run, beside its labels:
'''
TEXT_ANSWERS = '''
The pair of answers that become each other in this figure is the pair of codes that share digits in the one before: @. One number sums it up, the largest share of one answer that becomes one other. How well does it tell failed runs from good ones, and how early?
'''
TEXT_RESTART = '''
@ So the recipe asks after a fifth of a run, and where the share is above 0.18 it starts again with other weights, says so in one line, and counts the time. It may do so four times (`restarts=4`). The threshold was read off runs with other seeds.
'''
TEXT_SEEDS = '''
## 17 · One run is one run

The paper reports "5% error rate" for c1 matched to digits, with no protocol and no seeds. What others got we can't say: of the implementations that we read, none reports the figure. What we got: the recipe, seeds @, 3,000 steps on all 60,000 training images, scored as in section 6. NMI, the normalised mutual information of code and label, needs no match; sure is the share of generated digits on which a digit classifier (trained with labels, used to score only) is at least 90% sure.
'''
TEXT_56 = '''
None of these runs was chosen. The recipe was: on other seeds, as [what was tried](../tests/benchmarks/TRIED.md) lists, failures included. @

All groups of runs that the card holds, beside each other. *Offline* trained on the 4,000 digits that come without a network, *unseen* on the 55,000 that the offline sample lacks (the weights that ship), *control* is the recipe with λ = 0 and without section 12, *fashion* is the recipe on Fashion-MNIST, which it knows nothing about:
'''
TEXT_CLOCK = "The recipe passes 95 % within @ minutes;"
ONE_TO_ONE = '''
On three of the four runs two codes have one digit's name by majority, and no code is called 9. The majority vote scores up to 0.007 higher for it, and says nothing of the digit that was never found.
'''
EX3_WORDS = '''
<details><summary>In words</summary>

@ Try a second seed before you believe a difference.

</details>
'''
COST = '''
Every copy passes through the trunk as well: the copies of fakes cost @ of a plain step, those of real digits @, strokes next to nothing. Q's head itself is 2 % of the network (notebook 03, section 3).
'''
TEXT_13 = '''
> **Before you run the next cell.** A G that writes c2 into thickness: what does it earn? Half of the copies keep the lean and change the stroke. How many nats about either are left on them?
'''
LAMBDA_Q = '''
λ was 1, and 0. What about the rest? Five values, in runs that are shorter still.

> **Before you run the next cell.** More λ, more information?
'''
LAMBDA_A = '''
<details><summary>Answer</summary>No. @</details>

A rule that follows: start at 0.3 to 1; raise λ where L_I stays at 0 while the pictures get better, lower it where D is right every time and the pictures come apart.
'''
TEXT_13_ANSWER = '''
<details><summary>Answer</summary>Some, and less than for the lean. Where Q reads c2, 1.6 nats about the slant come through and 0.3 about the thickness; where it reads c3, 1.0 about the thickness and 0.1 about the slant. So c2 and the lean go together because we arranged it, not because the network discovered it.</details>
'''
