//! Forbidden dependencies between crates, checked with `cargo tree`.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Result, bail};

use crate::repository::{Package, Repository, TEMPLATE, output};

/// Crates that run only in daprlet's process.
const HOST: &[&str] = &[
    "app-runtime",
    "building-blocks",
    "component-guest",
    "dapr-http",
    "dapr-resources",
    "dapr-wit",
    "daprlet",
    "fuse",
    "http-wasm",
    "inference",
    "native-components",
    "pluggable",
    "sidecar",
    "wasm-components",
    "wasm-engine",
    "wasmedge-guest",
];

/// Libraries that services are built from.
const GUEST_LIBRARIES: &[&str] = &["dapr-client", "http-bridge", "image-intake", "service-kit"];

/// Crates that others must not depend on, even indirectly.
struct Rule {
    crates: &'static [&'static str],
    /// True if the rule also applies to the services.
    services: bool,
    never: &'static [&'static [&'static str]],
    because: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        crates: GUEST_LIBRARIES,
        services: true,
        never: &[HOST, &["wasmtime"]],
        because: "the same service runs beside the real daprd",
    },
    Rule {
        crates: HOST,
        services: false,
        never: &[GUEST_LIBRARIES],
        because: "the host runs any service, and is built without ours",
    },
    Rule {
        crates: &["building-blocks", "native-components"],
        services: false,
        never: &[&["hyper", "axum", "dapr-http", "wasmtime"]],
        because: "building blocks use neither HTTP nor WebAssembly",
    },
    Rule {
        crates: &["app-runtime", "dapr-http", "dapr-wit", "sidecar"],
        services: false,
        never: &[&["native-components", "pluggable", "wasm-components"]],
        because: "components register by type; only the binary selects them",
    },
    Rule {
        crates: &["dapr-http", "sidecar"],
        services: false,
        never: &[&["wasmtime", "component-guest", "http-wasm", "wasmedge-guest", "app-runtime"]],
        because: "an API does not depend on its implementation",
    },
    Rule {
        crates: &["dapr-wit"],
        services: false,
        never: &[&["component-guest", "wasmedge-guest", "app-runtime", "dapr-http", "hyper"]],
        because: "functions need no HTTP, and an API does not depend on its implementation",
    },
    Rule {
        crates: &["wasm-components"],
        services: false,
        never: &[&["hyper", "axum", "sidecar", "dapr-http", "app-runtime", "wasmedge-guest"]],
        because: "any program can load a component, without daprlet and without HTTP",
    },
    Rule {
        crates: &["http-wasm"],
        services: false,
        never: &[&["app-runtime", "component-guest", "native-components", "wasmedge-guest"]],
        because: "middleware does not depend on applications",
    },
    Rule {
        crates: &["pluggable"],
        services: false,
        never: &[&["sidecar", "dapr-http", "app-runtime", "wasmtime"]],
        because: "the socket protocol does not depend on components or on users of them",
    },
    Rule {
        crates: &[
            "dapr-over-http",
            "keyvalue",
            "keyvalue-demo",
            "keyvalue-on-state",
            "secrets-env-file",
            "state-in-memory",
            "state-redis",
        ],
        services: false,
        never: &[HOST, &["wasmtime"]],
        because: "a component depends on the contract, not on its host",
    },
    Rule {
        crates: &["inference"],
        services: false,
        never: &[&["wasmtime", "building-blocks", "hyper"]],
        because: "inference does not depend on guests",
    },
    Rule {
        crates: &["component-guest", "wasm-engine", "wasmedge-guest"],
        services: false,
        never: &[&["building-blocks", "sidecar", "dapr-http", "dapr-wit"]],
        because: "a guest's sockets do not depend on Dapr",
    },
];

/// Checks all rules, and reports every violation.
pub(crate) fn check(repository: &Repository) -> Result<()> {
    let workspace = repository.workspace()?;
    let services: Vec<&str> =
        workspace.services().map(|service| service.name.as_str()).chain(std::iter::once(TEMPLATE)).collect();
    let mut violations = Vec::new();
    for rule in RULES {
        let services = services.iter().filter(|_| rule.services);
        for name in rule.crates.iter().chain(services) {
            violations.extend(find_violations(rule, name, &dependencies_of(repository, name)?));
        }
    }
    for name in HOST {
        violations.extend(names_services(repository, workspace.package(name)?, &services)?);
    }
    if !violations.is_empty() {
        bail!("forbidden dependencies:\n  {}", violations.join("\n  "));
    }
    Ok(())
}

/// Returns all normal dependencies of a crate: its tests may need more.
fn dependencies_of(repository: &Repository, name: &str) -> Result<BTreeSet<String>> {
    let arguments = ["tree", "--locked", "--edges", "normal", "--target", "all", "--prefix", "none", "--package", name];
    let tree = output(&mut repository.cargo(&arguments))?;
    let names = tree.lines().filter_map(|line| line.split_whitespace().next());
    Ok(names.filter(|found| *found != name).map(str::to_owned).collect())
}

fn find_violations(rule: &Rule, name: &str, found: &BTreeSet<String>) -> Vec<String> {
    let forbidden = rule.never.iter().flat_map(|set| set.iter()).filter(|it| found.contains(**it));
    forbidden.map(|it| format!("{name} depends on {it}, but {}", rule.because)).collect()
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
    fn violation_is_reported_with_its_reason() {
        let rule = Rule { crates: &["a"], services: false, never: &[&["b"], &["c"]], because: "it is so" };
        let found = ["c", "d"].map(str::to_owned).into();
        assert_eq!(find_violations(&rule, "a", &found), ["a depends on c, but it is so"]);
    }
}
