"""The model card: facts for users of the model. Every figure in it was measured by evaluate.py."""

CARD, PICTURE = "MODEL_CARD.md", "confusion-matrix.svg"

CELL, MARGIN, HEAD = 44, 92, 92


def written(facts, result, table, labels, size, hardware):
    """Formats the card as Markdown. Without a test result, it says so and only has the held-out figures."""
    settings, held_out = facts["settings"], facts["held_out"]
    worst = sorted(((table[a][b], a, b) for a in range(len(labels)) for b in range(len(labels)) if a != b), reverse=True)[:3]
    return TEXT.format(
        picture=PICTURE,
        things=", ".join(labels),
        labels=len(labels),
        size=size / 1e6,
        parameters=facts["parameters"] / 1e3,
        minutes=facts["minutes"],
        hardware=hardware,
        temperature=facts["temperature"],
        threshold=facts["threshold"],
        out_of_255=round(facts["threshold"] * 255),
        trained=facts["training_pictures"],
        all_pictures=facts["training_pictures"] + held_out["pictures"],
        held=percent(held_out),
        test=percent(result) if result else dict.fromkeys(percent(held_out), "not tried"),
        held_count=held_out["pictures"],
        test_count=result["pictures"] if result else "not tried",
        tested=TESTED if result else UNTESTED,
        kind="test" if result else "held-out",
        classes="\n".join(f"| {label} | {100 * table[at][at] / sum(table[at]):.1f} % |" for at, label in enumerate(labels)),
        confused="; ".join(f"{count} times {labels[a]} was taken for {labels[b]}" for count, a, b in worst),
        **{name: settings[name] for name in ("epochs", "polish", "polish_rate", "batch", "smoothing", "hole", "shift", "seed", "rate")},
        mixed=100 * settings["mix"],
        others=of_others(facts),
    )


def of_others(facts):
    """Figures for images of other things, if measured."""
    parts = []
    if "kept_unsure" in facts:
        parts.append(f"of parts of photographs that it has not learnt from, but of the same kinds, {100 * facts['kept_unsure']:.1f} %")
    if "others" in facts:
        parts.append(f"of {facts['others']['pictures']} photographs from elsewhere, seen whole, {100 * facts['others']['unsure']:.1f} %")
    return "; ".join(parts) or "not tried"


def percent(figures):
    """Formats the shares among figures in percent."""
    return {name: f"{100 * value:.2f} %" for name, value in figures.items() if name != "pictures"}


def drawn(table, labels):
    """Draws the confusion matrix as SVG: darker means more; right results have another colour than wrong ones."""
    side = MARGIN + CELL * len(labels)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side + 8} {side + 8}" font-family="sans-serif" font-size="12">',
        "<title>Confusion matrix: rows are what pictures show, columns what they were taken for</title>",
        f'<rect width="{side + 8}" height="{side + 8}" fill="white"/>',
    ]
    for at, label in enumerate(labels):
        middle = HEAD + CELL * at + CELL // 2
        parts.append(f'<text x="{MARGIN - 6}" y="{middle + 4}" text-anchor="end">{label}</text>')
        parts.append(f'<text transform="translate({middle + 4} {HEAD - 6}) rotate(-60)">{label}</text>')
    for row in range(len(labels)):
        for column in range(len(labels)):
            parts += cell(table[row], row, column)
    return "\n".join([*parts, "</svg>", ""])


def cell(counts, row, column):
    """Draws one square. Errors are rare, so that their colour is scaled."""
    share = counts[column] / max(sum(counts), 1)
    depth = share if row == column else min(1, share * 8)
    colour = (f"rgb({255 - 215 * depth:.0f},{255 - 145 * depth:.0f},{255 - 85 * depth:.0f})" if row == column
              else f"rgb({255 - 30 * depth:.0f},{255 - 165 * depth:.0f},{255 - 195 * depth:.0f})")
    x, y = MARGIN + CELL * column, HEAD + CELL * row
    ink = "white" if depth > 0.6 else "#333"
    return [
        f'<rect x="{x}" y="{y}" width="{CELL - 1}" height="{CELL - 1}" fill="{colour}"/>',
        f'<text x="{x + CELL // 2}" y="{y + CELL // 2 + 4}" text-anchor="middle" fill="{ink}">{counts[column]}</text>',
    ]


