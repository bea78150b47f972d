"""Mistakes that people who do the lesson in PyTorch make: one wrong line each.

A row: the gradient whose line is wrong; what is wrong, in words; words one of which a true name of the mistake contains (the name
of a tensor has to occur as a word of its own); what the learner wrote. It replaces the statement of the lecture that begins with
`at`, by default the gradient's assignment. More:

seen      False: the values end to end need not show it, because a sum is zero there; 64: those in float32 need not
until     the notebook ends here: the lines below would throw, or take the wrong shape along
found     the rows that are wrong by themselves, where that is another than the line itself
form      'exercise 2' or 'exercise 3': the line is the closed form
"""

from dataclasses import dataclass, field
from typing import Optional, Union


@dataclass
class Mistake:
    line: str
    says: str
    words: list
    code: dict
    seen: Union[bool, int] = True
    until: bool = False
    form: Optional[str] = None
    found: list = field(default_factory=list)

    def __post_init__(self):
        self.found = self.found or [self.line]

    @property
    def title(self):
        return f"{self.line}: {self.says}" if self.form is None else f"{self.line} in {self.form}: {self.says}"


BANK = []

SIGN = ["sign", "minus", "negat"]
MEAN = ["mean", "divi", "n is missing", "times n", "factor n", "factor of n", "/ n", "1/n", "by n"]
SUM = ["sum", "dimension", "axis"]
SHAPE = ["shape", "keepdim"]
ORDER = ["transpos", "view", "order", "reshap"]
BRANCH = ["branch"]
TWICE = ["twice", "double", "factor 2", "2 is", "2 times", "times 2"]


def wrong(line, says, words, now, at=None, more=None, **options):
    code = {at or f"d{line[1:]} =": now, **(more or {})}
    BANK.append(Mistake(line, says, words, code, **options))


# dlogprobs: -1/n at the targets
AT = "dlogprobs[range(n), Yb]"
wrong("dlogprobs", "no minus", SIGN, f"{AT} = 1.0/n", AT)
wrong("dlogprobs", "not divided by n", MEAN, f"{AT} = -1.0", AT)
wrong("dlogprobs", "divided by the number of entries", ["27", "n·V", "n V", "numel", "by V", "1/V", "all entries", "factor"], f"{AT} = -1.0/logprobs.numel()", AT)
wrong("dlogprobs", "divided by n - 1", ["n - 1", "n-1"], f"{AT} = -1.0/(n-1)", AT)
wrong("dlogprobs", "the last character of the context for the target", ["Yb", "Xb", "index", "place", "target"], "dlogprobs[range(n), Xb[:, -1]] = -1.0/n", AT)
wrong("dlogprobs", "the likeliest character for the target", ["Yb", "max", "index", "place", "target"], "dlogprobs[range(n), logits.max(1).indices] = -1.0/n", AT)
wrong("dlogprobs", "every entry instead of the targets", ["one-hot", "Yb", "target", "every"], "dlogprobs = -torch.ones_like(logprobs)/n", more={AT: None})
wrong("dlogprobs", "times the log probability", ["logprobs"], f"{AT} = -logprobs[range(n), Yb]/n", AT)
wrong("dlogprobs", "the columns of the targets in every row", ["Yb", "one-hot", "index", "row", "column", "place"], "dlogprobs[:, Yb] = -1.0/n", AT)

# dprobs: 1/probs · dlogprobs
wrong("dprobs", "times probs, not divided by it", ["probs"], "dprobs = probs * dlogprobs")
wrong("dprobs", "the factor 1/probs is missing", ["probs"], "dprobs = dlogprobs.clone()")
wrong("dprobs", "divided by logprobs", ["logprobs"], "dprobs = (1.0 / logprobs) * dlogprobs")
wrong("dprobs", "a minus too many", SIGN, "dprobs = -(1.0 / probs) * dlogprobs")
wrong("dprobs", "divided by the square of probs", ["probs", "power", "square"], "dprobs = (1.0 / probs**2) * dlogprobs")
wrong("dprobs", "counts for probs", ["counts"], "dprobs = (1.0 / counts) * dlogprobs")
wrong("dprobs", "the logarithm where its derivative belongs", ["log", "logprobs"], "dprobs = probs.log() * dlogprobs")
wrong("dprobs", "divided by n once more", MEAN, "dprobs = (1.0 / probs) * dlogprobs / n")
wrong("dprobs", "written over dlogprobs", ["alias", "clone", "in place", "same tensor", "copy", "overw"], "dprobs = dlogprobs\ndprobs /= probs", found=["dlogprobs"])

