"""Calibration of the confidence: temperature, calibration error, and the threshold below which a result is a guess."""

import numpy as np

# Number of bins: with more, they hold too few images for a meaningful share of right results.
BINS = 15

# Required share of right results among those that are not called unsure.
SURE = 0.95

# Range of temperatures: values beyond it would mean that something else is wrong.
COLDEST, HOTTEST = 0.2, 5.0


def probabilities(logits, temperature=1.0):
    """Softmax of logits [n, classes]; a temperature above 1 lowers confidence."""
    logits = logits.astype(np.float64) / temperature
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def cross_entropy(logits, classes, temperature=1.0):
    """Mean cross-entropy at the true classes; calibrated probabilities have the lowest."""
    return -np.log(probabilities(logits, temperature)[np.arange(len(classes)), classes] + 1e-12).mean()


def temperature_of(logits, classes):
    """Finds the temperature with the least cross-entropy by ternary search: there is only one minimum."""
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
    """Expected calibration error: difference of confidence and share of right results, over bins of confidence."""
    confidence, right = sure_of.max(1), sure_of.argmax(1) == classes
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [abs(confidence[bins == one].mean() - right[bins == one].mean()) * (bins == one).mean() for one in set(bins)]
    return float(sum(gaps))


def threshold_of(sure_of, classes):
    """Lowest confidence, in hundredths, above which at least SURE of the results are right; else the highest."""
    confidence, right = sure_of.max(1), sure_of.argmax(1) == classes
    for hundredths in range(100):
        chosen = confidence >= hundredths / 100
        if not chosen.any():
            break
        if right[chosen].mean() >= SURE:
            return hundredths / 100
    return 0.99


def sure_part(sure_of, classes, threshold):
    """Share of the results that are not unsure, and the share of right ones among them."""
    chosen = sure_of.max(1) >= threshold
    right = (sure_of.argmax(1) == classes)[chosen]
    return float(chosen.mean()), float(right.mean()) if len(right) else 0.0
