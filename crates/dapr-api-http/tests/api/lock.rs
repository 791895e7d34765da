use crate::support::api_with;

#[tokio::test]
async fn lock_belongs_to_one_owner_until_released() {
    let api = api_with(Default::default(), &[("locks", "lock.in-memory", &[])]).await;
    let body = |owner: &str| format!(r#"{{"resourceId":"r","lockOwner":"{owner}","expiryInSeconds":60}}"#);
    for (call, owner, expected) in [
        ("lock", "a", r#"{"success":true}"#),
        ("lock", "b", r#"{"success":false}"#),
        ("unlock", "b", r#"{"status":2}"#),
        ("unlock", "a", r#"{"status":0}"#),
        ("unlock", "a", r#"{"status":1}"#),
        ("lock", "b", r#"{"success":true}"#),
    ] {
        let response = api.call("POST", &format!("/v1.0-alpha1/{call}/locks"), &body(owner)).await;
        assert_eq!((response.status, response.body.as_str()), (200, expected), "{call} {owner}");
    }
}

#[tokio::test]
async fn invalid_lock_requests_have_daprs_errors() {
    let api = api_with(Default::default(), &[("locks", "lock.in-memory", &[])]).await;
    for (path, body, status, code) in [
        ("lock/locks", r#"{"resourceId":"r","lockOwner":"o"}"#, 400, "ERR_MALFORMED_REQUEST"),
        ("lock/other", r#"{"resourceId":"r","lockOwner":"o","expiryInSeconds":1}"#, 400, "ERR_LOCK_STORE_NOT_FOUND"),
        ("lock/locks", r#"{"resourceId":"a||b","lockOwner":"o","expiryInSeconds":1}"#, 500, "ERR_TRY_LOCK"),
        ("unlock/locks", r#"{"resourceId":"a||b","lockOwner":"o"}"#, 500, "ERR_UNLOCK"),
        ("unlock/locks", "{", 400, "ERR_MALFORMED_REQUEST"),
    ] {
        let response = api.call("POST", &format!("/v1.0-alpha1/{path}"), body).await;
        assert_eq!((response.status, response.code().as_str()), (status, code), "{path} {body}");
    }
}