# dcounts_sum_inv: row sum of counts · dprobs
NOW = "dcounts_sum_inv = "
wrong("dcounts_sum_inv", "mean for sum", ["mean", "V", "27", "divi"], NOW + "(counts * dprobs).mean(1, keepdim=True)")
wrong("dcounts_sum_inv", "probs for counts", ["probs"], NOW + "(probs * dprobs).sum(1, keepdim=True)")
wrong("dcounts_sum_inv", "counts is missing", ["counts"], NOW + "dprobs.sum(1, keepdim=True)")
wrong("dcounts_sum_inv", "norm_logits for counts", ["norm_logits"], NOW + "(norm_logits * dprobs).sum(1, keepdim=True)")
wrong("dcounts_sum_inv", "a minus too many", SIGN, NOW + "-(counts * dprobs).sum(1, keepdim=True)")
wrong("dcounts_sum_inv", "dlogprobs for dprobs", ["dlogprobs"], NOW + "(counts * dlogprobs).sum(1, keepdim=True)")
wrong("dcounts_sum_inv", "no keepdim", SHAPE, NOW + "(counts * dprobs).sum(1)", until=True)
wrong("dcounts_sum_inv", "summed over the batch", SUM + SHAPE, NOW + "(counts * dprobs).sum(0, keepdim=True)", until=True)
wrong("dcounts_sum_inv", "not summed", SUM, NOW + "counts * dprobs", until=True)
wrong("dcounts_sum_inv", "summed over everything", SUM + SHAPE, NOW + "(counts * dprobs).sum()", until=True)

# dcounts_sum: -1/counts_sum² · dcounts_sum_inv
NOW = "dcounts_sum = "
wrong("dcounts_sum", "no minus", SIGN, NOW + "(counts_sum**-2) * dcounts_sum_inv")
wrong("dcounts_sum", "the power -1 for -2", ["power", "square", "counts_sum", "counts_sum_inv", "exponent"], NOW + "(-counts_sum**-1) * dcounts_sum_inv")
wrong("dcounts_sum", "the power 2 for -2", ["power", "square", "counts_sum", "counts_sum_inv", "exponent", "invers"], NOW + "(-counts_sum**2) * dcounts_sum_inv")
wrong("dcounts_sum", "the power -3 for -2, and its factor", ["power", "square", "counts_sum", "counts_sum_inv", "exponent"], NOW + "(-2*counts_sum**-3) * dcounts_sum_inv")
wrong("dcounts_sum", "the derivative is missing but for its sign", ["counts_sum", "counts_sum_inv"], NOW + "-dcounts_sum_inv")
wrong("dcounts_sum", "a factor 2 too many", TWICE + ["factor"], NOW + "(-2*counts_sum**-2) * dcounts_sum_inv")

# dcounts: counts_sum_inv · dprobs, and dcounts_sum to every entry
wrong("dcounts", "the branch through counts_sum is missing", BRANCH + ["dcounts_sum"], None, "dcounts +=")
wrong("dcounts", "= for +=: the branch through probs is lost", BRANCH + ["dprobs"], "dcounts = torch.ones_like(counts) * dcounts_sum", "dcounts +=")
wrong("dcounts", "the branch through counts_sum is subtracted", SIGN + BRANCH, "dcounts -= torch.ones_like(counts) * dcounts_sum", "dcounts +=")
wrong("dcounts", "counts_sum_inv is missing", ["counts_sum_inv"], "dcounts = dprobs.clone()")
wrong("dcounts", "counts_sum for counts_sum_inv", ["counts_sum", "counts_sum_inv", "invers"], "dcounts = counts_sum * dprobs")
wrong("dcounts", "the branch through counts_sum is averaged", ["mean", "V", "27", "divi"], "dcounts += torch.ones_like(counts) * dcounts_sum / counts.shape[1]", "dcounts +=")
wrong("dcounts", "the branch through counts_sum takes counts along", ["counts"], "dcounts += counts * dcounts_sum", "dcounts +=")
wrong("dcounts", "dcounts_sum_inv for dcounts_sum", ["dcounts_sum_inv"], "dcounts += torch.ones_like(counts) * dcounts_sum_inv", "dcounts +=")
wrong("dcounts", "the cell with += was run twice", TWICE + ["+=", "factor"], "dcounts += torch.ones_like(counts) * dcounts_sum\ndcounts += torch.ones_like(counts) * dcounts_sum", "dcounts +=")

# dnorm_logits: counts · dcounts
NOW = "dnorm_logits = "
wrong("dnorm_logits", "counts is missing", ["counts"], NOW + "dcounts.clone()")
wrong("dnorm_logits", "norm_logits for counts", ["norm_logits"], NOW + "norm_logits * dcounts")
wrong("dnorm_logits", "probs for counts", ["probs"], NOW + "probs * dcounts")
wrong("dnorm_logits", "exp of logits, not of norm_logits", ["logits", "max", "logit_maxes"], NOW + "logits.exp() * dcounts")
wrong("dnorm_logits", "divided by counts", ["counts"], NOW + "dcounts / counts")
wrong("dnorm_logits", "a minus too many", SIGN, NOW + "-counts * dcounts")
wrong("dnorm_logits", "dprobs for dcounts", ["dprobs"], NOW + "counts * dprobs")

