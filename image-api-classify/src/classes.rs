//! Turns a model's output into named classes, the likeliest first.

use serde::Serialize;

use crate::model::OutputKind;

/// A class that the model can recognise.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Class {
    /// Name of the class.
    pub label: String,
    /// Index in the model's output.
    pub index: usize,
    /// Probability from 0 to 1.
    pub probability: f32,
    /// Probability from 0 to 255, as quantised models have it.
    pub score: u8,
    /// Output of the model: a logit, a probability or a byte.
    pub raw: f32,
}

/// Largest deviation from 1 of a sum of rounded probabilities.
const PROBABILITY_SUM_TOLERANCE: f32 = 0.05;

/// Ranks a quantised output.
pub(crate) fn from_scores(scores: &[u8], labels: &[String]) -> Vec<Class> {
    let values = scores.iter().map(|&score| (f32::from(score) / 255.0, score, f32::from(score)));
    rank(values, labels)
}

/// Ranks a floating-point output by its probabilities.
pub(crate) fn from_floats(values: &[f32], probabilities: &[f32], labels: &[String]) -> Vec<Class> {
    let values = values.iter().zip(probabilities);
    rank(values.map(|(&raw, &probability)| (probability, (probability * 255.0).round() as u8, raw)), labels)
}

/// Converts the model's output to probabilities. Guesses the kind of output if none is given.
///
/// # Errors
/// If a value is not finite, or the output is not what `kind` says.
pub(crate) fn probabilities(values: &[f32], kind: Option<OutputKind>, temperature: f32) -> Result<Vec<f32>, String> {
    if let Some(wrong) = values.iter().find(|value| !value.is_finite()) {
        return Err(format!("{wrong} is among its numbers"));
    }
    let are_probabilities = are_probabilities(values);
    match kind.unwrap_or(if are_probabilities { OutputKind::Probabilities } else { OutputKind::Logits }) {
        OutputKind::Logits => Ok(softmax(values, temperature)),
        OutputKind::Probabilities if are_probabilities => Ok(values.to_vec()),
        OutputKind::Probabilities => Err("model.toml calls its numbers probabilities, and they are not".to_owned()),
    }
}

fn are_probabilities(values: &[f32]) -> bool {
    let sum: f32 = values.iter().sum();
    values.iter().all(|value| (0.0..=1.0).contains(value)) && (sum - 1.0).abs() < PROBABILITY_SUM_TOLERANCE
}

fn softmax(values: &[f32], temperature: f32) -> Vec<f32> {
    let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = values.iter().map(|value| ((value - most) / temperature).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// Sorts classes by probability; equal ones keep their order.
fn rank(values: impl Iterator<Item = (f32, u8, f32)>, labels: &[String]) -> Vec<Class> {
    let named = values.zip(labels).enumerate().map(|(index, ((probability, score, raw), label))| Class {
        label: label.clone(),
        index,
        probability,
        score,
        raw,
    });
    let mut classes: Vec<Class> = named.collect();
    classes.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    classes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Vec<String> {
        ["cat", "dog", "frog"].map(str::to_owned).to_vec()
    }

    #[test]
    fn likeliest_class_comes_first_and_equals_keep_order() {
        let classes = from_scores(&[51, 204, 51], &labels());
        let ranking: Vec<_> = classes.iter().map(|class| (class.label.as_str(), class.score)).collect();
        assert_eq!(ranking, [("dog", 204), ("cat", 51), ("frog", 51)]);
        assert!((classes[0].probability - 0.8).abs() < 1e-6);
        assert_eq!((classes[0].index, classes[0].raw), (1, 204.0));
    }

    #[test]
    fn logits_become_probabilities_and_probabilities_stay() {
        assert_eq!(probabilities(&[0.25, 0.75], None, 1.0).unwrap(), [0.25, 0.75]);
        assert_eq!(probabilities(&[1000.0, 1000.0], None, 1.0).unwrap(), [0.5, 0.5]);
        let said = probabilities(&[0.25, 0.75], Some(OutputKind::Logits), 1.0).unwrap();
        assert!((said[1] - 0.6225).abs() < 1e-3, "{said:?}");
    }

    #[test]
    fn temperature_above_one_lowers_confidence() {
        let sure = probabilities(&[0.0, 4.0], Some(OutputKind::Logits), 1.0).unwrap()[1];
        let less_sure = probabilities(&[0.0, 4.0], Some(OutputKind::Logits), 2.0).unwrap()[1];
        assert!(sure > 0.98 && less_sure < 0.9 && less_sure > 0.5, "{sure} {less_sure}");
    }

    #[test]
    fn non_finite_and_wrong_probabilities_are_errors() {
        assert!(probabilities(&[0.5, f32::NAN], None, 1.0).unwrap_err().contains("NaN"));
        assert!(probabilities(&[f32::INFINITY, 0.0], None, 1.0).unwrap_err().contains("inf"));
        let claimed = probabilities(&[3.0, 0.0], Some(OutputKind::Probabilities), 1.0);
        assert!(claimed.unwrap_err().contains("probabilities"));
    }
}
