//! The classify service with its embedded model.

use e2e::Deployment;

const SAMPLE: &[u8] = include_bytes!("../../../../docs/sample.jpg");

#[test]
fn embedded_model_recognises_sample_and_reports_times() {
    let deployment = Deployment::start(&crate::options());
    let answer = deployment.classify("POST", "/classify").body(SAMPLE).send();
    assert!(answer.text().starts_with("ship is detected with "), "{}", answer.text());
    let answer = deployment.classify("POST", "/classify?k=1").header("Accept", "application/json").body(SAMPLE).send();
    assert!(answer.text().contains(r#""label":"ship""#) && answer.text().contains("times_ms"), "{}", answer.text());
    assert!(answer.header("server-timing").contains("inference;dur="), "{}", answer.header("server-timing"));
    let model = deployment.classify("GET", "/model").send();
    assert!(model.text().contains(r#""source":"part of the service""#), "{}", model.text());
}