# dlogit_maxes: minus the row sum of dnorm_logits, zero end to end
NOW = "dlogit_maxes = "
wrong("dlogit_maxes", "no minus", SIGN, NOW + "dnorm_logits.sum(1, keepdim=True)", seen=False)
wrong("dlogit_maxes", "mean for sum", ["mean", "V", "27", "divi"], NOW + "(-dnorm_logits).mean(1, keepdim=True)", seen=False)
wrong("dlogit_maxes", "zero, because it should be", ["zero"], NOW + "torch.zeros_like(logit_maxes)", seen=False)
wrong("dlogit_maxes", "a factor 2 too many", TWICE + ["factor"], NOW + "(-2*dnorm_logits).sum(1, keepdim=True)", seen=False)
wrong("dlogit_maxes", "maximum for sum", ["max", "sum"], NOW + "(-dnorm_logits).max(1, keepdim=True).values")
wrong("dlogit_maxes", "dcounts for dnorm_logits", ["dcounts"], NOW + "(-dcounts).sum(1, keepdim=True)")
wrong("dlogit_maxes", "times norm_logits", ["norm_logits"], NOW + "(-norm_logits * dnorm_logits).sum(1, keepdim=True)")
wrong("dlogit_maxes", "no keepdim", SHAPE, NOW + "(-dnorm_logits).sum(1)", until=True)
wrong("dlogit_maxes", "not summed", SUM, NOW + "-dnorm_logits", until=True)
wrong("dlogit_maxes", "summed over the batch", SUM + SHAPE, NOW + "(-dnorm_logits).sum(0, keepdim=True)", until=True)

# dlogits: dnorm_logits, and dlogit_maxes at the row's maximum
wrong("dlogits", "the branch through logit_maxes is missing", BRANCH + ["logit_maxes", "dlogit_maxes"], None, "dlogits +=", seen=False)
wrong("dlogits", "dlogit_maxes at the target", ["Yb", "index", "place", "one-hot", "max"], "dlogits += F.one_hot(Yb, num_classes=logits.shape[1]) * dlogit_maxes", "dlogits +=", seen=False)
wrong("dlogits", "dlogit_maxes to the whole row", ["one-hot", "max", "place", "every"], "dlogits += dlogit_maxes", "dlogits +=", seen=False)
wrong("dlogits", "dlogit_maxes is subtracted", SIGN, "dlogits -= F.one_hot(logits.max(1).indices, num_classes=logits.shape[1]) * dlogit_maxes", "dlogits +=", seen=False)
wrong("dlogits", "= for +=: the branch through norm_logits is lost", BRANCH + ["dnorm_logits"], "dlogits = F.one_hot(logits.max(1).indices, num_classes=logits.shape[1]) * dlogit_maxes", "dlogits +=")
wrong("dlogits", "the branch through norm_logits has a minus", SIGN, "dlogits = -dnorm_logits.clone()")
wrong("dlogits", "norm_logits as a factor", ["norm_logits"], "dlogits = norm_logits * dnorm_logits")

# dh, dW2, db2: a linear layer
wrong("dh", "W2 viewed, not transposed", ORDER, "dh = dlogits @ W2.view(W2.shape[1], W2.shape[0])")
wrong("dh", "a minus too many", SIGN, "dh = -dlogits @ W2.T")
wrong("dh", "divided by n", MEAN, "dh = dlogits @ W2.T / n")
wrong("dh", "probs for dlogits", ["probs"], "dh = probs @ W2.T")
wrong("dh", "dprobs for dlogits", ["dprobs"], "dh = dprobs @ W2.T")
wrong("dh", "dlogprobs for dlogits", ["dlogprobs"], "dh = dlogprobs @ W2.T")
wrong("dh", "times h", ["h"], "dh = (dlogits @ W2.T) * h")
wrong("dW2", "transposed", ["transpos", "shape"], "dW2 = dlogits.T @ h")
wrong("dW2", "transposed, and viewed in the right shape", ORDER, "dW2 = (dlogits.T @ h).view(W2.shape)")
wrong("dW2", "hpreact for h", ["hpreact"], "dW2 = hpreact.T @ dlogits")
wrong("dW2", "mean over the batch", MEAN, "dW2 = h.T @ dlogits / n")
wrong("dW2", "probs for dlogits", ["probs"], "dW2 = h.T @ probs")
wrong("dW2", "h viewed, not transposed", ORDER, "dW2 = h.reshape(h.shape[1], h.shape[0]) @ dlogits")
wrong("dW2", "1 - h² taken along", ["1 - h", "h²", "tanh", "h"], "dW2 = (1.0 - h**2).T @ dlogits")
wrong("db2", "mean for sum", MEAN, "db2 = dlogits.mean(0)")
wrong("db2", "summed over the row", SUM + SHAPE, "db2 = dlogits.sum(1)")
wrong("db2", "a minus too many", SIGN, "db2 = -dlogits.sum(0)")
wrong("db2", "summed over everything", SUM + SHAPE, "db2 = dlogits.sum()")
wrong("db2", "the first example only", SUM + ["example", "first"], "db2 = dlogits[0]")
wrong("db2", "times b2", ["b2"], "db2 = (b2 * dlogits).sum(0)")
wrong("db2", "not summed", SUM, "db2 = dlogits.clone()")
wrong("db2", "dlogprobs for dlogits", ["dlogprobs"], "db2 = dlogprobs.sum(0)")

