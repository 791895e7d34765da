//! Conversion of user settings to the host's settings.

use std::collections::BTreeMap;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::Path;
use std::time::Duration;

use dapr_api_http::{AllowedOrigins, ApiToken, Options};
use dapr_building_blocks::component::ComponentSpec;
use dapr_building_blocks::{Registry, component::CreateError};
use dapr_resources::component::ComponentResource;
use dapr_resources::configuration::Handler;
use dapr_resources::resiliency::ComponentTarget;
use dapr_resources::resources::{self, Resources};
use dapr_resources::run_template::{self, AppEntry, LogDestination, RunTemplate};
use dapr_resources::{ConfigError, ConfigErrors, configuration, size};
use dapr_runtime::{AppResources, HealthCheck};
use daprlet_host::{ApiSettings, AppSpec, Command, RuntimeSettings, Workload};
use guest_wasmedge::command::WasmEdgeCommand;
use guest_wasmedge::{Limits, Weight};
use http::header::HeaderValue;

use crate::cli::{self, Run};
use crate::environment::Environment;
use crate::exit::UsageError;

/// Dapr's default for `--max-body-size`, in bytes.
const MAX_BODY_SIZE: u64 = 4 << 20;

/// Dapr's default for `--read-buffer-size`, in bytes.
const READ_BUFFER_SIZE: u64 = 4 << 10;

/// Type prefix of HTTP middleware.
const MIDDLEWARE: &str = "middleware.http.";

/// Variable in an application's `env` that overrides `--instances` for it.
///
/// A variable, because other tools that run the template pass it on to a program that ignores it.
const INSTANCES: &str = "DAPRLET_INSTANCES";

/// Same for `--guest-weight`.
const WEIGHT: &str = "DAPRLET_GUEST_WEIGHT";

/// Same for `--guest-memory`.
const GUEST_MEMORY: &str = "DAPRLET_GUEST_MEMORY";

/// Same for `--app-memory`.
const APP_MEMORY: &str = "DAPRLET_APP_MEMORY";

/// Same for `--guest-cpu`.
const GUEST_CPU: &str = "DAPRLET_GUEST_CPU";

/// Same for `--guest-queue`.
const QUEUE: &str = "DAPRLET_GUEST_QUEUE";

/// Same for `--app-bodies`.
const BODIES: &str = "DAPRLET_APP_BODIES";

/// Same for `--request-timeout`.
const REQUEST_TIMEOUT: &str = "DAPRLET_REQUEST_TIMEOUT";

/// Same for `--log-budget`.
const LOG_BUDGET: &str = "DAPRLET_LOG_BUDGET";

/// Same for `--guest-queue-timeout`.
const QUEUE_TIMEOUT: &str = "DAPRLET_GUEST_QUEUE_TIMEOUT";

/// Returns the applications that `arguments` name.
pub(crate) fn entries(arguments: &Run, environment: &Environment) -> anyhow::Result<RunTemplate> {
    // The parser takes an unknown option for the start of a command.
    if let Some(option) = arguments.command.first().filter(|word| word.starts_with('-')) {
        return Err(UsageError(cli::unknown_option(option)).into());
    }
    match &arguments.run_file {
        Some(_) if !arguments.command.is_empty() => {
            Err(UsageError("a run template already contains commands; give either one or the other".to_owned()).into())
        }
        Some(file) => Ok(run_template::load(file, environment.get("HOME").map(Path::new))?),
        None => Ok(RunTemplate { apps: vec![single(arguments)?], warnings: Vec::new() }),
    }
}

/// Returns each application's settings for the host, and warnings about settings without effect.
///
/// Fails with all errors in the files that the template refers to.
pub(crate) fn read(
    template: RunTemplate,
    arguments: &Run,
    environment: &BTreeMap<String, String>,
    registry: &Registry,
) -> anyhow::Result<(Vec<AppSpec>, Vec<ConfigError>)> {
    let mut errors = ConfigErrors::default();
    template.warnings.into_iter().for_each(|warning| errors.warn(warning));
    let mut apps = Vec::new();
    for entry in template.apps {
        if let Some(app) = app(entry, arguments, environment, registry, &mut errors) {
            apps.push(app);
        }
    }
    if arguments.strict {
        errors.be_strict();
    }
    let warnings = errors.into_result()?;
    Ok((apps, warnings))
}

