//! From a model's output to classes with names, the likeliest first.

use serde::Serialize;

/// Something that a picture may show.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Class {
    /// Its name.
    pub label: String,
    /// Its place in the model's output.
    pub index: usize,
    /// How likely it is, from 0 to 1.
    pub probability: f32,
    /// The same from 0 to 255, as quantised models have it.
    pub score: u8,
}

/// How far from 1 a sum of rounded probabilities may be.
const ROUNDING: f32 = 0.05;

/// Ranks a quantised output.
pub(crate) fn from_scores(scores: &[u8], labels: &[String]) -> Vec<Class> {
    ranked(scores.iter().map(|&score| (f32::from(score) / 255.0, score)), labels)
}

/// Ranks an output of probabilities, or of anything that softmax makes probabilities of.
pub(crate) fn from_floats(values: &[f32], labels: &[String]) -> Vec<Class> {
    let sum: f32 = values.iter().sum();
    let are_probabilities = values.iter().all(|value| (0.0..=1.0).contains(value)) && (sum - 1.0).abs() < ROUNDING;
    let probabilities = if are_probabilities { values.to_vec() } else { softmax(values) };
    ranked(probabilities.into_iter().map(|probability| (probability, (probability * 255.0).round() as u8)), labels)
}

fn softmax(values: &[f32]) -> Vec<f32> {
    let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = values.iter().map(|value| (value - most).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

fn ranked(values: impl Iterator<Item = (f32, u8)>, labels: &[String]) -> Vec<Class> {
    let named = values.enumerate().map(|(index, (probability, score))| {
        let label = labels.get(index).cloned().unwrap_or_else(|| format!("class {index}"));
        Class { label, index, probability, score }
    });
    let mut classes: Vec<Class> = named.collect();
    classes.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    classes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Vec<String> {
        ["cat", "dog"].map(str::to_owned).to_vec()
    }

    #[test]
    fn the_likeliest_comes_first_and_a_missing_label_is_a_number() {
        let classes = from_scores(&[0, 51, 204], &labels());
        let ranking: Vec<_> = classes.iter().map(|class| (class.label.as_str(), class.score)).collect();
        assert_eq!(ranking, [("class 2", 204), ("dog", 51), ("cat", 0)]);
        assert!((classes[0].probability - 0.8).abs() < 1e-6);
    }

    #[test]
    fn probabilities_stay_and_logits_become_probabilities() {
        assert_eq!(from_floats(&[0.25, 0.75], &labels())[0].probability, 0.75);
        let classes = from_floats(&[1000.0, 1000.0], &labels());
        assert_eq!((classes[0].probability, classes[0].score), (0.5, 128));
    }
}
