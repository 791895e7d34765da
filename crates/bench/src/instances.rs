//! What more than one instance of a module is worth.

use std::time::Duration;

use anyhow::anyhow;
use e2e::{Options, World, request, wasm};

use crate::load::Outcome;
use crate::row::Row;
use crate::world::{free_port, load};
use crate::{memory, native};

/// The limit on users is not what is measured.
const UNLIMITED: &str = "RATE_LIMIT_PER_MINUTE=0";

/// Eight connections to the services with as many instances as there are cores, and with one; and small requests beside
/// pictures.
pub(crate) fn rows(seconds: Duration) -> anyhow::Result<Vec<Row>> {
    let one = |service: &str| -> anyhow::Result<(u16, String)> {
        let (port, dapr_port) = (free_port()?, free_port()?);
        let mut command = vec!["wasmedge".to_owned()];
        for setting in [format!("APP_PORT={port}"), format!("DAPR_HTTP_PORT={dapr_port}"), UNLIMITED.to_owned()] {
            command.extend(["--env".to_owned(), setting]);
        }
        command.push(wasm(service).display().to_string());
        let app = serde_json::json!({
            "appID": format!("one-{service}"), "appDirPath": ".", "appPort": port, "daprHTTPPort": dapr_port,
            "env": { "DAPRLET_INSTANCES": 1 }, "command": command,
        });
        Ok((port, format!("- {app}\n")))
    };
    let (one_grayscale, grayscale) = one("image-api-grayscale")?;
    let (one_classify, classify) = one("image-api-classify")?;
    let settings = vec![UNLIMITED.to_owned()];
    let world = World::start(&Options { settings, more_apps: grayscale + &classify, ..Options::default() });
    for port in [one_grayscale, one_classify] {
        let url = format!("http://127.0.0.1:{port}/");
        world.daprlet.until(|| (request("GET", &url).send().status == 200).then_some(()));
    }
    let picture = world.folder().join("photograph.jpg");
    std::fs::write(&picture, native::photograph()?)?;
    let picture = picture.display().to_string();
    let post = |port, path: &str, connections: &str| {
        let flags = ["--path", path, "--method", "POST", "--body", &picture, "--connections", connections];
        load(port, &flags, seconds)
    };
    let ports = &world.ports;
    let before = memory::resident(world.daprlet.id())?;
    let grays = (post(one_grayscale, "/grayscale", "8")?, post(ports.grayscale, "/grayscale", "8")?);
    let classes = (post(one_classify, "/classify", "8")?, post(ports.classify, "/classify", "8")?);
    let after = memory::resident(world.daprlet.id())?;
    let what = "`GET /healthz` of the classify module while pictures are inferred, p99";
    let small = beside_pictures(what, ports.classify, &picture, seconds)?;
    Ok(vec![
        rate("`POST /grayscale` to the module, pictures/s at 8 connections", &grays.1, &grays.0),
        rate("`POST /classify` to the module, pictures/s at 8 connections", &classes.1, &classes.0),
        small,
        Row {
            what: "resident memory after that, with five modules, two of them twice",
            measured: format!("{after:.0} MB"),
            compared: format!("idle before, each once {before:.0} MB"),
            ratio: format!("{:.2}", after / before),
            must: "",
            hope: "",
        },
    ])
}

/// Small requests over one connection while pictures from the file `picture` are classified over another.
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