/// Returns the single application of the command line.
fn single(arguments: &Run) -> anyhow::Result<AppEntry> {
    let Some(app_id) = arguments.app_id.clone() else {
        let message = "name a run template with -f, or an application with --app-id; `daprlet run --help` shows both";
        return Err(UsageError(message.to_owned()).into());
    };
    let size = |flag: &str, text: &Option<String>, bare| {
        let size = text.as_deref().map(|text| size::parse(text, bare)).transpose();
        size.map_err(|error| UsageError(format!("{flag}: {error}")))
    };
    run_template::check_app_id(&app_id).map_err(|why| UsageError(format!("--app-id {why}")))?;
    Ok(AppEntry {
        app_id,
        app_dir: std::env::current_dir()?,
        app_port: arguments.app_port,
        dapr_http_port: arguments.dapr_http_port,
        command: arguments.command.clone(),
        env: Vec::new(),
        resources_paths: arguments.resources_path.clone(),
        config_files: arguments.config.clone(),
        max_body_size: size("--max-body-size", &arguments.max_body_size, 1 << 20)?,
        read_buffer_size: size("--read-buffer-size", &arguments.read_buffer_size, 1 << 10)?,
        app_max_concurrency: Some(arguments.app_max_concurrency),
        app_log_destination: LogDestination::Console,
        log_level: None,
        api_logging: arguments.enable_api_logging.unwrap_or(false),
        health_check: arguments.health_check.fields(),
        origin: "command line".to_owned(),
    })
}

/// Reads the settings of one application and the files that it refers to.
pub(super) fn app(
    entry: AppEntry,
    arguments: &Run,
    environment: &BTreeMap<String, String>,
    registry: &Registry,
    errors: &mut ConfigErrors,
) -> Option<AppSpec> {
    let command = errors.collect(command(&entry, environment));
    let instances = errors.collect(instances(&entry, arguments));
    let health_check = errors.collect(health_check(&entry));
    let weight = errors.collect(weight(&entry, arguments));
    let limits = errors.collect(limits(&entry, arguments));
    let bodies = errors.collect(limit(&entry, BODIES, arguments.app_bodies).map(mib));
    let configuration =
        errors.collect(configuration::load(&entry.config_files, &|name| environment.get(name).cloned()));
    let mut configuration = configuration.unwrap_or_default();
    std::mem::take(&mut configuration.warnings).into_iter().for_each(|warning| errors.warn(warning));
    check_handlers(&configuration.http_pipeline, registry, errors);
    check_handlers(&configuration.app_http_pipeline, registry, errors);
    let resources = resources(&entry, environment, registry, &configuration.denied_components, errors);
    let (command, instances, weight, limits, bodies) = (command?, instances?, weight?, limits?, bodies?);
    let (resources, health_check) = (resources?, health_check?);
    let port_origin = match arguments.run_file {
        Some(_) => format!("appPort ({})", entry.origin),
        None => "--app-port".to_owned(),
    };
    let variable = |name: &str| environment.get(name).cloned();
    let workload = Workload {
        command,
        working_dir: entry.app_dir,
        environment: entry.env,
        limits,
        weight,
        instances,
        ends_run: arguments.run_file.is_none(),
    };
    let options = Options {
        max_body_size: entry.max_body_size.unwrap_or(MAX_BODY_SIZE),
        read_buffer_size: entry.read_buffer_size.unwrap_or(READ_BUFFER_SIZE),
        token: variable("DAPR_API_TOKEN").and_then(ApiToken::new),
        allowed_origins: AllowedOrigins::parse(&arguments.allowed_origins),
        access: configuration.api_access,
        logs_calls: entry.api_logging || configuration.api_logging.unwrap_or(false),
        ..Options::default()
    };
    let runtime = RuntimeSettings {
        resources: AppResources {
            components: resources.components,
            middleware: resources.middleware,
            http_pipeline: configuration.http_pipeline,
            app_http_pipeline: configuration.app_http_pipeline,
            http_endpoints: resources.http_endpoints,
            subscriptions: resources.subscriptions,
            resiliency: resources.resiliency,
        },
        secret_scopes: configuration.secret_scopes,
        access_control: configuration.access_control,
        enabled_features: configuration.enabled_features,
        bodies,
        app_token: variable("APP_API_TOKEN").and_then(app_token),
        max_concurrency: entry.app_max_concurrency.unwrap_or(0),
        health_check,
    };
    Some(AppSpec {
        id: entry.app_id,
        port: entry.app_port,
        port_origin,
        workload,
        api: ApiSettings { port: entry.dapr_http_port.unwrap_or(0), public_port: arguments.dapr_public_port, options },
        runtime,
    })
}

