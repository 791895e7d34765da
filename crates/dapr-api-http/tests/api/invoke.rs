use crate::support::api;

#[tokio::test]
async fn invocation_forwards_request_and_returns_response() {
    let api = api().await;
    let path = "/v1.0/invoke/echo/method/a/b%20c?q=1&r=%2F";
    let response = api.call_with("PATCH", path, &[("x-mine", "yes")], "body").await;
    assert_eq!(response.status, 203);
    assert_eq!(response.headers["x-app"], "echo");
    let body = &response.body;
    assert!(body.starts_with("PATCH /a/b%20c?q=1&r=%2F\n") && body.ends_with("\nbody"), "{body}");
    assert!(body.contains("\nx-mine: yes\n") && body.contains("\ndapr-caller-app-id: app\n"), "{body}");
}

#[tokio::test]
async fn app_id_by_header_or_user_name_makes_path_the_method() {
    let api = api().await;
    let by_header = api.call_with("POST", "/m//n/", &[("dapr-app-id", "echo")], "").await;
    assert!(by_header.body.starts_with("POST /m/n\n"), "{}", by_header.body);
    let basic = [("authorization", "Basic ZGFwci1hcHAtaWQ6ZWNobw==")];
    let by_name = api.call_with("GET", "/m", &basic, "").await;
    assert!(by_name.body.starts_with("GET /m\nauthorization: Basic ZGFwci1hcHAtaWQ6ZWNobw==\n"), "{}", by_name.body);
}

#[tokio::test]
async fn invocation_errors_share_a_code_and_differ_in_status() {
    let api = api().await;
    for (path, status) in [
        ("/v1.0/invoke/nobody/method/x", 500),
        ("/v1.0/invoke/closed/method/x", 403),
        ("/v1.0/invoke/echo/method/a%00b", 500),
        ("/v1.0/invoke/echo", 404),
        ("/anything", 404),
    ] {
        let response = api.call("POST", path, "").await;
        assert_eq!((response.status, response.code().as_str()), (status, "ERR_DIRECT_INVOKE"), "{path}");
    }
}
