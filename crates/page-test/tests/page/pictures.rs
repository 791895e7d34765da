//! Bringing a picture, and getting it back in gray.

use e2e::Options;
use page_test::{Look, Stage};
use serde_json::json;

/// Brings the page's own sample the way that `script` does with `transfer`.
async fn bring(stage: &Stage, script: &str) {
    let bring = "const answer = await fetch('sample.jpg');
        const transfer = new DataTransfer();
        transfer.items.add(new File([await answer.blob()], 'brought.jpg', { type: 'image/jpeg' }));";
    stage.run(&format!("return (async () => {{ {bring} {script} }})()"), vec![]).await;
    stage.until_picture_is_shown("picture").await;
    assert!(stage.text("#picture-caption").await.starts_with("brought.jpg, "));
}

#[tokio::test]
async fn the_sample_turns_gray_beside_the_original() {
    let Some(stage) = Stage::set(Look::Desk, Options::default()).await else { return };
    stage.take_sample().await;
    stage.click("#grayscale").await;
    stage.until("document.querySelector('#gray-outcome img')?.naturalWidth").await;
    let size = stage.evaluate("(({ naturalWidth, naturalHeight }) => [naturalWidth, naturalHeight])(document.querySelector('#gray-outcome img'))").await;
    assert_eq!(size, json!([640, 480]));
    let tops = "['original', 'gray', 'shown'].map((id) => document.getElementById(id).getBoundingClientRect().top)";
    let tops = stage.evaluate(tops).await;
    assert!(tops[0] == tops[1] && tops[1] == tops[2], "they stand side by side: {tops}");
    let colourful = "(() => {
        const canvas = new OffscreenCanvas(64, 48).getContext('2d');
        canvas.drawImage(document.querySelector('#gray-outcome img'), 0, 0, 64, 48);
        const { data } = canvas.getImageData(0, 0, 64, 48);
        return data.some((value, at) => at % 4 < 2 && value !== data[at + 1]);
    })()";
    assert_eq!(stage.evaluate(colourful).await, json!(false));
    assert!(stage.text("#gray-caption").await.contains("event recorded"));
    stage.keep("gray").await;
}

#[tokio::test]
async fn one_click_on_an_example_shows_both_results() {
    let Some(stage) = Stage::set(Look::Desk, Options::default()).await else { return };
    for (number, name) in ["sample.jpg", "airplane.jpg", "truck.jpg", "hot-dog.jpg"].into_iter().enumerate() {
        stage.click(&format!(".example:nth-child({})", number + 1)).await;
        stage.until(&format!("document.getElementById('picture-caption').textContent.startsWith('{name}, ')")).await;
        stage.until_both_results().await;
        stage.until(&format!("document.querySelectorAll('#events tbody tr').length === {}", 2 * number + 2)).await;
    }
    assert_eq!(stage.evaluate("document.querySelectorAll('.failure').length").await, json!(0));
    stage.keep_view("examples").await;
}

#[tokio::test]
async fn page_says_what_answers_it_and_links_the_source() {
    let Some(stage) = Stage::set(Look::Desk, Options::default()).await else { return };
    stage.click(".example").await;
    stage.until("document.getElementById('answers').textContent.includes('This request: decode ')").await;
    let words = stage.text("#answers").await;
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
    let source = stage.evaluate("fetch(document.getElementById('source').href).then((answer) => answer.status)").await;
    assert_eq!(source, json!(200));
}

#[tokio::test]
async fn a_file_from_the_disk_turns_gray() {
    let Some(stage) = Stage::set(Look::Desk, Options::default()).await else { return };
    let file = e2e::repository().join("docs/sample.jpg");
    stage.fill("#file", &file.display().to_string()).await;
    stage.until_picture_is_shown("picture").await;
    stage.click("#grayscale").await;
    stage.until("document.querySelector('#gray-outcome img')?.naturalWidth").await;
}

#[tokio::test]
async fn a_picture_can_be_dropped_anywhere_and_pasted() {
    let Some(stage) = Stage::set(Look::Desk, Options::default()).await else { return };
    let event = "{ dataTransfer: transfer, bubbles: true, cancelable: true }";
    bring(&stage, &format!("document.body.dispatchEvent(new DragEvent('drop', {event}));")).await;
    stage.open(&stage.link()).await;
    let event = "{ clipboardData: transfer, bubbles: true }";
    bring(&stage, &format!("document.body.dispatchEvent(new ClipboardEvent('paste', {event}));")).await;
}