TESTED = "The test pictures were used once, for this table, after everything had been chosen."
UNTESTED = "The test pictures have not been used yet: this model is not the last one, and they are kept for that."

TEXT = """\
# Model card: cifar10-small

Says which of {labels} things a small picture shows: {things}.
Written by `models/train/evaluate.py`; every figure was measured.

## What it is

A convolutional network with {parameters:.0f} thousand parameters for pictures of 32 x 32 pixels: a stem of 2x2 filters that
starts as a whitening of patches, then three stages of two 3x3 convolutions each, the second of which is residual. Its weights
are stored as bytes with one scale for each output channel; the file has {size:.2f} MB. It computes in floating-point numbers.
Normalisation and temperature are inside, and so is a second look: where the best guess leads by little, the picture is seen
mirrored, too, and the logits of both looks are averaged. A second, small network looks at the last features and tells pictures of
the {labels} things from others: logits are multiplied by its probability, so that confidence in what it does not know goes away.
Licence: Apache-2.0.

## How well it does

| | held-out training pictures | test pictures |
|---|---|---|
| pictures | {held_count} | {test_count} |
| right | {held[right]} | {test[right]} |
| expected calibration error, 15 bins, as trained | {held[expected_error_uncalibrated]} | {test[expected_error_uncalibrated]} |
| the same, with the temperature | {held[expected_error]} | {test[expected_error]} |
| answers with a probability of at least {threshold} | {held[sure]} | {test[sure]} |
| right among these | {held[right_if_sure]} | {test[right_if_sure]} |
| right answers that are called unsure | {held[lost]} | {test[lost]} |

{tested}

**Other things.** Pictures unlike those that the network has learnt from lose their confidence. What it called unsure of other
things: {others}.

| class | right, of the {kind} pictures |
|---|---|
{classes}

![What was taken for what]({picture})

Rows are what the pictures show, columns what they were taken for. The commonest mistakes: {confused}.

## How it was trained

- **Data**: CIFAR-10 (Alex Krizhevsky, *Learning Multiple Layers of Features from Tiny Images*, 2009), as a tar of JPEG files.
  {trained} of its {all_pictures} training pictures; the other {held_count} were held out for tuning and calibration. None of
  the data is in this repository.
- **Recipe**: {epochs} epochs in batches of {batch}; gradient descent with Nesterov momentum; one cycle of the learning rate up
  to {rate}; labels smoothed by {smoothing}; weights averaged over recent steps. Pictures are mirrored, moved by up to
  {shift} pixels, put into another light, and a square of {hole} pixels is painted over; in {mixed:.0f} % of the batches each gets a
  piece of another. Then {polish} epochs in which all are whole, from {polish_rate} down. The seed is {seed}.
- **Calibration**: on the held-out pictures a temperature of {temperature:.3f} had the least cross-entropy. A best guess below
  {threshold} ({out_of_255}/255) is called unsure.
- **Doubt**: learnt from features of pictures of the classes and of some ten thousand parts of photographs of other things, which
  are not in this repository either. How much of it there is was chosen on held-out pictures, so that 6.8 % of the right answers
  are called unsure.
- **Cost**: {minutes:.0f} minutes on {hardware}, no graphics card.

To make it again, in `models/train`, with the requirements installed and `TESTDATA_DIR` set:

```
python train.py && python export.py && python doubt.py --others FOLDER && python evaluate.py
```

The seed is fixed; another processor, number of threads or version of the framework rounds otherwise, and the weights differ a
little.

## What it cannot do

- It knows {labels} things. Of ten pictures of anything else it takes one for one of them, with confidence. The calibration
  holds for pictures like those of CIFAR-10 only, and a photograph of one of its things may be called unsure, too.
- It sees 32 x 32 pixels. The thing has to fill most of the picture; of a photograph it sees what is left after shrinking, and
  small or several things are lost.
- It has learnt from pictures that were found on the web before 2009, and from a few thousand for each of its things.
- Nobody should decide anything about people, or anything that matters, by its answers.
"""
