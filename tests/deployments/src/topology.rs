//! Sidecars, components and applications that both deployments run.

/// Sidecars that start together, in one environment.
pub struct Topology {
    /// Sidecars; the first is used to check that the others are up.
    pub sidecars: Vec<Sidecar>,
    /// Environment of the processes, added to the harness's own.
    pub environment: &'static [(&'static str, &'static str)],
    /// Flags that `daprd` and `daprlet run` both have.
    pub flags: &'static [&'static str],
    /// The project's own component directory, for sidecars without components of their own.
    pub config: Option<Config>,
    /// Settings of the services, `NAME=VALUE`.
    pub settings: Vec<String>,
    /// Components as Wasm modules, served on sockets by `daprlet component serve`: the socket's name, the module's
    /// name, and flags, in which `{folder}` is replaced.
    pub pluggable: &'static [(&'static str, &'static str, &'static [&'static str])],
}

/// A component directory of the repository, and the secret that names its events database.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Config {
    /// `config/`; the secret holds a URL for MySQL's own protocol.
    Development,
    /// `config/production/`; the secret holds the name of the SQL binding.
    Production,
}

impl Config {
    /// Path of the directory, in the repository and in each deployment.
    #[must_use]
    pub fn folder(self) -> &'static str {
        match self {
            Self::Development => "config",
            Self::Production => "config/production",
        }
    }
}

/// One application with its Dapr port.
pub struct Sidecar {
    /// App id.
    pub id: &'static str,
    /// Application behind the sidecar.
    pub app: App,
    /// Component, Subscription, Resiliency and HTTPEndpoint YAML. `{redis}`, `{mysql}`, `{outside}`, `{folder}` and `{shared}`
    /// are replaced.
    pub components: &'static [&'static str],
    /// Configuration YAML.
    pub configuration: Option<&'static str>,
}

/// Kind of application behind a sidecar.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum App {
    /// The harness's echo application, which reports the request that reached it.
    Echo,
    /// A service of the project, as WebAssembly.
    Service,
    /// A port without a listener.
    Down,
    /// No application.
    None,
}

/// Returns the sidecars of the API suite.
#[must_use]
pub fn api() -> Topology {
    let echo = |id, components, configuration| Sidecar { id, app: App::Echo, components, configuration };
    Topology {
        sidecars: vec![
            echo("caller", CALLER, Some(SCOPES)),
            echo("callee", &[], None),
            echo("closed", &[], Some(CLOSED)),
            echo("allowing", &[MEMORY, SECRETS], Some(ALLOWING)),
            echo("denying", &[MEMORY, SECRETS], Some(DENYING)),
            echo(
                "subscriber",
                &[include_str!("topology/pubsub.yaml"), include_str!("topology/configuration.yaml")],
                None,
            ),
            echo("resilient", &[include_str!("topology/resiliency.yaml")], None),
            Sidecar { id: "bare", app: App::None, components: &[], configuration: None },
            Sidecar { id: "down", app: App::Down, components: &[], configuration: None },
        ],
        config: None,
        settings: Vec::new(),
        pluggable: PLUGGABLE,
        environment: &[("PARITY_SHOWN", "shown"), ("PARITY_EMPTY", ""), ("PARITY_UMLAUT", "ä€"), ("HIDDEN", "hidden")],
        flags: &[],
    }
}

/// Returns one sidecar on stores that both deployments share.
#[must_use]
pub fn exchange() -> Topology {
    let sidecar = Sidecar { id: "caller", app: App::None, components: SHARED, configuration: None };
    // Some of the stores use it in keys.
    Topology {
        sidecars: vec![sidecar],
        environment: &[("NAMESPACE", "production")],
        flags: &[],
        config: None,
        settings: Vec::new(),
        pluggable: &[],
    }
}

