//! Flags for application health probes, as in `dapr run`.

use clap::Args;
use dapr_resources::run_template::HealthCheckFields;

/// Health-probe flags.
#[derive(Debug, Args)]
pub(crate) struct HealthCheck {
    /// Probes the application's health; an unhealthy application gets no requests and no events.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    enable_app_health_check: Option<bool>,

    /// The path to which a healthy application responds with 2xx. [default: /healthz]
    #[arg(long, value_name = "PATH")]
    app_health_check_path: Option<String>,

    /// The interval between probes, in seconds. [default: 5]
    #[arg(long, value_name = "SECONDS")]
    app_health_probe_interval: Option<u64>,

    /// The timeout of a probe, in milliseconds. [default: 500]
    #[arg(long, value_name = "MILLISECONDS")]
    app_health_probe_timeout: Option<u64>,

    /// The number of consecutive failures after which the application is unhealthy. [default: 3]
    #[arg(long, value_name = "NUMBER")]
    app_health_threshold: Option<u32>,
}

impl HealthCheck {
    /// Returns the flags as fields of a run template.
    pub(crate) fn fields(&self) -> HealthCheckFields {
        HealthCheckFields {
            enabled: self.enable_app_health_check,
            path: self.app_health_check_path.clone(),
            interval: self.app_health_probe_interval,
            timeout: self.app_health_probe_timeout,
            threshold: self.app_health_threshold,
        }
    }
}
