"""What a confidence is worth: makes it honest, measures how honest it is, and says below which the answer is a guess."""

import numpy as np

# Below this there are too few pictures in a bin for its share of right answers to mean anything.
BINS = 15

# How many of the answers that are not called unsure shall be right.
SURE = 0.95

# Temperatures beyond these would mean that something else is wrong.
COLDEST, HOTTEST = 0.2, 5.0


def probabilities(logits, temperature=1.0):
    """Softmax of logits [n, classes]; a temperature above 1 makes it less confident."""
    logits = logits.astype(np.float64) / temperature
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def cross_entropy(logits, classes, temperature=1.0):
    """The mean surprise at the true classes; the lowest is had by honest probabilities."""
    return -np.log(probabilities(logits, temperature)[np.arange(len(classes)), classes] + 1e-12).mean()


def temperature_of(logits, classes):
    """The temperature with the least cross-entropy, which has one minimum only, so that thirds of the range find it."""
    low, high = np.log(COLDEST), np.log(HOTTEST)
    while high - low > 1e-4:
        third = (high - low) / 3
        left, right = low + third, high - third
        if cross_entropy(logits, classes, np.exp(left)) < cross_entropy(logits, classes, np.exp(right)):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def expected_error(sure_of, classes):
    """Expected calibration error: by how much confidence and share of right answers differ, over bins of confidence."""
    confidence, right = sure_of.max(1), sure_of.argmax(1) == classes
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [abs(confidence[bins == one].mean() - right[bins == one].mean()) * (bins == one).mean() for one in set(bins)]
    return float(sum(gaps))


def threshold_of(sure_of, classes):
    """The lowest confidence, in hundredths, from which on at least SURE of the answers are right; else the highest."""
    confidence, right = sure_of.max(1), sure_of.argmax(1) == classes
    for hundredths in range(100):
        chosen = confidence >= hundredths / 100
        if not chosen.any():
            break
        if right[chosen].mean() >= SURE:
            return hundredths / 100
    return 0.99


def sure_part(sure_of, classes, threshold):
    """Which share of the answers is not unsure, and which share of those is right."""
    chosen = sure_of.max(1) >= threshold
    right = (sure_of.argmax(1) == classes)[chosen]
    return float(chosen.mean()), float(right.mean()) if len(right) else 0.0