/// Returns a sidecar that requires an API token, has another for its application, and allows CORS origins.
#[must_use]
pub fn guarded() -> Topology {
    let sidecar = Sidecar { id: "guarded", app: App::Echo, components: &[MEMORY], configuration: None };
    let environment = &[("DAPR_API_TOKEN", "asked"), ("APP_API_TOKEN", "given")];
    let flags = &["--allowed-origins", "http://page.example,https://*.example.org"];
    Topology { sidecars: vec![sidecar], environment, flags, config: None, settings: Vec::new(), pluggable: &[] }
}

/// Returns the application, with these settings of its services.
#[must_use]
pub fn application(config: Config, settings: &[&str]) -> Topology {
    let service = |id| Sidecar { id, app: App::Service, components: &[], configuration: None };
    let sidecars = ["image-api-grayscale", "image-api-classify", "events-service"].map(service);
    let settings = settings.iter().map(|it| (*it).to_owned()).collect();
    Topology { sidecars: sidecars.into(), environment: &[], flags: &[], config: Some(config), settings, pluggable: &[] }
}

/// Secrets file of the store `env-file`.
pub(crate) const SECRETS_ENV: &str = "ONE=first\nTWO=\"the second\"\n";

/// Secrets file of the stores `secrets` and `multi`.
pub(crate) const SECRETS_FILE: &str = r#"{
  "plain": "value", "empty": "", "number": 5, "yes": true, "nothing": null, "umlaut": "ä€",
  "DB_URL": { "MYSQL": "mysql://nobody@nowhere", "deeper": { "still": "there" } },
  "list": ["first", "second"], "hidden": "not for everybody", "a/b": "slash", "bulk": "unreachable",
  "state-key": "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
}"#;

const PLUGGABLE: &[(&str, &str, &[&str])] = &[
    ("wasm-store", "state-in-memory", &[]),
    ("wasm-secrets", "secrets-env-file", &["--allow-dirs", "here:{folder}:readonly"]),
    ("wasm-echo", "echo-binding", &[]),
];

const CALLER: &[&str] = &[
    MEMORY,
    include_str!("topology/locks.yaml"),
    "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: socket}, spec: {type: state.wasm-store, version: v1}}",
    "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: env-file},
      spec: {type: secretstores.wasm-secrets, version: v1, metadata: [{name: path, value: here/secrets.env}]}}",
    "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: echo}, spec: {type: bindings.wasm-echo, version: v1}}",
    "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: sqlite},
      spec: {type: state.sqlite, version: v1, metadata: [{name: connectionString, value: '{folder}/sqlite.db'}]}}",
    "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: redis},
      spec: {type: state.redis, version: v1, metadata: [{name: redisHost, value: '{redis}'}]}}",
    "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: by-name},
      spec: {type: state.redis, version: v1, metadata: [{name: redisHost, value: '{redis}'}, {name: keyPrefix, value: name}]}}",
    "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: by-none},
      spec: {type: state.redis, version: v1, metadata: [{name: redisHost, value: '{redis}'}, {name: keyPrefix, value: none}]}}",
    "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: by-word},
      spec: {type: state.redis, version: v1, metadata: [{name: redisHost, value: '{redis}'}, {name: keyPrefix, value: shared}]}}",
    "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: by-namespace},
      spec: {type: state.redis, version: v1, metadata: [{name: redisHost, value: '{redis}'}, {name: keyPrefix, value: namespace}]}}",
    SECRETS,
    "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: dotted},
      spec: {type: secretstores.local.file, version: v1,
             metadata: [{name: secretsFile, value: '{folder}/secrets.json'}, {name: nestedSeparator, value: '.'}]}}",
    "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: multi},
      spec: {type: secretstores.local.file, version: v1,
             metadata: [{name: secretsFile, value: '{folder}/secrets.json'}, {name: multiValued, value: 'true'}]}}",
    "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: allowed},
      spec: {type: secretstores.local.file, version: v1, metadata: [{name: secretsFile, value: '{folder}/secrets.json'}]}}",
    "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: denied},
      spec: {type: secretstores.local.file, version: v1, metadata: [{name: secretsFile, value: '{folder}/secrets.json'}]}}",
    "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: env},
      spec: {type: secretstores.local.env, version: v1, metadata: [{name: prefix, value: PARITY_}]}}",
    "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: sql},
      spec: {type: bindings.mysql, version: v1, metadata: [{name: url, value: '{mysql}'}]}}",
    "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: not-for-caller},
      spec: {type: state.in-memory, version: v1}, scopes: [callee]}",
    "{apiVersion: dapr.io/v1alpha1, kind: HTTPEndpoint, metadata: {name: outside},
      spec: {baseUrl: 'http://{outside}/base', headers: [{name: x-given, value: plain},
             {name: x-secret, secretKeyRef: {name: umlaut, key: umlaut}}, {name: X-Mine, value: replaced}]},
      auth: {secretStore: secrets}}",
    "{apiVersion: dapr.io/v1alpha1, kind: HTTPEndpoint, metadata: {name: nowhere}, spec: {baseUrl: 'http://127.0.0.1:1'}}",
    "{apiVersion: dapr.io/v1alpha1, kind: HTTPEndpoint, metadata: {name: not-for-caller}, spec: {baseUrl: 'http://{outside}'},
      scopes: [callee]}",
];