# dhpreact: (1 - h²) · dh
NOW = "dhpreact = "
wrong("dhpreact", "1 - h for 1 - h²", ["1 - h", "square", "power", "h²", "h^2", "h**2"], NOW + "(1.0 - h) * dh")
wrong("dhpreact", "hpreact for h", ["hpreact"], NOW + "(1.0 - hpreact**2) * dh")
wrong("dhpreact", "the derivative of tanh is missing", ["tanh", "1 - h", "factor"], NOW + "dh.clone()")
wrong("dhpreact", "h² for 1 - h²", ["h²", "h^2", "h**2", "1 -", "1 is", "tanh"], NOW + "h**2 * dh")
wrong("dhpreact", "1 + h² for 1 - h²", SIGN + ["1 + h", "h²"], NOW + "(1.0 + h**2) * dh")
wrong("dhpreact", "the derivative of the sigmoid", ["sigmoid", "1 - h", "h · (1"], NOW + "h * (1.0 - h) * dh")
wrong("dhpreact", "tanh where its derivative belongs", ["tanh", "h"], NOW + "torch.tanh(hpreact) * dh")
wrong("dhpreact", "tanh applied twice", ["tanh", "twice"], NOW + "(1.0 - torch.tanh(h)**2) * dh")
wrong("dhpreact", "h² - 1", SIGN, NOW + "(h**2 - 1.0) * dh")
wrong("dhpreact", "written over dh", ["alias", "clone", "in place", "same tensor", "copy", "overw"], "dhpreact = dh\ndhpreact *= 1.0 - h**2", found=["dh"])

# dbngain, dbnbias, dbnraw: the gain and the bias
NOW = "dbngain = "
wrong("dbngain", "bnraw is missing", ["bnraw"], NOW + "dhpreact.sum(0, keepdim=True)")
wrong("dbngain", "mean for sum", MEAN, NOW + "(bnraw * dhpreact).mean(0, keepdim=True)")
wrong("dbngain", "hpreact for bnraw", ["hpreact"], NOW + "(hpreact * dhpreact).sum(0, keepdim=True)")
wrong("dbngain", "bndiff for bnraw", ["bndiff"], NOW + "(bndiff * dhpreact).sum(0, keepdim=True)")
wrong("dbngain", "bngain as a factor", ["bngain", "gain"], NOW + "(bngain * bnraw * dhpreact).sum(0, keepdim=True)")
wrong("dbngain", "dh for dhpreact", ["dh"], NOW + "(bnraw * dh).sum(0, keepdim=True)")
wrong("dbngain", "summed over the row", SUM + SHAPE, NOW + "(bnraw * dhpreact).sum(1, keepdim=True)")
wrong("dbngain", "not summed", SUM, NOW + "bnraw * dhpreact")
NOW = "dbnbias = "
wrong("dbnbias", "mean for sum", MEAN, NOW + "dhpreact.mean(0, keepdim=True)")
wrong("dbnbias", "summed over the row", SUM + SHAPE, NOW + "dhpreact.sum(1, keepdim=True)")
wrong("dbnbias", "dh for dhpreact", ["dh"], NOW + "dh.sum(0, keepdim=True)")
wrong("dbnbias", "times bnraw", ["bnraw", "dbngain"], NOW + "(bnraw * dhpreact).sum(0, keepdim=True)")
wrong("dbnbias", "times bnbias", ["bnbias", "bias"], NOW + "(bnbias * dhpreact).sum(0, keepdim=True)")
wrong("dbnbias", "not summed", SUM, NOW + "dhpreact.clone()")
wrong("dbnbias", "a minus too many", SIGN, NOW + "-dhpreact.sum(0, keepdim=True)")
NOW = "dbnraw = "
wrong("dbnraw", "bngain is missing", ["bngain", "gain"], NOW + "dhpreact.clone()")
wrong("dbnraw", "bnbias for bngain", ["bnbias", "bias"], NOW + "bnbias * dhpreact")
wrong("dbnraw", "bnraw for bngain", ["bnraw"], NOW + "bnraw * dhpreact")
wrong("dbnraw", "divided by bngain", ["bngain", "gain"], NOW + "dhpreact / bngain")
wrong("dbnraw", "dh for dhpreact", ["dh"], NOW + "bngain * dh")
wrong("dbnraw", "divided by n", MEAN, NOW + "bngain * dhpreact / n")
wrong("dbnraw", "the bias added", ["bnbias", "bias"], NOW + "bngain * dhpreact + bnbias")

