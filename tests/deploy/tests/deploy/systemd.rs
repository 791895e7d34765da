//! The units are valid, and start what `dapr.yaml` starts.

use std::collections::BTreeMap;
use std::process::Command;

use dapr_resources::resources;
use deploy_tests::unit::{Unit, environment};
use deploy_tests::{files, repository, text};

use crate::application::services;

fn unit(name: &str) -> Unit {
    Unit::parse(&text(format!("deploy/systemd/{name}")))
}

/// systemd knows every setting of its version, and reports unknown ones.
#[test]
fn systemd_accepts_the_units() {
    let units: Vec<_> =
        files("deploy/systemd").into_iter().filter(|it| it.extension().is_some_and(|it| it == "service")).collect();
    assert_eq!(units.len(), 2);
    let Ok(output) = Command::new("systemd-analyze").args(["verify", "--man=no"]).args(units).output() else {
        // Not required even on CI: nothing else needs it.
        println!("DID NOT RUN: systemd-analyze is not installed");
        return;
    };
    let told = String::from_utf8(output.stderr).unwrap();
    // The programs are not installed on the test machine.
    let complaints: Vec<&str> =
        told.lines().filter(|line| !line.contains(" is not executable: No such file")).collect();
    assert_eq!(complaints, Vec::<&str>::new());
}

#[test]
fn units_have_ports_modules_and_models() {
    let start = unit("dapr-run@.service");
    let start = start.value("Service", "ExecStart");
    assert!(
        start.starts_with(
            "/usr/local/bin/dapr run --app-id %i --app-port ${APP_PORT} --dapr-http-port ${DAPR_HTTP_PORT} "
        )
    );
    assert!(start.ends_with("wasmedge $WASMEDGE_OPTIONS ${MODULE}"));
    let resources = start.split("--resources-path ").nth(1).unwrap().split_whitespace().next().unwrap();
    let resources = resources.strip_prefix("../").expect("it starts in the service's directory");
    assert_eq!(resources::load(&[repository(resources)], None).unwrap().components.len(), 5, "{resources}");
    for service in services() {
        let text = text(format!("deploy/systemd/{}.env", service.id));
        let variables: BTreeMap<&str, &str> = environment(&text).into_iter().collect();
        assert_eq!(variables["APP_PORT"], service.port.to_string());
        assert_eq!(variables["DAPR_HTTP_PORT"], service.dapr_port.to_string());
        let (program, options) = service.command.split_first().unwrap();
        let (module, options) = options.split_last().unwrap();
        assert_eq!((program.as_str(), variables["MODULE"]), ("wasmedge", module.as_str()));
        assert_eq!(variables["WASMEDGE_OPTIONS"], options.join(" "));
    }
}

#[test]
fn units_restart_and_never_run_as_root() {
    for name in ["daprlet.service", "dapr-run@.service"] {
        let unit = unit(name);
        let settings = [
            ("Unit", "StartLimitIntervalSec", "0"),
            ("Service", "Restart", "always"),
            ("Service", "User", "daprlet"),
            ("Service", "NoNewPrivileges", "yes"),
            ("Service", "ProtectSystem", "strict"),
            ("Service", "ReadWritePaths", "/opt/daprlet/data"),
            ("Install", "WantedBy", "multi-user.target"),
        ];
        for (section, setting, value) in settings {
            assert_eq!(unit.value(section, setting), value, "{name}: {setting}");
        }
        // Both generate machine code in memory.
        assert_eq!(unit.value("Service", "MemoryDenyWriteExecute"), "", "{name}");
    }
    let usage = text("crates/daprlet/src/exit.rs");
    assert!(usage.contains("const USAGE: u8 = 64;"));
    assert_eq!(unit("daprlet.service").value("Service", "RestartPreventExitStatus"), "64");
    assert!(repository("deploy/systemd").join("daprlet.service").is_file());
}