const SHARED: &[&str] = &[
    "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: sqlite},
      spec: {type: state.sqlite, version: v1, metadata: [{name: connectionString, value: '{shared}/sqlite.db'}]}}",
    "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: redis},
      spec: {type: state.redis, version: v1, metadata: [{name: redisHost, value: '{redis}'}]}}",
    "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: by-namespace},
      spec: {type: state.redis, version: v1, metadata: [{name: redisHost, value: '{redis}'}, {name: keyPrefix, value: namespace}]}}",
    "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: by-empty},
      spec: {type: state.redis, version: v1, metadata: [{name: redisHost, value: '{redis}'}, {name: keyPrefix, value: ''}]}}",
    "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: by-octal},
      spec: {type: state.redis, version: v1, metadata: [{name: redisHost, value: '{redis}'}, {name: keyPrefix, value: 010}]}}",
    "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: by-template},
      spec: {type: state.redis, version: v1, metadata: [{name: redisHost, value: '{redis}'}, {name: keyPrefix, value: '{appID}-In-{namespace}'}]}}",
    "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: encrypted},
      spec: {type: state.redis, version: v1, metadata: [{name: redisHost, value: '{redis}'},
             {name: primaryEncryptionKey, secretKeyRef: {name: state-key, key: state-key}}]}, auth: {secretStore: secrets}}",
    SECRETS,
];

const MEMORY: &str = "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: memory},
  spec: {type: state.in-memory, version: v1}}";

const SECRETS: &str = "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: secrets},
  spec: {type: secretstores.local.file, version: v1,
         metadata: [{name: secretsFile, value: '{folder}/secrets.json'}, {name: nestedSeparator, value: ':'}]}}";

const SCOPES: &str =
    "{apiVersion: dapr.io/v1alpha1, kind: Configuration, metadata: {name: scopes}, spec: {secrets: {scopes: [
  {storeName: allowed, defaultAccess: deny, allowedSecrets: [plain, missing]},
  {storeName: denied, defaultAccess: allow, deniedSecrets: ['${HIDDEN}$ABSENT']}]}}}";

const CLOSED: &str = "{apiVersion: dapr.io/v1alpha1, kind: Configuration, metadata: {name: closed},
  spec: {accessControl: {defaultAction: deny}}}";

const ALLOWING: &str = "{apiVersion: dapr.io/v1alpha1, kind: Configuration, metadata: {name: allowing},
  spec: {api: {allowed: [{name: state, version: v1, protocol: http}, {name: metadata, version: v1, protocol: http}]}}}";

const DENYING: &str = "{apiVersion: dapr.io/v1alpha1, kind: Configuration, metadata: {name: denying},
  spec: {api: {denied: [{name: secrets, version: v1, protocol: http}, {name: invoke, version: v1, protocol: http}]}}}";