/// Returns the header that carries the token to an application; `None` for an empty one or one that no header can.
fn app_token(token: String) -> Option<HeaderValue> {
    let mut token = HeaderValue::try_from(token).ok().filter(|token| !token.is_empty())?;
    token.set_sensitive(true);
    Some(token)
}

/// Reports handlers whose middleware is not in this build.
fn check_handlers(handlers: &[Handler], registry: &Registry, errors: &mut ConfigErrors) {
    let is_middleware = |type_: &&str| type_.starts_with(MIDDLEWARE);
    for handler in handlers {
        let type_ = handler.type_.to_ascii_lowercase();
        // An empty type is reported by the reader of the file.
        let is_served = type_.is_empty() || is_middleware(&type_.as_str()) && registry.knows(&type_);
        if !is_served {
            let known: Vec<_> = registry.types().filter(is_middleware).collect();
            let message =
                format!("type: {:?} is no middleware of daprlet; there are {}", handler.type_, known.join(", "));
            errors.push(ConfigError::new(&handler.origin, message));
        }
    }
}

/// Returns the limit on a module's instances: from its entry, the command line, or one per core.
fn instances(entry: &AppEntry, arguments: &Run) -> Result<usize, ConfigErrors> {
    if let Some((_, text)) = entry.env.iter().find(|(name, _)| name == INSTANCES) {
        return text.parse().map(NonZeroUsize::get).map_err(|_| {
            let error = format!("app {}: env: {INSTANCES} is {text:?}: it must be a number from 1", entry.app_id);
            ConfigError::new(&entry.origin, error).into()
        });
    }
    let given = arguments.instances.or_else(|| std::thread::available_parallelism().ok());
    Ok(given.map_or(1, NonZeroUsize::get))
}

/// Returns the settings of health probes.
///
/// Absent and zero values get the defaults of `dapr/pkg/config/app_connection.go`.
fn health_check(entry: &AppEntry) -> Result<Option<HealthCheck>, ConfigErrors> {
    let fields = &entry.health_check;
    if fields.enabled != Some(true) {
        return Ok(None);
    }
    let error_at = |error: String| ConfigError::new(&entry.origin, format!("app {}: {error}", entry.app_id));
    if entry.app_port.is_none() {
        return Err(error_at("a health check needs appPort (--app-port), which it probes".to_owned()).into());
    }
    let path = fields.path.as_deref().unwrap_or("healthz").trim_start_matches('/');
    let path = format!("/{path}").parse().map_err(|error| error_at(format!("health check path /{path}: {error}")))?;
    let positive = |number: Option<u64>, default| number.filter(|number| *number > 0).unwrap_or(default);
    let interval = Duration::from_secs(positive(fields.interval, 5));
    let timeout = Duration::from_millis(positive(fields.timeout, 500));
    if timeout > interval {
        let error = format!("the health probe's timeout ({timeout:?}) must be at most its interval ({interval:?})");
        return Err(error_at(error).into());
    }
    let threshold = fields.threshold.filter(|threshold| *threshold > 0).unwrap_or(3);
    Ok(Some(HealthCheck { path, interval, timeout, threshold }))
}

/// Returns the resource limits of guests: from the application's entry, or the command line.
fn limits(entry: &AppEntry, arguments: &Run) -> Result<Limits, ConfigErrors> {
    let is_own = entry.env.iter().any(|(name, _)| name == REQUEST_TIMEOUT);
    let own = is_own.then(|| limit(entry, REQUEST_TIMEOUT, 0)).transpose()?;
    let timeout = own.or(arguments.request_timeout.map(NonZeroU64::get));
    Ok(Limits {
        memory: mib(limit(entry, GUEST_MEMORY, arguments.guest_memory)?),
        app_memory: mib(limit(entry, APP_MEMORY, arguments.app_memory)?),
        busy: Duration::from_secs(limit(entry, GUEST_CPU, arguments.guest_cpu)?),
        queue: usize::try_from(limit(entry, QUEUE, arguments.guest_queue)?).unwrap_or(usize::MAX),
        queue_timeout: Duration::from_secs(limit(entry, QUEUE_TIMEOUT, arguments.guest_queue_timeout)?),
        request_timeout: timeout.map(Duration::from_secs),
        ..Limits::default()
    })
}

