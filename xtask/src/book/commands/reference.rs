//! daprlet's commands and flags, from the book's reference, which daprlet's own tests write.

use std::collections::BTreeMap;

/// Flags of each command, by its full name, such as `daprlet run`.
pub(super) struct Reference {
    commands: BTreeMap<String, BTreeMap<String, Value>>,
}

/// Name of a flag's value, such as `FILE`; `None` if it has none.
type Value = Option<String>;

/// Arguments of a command, parsed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Arguments {
    /// Flags with name and value of their value.
    pub(super) flags: Vec<(String, Option<(String, String)>)>,
    /// All other arguments.
    pub(super) others: Vec<String>,
}

impl Reference {
    /// Reads the reference: a heading and a help text for each command.
    pub(super) fn parse(text: &str) -> Self {
        let sections = text.split("\n## ").skip(1).filter_map(|section| section.split_once('\n'));
        Self { commands: sections.map(|(name, help)| (name.trim().to_owned(), flags(help))).collect() }
    }

    /// Parses the arguments of daprlet.
    ///
    /// # Errors
    /// If there is no such command, no such flag, or a flag without its value.
    pub(super) fn arguments(&self, arguments: &[String]) -> Result<Arguments, String> {
        let mut name = "daprlet".to_owned();
        let mut rest = arguments;
        while let Some((word, after)) = rest.split_first() {
            let longer = format!("{name} {word}");
            if !self.commands.contains_key(&longer) {
                break;
            }
            (name, rest) = (longer, after);
        }
        let flags = self.commands.get(&name).ok_or("the reference has no daprlet")?;
        let has_commands = self.commands.keys().any(|command| command.starts_with(&format!("{name} ")));
        let mut parsed = Arguments::default();
        let mut words = rest.iter();
        while let Some(word) = words.next() {
            if word == "--" {
                parsed.others.extend(words.cloned());
                break;
            }
            if !word.starts_with('-') {
                if has_commands {
                    return Err(format!("`{name}` has no command {word}"));
                }
                parsed.others.push(word.clone());
                continue;
            }
            let (flag, given) = word.split_once('=').map_or((word.as_str(), None), |(flag, value)| (flag, Some(value)));
            let value = flags.get(flag).ok_or_else(|| format!("`{name}` has no flag {flag}"))?;
            let value = match value {
                None => None,
                Some(value) => {
                    let given = given.map(str::to_owned).or_else(|| words.next().cloned());
                    Some((value.clone(), given.ok_or_else(|| format!("{flag} has no value"))?))
                }
            };
            parsed.flags.push((flag.to_owned(), value));
        }
        Ok(parsed)
    }
}

/// Finds the flags in a help text: `-f, --run-file <FILE>`, and `[alias: --other]` below.
fn flags(help: &str) -> BTreeMap<String, Value> {
    let mut flags = BTreeMap::new();
    let mut last = None;
    for line in help.lines().map(str::trim) {
        if let Some(aliases) = line.strip_prefix("[alias: ").or_else(|| line.strip_prefix("[aliases: ")) {
            let names = aliases.trim_end_matches(']').split(", ");
            flags.extend(names.map(|name| (name.to_owned(), last.clone().flatten())));
        } else if line.starts_with('-') {
            let value =
                line.split_once(" <").and_then(|(_, rest)| rest.split_once('>')).map(|(name, _)| name.to_owned());
            let names = line.split([' ', ',', '[']).filter(|word| word.starts_with('-'));
            flags.extend(names.map(|name| (name.to_owned(), value.clone())));
            last = Some(value);
        }
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Title\n\n## daprlet\n\n  -V, --version\n\n## daprlet run\n\n  -d, --resources-path <DIRECTORY>\n      \
                        Text\n\n      [alias: --components-path]\n\n      --strict\n      --enable[=<ENABLE>]\n";

    fn parse(line: &str) -> Result<Arguments, String> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        Reference::parse(TEXT).arguments(&words)
    }

    #[test]
    fn flags_and_aliases_have_values() {
        let found = parse("run -d a --components-path b --strict --enable -- c --d").unwrap();
        let value = |value: &str| Some(("DIRECTORY".to_owned(), value.to_owned()));
        let flags = [("-d", value("a")), ("--components-path", value("b")), ("--strict", None), ("--enable", None)];
        assert_eq!(found.flags, flags.map(|(flag, value)| (flag.to_owned(), value)));
        assert_eq!(found.others, ["c", "--d"]);
    }

    #[test]
    fn unknown_commands_and_flags_are_errors() {
        assert_eq!(parse("walk"), Err("`daprlet` has no command walk".to_owned()));
        assert_eq!(parse("run --stric"), Err("`daprlet run` has no flag --stric".to_owned()));
        assert_eq!(parse("run -d"), Err("-d has no value".to_owned()));
        assert!(parse("--version").is_ok());
    }
}
