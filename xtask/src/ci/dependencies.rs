//! Forbidden dependencies between crates, checked with `cargo tree`.
//!
//! Each crate of the workspace names its wing in its own manifest (`package.metadata.daprlet.wing`); the rules are about wings, and
//! about single crates where a wing has exceptions. Services have the wing `service`, and Wasm components `wasm-component`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Result, bail};

use crate::repository::{Package, Repository, TEMPLATE, Workspace, output};

/// Wings that run only in daprlet's process.
const HOST: &[&str] = &["program", "api", "runtime", "resources", "building-blocks", "component", "guest"];

/// Crates that others must not depend on, even indirectly.
struct Rule {
    /// Wings or crates.
    crates: &'static [&'static str],
    /// Wings, crates, or packages of the registry.
    never: &'static [&'static [&'static str]],
    because: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        crates: &["service", "service-library"],
        never: &[HOST, &["wasmtime"]],
        because: "the same service runs beside the real daprd",
    },
    Rule {
        crates: HOST,
        never: &[&["service", "service-library", "component-library"]],
        because: "the host runs any guest, and is built without ours",
    },
    Rule {
        crates: &["building-blocks", "component-native"],
        never: &[&["hyper", "axum", "api", "wasmtime"]],
        because: "building blocks speak no protocol and run no WebAssembly",
    },
    Rule {
        crates: &["resources"],
        never: &[&["hyper", "api", "runtime", "component", "guest", "program", "wasmtime"]],
        because: "resources are plain values",
    },
    Rule {
        crates: &["daprlet-host", "api", "runtime"],
        never: &[&["component-native", "component-pluggable", "component-wasm"]],
        because: "components register by type; only the binary selects them",
    },
    Rule {
        crates: &["dapr-api-http"],
        never: &[&["wasmtime", "http-wasm", "guest", "program"]],
        because: "an API only translates",
    },
    Rule {
        crates: &["runtime"],
        never: &[&["wasmtime", "http-wasm", "guest", "program", "api"]],
        because: "the runtime knows neither protocols in front of it nor kinds of applications",
    },
    Rule {
        crates: &["dapr-api-wit"],
        never: &[&["guest", "program", "dapr-api-http"]],
        because: "functions need no HTTP API",
    },
    Rule {
        crates: &["component-wasm"],
        never: &[&["hyper", "axum", "runtime", "api", "program", "guest-wasmedge"]],
        because: "any program can load a component, without daprlet and without HTTP",
    },
    Rule {
        crates: &["http-wasm"],
        never: &[&["program", "api", "runtime", "guest-wasi-http", "component-native", "guest-wasmedge"]],
        because: "middleware depends on its trait alone",
    },
    Rule {
        crates: &["component-pluggable"],
        never: &[&["runtime", "api", "program", "wasmtime"]],
        because: "the socket protocol does not depend on components or on users of them",
    },
    Rule {
        crates: &["wasm-component", "component-library"],
        never: &[HOST, &["wasmtime"]],
        because: "a component depends on the contract, not on its host",
    },
    Rule {
        crates: &["inference"],
        never: &[&["wasmtime", "building-blocks", "hyper"]],
        because: "inference does not depend on guests",
    },
    Rule {
        crates: &["guest", "api", "runtime", "component", "daprlet-host"],
        never: &[&["wasm-optimizer"]],
        because: "the host runs what it is given",
    },
    Rule {
        crates: &["guest"],
        never: &[&["building-blocks", "runtime", "api"]],
        because: "a guest does not depend on Dapr",
    },
];

/// Wings of all crates of the workspace, by their names.
type Wings<'a> = BTreeMap<&'a str, &'a str>;

