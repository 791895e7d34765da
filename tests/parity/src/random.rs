//! Random sequences of state operations. Each is an ordinary case: both deployments must do the same.

use fastrand::Rng;

use crate::case::{Case, Step, case, dapr};

/// Operations of one sequence.
const LENGTH: usize = 60;
/// Number of keys; few, so that operations collide.
const KEYS: usize = 3;
/// Seeds of every run.
const FIXED: std::ops::Range<u64> = 0..2;

/// Returns the fixed sequences and `more` others, for each kind of store.
pub(crate) fn cases(more: u64) -> Vec<Case> {
    let seeds = FIXED.chain(FIXED.end..FIXED.end + more);
    seeds.flat_map(|seed| ["memory", "sqlite", "redis"].map(|store| sequence(seed, store))).collect()
}

fn sequence(seed: u64, store: &'static str) -> Case {
    let mut sequence = Sequence { rng: Rng::with_seed(seed), store, reads: vec![Vec::new(); KEYS], steps: Vec::new() };
    for _ in 0..LENGTH {
        sequence.step();
    }
    // Final state.
    (0..KEYS).for_each(|key| sequence.read(key));
    case(format!("state {store}: a random sequence, seed {seed}"), sequence.steps)
}

struct Sequence {
    rng: Rng,
    store: &'static str,
    /// For each key, the steps that read it.
    reads: Vec<Vec<usize>>,
    steps: Vec<Step>,
}

impl Sequence {
    fn step(&mut self) {
        let key = self.rng.usize(..KEYS);
        match self.rng.u8(..10) {
            0..=2 => self.read(key),
            3..=5 => {
                let item = self.item(key);
                self.call("", &format!("[{item}]"));
            }
            6 => {
                // Dapr writes both at once: if both could fail, it would be random which error is reported.
                let (item, fresh) = (self.item(key), self.steps.len());
                self.call("", &format!(r#"[{item},{{"key":"{{key}}-fresh-{fresh}","value":1}}]"#));
            }
            7 => self.delete(key),
            // One key: the order of several is a known difference.
            8 => self.call("/bulk", &format!(r#"{{"keys":["{{key}}-{key}"]}}"#)),
            _ => {
                let operations: Vec<String> = (0..self.rng.usize(1..4)).map(|_| self.operation()).collect();
                self.call("/transaction", &format!(r#"{{"operations":[{}]}}"#, operations.join(",")));
            }
        }
    }

    fn read(&mut self, key: usize) {
        if let Some(reads) = self.reads.get_mut(key) {
            reads.push(self.steps.len());
        }
        self.steps.push(dapr("caller", "GET", format!("/v1.0/state/{}/{{key}}-{key}", self.store)));
    }

    fn delete(&mut self, key: usize) {
        let concurrency = self.pick(&["", "?concurrency=first-write", "?concurrency=last-write"]);
        let mut step = dapr("caller", "DELETE", format!("/v1.0/state/{}/{{key}}-{key}{concurrency}", self.store));
        if let Some(etag) = self.etag(key) {
            step = step.header("if-match", &etag);
        }
        self.steps.push(step);
    }

    fn call(&mut self, path: &str, body: &str) {
        self.steps.push(dapr("caller", "POST", format!("/v1.0/state/{}{path}", self.store)).json(body.to_owned()));
    }

    fn operation(&mut self) -> String {
        let key = self.rng.usize(..KEYS);
        if self.rng.bool() {
            return format!(r#"{{"operation":"upsert","request":{}}}"#, self.item(key));
        }
        let etag = self.etag(key).map(|etag| format!(r#","etag":"{etag}""#)).unwrap_or_default();
        format!(r#"{{"operation":"delete","request":{{"key":"{{key}}-{key}"{etag}}}}}"#)
    }

    fn item(&mut self, key: usize) -> String {
        // Values that every store keeps byte for byte.
        let value = self.pick(&["1", "\"text\"", "null", "true", "[1,2]", "{\"a\":1}", "0.5"]);
        let etag = self.etag(key).map(|etag| format!(r#","etag":"{etag}""#)).unwrap_or_default();
        let options = self.pick(&["", "", r#","options":{"concurrency":"first-write"}"#]);
        let metadata =
            self.pick(&["", "", r#","metadata":{"ttlInSeconds":"1000"}"#, r#","metadata":{"ttlInSeconds":"-1"}"#]);
        format!(r#"{{"key":"{{key}}-{key}","value":{value}{etag}{options}{metadata}}}"#)
    }

    /// Returns often none, else an etag that the key has or had, or that it never had.
    fn etag(&mut self, key: usize) -> Option<String> {
        let reads = self.reads.get(key).cloned().unwrap_or_default();
        match self.rng.u8(..6) {
            0..=2 => None,
            3 => Some("999999".to_owned()),
            _ => reads.last().map(|step| format!("{{etag:{step}}}")),
        }
    }

    fn pick(&mut self, choices: &[&'static str]) -> &'static str {
        choices.get(self.rng.usize(..choices.len())).copied().unwrap_or_default()
    }
}
