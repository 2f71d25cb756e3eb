"""setfit on the first rows of each label, as `hidra-bench setfit` takes them: one JSON object.

    python peers_setfit.py --encoder FOLDER --train train.csv --test test.csv [--text text --label category --shots 8]

setfit's defaults (batch 16, one epoch, learning rate 2e-5, logistic regression as the head), but for how pairs are drawn: its default,
"oversampling", makes every pair there is, which for 77 labels of 8 rows are 23,000 steps, hours on two cores. `--iterations 20` draws 20
pairs of each kind for each row, as the paper does and as `hidra-bench setfit` does; `--iterations 0` is setfit's default. `--max-steps`
ends it early, and says how long a whole run would take.
"""

import argparse
import csv
import json
import time

parser = argparse.ArgumentParser()
parser.add_argument("--encoder", required=True)
parser.add_argument("--train", required=True)
parser.add_argument("--test", required=True)
parser.add_argument("--text", default="text")
parser.add_argument("--label", default="category")
parser.add_argument("--shots", type=int, default=8)
parser.add_argument("--iterations", type=int, default=20)
parser.add_argument("--max-steps", type=int, default=-1)
parser.add_argument("--threads", type=int, default=0)
options = parser.parse_args()

import torch  # noqa: E402  (after the arguments: --help is quick)

if options.threads:
    torch.set_num_threads(options.threads)

import transformers.training_args  # noqa: E402
from datasets import Dataset  # noqa: E402

# setfit 1.2 imports a name that transformers 5 has moved.
if not hasattr(transformers.training_args, "default_logdir"):
    transformers.training_args.default_logdir = lambda: "runs"

from setfit import SetFitModel, Trainer, TrainingArguments  # noqa: E402


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return [(row[options.text], row[options.label]) for row in csv.DictReader(file)]


counts, few = {}, []
for text, label in read(options.train):
    counts[label] = counts.get(label, 0) + 1
    if counts[label] <= options.shots:
        few.append((text, label))
names = sorted(counts)
test = read(options.test)

model = SetFitModel.from_pretrained(options.encoder)
arguments = TrainingArguments(
    num_iterations=options.iterations or None, max_steps=options.max_steps, seed=0, save_strategy="no", report_to="none",
    output_dir="/tmp/setfit-peer",
)
data = Dataset.from_dict({"text": [t for t, _ in few], "label": [names.index(l) for _, l in few]})
trainer = Trainer(model=model, args=arguments, train_dataset=data)
start = time.perf_counter()
trainer.train()
seconds = time.perf_counter() - start
predicted = [int(p) for p in model.predict([t for t, _ in test], batch_size=64)]
accuracy = sum(names[p] == l for p, (_, l) in zip(predicted, test)) / len(test)
print(json.dumps({
    "peer": "setfit", "rows": len(few), "iterations": options.iterations, "max_steps": options.max_steps, "seconds": round(seconds, 2),
    "accuracy": round(accuracy, 4), "threads": torch.get_num_threads(),
}))