/// Checks all rules, and reports every violation.
pub(crate) fn check(repository: &Repository) -> Result<()> {
    let workspace = repository.workspace()?;
    let wings = wings(&workspace);
    let mut violations = Vec::new();
    for package in workspace.packages.iter().filter(|package| !wings.contains_key(package.name.as_str())) {
        violations.push(format!("{} has no [package.metadata.daprlet] wing in its manifest", package.name));
    }
    for (name, wing) in &wings {
        let rules: Vec<&Rule> = RULES.iter().filter(|rule| selects(rule.crates, name, wing)).collect();
        if !rules.is_empty() {
            let found = dependencies_of(repository, name)?;
            violations.extend(rules.iter().flat_map(|rule| find_violations(rule, name, &found, &wings)));
        }
    }
    let services: Vec<&str> = wings.iter().filter(|(_, wing)| **wing == "service").map(|(name, _)| *name).collect();
    for package in
        workspace.packages.iter().filter(|it| wings.get(it.name.as_str()).is_some_and(|it| HOST.contains(it)))
    {
        violations.extend(names_services(repository, package, &services)?);
    }
    if !violations.is_empty() {
        bail!("forbidden dependencies:\n  {}", violations.join("\n  "));
    }
    Ok(())
}

fn wings(workspace: &Workspace) -> Wings<'_> {
    let services =
        workspace.services().map(|service| (service.name.as_str(), "service")).chain([(TEMPLATE, "service")]);
    let components = workspace.components().map(|component| (component.name.as_str(), "wasm-component"));
    let named = workspace.packages.iter().filter_map(|package| Some((package.name.as_str(), package.wing()?)));
    // What a manifest says counts most.
    components.chain(services).chain(named).collect()
}

/// Returns all normal dependencies of a crate: its tests may need more.
fn dependencies_of(repository: &Repository, name: &str) -> Result<BTreeSet<String>> {
    let arguments = ["tree", "--locked", "--edges", "normal", "--target", "all", "--prefix", "none", "--package", name];
    let tree = output(&mut repository.cargo(&arguments))?;
    let names = tree.lines().filter_map(|line| line.split_whitespace().next());
    Ok(names.filter(|found| *found != name).map(str::to_owned).collect())
}

fn selects(selectors: &[&str], name: &str, wing: &str) -> bool {
    selectors.contains(&name) || selectors.contains(&wing)
}

fn find_violations(rule: &Rule, name: &str, found: &BTreeSet<String>, wings: &Wings<'_>) -> Vec<String> {
    let wing = |name: &str| wings.get(name).copied().unwrap_or_default();
    let is_forbidden = |it: &&String| rule.never.iter().any(|set| selects(set, it, wing(it)));
    found.iter().filter(is_forbidden).map(|it| format!("{name} depends on {it}, but {}", rule.because)).collect()
}

/// Finds names of services in the sources of a host crate.
fn names_services(repository: &Repository, package: &Package, services: &[&str]) -> Result<Vec<String>> {
    let mut violations = Vec::new();
    for file in repository.files()? {
        let path = repository.path(&file);
        if !path.starts_with(package.folder().join("src")) {
            continue;
        }
        let text = fs::read_to_string(&path)?;
        let named = services.iter().filter(|service| text.contains(**service));
        violations.extend(named.map(|it| format!("{} names {it}, but the host names no service", file.display())));
    }
    Ok(violations)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn violation_is_reported_with_reason() {
        let rule = Rule { crates: &["a"], never: &[&["b"], &["tests"]], because: "it is so" };
        let wings = Wings::from([("c", "tests"), ("d", "program")]);
        let found = ["c", "d"].map(str::to_owned).into();
        assert_eq!(find_violations(&rule, "a", &found, &wings), ["a depends on c, but it is so"]);
    }

    #[test]
    fn every_rule_is_about_a_crate_or_wing() {
        let workspace = Repository::new(None).workspace().unwrap();
        let wings = wings(&workspace);
        for name in RULES.iter().flat_map(|rule| rule.crates) {
            assert!(wings.iter().any(|(package, wing)| package == name || wing == name), "{name}");
        }
    }
}
