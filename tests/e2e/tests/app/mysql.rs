//! MySQL's own protocol from inside a guest, to a real MariaDB.

use e2e::{Deployment, Options, wasm};
use image::ImageFormat;
use test_servers::mariadb;

use crate::pictures::picture;

#[test]
fn late_database_loses_no_events_over_mysql_protocol() {
    let Some(server) = mariadb() else { return };
    let secrets = serde_json::json!({ "DB_URL": { "MYSQL": format!("mysql://root@127.0.0.1:{}/mysql", server.port) } });
    // Only the secret allows the guest to connect there.
    let deployment = Deployment::start(&Options { secrets, ..Options::default() });
    assert_eq!(deployment.events("GET", "/init").send().text(), r#"{"status":true}"#);
    for _ in 0..3 {
        assert_eq!(deployment.grayscale("POST", "/grayscale").body(picture(ImageFormat::Png)).send().status, 200);
    }
    deployment
        .daprlet
        .until(|| (deployment.events("GET", "/events").send().json().as_array()?.len() == 3).then_some(()));

    drop(server);
    let answer = deployment.grayscale("POST", "/grayscale").body(picture(ImageFormat::Png)).send();
    assert_eq!((answer.status, answer.header("event-delivery")), (200, "deferred"));
    assert_eq!(deployment.events("GET", "/healthz").send().status, 503);
}

#[test]
fn plain_mysql_program_runs_unchanged() {
    let Some(server) = mariadb() else { return };
    let address = format!("127.0.0.1:{}", server.port);
    let url = format!("DATABASE_URL=mysql://root@{address}/mysql");
    let command = serde_json::json!(["wasmedge", "--env", url, wasm("plain-mysql")]);
    let more_apps = format!("- {{appID: plain, appDirPath: more, command: {command}}}\n");
    let arguments = vec!["--allow-outbound".to_owned(), address];
    let deployment = Deployment::start(&Options { more_apps, arguments, ..Options::default() });
    deployment
        .daprlet
        .until(|| deployment.daprlet.said().contains(r#"== plain == [(1, "one"), (2, "zwei")]"#).then_some(()));
}
