//! Flags of `dapr run` that configure `daprd` and have no meaning here.
//!
//! They are accepted, so that a command line for Dapr works here, and reported, so that nobody relies on them.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};

use crate::exit::UsageError;

/// Flags with a value, with their short forms.
const VALUES: &[(&str, Option<char>)] = &[
    ("app-channel-address", None),
    ("app-protocol", Some('P')),
    ("dapr-block-shutdown-duration", None),
    ("dapr-grpc-port", Some('G')),
    ("dapr-internal-grpc-port", Some('I')),
    ("disable-init-endpoints", None),
    ("metrics-port", Some('M')),
    ("placement-host-address", None),
    ("profile-port", None),
    ("runtime-path", None),
    ("scheduler-host-address", None),
    ("unix-domain-socket", Some('u')),
];

/// Boolean flags.
const SWITCHES: &[&str] = &["app-ssl", "enable-profiling"];

/// Given flags, with their values.
#[derive(Debug, Default)]
pub(crate) struct WithoutEffect(Vec<(&'static str, String)>);

impl WithoutEffect {
    /// Rejects flags that ask for unsupported features and may not be ignored.
    pub(crate) fn check(&self) -> Result<(), UsageError> {
        for (flag, value) in &self.0 {
            let why = match (*flag, value.as_str()) {
                ("app-protocol", "http") | ("app-ssl", "false") => continue,
                ("app-protocol", _) => "daprlet only supports http to applications so far",
                ("app-ssl", _) => "daprlet does not support TLS to applications yet",
                _ => continue,
            };
            return Err(UsageError(format!("--{flag} {value}: {why}")));
        }
        Ok(())
    }

    /// Returns the flags that have no effect.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        // daprlet calls no init endpoints, so none has to be disabled.
        let is_honoured = |flag: &str| ["app-protocol", "app-ssl", "disable-init-endpoints"].contains(&flag);
        self.0.iter().filter(move |(flag, _)| !is_honoured(flag)).map(|(flag, _)| format!("--{flag}"))
    }
}

impl Args for WithoutEffect {
    fn augment_args(command: Command) -> Command {
        let values = VALUES.iter().map(|&(name, short)| Arg::new(name).long(name).short(short).action(ArgAction::Set));
        let switches = SWITCHES.iter().map(|&name| {
            // Accepted as in pflag: alone, or with `=true` and `=false`.
            Arg::new(name).long(name).num_args(0..=1).require_equals(true).action(ArgAction::Set)
        });
        values.chain(switches).fold(command, |command, flag| command.arg(flag.hide(true)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for WithoutEffect {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut given = Self::default();
        given.update_from_arg_matches(matches)?;
        Ok(given)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        let all = VALUES.iter().map(|(name, _)| *name).chain(SWITCHES.iter().copied());
        let value = |name| matches.get_one::<String>(name).cloned().unwrap_or_else(|| "true".to_owned());
        self.0 = all.filter(|name| matches.contains_id(name)).map(|name| (name, value(name))).collect();
        Ok(())
    }
}
