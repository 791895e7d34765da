use crate::support::api;

#[tokio::test]
async fn verb_path_query_headers_and_body_reach_the_application_and_its_answer_comes_back() {
    let api = api().await;
    let path = "/v1.0/invoke/echo/method/a/b%20c?q=1&r=%2F";
    let answer = api.call_with("PATCH", path, &[("x-mine", "yes")], "body").await;
    assert_eq!(answer.status, 203);
    assert_eq!(answer.headers["x-app"], "echo");
    assert_eq!(answer.body, "PATCH /a/b%20c?q=1&r=%2F\nx-mine: yes\nbody");
}

#[tokio::test]
async fn header_and_user_name_take_the_whole_path_as_the_method() {
    let api = api().await;
    let by_header = api.call_with("POST", "/m//n/", &[("dapr-app-id", "echo")], "").await;
    assert_eq!(by_header.body, "POST /m/n\n");
    let basic = [("authorization", "Basic ZGFwci1hcHAtaWQ6ZWNobw==")];
    let by_name = api.call_with("GET", "/m", &basic, "").await;
    assert_eq!(by_name.body, "GET /m\nauthorization: Basic ZGFwci1hcHAtaWQ6ZWNobw==\n");
}

#[tokio::test]
async fn failures_have_one_code_and_the_status_that_tells_them_apart() {
    let api = api().await;
    for (path, status) in [
        ("/v1.0/invoke/nobody/method/x", 500),
        ("/v1.0/invoke/closed/method/x", 403),
        ("/v1.0/invoke/echo/method/a%00b", 500),
        ("/v1.0/invoke/echo", 404),
        ("/anything", 404),
    ] {
        let answer = api.call("POST", path, "").await;
        assert_eq!((answer.status, answer.code().as_str()), (status, "ERR_DIRECT_INVOKE"), "{path}");
    }
}
