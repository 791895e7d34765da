//! The workflows pin the repository's versions, and let no step fail silently.
//!
//! actionlint checks that GitHub accepts them: `cargo xtask ci workflows`.

use deploy_tests::{Manifest, repository, text};
use serde_json::{Value, json};

const WORKFLOWS: &[&str] = &["ci.yml", "pages.yml", "release.yml"];

fn workflow(name: &str) -> Manifest {
    Manifest::read(&repository(".github/workflows").join(name)).remove(0)
}

fn jobs(workflow: &Manifest) -> Vec<(String, Value)> {
    workflow.at("/jobs").as_object().unwrap().iter().map(|(name, job)| (name.clone(), job.clone())).collect()
}

fn steps(workflow: &Manifest) -> Vec<Value> {
    jobs(workflow).into_iter().flat_map(|(_, job)| job["steps"].as_array().unwrap().clone()).collect()
}

#[test]
fn versions_match_the_repository() {
    let ci = workflow("ci.yml");
    let dapr = text("tools/daprd/go.mod");
    let dapr = dapr.lines().find_map(|line| line.trim().strip_prefix("github.com/dapr/dapr v")).unwrap();
    assert_eq!(ci.text("/env/DAPR_RUNTIME"), dapr.split_whitespace().next().unwrap());
    let init = format!("--runtime-version {}", ci.text("/env/DAPR_RUNTIME"));
    assert_eq!(text("deploy/README.md").matches(&init).count(), 2, "{init}");

    let wasmedge = format!("'wasmedge={}*'", ci.text("/env/WASMEDGE_VERSION"));
    assert!(text("deploy/Dockerfile").contains(&wasmedge), "{wasmedge}");

    let mysql = ci.text("/jobs/real/services/mysql/image");
    assert!(text("deploy/kubernetes/stores/mysql.yaml").contains(&format!("image: {mysql}\n")), "{mysql}");

    let deny = format!("\"cargo-deny@{}\"", ci.text("/jobs/advisories/env/CARGO_DENY"));
    assert!(text("xtask/src/setup.rs").contains(&deny), "{deny}");

    let toolchain = text("rust-toolchain.toml");
    let image = ci.text("/jobs/check/container").strip_prefix("rust:").unwrap();
    assert!(toolchain.contains(&format!("channel = \"{}\"", image.split('-').next().unwrap())), "{image}");
}

#[test]
fn actions_are_githubs_own_at_exact_versions() {
    for name in WORKFLOWS {
        for action in steps(&workflow(name)).iter().filter_map(|step| step["uses"].as_str()) {
            let (action, version) = action.split_once('@').unwrap();
            assert!(action.starts_with("actions/"), "{action}");
            let numbers =
                version.strip_prefix('v').unwrap_or_default().split('.').filter(|it| it.parse::<u32>().is_ok());
            assert_eq!(numbers.count(), 3, "{action}@{version}");
        }
    }
}

#[test]
fn jobs_have_minimal_permissions_and_timeouts() {
    for name in WORKFLOWS {
        let workflow = workflow(name);
        assert_eq!(*workflow.at("/permissions"), json!({"contents": "read"}), "{name}");
        for (job, what) in jobs(&workflow) {
            assert!(what["timeout-minutes"].as_u64().is_some(), "{name}, {job}");
            let expected = match job.as_str() {
                "publish" => json!({"contents": "write", "id-token": "write", "attestations": "write"}),
                "deploy" => json!({"pages": "write", "id-token": "write"}),
                _ => Value::Null,
            };
            assert_eq!(what["permissions"], expected, "{name}, {job}");
        }
        for step in
            steps(&workflow).iter().filter(|step| step["uses"].as_str().is_some_and(|it| it.contains("checkout")))
        {
            assert_eq!(step["with"]["persist-credentials"], json!(false), "{name}");
        }
    }
}

#[test]
fn failing_step_fails_its_job() {
    for name in WORKFLOWS {
        let (workflow, text) = (workflow(name), text(format!(".github/workflows/{name}")));
        assert_eq!(
            workflow.text("/defaults/run/shell"),
            "bash",
            "{name}: only so, a pipe fails where one of its parts does"
        );
        for silence in ["|| true", "|| :", "continue-on-error", "set +e"] {
            assert!(!text.contains(silence), "{name}: {silence}");
        }
    }
}

#[test]
fn release_has_every_platform_and_checksums() {
    let release = workflow("release.yml");
    let builds = release.at("/jobs/daprlet/strategy/matrix/include").as_array().unwrap().clone();
    let targets: Vec<&str> = builds.iter().map(|build| build["target"].as_str().unwrap()).collect();
    let expected =
        ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl", "x86_64-apple-darwin", "aarch64-apple-darwin"];
    assert_eq!(targets, expected);
    let deny = text("deny.toml");
    for target in targets {
        assert!(deny.contains(&format!("\"{target}\"")), "deny.toml does not check the dependencies on {target}");
    }
    let publish = release.at("/jobs/publish/steps").to_string();
    assert!(publish.contains("sha256sum") && publish.contains("files/*"), "{publish}");
}

#[test]
fn site_has_the_page_and_the_book() {
    let steps = workflow("pages.yml").at("/jobs/build/steps").to_string();
    for part in ["cargo xtask book", "cp -R docs site", "cp -R target/book site/book"] {
        assert!(steps.contains(part), "{part}");
    }
    assert!(text("book/book.toml").contains("build-dir = \"../target/book\""));
}

#[test]
fn commands_of_jobs_exist() {
    let ci = text(".github/workflows/ci.yml");
    for script in ["deploy/smoke-test", "deploy/kubernetes/create-secrets", ".ci/run"] {
        assert!(ci.contains(script) && repository(script).is_file(), "{script}");
    }
    assert!(repository(workflow("ci.yml").text("/jobs/kind/env/OVERLAY")).is_dir());
}
