//! Cost of a service as a component, compared with the same service as a WasmEdge module, both in daprlet.

use std::time::Duration;

use e2e::{Deployment, Options, request, wasm};

use crate::bench::{free_port, load};
use crate::instances::eight_connections;
use crate::load::Outcome;
use crate::native;
use crate::row::Row;

/// Requests handled by an instance that is reused.
const REQUESTS_PER_INSTANCE: &str = "1000000";

/// A daprlet whose services are components, with further ones under other flags.
struct Applications {
    deployment: Deployment,
    reused: u16,
    single_grayscale: u16,
    single_classify: u16,
}

impl Applications {
    fn start() -> anyhow::Result<Self> {
        let (reused, single_grayscale, single_classify) = (free_port()?, free_port()?, free_port()?);
        let app = |id: &str, port: u16, service: &str, flags: &[&str]| {
            let mut command = vec!["wasmtime", "serve", "--env", "RATE_LIMIT_PER_MINUTE=0"];
            command.extend(flags);
            let component = wasm(&format!("components/{service}")).display().to_string();
            command.push(&component);
            let command = serde_json::json!(command);
            format!("- {{appID: {id}, appDirPath: more, appPort: {port}, daprHTTPPort: 0, command: {command}}}\n")
        };
        let one = ["--max-concurrent-requests", "1"];
        let more_apps = [
            app("reused", reused, "image-api-grayscale", &["--max-instance-reuse-count", REQUESTS_PER_INSTANCE]),
            app("one-grayscale", single_grayscale, "image-api-grayscale", &one),
            app("one-classify", single_classify, "image-api-classify", &one),
        ];
        let settings = vec!["RATE_LIMIT_PER_MINUTE=0".to_owned()];
        let more_apps = more_apps.concat();
        let deployment = Deployment::start(&Options { settings, as_components: true, more_apps, ..Options::default() });
        // Compilation takes all cores, and would slow down the first measurement.
        for port in [reused, single_grayscale, single_classify] {
            let url = format!("http://127.0.0.1:{port}/");
            deployment.daprlet.until(|| (request("GET", &url).send().status == 200).then_some(()));
        }
        Ok(Self { deployment, reused, single_grayscale, single_classify })
    }
}

/// Measures `GET /` and an image.
///
/// With a fresh instance for each request, with reused instances, and with more than one instance.
pub(crate) fn rows(seconds: Duration) -> anyhow::Result<Vec<Row>> {
    let settings = vec!["RATE_LIMIT_PER_MINUTE=0".to_owned()];
    let modules = Deployment::start(&Options { settings, ..Options::default() });
    let components = Applications::start()?;
    let picture = modules.folder().join("photograph.jpg");
    std::fs::write(&picture, native::photograph()?)?;
    let picture = picture.display().to_string();
    let hello = |port| load(port, &["--connections", "16"], seconds);
    let post = |port| load(port, &["--path", "/grayscale", "--method", "POST", "--body", &picture], seconds);
    let ports = &components.deployment.ports;
    let (module, fresh, reused) = (hello(modules.ports.grayscale)?, hello(ports.grayscale)?, hello(components.reused)?);
    let gray = (post(modules.ports.grayscale)?, post(ports.grayscale)?);
    let grays = eight_connections((components.single_grayscale, ports.grayscale), "/grayscale", &picture, seconds)?;
    let classes = eight_connections((components.single_classify, ports.classify), "/classify", &picture, seconds)?;
    let rate = |what, ours: &Outcome, as_what: &str, theirs: &Outcome, must| Row {
        what,
        measured: format!("{:.0}", ours.rate),
        compared: format!("{as_what} {:.0}", theirs.rate),
        ratio: format!("{:.2}", ours.rate / theirs.rate),
        must,
        hope: "",
    };
    Ok(vec![
        rate(
            "`GET /` of the grayscale component, a fresh instance each, requests/s at 16 connections",
            &fresh,
            "as a module",
            &module,
            "",
        ),
        rate(
            "`GET /` of the grayscale component, instances used again, requests/s at 16 connections",
            &reused,
            "as a module",
            &module,
            "",
        ),
        Row {
            what: "`POST /grayscale` to the component, a fresh instance each, p50",
            measured: format!("{:.1} ms", gray.1.p50 / 1000.0),
            compared: format!("as a module {:.1} ms", gray.0.p50 / 1000.0),
            ratio: format!("{:.2}", gray.1.p50 / gray.0.p50),
            must: "",
            hope: "",
        },
        rate(
            "`POST /grayscale` to the component, pictures/s at 8 connections",
            &grays.1,
            "one instance",
            &grays.0,
            "1.7",
        ),
        rate(
            "`POST /classify` to the component, pictures/s at 8 connections",
            &classes.1,
            "one instance",
            &classes.0,
            "1.7",
        ),
    ])
}
