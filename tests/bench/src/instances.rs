//! Benefit of more than one instance of a module.

use std::time::Duration;

use anyhow::anyhow;
use e2e::{Deployment, Options, request, wasm};

use crate::bench::{free_port, load};
use crate::load::Outcome;
use crate::row::Row;
use crate::turns::{TURNS, by_turns};
use crate::{native, processes};

/// Disables the rate limit, which is not measured.
const UNLIMITED: &str = "RATE_LIMIT_PER_MINUTE=0";

/// Number of instances whose memory is averaged.
const MEASURED_INSTANCES: usize = 4;

/// Measures eight connections to services with one instance for each core and with one, and small requests beside
/// images.
pub(crate) fn rows(seconds: Duration) -> anyhow::Result<Vec<Row>> {
    let (one_grayscale, grayscale) = one("image-api-grayscale", "one")?;
    let (one_classify, classify) = one("image-api-classify", "one")?;
    let settings = vec![UNLIMITED.to_owned()];
    let deployment = Deployment::start(&Options { settings, more_apps: grayscale + &classify, ..Options::default() });
    for port in [one_grayscale, one_classify] {
        let url = format!("http://127.0.0.1:{port}/");
        deployment.daprlet.until(|| (request("GET", &url).send().status == 200).then_some(()));
    }
    let picture = deployment.folder().join("photograph.jpg");
    std::fs::write(&picture, native::photograph()?)?;
    let picture = picture.display().to_string();
    let ports = &deployment.ports;
    let grays = eight_connections((one_grayscale, ports.grayscale), "/grayscale", &picture, seconds)?;
    let classes = eight_connections((one_classify, ports.classify), "/classify", &picture, seconds)?;
    let what = "`GET /healthz` of the classify module while pictures are inferred, p99";
    let small = beside_pictures(what, ports.classify, &picture, seconds)?;
    Ok(vec![
        rate("`POST /grayscale` to the module, pictures/s at 8 connections", &grays.1, &grays.0),
        rate("`POST /classify` to the module, pictures/s at 8 connections", &classes.1, &classes.0),
        small,
        one_more("memory of one more instance of image-api-grayscale with its sidecar, idle", "image-api-grayscale")?,
        one_more("memory of one more instance of image-api-classify with its sidecar, idle", "image-api-classify")?,
    ])
}

/// Sends images over eight connections to a service of one instance and to one of several, in turns.
pub(crate) fn eight_connections(
    ports: (u16, u16),
    path: &str,
    picture: &str,
    seconds: Duration,
) -> anyhow::Result<(Outcome, Outcome)> {
    let flags = ["--path", path, "--method", "POST", "--body", picture, "--connections", "8"];
    let post = |port| load(port, &flags, seconds / TURNS);
    by_turns(|(one, more): &(Outcome, Outcome)| more.rate / one.rate, || Ok((post(ports.0)?, post(ports.1)?)))
}

/// Returns port and run template entry of a further app with one instance.
fn one(service: &str, name: &str) -> anyhow::Result<(u16, String)> {
    let (port, dapr_port) = (free_port()?, free_port()?);
    let mut command = vec!["wasmedge".to_owned()];
    for setting in [format!("APP_PORT={port}"), format!("DAPR_HTTP_PORT={dapr_port}"), UNLIMITED.to_owned()] {
        command.extend(["--env".to_owned(), setting]);
    }
    command.push(wasm(service).display().to_string());
    let app = serde_json::json!({
        "appID": format!("{name}-{service}"), "appDirPath": "more", "appPort": port, "daprHTTPPort": dapr_port,
        "env": { "DAPRLET_INSTANCES": 1 }, "command": command,
    });
    Ok((port, format!("- {app}\n")))
}

/// Measures the memory of an instance that shares its code: [`MEASURED_INSTANCES`] apps of the same module, compared with none.
fn one_more(what: &'static str, service: &str) -> anyhow::Result<Row> {
    let usage_with = |apps: usize| {
        let more =
            (0..apps).map(|number| one(service, &format!("more-{number}"))).collect::<anyhow::Result<Vec<_>>>()?;
        let (ports, more_apps): (Vec<u16>, String) = more.into_iter().unzip();
        let deployment = Deployment::start(&Options { more_apps, ..Options::default() });
        for port in ports {
            let url = format!("http://127.0.0.1:{port}/healthz");
            deployment.daprlet.until(|| (request("GET", &url).send().status == 200).then_some(()));
        }
        processes::usage(&[deployment.daprlet.id()])
    };
    let (before, after) = (usage_with(0)?, usage_with(MEASURED_INSTANCES)?);
    let of_one = |with: f64, without: f64| (with - without) / MEASURED_INSTANCES as f64;
    Ok(Row {
        what,
        measured: format!("{:.1} MB", of_one(after.resident, before.resident)),
        compared: format!("anonymous {:.1} MB", of_one(after.anonymous, before.anonymous)),
        ratio: "-".to_owned(),
        must: "",
        hope: "",
    })
}

/// Sends small requests over one connection while images from the file `picture` are classified over another.
pub(crate) fn beside_pictures(what: &'static str, port: u16, picture: &str, seconds: Duration) -> anyhow::Result<Row> {
    let flags = ["--path", "/classify", "--method", "POST", "--body", picture, "--connections", "1"];
    let small = std::thread::scope(|scope| {
        let busy = scope.spawn(|| load(port, &flags, seconds));
        let small = load(port, &["--path", "/healthz"], seconds);
        busy.join().map_err(|_| anyhow!("the load"))??;
        small
    })?;
    Ok(Row {
        what,
        measured: format!("{:.2} ms", small.p99 / 1000.0),
        compared: format!("p50 {:.2} ms", small.p50 / 1000.0),
        ratio: "-".to_owned(),
        must: "50 ms",
        hope: "",
    })
}

fn rate(what: &'static str, ours: &Outcome, one: &Outcome) -> Row {
    Row {
        what,
        measured: format!("{:.0}", ours.rate),
        compared: format!("one instance {:.0}", one.rate),
        ratio: format!("{:.2}", ours.rate / one.rate),
        must: "1.7",
        hope: "",
    }
}
