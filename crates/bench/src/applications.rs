//! What a service costs as a component, beside the same service as a module for WasmEdge, both in daprlet.

use std::time::Duration;

use e2e::{Options, World, wasm};

use crate::load::Outcome;
use crate::native;
use crate::row::Row;
use crate::world::{free_port, load};

/// Requests that an instance answers where instances are used again.
const REUSED: &str = "1000000";

/// `GET /` and a picture, in a fresh instance for each request and in instances that are used again.
pub(crate) fn rows(seconds: Duration) -> anyhow::Result<Vec<Row>> {
    let settings = vec!["RATE_LIMIT_PER_MINUTE=0".to_owned()];
    let modules = World::start(&Options { settings: settings.clone(), ..Options::default() });
    let port = free_port()?;
    let component = wasm("components/image-api-grayscale");
    let command = serde_json::json!(["wasmtime", "serve", "--max-instance-reuse-count", REUSED, component]);
    let more_apps = format!("- {{appID: reused, appDirPath: ., appPort: {port}, command: {command}}}\n");
    let components = World::start(&Options { settings, as_components: true, more_apps, ..Options::default() });
    let picture = components.folder().join("photograph.jpg");
    std::fs::write(&picture, native::photograph()?)?;
    let picture = picture.display().to_string();
    let hello = |port| load(port, &["--connections", "16"], seconds);
    let gray = |port| load(port, &["--path", "/grayscale", "--method", "POST", "--body", &picture], seconds);
    let (module, fresh, reused) = (hello(modules.ports.grayscale)?, hello(components.ports.grayscale)?, hello(port)?);
    let pictures = (gray(modules.ports.grayscale)?, gray(components.ports.grayscale)?);
    let rate = |what, ours: &Outcome| Row {
        what,
        measured: format!("{:.0}", ours.rate),
        compared: format!("as a module {:.0}", module.rate),
        ratio: format!("{:.2}", ours.rate / module.rate),
        must: "",
        hope: "",
    };
    Ok(vec![
        rate("`GET /` of the grayscale component, a fresh instance each, requests/s at 16 connections", &fresh),
        rate("`GET /` of the grayscale component, instances used again, requests/s at 16 connections", &reused),
        Row {
            what: "`POST /grayscale` to the component, a fresh instance each, p50",
            measured: format!("{:.1} ms", pictures.1.p50 / 1000.0),
            compared: format!("as a module {:.1} ms", pictures.0.p50 / 1000.0),
            ratio: format!("{:.2}", pictures.1.p50 / pictures.0.p50),
            must: "",
            hope: "",
        },
    ])
}