# dbnvar_inv, dbnvar, dbndiff2: the variance
NOW = "dbnvar_inv = "
wrong("dbnvar_inv", "mean for sum", MEAN, NOW + "(bndiff * dbnraw).mean(0, keepdim=True)")
wrong("dbnvar_inv", "bnraw for bndiff", ["bnraw"], NOW + "(bnraw * dbnraw).sum(0, keepdim=True)")
wrong("dbnvar_inv", "bndiff is missing", ["bndiff"], NOW + "dbnraw.sum(0, keepdim=True)")
wrong("dbnvar_inv", "hprebn for bndiff", ["hprebn"], NOW + "(hprebn * dbnraw).sum(0, keepdim=True)")
wrong("dbnvar_inv", "dhpreact for dbnraw", ["dhpreact", "bngain", "gain"], NOW + "(bndiff * dhpreact).sum(0, keepdim=True)")
wrong("dbnvar_inv", "summed over the row", SUM + SHAPE, NOW + "(bndiff * dbnraw).sum(1, keepdim=True)", until=True)
wrong("dbnvar_inv", "not summed", SUM, NOW + "bndiff * dbnraw", until=True)
NOW = "dbnvar = "
wrong("dbnvar", "no minus", SIGN, NOW + "(0.5*(bnvar + 1e-5)**-1.5) * dbnvar_inv")
wrong("dbnvar", "1/2 is missing", ["1/2", "0.5", "half", "factor 2", "½", "2"], NOW + "(-(bnvar + 1e-5)**-1.5) * dbnvar_inv")
wrong("dbnvar", "the power -1/2 for -3/2", ["power", "exponent", "bnvar", "bnvar_inv"], NOW + "(-0.5*(bnvar + 1e-5)**-0.5) * dbnvar_inv")
wrong("dbnvar", "the power 3/2 for -3/2", ["power", "exponent", "bnvar", "bnvar_inv"], NOW + "(-0.5*(bnvar + 1e-5)**1.5) * dbnvar_inv")
wrong("dbnvar", "bnvar_inv squared, not cubed", ["power", "exponent", "bnvar", "bnvar_inv", "square"], NOW + "(-0.5*bnvar_inv**2) * dbnvar_inv")
wrong("dbnvar", "-3/2 as the factor", ["1/2", "3", "factor"], NOW + "(-1.5*(bnvar + 1e-5)**-1.5) * dbnvar_inv")
wrong("dbnvar", "the epsilon is missing", ["eps", "1e-5", "ε"], NOW + "(-0.5*bnvar**-1.5) * dbnvar_inv", seen=64)
NOW = "dbndiff2 = "
wrong("dbndiff2", "1/n for 1/(n - 1)", ["n - 1", "n-1", "Bessel"], NOW + "(1.0/n)*torch.ones_like(bndiff2) * dbnvar")
wrong("dbndiff2", "not divided by n - 1", ["n - 1", "n-1", "divi"], NOW + "torch.ones_like(bndiff2) * dbnvar")
wrong("dbndiff2", "a minus too many", SIGN, NOW + "(-1.0/(n-1))*torch.ones_like(bndiff2) * dbnvar")
wrong("dbndiff2", "times bndiff2", ["bndiff2"], NOW + "(1.0/(n-1))*bndiff2 * dbnvar")
wrong("dbndiff2", "not spread over the batch", SHAPE + ["broadcast"], NOW + "(1.0/(n-1)) * dbnvar")
wrong("dbndiff2", "a factor 2 of the line below", TWICE + ["factor"], NOW + "(2.0/(n-1))*torch.ones_like(bndiff2) * dbnvar")
wrong("dbndiff2", "dbnvar_inv for dbnvar", ["dbnvar_inv"], NOW + "(1.0/(n-1))*torch.ones_like(bndiff2) * dbnvar_inv")

# dbndiff: bnvar_inv · dbnraw + 2 · bndiff · dbndiff2
wrong("dbndiff", "the branch through bndiff2 is missing", BRANCH + ["dbndiff2", "bndiff2"], None, "dbndiff +=")
wrong("dbndiff", "= for +=: the branch through bnraw is lost", BRANCH + ["dbnraw", "bnraw"], "dbndiff = (2*bndiff) * dbndiff2", "dbndiff +=")
wrong("dbndiff", "2 is missing in the square's derivative", ["2", "factor"], "dbndiff += bndiff * dbndiff2", "dbndiff +=")
wrong("dbndiff", "bndiff is missing in the square's derivative", ["bndiff"], "dbndiff += 2 * dbndiff2", "dbndiff +=")
wrong("dbndiff", "bndiff2 for bndiff in the square's derivative", ["bndiff2", "power", "square"], "dbndiff += (2*bndiff2) * dbndiff2", "dbndiff +=")
wrong("dbndiff", "bnraw for bndiff in the square's derivative", ["bnraw"], "dbndiff += (2*bnraw) * dbndiff2", "dbndiff +=")
wrong("dbndiff", "the branch through bndiff2 is subtracted", SIGN, "dbndiff -= (2*bndiff) * dbndiff2", "dbndiff +=")
wrong("dbndiff", "bnvar_inv is missing", ["bnvar_inv"], "dbndiff = dbnraw.clone()")
wrong("dbndiff", "bnvar for bnvar_inv", ["bnvar"], "dbndiff = bnvar * dbnraw")
wrong("dbndiff", "dhpreact for dbnraw", ["dhpreact", "bngain", "gain"], "dbndiff = bnvar_inv * dhpreact")
wrong("dbndiff", "the cell with += was run twice", TWICE + ["+=", "factor"], "dbndiff += (2*bndiff) * dbndiff2\ndbndiff += (2*bndiff) * dbndiff2", "dbndiff +=")

# dbnmeani: minus the batch sum of dbndiff
NOW = "dbnmeani = "
wrong("dbnmeani", "no minus", SIGN, NOW + "dbndiff.sum(0)")
wrong("dbnmeani", "mean for sum", MEAN, NOW + "(-dbndiff).mean(0)")
wrong("dbnmeani", "dbnraw for dbndiff", ["dbnraw", "bnvar_inv"], NOW + "(-dbnraw).sum(0)")
wrong("dbnmeani", "summed over the row", SUM + SHAPE, NOW + "(-dbndiff).sum(1, keepdim=True)", until=True)
wrong("dbnmeani", "summed over everything", SUM + SHAPE, NOW + "(-dbndiff).sum()", until=True)
wrong("dbnmeani", "not summed", SUM, NOW + "-dbndiff", until=True)
wrong("dbnmeani", "times bnvar_inv once more", ["bnvar_inv"], NOW + "(-bnvar_inv * dbndiff).sum(0)")

