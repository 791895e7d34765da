//! Choosing an image, and getting it back in gray.

use e2e::Options;
use page_tests::{PageSession, Viewport};
use serde_json::json;

/// Passes the page's sample to `script` as `transfer`.
async fn bring(session: &PageSession, script: &str) {
    let bring = "const answer = await fetch('sample.jpg');
        const transfer = new DataTransfer();
        transfer.items.add(new File([await answer.blob()], 'brought.jpg', { type: 'image/jpeg' }));";
    session.run(&format!("return (async () => {{ {bring} {script} }})()"), vec![]).await;
    session.until_picture_is_shown("picture").await;
    assert!(session.text("#picture-caption").await.starts_with("brought.jpg, "));
}

#[tokio::test]
async fn sample_turns_gray_beside_the_original() {
    let Some(session) = PageSession::start(Viewport::Desk, Options::default()).await else { return };
    session.take_sample().await;
    session.click("#grayscale").await;
    session.until("document.querySelector('#gray-outcome img')?.naturalWidth").await;
    let size = session.evaluate("(({ naturalWidth, naturalHeight }) => [naturalWidth, naturalHeight])(document.querySelector('#gray-outcome img'))").await;
    assert_eq!(size, json!([640, 480]));
    let tops = "['original', 'gray', 'shown'].map((id) => document.getElementById(id).getBoundingClientRect().top)";
    let tops = session.evaluate(tops).await;
    assert!(tops[0] == tops[1] && tops[1] == tops[2], "they stand side by side: {tops}");
    let colourful = "(() => {
        const canvas = new OffscreenCanvas(64, 48).getContext('2d');
        canvas.drawImage(document.querySelector('#gray-outcome img'), 0, 0, 64, 48);
        const { data } = canvas.getImageData(0, 0, 64, 48);
        return data.some((value, at) => at % 4 < 2 && value !== data[at + 1]);
    })()";
    assert_eq!(session.evaluate(colourful).await, json!(false));
    assert!(session.text("#gray-caption").await.contains("event recorded"));
    session.keep("gray").await;
}

#[tokio::test]
async fn click_on_an_example_shows_both_results() {
    let Some(session) = PageSession::start(Viewport::Desk, Options::default()).await else { return };
    for (number, name) in ["sample.jpg", "airplane.jpg", "truck.jpg", "hot-dog.jpg"].into_iter().enumerate() {
        session.click(&format!(".example:nth-child({})", number + 1)).await;
        session.until(&format!("document.getElementById('picture-caption').textContent.startsWith('{name}, ')")).await;
        session.until_both_results().await;
        session.until(&format!("document.querySelectorAll('#events tbody tr').length === {}", 2 * number + 2)).await;
    }
    assert_eq!(session.evaluate("document.querySelectorAll('.failure').length").await, json!(0));
    session.keep_view("examples").await;
}

#[tokio::test]
async fn page_names_its_server_and_links_the_source() {
    let Some(session) = PageSession::start(Viewport::Desk, Options::default()).await else { return };
    session.click(".example").await;
    session.until("document.getElementById('answers').textContent.includes('This request: decode ')").await;
    let words = session.text("#answers").await;
    for part in [
        "Three WebAssembly modules in one process",
        " MB of memory",
        ", ready ",
        ", inference ",
        "cifar10-small knows 10 things",
        "cargo xtask model get",
    ] {
        assert!(words.contains(part), "{part:?} is not in {words:?}");
    }
    let source =
        session.evaluate("fetch(document.getElementById('source').href).then((answer) => answer.status)").await;
    assert_eq!(source, json!(200));
}

#[tokio::test]
async fn uploaded_file_turns_gray() {
    let Some(session) = PageSession::start(Viewport::Desk, Options::default()).await else { return };
    let file = e2e::repository().join("docs/sample.jpg");
    session.fill("#file", &file.display().to_string()).await;
    session.until_picture_is_shown("picture").await;
    session.click("#grayscale").await;
    session.until("document.querySelector('#gray-outcome img')?.naturalWidth").await;
}

#[tokio::test]
async fn image_can_be_dropped_anywhere_and_pasted() {
    let Some(session) = PageSession::start(Viewport::Desk, Options::default()).await else { return };
    let event = "{ dataTransfer: transfer, bubbles: true, cancelable: true }";
    bring(&session, &format!("document.body.dispatchEvent(new DragEvent('drop', {event}));")).await;
    session.open(&session.link()).await;
    let event = "{ clipboardData: transfer, bubbles: true }";
    bring(&session, &format!("document.body.dispatchEvent(new ClipboardEvent('paste', {event}));")).await;
}