/// Returns the limit on an application's log output, in bytes per second.
pub(crate) fn log_budget(entry: &AppEntry, arguments: &Run) -> anyhow::Result<usize> {
    let kib = limit(entry, LOG_BUDGET, arguments.log_budget)?;
    Ok(usize::try_from(kib).unwrap_or(usize::MAX).saturating_mul(1 << 10))
}

/// Converts MiB to bytes.
fn mib(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX).saturating_mul(1 << 20)
}

/// Returns an application's own limit, or else that of the command line.
fn limit(entry: &AppEntry, name: &str, general: u64) -> Result<u64, ConfigErrors> {
    let Some((_, text)) = entry.env.iter().find(|(other, _)| other == name) else { return Ok(general) };
    text.parse().ok().filter(|limit| *limit > 0).ok_or_else(|| {
        let error = format!("app {}: env: {name} is {text:?}: it must be a number from 1", entry.app_id);
        ConfigError::new(&entry.origin, error).into()
    })
}

/// Returns the CPU weight of an application's guests: from its entry, or the command line.
fn weight(entry: &AppEntry, arguments: &Run) -> Result<Weight, ConfigErrors> {
    let own = entry.env.iter().find(|(name, _)| name == WEIGHT).map(|(_, text)| text);
    let weight = own.map_or(Some(arguments.guest_weight), |text| text.parse().ok()).and_then(Weight::new);
    weight.ok_or_else(|| {
        let text = own.map_or_else(|| arguments.guest_weight.to_string(), ToOwned::to_owned);
        let error = format!("app {}: env: {WEIGHT} is {text:?}: it must be a number from 1 to 10000", entry.app_id);
        ConfigError::new(&entry.origin, error).into()
    })
}

fn command(entry: &AppEntry, environment: &BTreeMap<String, String>) -> Result<Command, ConfigErrors> {
    let Some((program, rest)) = entry.command.split_first() else { return Ok(Command::None) };
    let error_at =
        |error: String| ConfigError::new(&entry.origin, format!("app {}: command: {error}", entry.app_id)).into();
    let is_module = Path::new(program).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("wasm"));
    if WasmEdgeCommand::is_wasmedge(program) || is_module {
        return WasmEdgeCommand::parse(if is_module { &entry.command } else { rest })
            .map(Command::WasmEdge)
            .map_err(|error| error_at(error.to_string()));
    }
    #[cfg(feature = "component-apps")]
    if daprlet_host::ServeCommand::is_wasmtime(program) {
        let parsed = daprlet_host::ServeCommand::parse(rest);
        return parsed.map(Command::Serve).map_err(|error| error_at(error.to_string()));
    }
    let own = entry.env.iter().find(|(name, _)| name == "PATH").map(|(_, path)| path);
    which::which_in(program, own.or_else(|| environment.get("PATH")), &entry.app_dir)
        .map_err(|error| error_at(format!("{program}: {error}, relative to {}", entry.app_dir.display())))?;
    Ok(Command::Process(entry.command.clone()))
}

/// Building blocks that are not supported yet, by the first part of their component types.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("conversation", "the conversation API is not supported yet and responds with 501"),
    ("crypto", "the cryptography API is not supported yet and responds with 501"),
    ("nameresolution", "applications of one process find each other by their ids"),
    ("workflow", "the workflow API is not supported yet and responds with 501"),
];

/// Types of supported building blocks that Dapr has (`components-contrib/{configuration,pubsub}`), and daprlet or this
/// build lacks.
///
/// Dapr's own default directory has `pubsub.redis`, beside components that applications need.
const OTHER_TYPES: &[&str] = &[
    "configuration.azure.appconfig",
    "configuration.kubernetes",
    "configuration.postgres",
    "configuration.postgresql",
    "pubsub.aws.snssqs",
    "pubsub.azure.eventhubs",
    "pubsub.azure.servicebus",
    "pubsub.azure.servicebus.queues",
    "pubsub.azure.servicebus.topics",
    "pubsub.gcp.pubsub",
    "pubsub.jetstream",
    "pubsub.kafka",
    "pubsub.kubemq",
    "pubsub.mqtt3",
    "pubsub.pulsar",
    "pubsub.rabbitmq",
    "pubsub.redis",
    "pubsub.rocketmq",
    "pubsub.solace.amqp",
];