# dhprebn: dbndiff, and dbnmeani / n to every entry
wrong("dhprebn", "the branch through bnmeani is missing", BRANCH + ["dbnmeani", "bnmeani"], None, "dhprebn +=")
wrong("dhprebn", "= for +=: the branch through bndiff is lost", BRANCH + ["dbndiff", "bndiff"], "dhprebn = 1.0/n * (torch.ones_like(hprebn) * dbnmeani)", "dhprebn +=")
wrong("dhprebn", "1/n is missing in the mean's derivative", MEAN, "dhprebn += torch.ones_like(hprebn) * dbnmeani", "dhprebn +=")
wrong("dhprebn", "1/(n - 1) for 1/n", ["n - 1", "n-1"], "dhprebn += 1.0/(n-1) * (torch.ones_like(hprebn) * dbnmeani)", "dhprebn +=")
wrong("dhprebn", "the branch through bnmeani is subtracted", SIGN, "dhprebn -= 1.0/n * (torch.ones_like(hprebn) * dbnmeani)", "dhprebn +=")
wrong("dhprebn", "hprebn as a factor in the mean's derivative", ["hprebn"], "dhprebn += 1.0/n * (hprebn * dbnmeani)", "dhprebn +=")
wrong("dhprebn", "no clone: += changes dbndiff too", ["alias", "clone", "in place", "same tensor", "copy", "overw"], "dhprebn = dbndiff", found=["dbndiff"])
wrong("dhprebn", "dbnraw for dbndiff", ["dbnraw", "bnvar_inv"], "dhprebn = dbnraw.clone()")

# dembcat, dW1, db1: the first linear layer
wrong("dembcat", "W1 viewed, not transposed", ORDER, "dembcat = dhprebn @ W1.view(W1.shape[1], W1.shape[0])")
wrong("dembcat", "a minus too many", SIGN, "dembcat = -dhprebn @ W1.T")
wrong("dembcat", "dhpreact for dhprebn", ["dhpreact"], "dembcat = dhpreact @ W1.T")
wrong("dembcat", "dbndiff for dhprebn", ["dbndiff"], "dembcat = dbndiff @ W1.T")
wrong("dembcat", "divided by n", MEAN, "dembcat = dhprebn @ W1.T / n")
wrong("dW1", "transposed", ["transpos", "shape"], "dW1 = dhprebn.T @ embcat")
wrong("dW1", "transposed, and viewed in the right shape", ORDER, "dW1 = (dhprebn.T @ embcat).view(W1.shape)")
wrong("dW1", "dhpreact for dhprebn", ["dhpreact"], "dW1 = embcat.T @ dhpreact")
wrong("dW1", "mean over the batch", MEAN, "dW1 = embcat.T @ dhprebn / n")
wrong("dW1", "the embeddings in another order", ORDER + ["emb"], "dW1 = emb.transpose(1, 2).reshape(n, -1).T @ dhprebn")
wrong("dW1", "dembcat for embcat", ["dembcat", "dembact"], "dW1 = dembcat.T @ dhprebn")
wrong("dW1", "dbndiff for dhprebn", ["dbndiff"], "dW1 = embcat.T @ dbndiff")
wrong("db1", "mean for sum", MEAN, "db1 = dhprebn.mean(0)", seen=False)
wrong("db1", "a minus too many", SIGN, "db1 = -dhprebn.sum(0)", seen=False)
wrong("db1", "zero, because it should be", ["zero"], "db1 = torch.zeros_like(b1)", seen=False)
wrong("db1", "times n", ["n"], "db1 = n * dhprebn.sum(0)", seen=False)
wrong("db1", "dhpreact for dhprebn", ["dhpreact"], "db1 = dhpreact.sum(0)")
wrong("db1", "dbndiff for dhprebn", ["dbndiff"], "db1 = dbndiff.sum(0)")
wrong("db1", "summed over the row", SUM + SHAPE, "db1 = dhprebn.sum(1)")
wrong("db1", "not summed", SUM, "db1 = dhprebn.clone()")
wrong("db1", "times b1", ["b1"], "db1 = (b1 + dhprebn).sum(0)")

# demb, dC: the embedding
wrong("demb", "the context's places and the features exchanged", ORDER, "demb = dembcat.view(n, n_embd, block_size).transpose(1, 2)")
wrong("demb", "the context backwards", ORDER + ["revers", "backward", "flip", "context"], "demb = dembcat.view(emb.shape).flip(1)")
wrong("demb", "viewed from the transposed", ORDER, "demb = dembcat.T.reshape(emb.shape)")
wrong("demb", "not viewed", SHAPE + ["view"], "demb = dembcat", until=True)
wrong("demb", "a minus too many", SIGN, "demb = -dembcat.view(emb.shape)")
wrong("demb", "divided by the context's length", ["T", "mean", "block_size", "divi", "3"], "demb = dembcat.view(emb.shape) / block_size")
LOOP = """for k in range(Xb.shape[0]):
  for j in range(Xb.shape[1]):
    ix = Xb[k,j]
    """
