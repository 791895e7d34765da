//! Instances of a component: fresh for each request, or reused.

use e2e::{Deployment, Options, request, wasm};
use image::ImageFormat;

use crate::pictures::picture;

/// Starts a deployment with a second grayscale service under other flags of `wasmtime serve`.
fn deployment_with_another(flags: &[&str]) -> (Deployment, u16) {
    let [port] = e2e::free_ports();
    let mut command = vec!["wasmtime".to_owned(), "serve".to_owned(), "-Scli".to_owned()];
    command.extend(flags.iter().map(|flag| (*flag).to_owned()));
    command.push(wasm("components/image-api-grayscale").display().to_string());
    let command = serde_json::json!(command);
    let more_apps =
        format!("- {{appID: another, appDirPath: more, appPort: {port}, daprHTTPPort: 0, command: {command}}}\n");
    let deployment = Deployment::start(&Options { more_apps, ..crate::options() });
    let ready = format!("http://127.0.0.1:{port}/");
    deployment.daprlet.until(|| (request("GET", &ready).send().status == 200).then_some(()));
    (deployment, port)
}

#[test]
fn loaded_model_serves_many_images() {
    let deployment = Deployment::start(&crate::options());
    let pictures = 10;
    for _ in 0..pictures {
        assert_eq!(deployment.classify("POST", "/classify").body(picture(ImageFormat::Png)).send().status, 200);
    }
    let said = deployment.daprlet.said();
    // A delivery of events at the same time as an image has its own instance, with its own model.
    let loaded = said.matches("first image").count();
    assert!((1..pictures / 2).contains(&loaded), "{loaded} times: {said}");
}

#[test]
fn new_instance_prepares_while_others_respond() {
    let deployment = Deployment::start(&crate::options());
    let sent = picture(ImageFormat::Png);
    let prepared = || deployment.daprlet.said().matches("first image").count();
    deployment.daprlet.until(|| {
        std::thread::scope(|scope| {
            let ask = || deployment.classify("POST", "/classify").body(sent.clone()).send().status;
            let asking: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
            asking.into_iter().for_each(|it| assert_eq!(it.join().unwrap(), 200));
        });
        (prepared() > 1).then_some(())
    });
}

#[test]
fn trap_fails_only_its_request() {
    // A large image exceeds the memory limit, and a small one does not.
    let (deployment, port) = deployment_with_another(&["-W", "max-memory-size=12582912"]);
    let mut large = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(3000, 3000).write_to(&mut large, ImageFormat::Png).unwrap();
    let url = format!("http://127.0.0.1:{port}/grayscale");
    let failed = request("POST", &url).body(large.into_inner()).send();
    assert_eq!((failed.status, failed.text().as_str()), (500, "the application failed; its log says why\n"));
    assert_eq!(request("POST", &url).body(picture(ImageFormat::Png)).send().status, 200);
    let said = deployment.daprlet.said();
    assert!(said.contains("instance failed; others continue") && said.contains("wasm backtrace"), "{said}");
    assert_eq!(deployment.grayscale("GET", "/").send().status, 200);
}

#[test]
fn concurrent_requests_get_separate_instances() {
    let deployment = Deployment::start(&crate::options());
    let statuses: Vec<_> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| deployment.grayscale("POST", "/grayscale").body(picture(ImageFormat::Png)).send().status)
            })
            .collect();
        asking.into_iter().map(|it| it.join().unwrap()).collect()
    });
    assert_eq!(statuses, [200; 16]);
    // On a busy machine some events wait for the next delivery.
    let events = || deployment.events("GET", "/events").send().json().as_array().unwrap().len();
    deployment.daprlet.until(|| (events() >= 16).then_some(()));
    assert_eq!(events(), 16, "each picture is one event");
}

#[test]
fn peer_address_is_the_user_despite_headers() {
    let deployment = Deployment::start(&crate::options());
    let answer = deployment.grayscale("GET", "/").header("x-real-ip", "9.9.9.9").send();
    assert_eq!(answer.status, 200);
    deployment.daprlet.until(|| deployment.daprlet.said().contains("path=/ status=200").then_some(()));
    let said = deployment.daprlet.said();
    assert!(said.contains("user=127.0.0.1") && !said.contains("9.9.9.9"), "{said}");
}