/// Loads the resources that this application sees, checked as far as possible without creating components.
fn resources(
    entry: &AppEntry,
    environment: &BTreeMap<String, String>,
    registry: &Registry,
    denied: &[String],
    errors: &mut ConfigErrors,
) -> Option<Resources> {
    let namespace = environment.get("NAMESPACE").map(String::as_str);
    let mut resources = errors.collect(resources::load(&entry.resources_paths, namespace))?;
    std::mem::take(&mut resources.warnings).into_iter().for_each(|warning| errors.warn(warning));
    resources.retain_visible_to(&entry.app_id);
    let is_middleware =
        |component: &mut ComponentResource| component.type_.to_ascii_lowercase().starts_with("middleware.");
    resources.middleware = resources.components.extract_if(.., is_middleware).collect();
    resources.middleware.retain(|component| !is_denied(component, denied, errors));
    resources
        .components
        .retain(|component| !is_denied(component, denied, errors) && is_supported(component, registry, errors));
    warn_about_subscriptions(&resources, entry, errors);
    warn_about_targets(&resources, entry, errors);
    Some(resources)
}

/// Warns about subscriptions that deliver nothing.
fn warn_about_subscriptions(resources: &Resources, entry: &AppEntry, errors: &mut ConfigErrors) {
    for subscription in &resources.subscriptions {
        let (name, pubsub) = (&subscription.name, &subscription.pubsub);
        let why = if entry.app_port.is_none() {
            format!("application {:?} has no port for its messages", entry.app_id)
        } else if resources.components.iter().any(|component| component.name == *pubsub) {
            continue;
        } else {
            format!("application {:?} has no component {pubsub:?}", entry.app_id)
        };
        errors.warn(ConfigError::new(&subscription.origin, format!("subscription {name:?} has no effect: {why}")));
    }
}

/// Warns about policies of components that do not exist.
fn warn_about_targets(resources: &Resources, entry: &AppEntry, errors: &mut ConfigErrors) {
    for (target, ComponentTarget { origin, .. }) in resources.resiliency.iter().flat_map(|it| &it.components) {
        if !resources.components.iter().any(|component| component.name == *target) {
            let why = format!("application {:?} has no component {target:?}", entry.app_id);
            errors.warn(ConfigError::new(origin, format!("policies of {target:?} have no effect: {why}")));
        }
    }
}

/// Returns true, after a warning, if the Configuration denies the component's type.
fn is_denied(component: &ComponentResource, denied: &[String], errors: &mut ConfigErrors) -> bool {
    let type_ = component.type_.to_ascii_lowercase();
    let versioned = format!("{type_}/{}", component.version);
    let is_denied = denied.iter().map(|denied| denied.to_ascii_lowercase()).any(|it| it == type_ || it == versioned);
    if is_denied {
        warn_skipped(component, "the Configuration denies its type", errors);
    }
    is_denied
}

/// Warns that a component is skipped.
fn warn_skipped(component: &ComponentResource, why: &str, errors: &mut ConfigErrors) {
    let message = format!("component {:?} ({}) is skipped: {why}", component.name, component.type_);
    errors.warn(ConfigError::new(&component.origin, message));
}

/// Returns true if the component should be created.
///
/// A type that Dapr has and daprlet lacks is skipped with a warning. An unknown type is an error, unless the component
/// ignores errors.
fn is_supported(component: &ComponentResource, registry: &Registry, errors: &mut ConfigErrors) -> bool {
    let type_ = component.type_.to_ascii_lowercase();
    let block = type_.split('.').next().unwrap_or_default();
    if let Some((_, why)) = UNSUPPORTED.iter().find(|(prefix, _)| *prefix == block) {
        warn_skipped(component, why, errors);
        return false;
    }
    if OTHER_TYPES.contains(&type_.as_str()) && !registry.knows(&type_) {
        let its = |known: &&str| known.split('.').next() == Some(block);
        let known: Vec<_> = registry.types().filter(its).collect();
        warn_skipped(component, &format!("this type is not supported yet; there are {}", known.join(", ")), errors);
        return false;
    }
    let spec = ComponentSpec {
        name: component.name.clone(),
        type_: component.type_.clone(),
        version: component.version.clone(),
        ..ComponentSpec::default()
    };
    match registry.check(&spec) {
        Err(error @ (CreateError::UnknownType { .. } | CreateError::UnknownVersion { .. })) => {
            if component.ignore_errors {
                warn_skipped(component, &error.to_string(), errors);
                return false;
            }
            errors.push(ConfigError::new(&component.origin, error.to_string()));
            false
        }
        _ => true,
    }
}