REPEATED = ["repeat", "overw", "+=", "accumul", "last", "more than once"]
wrong("dC", "= for +=: a repeated character keeps its last row", REPEATED, LOOP + "dC[ix] = demb[k,j]", "for k")
wrong("dC", "indexed += keeps the last row of a repeated character", REPEATED, "dC[Xb] += demb", "for k")
wrong("dC", "the context backwards", ORDER + ["revers", "backward", "context"], LOOP + "dC[ix] += demb[k,block_size-1-j]", "for k")
wrong("dC", "the target's row", ["Yb", "index", "Xb"], LOOP + "dC[Yb[k]] += demb[k,j]", "for k")
wrong("dC", "only the last character of the context", ["context", "last", "position", "place", "missing", "T", "sum"], LOOP.replace("range(Xb.shape[1])", "[Xb.shape[1] - 1]") + "dC[ix] += demb[k,j]", "for k")
wrong("dC", "the first position is left out", ["context", "first", "position", "place", "missing", "T", "sum"], LOOP.replace("range(Xb.shape[1])", "range(1, Xb.shape[1])") + "dC[ix] += demb[k,j]", "for k")
wrong("dC", "divided by n", MEAN, LOOP + "dC[ix] += demb[k,j] / n", "for k")
wrong("dC", "subtracted", SIGN, LOOP + "dC[ix] -= demb[k,j]", "for k")
wrong("dC", "the sum of the whole context for each character", ["sum", "context", "every"], LOOP + "dC[ix] += demb[k].sum(0)", "for k")
wrong("dC", "emb for demb", ["emb"], LOOP + "dC[ix] += emb[k,j]", "for k")
wrong("dC", "mean of a character's rows", ["mean", "divi", "count", "average"], LOOP + "dC[ix] += demb[k,j] / (Xb == ix).sum()", "for k")

# The gradient above is forgotten
ABOVE = ["upstream", "above", "gradient"]
wrong("dprobs", "without dlogprobs", ["dlogprobs", *ABOVE], "dprobs = 1.0 / probs")
wrong("dcounts_sum_inv", "without dprobs", ["dprobs", *ABOVE], "dcounts_sum_inv = counts.sum(1, keepdim=True)")
wrong("dcounts_sum", "without dcounts_sum_inv", ["dcounts_sum_inv", *ABOVE], "dcounts_sum = -counts_sum**-2")
wrong("dnorm_logits", "without dcounts", ["dcounts", *ABOVE], "dnorm_logits = counts.clone()")
wrong("dhpreact", "without dh", ["dh", *ABOVE], "dhpreact = 1.0 - h**2")
wrong("dbngain", "without dhpreact", ["dhpreact", *ABOVE], "dbngain = bnraw.sum(0, keepdim=True)")
wrong("dbngain", "without dhpreact, a mean that is not zero", ["dhpreact", *ABOVE], "dbngain = (bnraw**2).sum(0, keepdim=True)")
wrong("dbnraw", "without dhpreact", ["dhpreact", *ABOVE], "dbnraw = bngain * torch.ones_like(bnraw)")
wrong("dbnvar", "without dbnvar_inv", ["dbnvar_inv", *ABOVE], "dbnvar = -0.5*(bnvar + 1e-5)**-1.5")
wrong("dbndiff2", "without dbnvar", ["dbnvar", *ABOVE], "dbndiff2 = (1.0/(n-1))*torch.ones_like(bndiff2)")

# Others
wrong("dlogprobs", "the rows of the targets", ["Yb", "one-hot", "index", "row", "place"], "dlogprobs[Yb] = -1.0/n", AT)
wrong("dbndiff", "bngain once more", ["bngain", "gain"], "dbndiff = bngain * bnvar_inv * dbnraw")
wrong("dbnvar_inv", "bngain once more", ["bngain", "gain"], "dbnvar_inv = (bngain * bndiff * dbnraw).sum(0, keepdim=True)")
wrong("dhprebn", "the mean of the row", ["row", *SUM, "mean"], "dhprebn -= dbndiff.mean(1, keepdim=True)", "dhprebn +=")
wrong("dC", "the rows of a matrix product in another order", ORDER + ["index", "row", "context"], "dC = F.one_hot(Xb.view(-1), C.shape[0]).to(C.dtype).T @ demb.transpose(0, 1).reshape(-1, C.shape[1])", "for k")
wrong("db2", "divided by the number of characters", ["V", "27", "mean", "divi"], "db2 = dlogits.sum(0) / logits.shape[1]")
wrong("dW1", "embcat viewed, not transposed", ORDER, "dW1 = embcat.reshape(embcat.shape[1], embcat.shape[0]) @ dhprebn")
wrong("dW1", "bnvar_inv taken along", ["bnvar_inv"], "dW1 = embcat.T @ (bnvar_inv * dhprebn)")
wrong("dW2", "the gradient of the loss not summed but averaged twice", [*MEAN, "times what"], "dW2 = h.T @ dlogits / n**2")

# Exercise 2
WHERE = "dlogits[range(n), Yb]"
TWO = {"form": "exercise 2"}
wrong("dlogits", "not divided by n", MEAN, None, "dlogits /= n", **TWO)
wrong("dlogits", "minus one-hot is missing", ["one-hot", "Yb", "target", "-1", "1 "], None, WHERE, **TWO)
wrong("dlogits", "softmax over the batch", ["softmax", "sum", "column", "batch", "dimension", "axis"], "dlogits = F.softmax(logits, 0)", **TWO)
wrong("dlogits", "softmax twice", ["softmax", "probs", "twice"], "dlogits = F.softmax(probs, 1)", **TWO)
wrong("dlogits", "plus one-hot", SIGN + ["one-hot", "+"], f"{WHERE} += 1", WHERE, **TWO)
wrong("dlogits", "log softmax", ["log", "logprobs"], "dlogits = F.log_softmax(logits, 1)", **TWO)
wrong("dlogits", "one-hot at the context's last character", ["Yb", "Xb", "index", "place", "target"], "dlogits[range(n), Xb[:, -1]] -= 1", WHERE, **TWO)
wrong("dlogits", "divided by n - 1", ["n - 1", "n-1"], "dlogits /= n - 1", "dlogits /= n", **TWO)
wrong("dlogits", "counts for the softmax", ["counts", "row sum", "exponentials"], "dlogits = counts.clone()", **TWO)
wrong("dlogits", "one-hot minus softmax", SIGN, "dlogits = -F.softmax(logits, 1)", more={WHERE: f"{WHERE} += 1"}, **TWO)
wrong("dlogits", "1/n taken off the undivided softmax", MEAN + ["one-hot"], f"{WHERE} -= 1.0/n", WHERE, more={"dlogits /= n": None}, **TWO)

# Exercise 3
THREE = {"form": "exercise 3"}
NOW = "dhprebn = bngain*bnvar_inv/n * "
wrong("dhprebn", "1 for n/(n - 1)", ["n - 1", "n-1", "Bessel"], NOW + "(n*dhpreact - dhpreact.sum(0) - bnraw*(dhpreact*bnraw).sum(0))", **THREE)
wrong("dhprebn", "(n - 1)/n for n/(n - 1)", ["n - 1", "n-1", "Bessel"], NOW + "(n*dhpreact - dhpreact.sum(0) - (n-1)/n*bnraw*(dhpreact*bnraw).sum(0))", **THREE)
wrong("dhprebn", "the variance's branch is missing", BRANCH + ["varianc", "bnvar", "term"], NOW + "(n*dhpreact - dhpreact.sum(0))", **THREE)
wrong("dhprebn", "the mean's branch is missing", BRANCH + ["mean", "bnmeani", "term"], NOW + "(n*dhpreact - n/(n-1)*bnraw*(dhpreact*bnraw).sum(0))", **THREE)
wrong("dhprebn", "both branches are missing", BRANCH + ["mean", "bnmeani", "term"], "dhprebn = bngain*bnvar_inv * dhpreact", **THREE)
wrong("dhprebn", "bngain is missing", ["bngain", "gain"], "dhprebn = bnvar_inv/n * (n*dhpreact - dhpreact.sum(0) - n/(n-1)*bnraw*(dhpreact*bnraw).sum(0))", **THREE)
wrong("dhprebn", "bnvar_inv is missing", ["bnvar_inv"], "dhprebn = bngain/n * (n*dhpreact - dhpreact.sum(0) - n/(n-1)*bnraw*(dhpreact*bnraw).sum(0))", **THREE)
wrong("dhprebn", "1/n is missing", MEAN, "dhprebn = bngain*bnvar_inv * (n*dhpreact - dhpreact.sum(0) - n/(n-1)*bnraw*(dhpreact*bnraw).sum(0))", **THREE)
wrong("dhprebn", "n is missing before dhpreact", ["n"], NOW + "(dhpreact - dhpreact.sum(0) - n/(n-1)*bnraw*(dhpreact*bnraw).sum(0))", **THREE)
wrong("dhprebn", "the variance's branch is added", SIGN, NOW + "(n*dhpreact - dhpreact.sum(0) + n/(n-1)*bnraw*(dhpreact*bnraw).sum(0))", **THREE)
wrong("dhprebn", "mean for sum in the mean's branch", ["mean", "n"], NOW + "(n*dhpreact - dhpreact.mean(0) - n/(n-1)*bnraw*(dhpreact*bnraw).sum(0))", **THREE)
wrong("dhprebn", "bnraw is missing before the variance's sum", ["bnraw"], NOW + "(n*dhpreact - dhpreact.sum(0) - n/(n-1)*(dhpreact*bnraw).sum(0))", **THREE)
wrong("dhprebn", "bnvar for bnvar_inv", ["bnvar"], "dhprebn = bngain*bnvar/n * (n*dhpreact - dhpreact.sum(0) - n/(n-1)*bnraw*(dhpreact*bnraw).sum(0))", **THREE)
wrong("dhprebn", "the variance's branch is not summed", SUM, NOW + "(n*dhpreact - dhpreact.sum(0) - n/(n-1)*bnraw*(dhpreact*bnraw))", **THREE)
wrong("dhprebn", "summed over everything", SUM, NOW + "(n*dhpreact - dhpreact.sum() - n/(n-1)*bnraw*(dhpreact*bnraw).sum(0))", **THREE)
wrong("dhprebn", "dh for dhpreact", ["dh"], NOW + "(n*dh - dh.sum(0) - n/(n-1)*bnraw*(dh*bnraw).sum(0))", **THREE)
